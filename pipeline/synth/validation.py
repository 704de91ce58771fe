"""Checking a set: what `pcc synth validate` finds out."""

from __future__ import annotations

import re
import time
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from journal import what_failed
from pipeline.jobs.pause_point import PausePoint
from pipeline.synth.drawing import images_of, labels_of
from pipeline.synth.errors import DatasetUnusable
from pipeline.synth.findings import SplitFindings, Validation
from pipeline.synth.metadata import (
    BYTES_PER_IMAGE,
    EARLIER_NAME,
    LARGEST_SEED,
    METADATA,
    VERSION,
    FileFormat,
    Metadata,
    class_table,
    has_our_images,
    make_metadata,
)
from pipeline.synth.primitives import CLASSES, GRID
from pipeline.synth.reading import checksum_of, read_metadata, read_split
from pipeline.synth.report_sheet import Samples, write_sheet
from pipeline.synth.train_val_test import Split, splits_of
from pipeline.synth.twins import count_twins, hash_images

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 8192
LABEL_VALUES = 256
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def validate_dataset(directory: Path, pause_point: PausePoint | None = None) -> Validation:
    """Check a set and draw its report.

    Eight bytes an image are held in memory to find equal pictures; the images are read in chunks.

    Args:
        directory: Directory of the set.
        pause_point: Passed with the images that were looked at, None where nobody watches.

    Raises:
        GivenUp: the check is to end; the report that was there stays.
    """
    began = time.monotonic()
    found, samples = Validation(directory=str(directory)), Samples()
    try:
        metadata = read_metadata(directory / METADATA)
    except DatasetUnusable as error:
        found.defects.append(str(error))
    else:
        _check_set(directory, metadata, found, samples, pause_point or PausePoint())
    found.valid = not found.defects
    try:
        found.report = str(write_sheet(directory, found, samples))
    except OSError as error:
        found.notes.append(f"the report could not be written: {what_failed(error)}")
    found.seconds = round(time.monotonic() - began, 3)
    return found


def _check_set(
    directory: Path,
    metadata: Metadata,
    found: Validation,
    samples: Samples,
    pause_point: PausePoint,
) -> None:
    params = metadata.generation_params
    pause_point.begin("checking images", params.num_images, "images")
    found.version, found.seed = metadata.version, params.seed
    found.num_images = params.num_images
    found.defects += _metadata_defects(metadata)
    ours = has_our_images(metadata)
    if not ours:
        found.notes.append(
            f"made by version {metadata.version[:40]!r} with seed {params.seed}; its images "
            f"cannot be compared with what {VERSION} makes"
        )
    hashes: dict[str, NDArray[np.uint64]] = {}
    for split in splits_of(max(0, params.num_images)):
        check = SplitCheck(split, params.seed if ours else None, samples, pause_point)
        found.splits[split.name] = check.findings
        found.defects += check.run(directory, metadata.checksums.get(split.file_name))
        hashes[split.name] = np.concatenate(check.hashes or [np.empty(0, np.uint64)])
        check.hashes.clear()
    found.equal_pictures = _twins(hashes)


def _twins(hashes: dict[str, NDArray[np.uint64]]) -> dict[str, int]:
    for one in hashes.values():
        one.sort()
    return {
        f"{second}_in_{first}": count_twins(hashes[second], hashes[first])
        for first, second in combinations(hashes, 2)
    }


