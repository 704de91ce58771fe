"""Checking a dataset: its records, and every number of its patch files."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from backends.encoders.t5 import T5Tokenizer
from pipeline.datasets.buckets import BUCKETS, bucket_name, parse_bucket
from pipeline.datasets.image_ids import borrowed_ids, is_file_name
from pipeline.datasets.image_places import ImagePlaces
from pipeline.datasets.passes import FIELDS, PASSES
from pipeline.datasets.passes.caption import CAPTION
from pipeline.datasets.passes.embedding import embedding_width
from pipeline.datasets.passes.migrate import BUCKET, ID
from pipeline.datasets.passes.t5 import recorded_mask
from pipeline.datasets.patch_files import PatchFiles, move_away, read_manifest, state_of
from pipeline.datasets.patch_grid import patch_count
from pipeline.datasets.records import FoundRecord, Record, read_records
from pipeline.datasets.side_journals import SideJournals
from pipeline.datasets.verify_report import BucketRow, VerifyReport
from pipeline.jobs.cores import usable_cores
from pipeline.jobs.pause_point import PausePoint

CAPTIONS_AT_ONCE = 512
FILES_AT_ONCE = 64

PATCH_SIZES = (14, 16)
"""Patch sizes in pixels of the models whose files these can be: DINOv2 and DINOv3."""

NOT_FINITE = 0x7C00
"""The exponent bits of a float16; in infinities and NaN, all of them are set."""


class _Seen(NamedTuple):
    """What is remembered of a record, until it is known that no later one of its image counts."""

    line: int
    image_path: str
    on_disk: bool
    bucket: str | None
    image_id: str | None
    lacking: tuple[str, ...]
    damaged: tuple[str, ...]
    embedding_width: int


class Verifier:
    """Checks one dataset.

    Args:
        dataset: The file.
        input_dir: Directory of the images, None where it is not known.
        patches_dir: Directory of the patch files, if there are any.
        tokenizer: Tells which masks are stale, None to check no masks.
        discard: Directory for patch files that are amiss, None to leave them where they are.

    Attributes:
        report: What was found.
    """

    def __init__(
        self,
        dataset: Path,
        input_dir: Path | None,
        patches_dir: Path,
        tokenizer: T5Tokenizer | None,
        discard: Path | None = None,
    ) -> None:
        self.report = VerifyReport()
        self._dataset = dataset
        self._places = ImagePlaces(input_dir, dataset)
        self._patches_dir = patches_dir
        self._tokenizer = tokenizer
        self._discard = discard
        self._seen: dict[str, _Seen] = {}
        self._masks: list[tuple[int, str, list[int]]] = []
        self._stale_masks = set[int]()

    def run(self, pause_point: PausePoint) -> None:
        """Check everything, and fill in the report.

        Raises:
            GivenUp: the check is to end.
            OSError: the dataset cannot be read.
            JournalLocked: files are to be moved away, and an enrichment is under way.
        """
        lock = None if self._discard is None else SideJournals(self._dataset).lock()
        try:
            self._run(pause_point)
        finally:
            if lock is not None:
                SideJournals(self._dataset).leave(lock)

    def _run(self, pause_point: PausePoint) -> None:
        pause_point.begin(f"reading {self._dataset.name}", self._dataset.stat().st_size)
        for found in read_records(self._dataset, self._places.path_of):
            pause_point.go_through(found.line.start)
            self._take(found)
        self._compare_masks()
        self._sum_up()
        manifest = read_manifest(self._patches_dir)
        report = self.report
        if manifest is not None:
            report.mixed_models = manifest.unfinished
            report.patches_by, report.patches_revision = manifest.model, manifest.revision
        report.patches_checked = manifest is not None or any(self._patches_dir.glob("*.npy"))
        if report.patches_checked:
            files = None if manifest is None else PatchFiles(self._patches_dir, manifest.config())
            self._check_patches(files, pause_point)
        report.ok, report.finished = not report.has_defects(), True

    def _take(self, found: FoundRecord) -> None:
        line, record, path, key = found
        if record is None:
            self.report.malformed.append(line.number)
            return
        if (earlier := self._seen.get(key)) is not None:
            self.report.superseded.append(earlier.line)
        self._seen[key] = _Seen(
            line=line.number,
            image_path=record.image_path,
            on_disk=path is not None and self._is_there(path),
            bucket=record.text(BUCKET),
            image_id=record.text(ID),
            lacking=tuple(name for each in PASSES.values() for name in each.missing_fields(record)),
            damaged=tuple(name for each in PASSES.values() for name in each.damaged_fields(record)),
            embedding_width=embedding_width(record),
        )
        if self._tokenizer is not None:
            self._queue_mask(line.number, record)

    def _is_there(self, path: str) -> bool:
        """Tell whether there is an image; without an input directory, none counts as missing."""
        return not self._places.root or self._places.find(path) is not None

    def _queue_mask(self, line: int, record: Record) -> None:
        caption = record.text(CAPTION)
        if caption is not None and (mask := recorded_mask(record)) is not None:
            self._masks.append((line, caption, mask))
        if len(self._masks) >= CAPTIONS_AT_ONCE:
            self._compare_masks()

    def _compare_masks(self) -> None:
        if self._tokenizer is None or not self._masks:
            return
        wanted = self._tokenizer.masks([caption for _, caption, _ in self._masks])
        for (line, _, mask), right in zip(self._masks, wanted, strict=True):
            if mask != right:
                self._stale_masks.add(line)
        self._masks.clear()

    def _sum_up(self) -> None:
        report, seen = self.report, self._seen
        report.records = len(seen)
        lacking = Counter(name for one in seen.values() for name in one.lacking)
        report.not_made = [name for name in FIELDS if seen and lacking[name] == len(seen)]
        report.lacking = {name: lacking[name] for name in FIELDS if 0 < lacking[name] < len(seen)}
        report.damaged = dict(Counter(name for one in seen.values() for name in one.damaged))
        widths = Counter(one.embedding_width for one in seen.values())
        report.embedding_widths = {width: count for width, count in widths.items() if width}
        if self._places.root:
            report.missing_images = sum(not one.on_disk for one in seen.values())
        if self._tokenizer is not None:
            report.stale_masks = sum(one.line in self._stale_masks for one in seen.values())
        ids = {key: one.image_id for key, one in seen.items() if one.image_id is not None}
        report.shared_ids = list(dict.fromkeys(borrowed_ids(ids).values()))
        for name in (*map(bucket_name, BUCKETS), *(one.bucket or "none" for one in seen.values())):
            report.buckets.setdefault(name, BucketRow())
        for one in seen.values():
            report.buckets[one.bucket or "none"].records += 1
            for field in one.lacking:
                if field in report.lacking:
                    self.report.add_example(f"without {field}", one.image_path)
            for field in one.damaged:
                self.report.add_example(f"damaged {field}", one.image_path)
            if not one.on_disk:
                self.report.add_example("image not there", one.image_path)

    def _check_patches(self, files: PatchFiles | None, pause_point: PausePoint) -> None:
        """Read every patch file, on all cores."""
        wanted = [one for one in self._seen.values() if one.image_id is not None]
        pause_point.begin("checking patch files", len(wanted), "files")
        for name, row in self.report.buckets.items():
            bucket = parse_bucket(name)
            row.shape = files.shape(bucket) if files is not None and bucket is not None else None
        for one in self._seen.values():
            if one.image_id is None:
                self._count(one, "missing")
        with ThreadPoolExecutor(usable_cores()) as pool:
            for start in range(0, len(wanted), FILES_AT_ONCE):
                pause_point.go_through(start)
                some = wanted[start : start + FILES_AT_ONCE]
                for one, state in zip(some, pool.map(self._state, some), strict=True):
                    self._count(one, state)
                    if state in ("stale", "truncated", "nan"):
                        self._move_away(one)
        known = {f"{one.image_id}.npy" for one in wanted}
        there = (path.name for path in self._patches_dir.glob("*.npy"))
        self.report.orphans = sum(name not in known for name in there)

    def _count(self, one: _Seen, state: str) -> None:
        row = self.report.buckets[one.bucket or "none"]
        setattr(row, state, getattr(row, state) + 1)
        if state != "whole":
            self.report.add_example(f"patches {state}", one.image_path)

    def _move_away(self, one: _Seen) -> None:
        path = self._patches_dir / f"{one.image_id}.npy"
        if self._discard is not None and path.exists():  # two records may share it
            move_away(path, self._discard)
            self.report.discarded += 1

    def _state(self, one: _Seen) -> str:
        """Return the state of the patch file of a record."""
        if one.image_id is None or not is_file_name(one.image_id):
            return "missing"
        path = self._patches_dir / f"{one.image_id}.npy"
        state = state_of(path, lambda shape: self._fits(shape, one.bucket))
        return "nan" if state == "whole" and not is_finite(path) else state

    def _fits(self, found: tuple[int, int], bucket: str | None) -> bool:
        """Tell whether a shape is that of a bucket, for the model or, if it is unknown, for any."""
        shape = self.report.buckets[bucket or "none"].shape
        if shape is not None:
            return found == shape
        size = None if bucket is None else parse_bucket(bucket)
        return size is None or found[0] in {
            patch_count(size, patch_size) for patch_size in PATCH_SIZES
        }


def is_finite(path: Path) -> bool:
    """Tell whether every number of a float16 array is finite; the file is mapped."""
    import numpy as np

    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return False
    exponents = array.view(np.uint16) & NOT_FINITE
    return not bool((exponents == NOT_FINITE).any())