def _metadata_defects(metadata: Metadata) -> list[str]:
    """Return where metadata contradicts itself or the rules."""
    params = metadata.generation_params
    if params.num_images < 1:
        return [f"{METADATA}: num_images is {params.num_images}"]
    expected = make_metadata(params.num_images, params.seed, {})
    checks = (
        ("grid_size", params.grid_size, GRID),
        ("splits", params.splits, expected.generation_params.splits),
        ("dataset_info", metadata.dataset_info, expected.dataset_info),
        ("bytes_per_image", metadata.memory_info.bytes_per_image, BYTES_PER_IMAGE),
        ("total_bytes", metadata.memory_info.total_bytes, expected.memory_info.total_bytes),
        ("file_format", metadata.file_format, FileFormat("uint8", "none")),
        ("labels", sorted(kind.label for kind in metadata.classes.values()), [*range(CLASSES)]),
        (
            "checksums",
            sorted(metadata.checksums),
            sorted(split.file_name for split in splits_of(params.num_images)),
        ),
    )
    defects = [
        f"{METADATA}: {what} is {_short(found)}, not {_short(right)}"
        for what, found, right in checks
        if found != right
    ]
    if metadata.version in (VERSION, EARLIER_NAME) and metadata.classes != class_table():
        defects.append(f"{METADATA}: classes are not those of {VERSION}")
    if not TIMESTAMP.fullmatch(metadata.timestamp):
        defects.append(f"{METADATA}: timestamp is {_short(metadata.timestamp)}, no RFC 3339 time")
    if not 0 <= params.seed <= LARGEST_SEED:
        defects.append(f"{METADATA}: seed is {_short(params.seed)}, not 0 to 2**64 - 1")
    return defects


def _short(value: object) -> str:
    text = str(msgspec.to_builtins(value))
    return text if len(text) <= 120 else f"{text[:120]}…"


class SplitCheck:
    """Reads one split and compares it with what it should be.

    Args:
        split: The split.
        seed: Seed that makes the images, None if the seed is not known.
        samples: Takes images for the report.
        pause_point: Passed with the images that were looked at.

    Attributes:
        findings: What was read.
        hashes: One uint64 an image, in chunks.
    """

    def __init__(
        self, split: Split, seed: int | None, samples: Samples, pause_point: PausePoint
    ) -> None:
        self.findings = SplitFindings(classes=[0] * CLASSES)
        self.hashes: list[NDArray[np.uint64]] = []
        self._split = split
        self._seed = seed
        self._samples = samples
        self._pause_point = pause_point
        self._seen = np.zeros(LABEL_VALUES, np.int64)
        self._wrong: dict[str, tuple[int, int]] = {}

    def run(self, directory: Path, checksum: str | None) -> list[str]:
        """Return the defects of the file."""
        path = directory / self._split.file_name
        defects: list[str] = []
        try:
            if checksum_of(path) != checksum:
                defects.append(f"{path.name} does not have the checksum in {METADATA}")
            for labels, images in read_split(path, self._split.size, CHUNK):
                self._look_at(labels, images)
        except DatasetUnusable as error:
            return [*defects, str(error)]
        finally:
            self.findings.classes = self._seen[:CLASSES].tolist()
        return [*defects, *self._label_defects(), *self._wrong_images()]

    def _look_at(self, labels: NDArray[np.uint8], images: NDArray[np.uint8]) -> None:
        start, stop = self.findings.images, self.findings.images + len(labels)
        self._pause_point.go_through(self._split.start + start)
        self._seen += np.bincount(labels, minlength=LABEL_VALUES)
        self._samples.take(labels, images)
        self.hashes.append(hash_images(images))
        if self._seed is not None:
            right = labels_of(self._seed, self._split, start, stop)
            self._note("labels", start, labels != right)
            drawn = images_of(self._seed, self._split, start, stop)
            self._note("images", start, (images != drawn).any(axis=(1, 2)))
        self.findings.images = stop

    def _note(self, what: str, start: int, differs: NDArray[np.bool_]) -> None:
        if differs.any():
            first, count = self._wrong.get(what, (start + int(differs.argmax()), 0))
            self._wrong[what] = (first, count + int(differs.sum()))

    def _label_defects(self) -> list[str]:
        name, defects = self._split.file_name, []
        beyond = int(self._seen[CLASSES:].sum())
        if beyond:
            defects.append(
                f"{name}: {beyond:,} labels are not below {CLASSES}, the number of classes"
            )
        fewest, most = int(self._seen[:CLASSES].min()), int(self._seen[:CLASSES].max())
        if most - fewest > 1:
            defects.append(
                f"{name}: classes are not balanced, one has {fewest:,} images and one {most:,}"
            )
        return defects

    def _wrong_images(self) -> list[str]:
        return [
            f"{self._split.file_name}: {count:,} {what} are not those of seed {self._seed}, "
            f"the first at index {first:,}"
            for what, (first, count) in self._wrong.items()
        ]
