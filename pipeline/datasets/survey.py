"""One reading of a dataset: which record lacks what. Holds keys and what is missing, no values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from pipeline.datasets.buckets import bucket_of, parse_bucket
from pipeline.datasets.image_ids import assign_ids, borrowed_ids, is_file_name
from pipeline.datasets.passes import T5, Pass
from pipeline.datasets.patch_files import PatchFiles
from pipeline.datasets.records import (
    DatasetLine,
    FoundRecord,
    Record,
    find_image,
    input_dirs_of,
    loosely_read_path,
    read_records,
)
from pipeline.photos.geometry import Size
from pipeline.photos.photo import photo_key

Fingerprint = tuple[int, int, int]
"""Inode, bytes, and nanoseconds of the last change."""


class Lacking(msgspec.Struct, gc=False, kw_only=True):
    """A record that lacks something.

    Attributes:
        line: Its line in the dataset, 0 for an image that has no record yet.
        key: What its image is known by.
        path: Of the image, as the system spells it, relative to the input directory or absolute.
        on_disk: Whether there is such a file.
        lacking: Fields to make.
        present: Fields among them that the line has: null, empty, or to be made anew.
        size: Width and height as the record tells them, unless they are to be read anew.
        bucket: As the record tells it, else by its size.
        image_id: As the record tells it, else the one it is about to get.
        patches: Whether its patch file is to be made.
        has_caption: Whether the record has a caption.
        has_mask: Whether it has the mask of one, which stays.
    """

    line: int
    key: str
    path: str
    on_disk: bool = True
    lacking: frozenset[str] = frozenset()
    present: frozenset[str] = frozenset()
    size: Size | None = None
    bucket: Size | None = None
    image_id: str | None = None
    patches: bool = False
    has_caption: bool = False
    has_mask: bool = False


class DatasetGaps(msgspec.Struct):
    """What a reading of a dataset found.

    Attributes:
        fingerprint: Of the file as it was read, None where there was none.
        records: Images with a record, each counted once.
        entries: Records that lack something, by line.
        new: Images without a record, in the order of the walk.
        keys: Line of the record that counts, by key.
        missing: Paths of records whose image is not there.
        outside: Lines whose path leads out of the input directory.
        malformed: Lines that hold no record.
        superseded: Lines whose image has another record further down.
        shared_ids: Ids that several records have.
        unusable_ids: Lines whose id cannot name a file.
        odd_buckets: Lines whose bucket has no width and height.
    """

    fingerprint: Fingerprint | None
    records: int = 0
    entries: dict[int, Lacking] = {}
    new: list[Lacking] = []
    keys: dict[str, int] = {}
    missing: list[str] = []
    outside: list[int] = []
    malformed: list[int] = []
    superseded: list[int] = []
    shared_ids: list[str] = []
    unusable_ids: list[int] = []
    odd_buckets: list[int] = []

    @property
    def total(self) -> int:
        """Records there will be."""
        return self.records + len(self.new)

    def all_entries(self) -> list[Lacking]:
        """Return every record that lacks something, new ones last."""
        return [*self.entries.values(), *self.new]


def fingerprint(path: Path) -> Fingerprint | None:
    """Return what tells whether a file is still the one that was read, None where it is absent."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


class Surveyor:
    """Reads a dataset for some passes.

    Args:
        input_dir: Where the images are.
        paths: Images found there by the walk.
        passes: What is wanted.
        anew: Names of passes whose results are made again although they are there.
        patch_files: The patch files, None where no pass makes any.
    """

    def __init__(
        self,
        input_dir: Path,
        paths: Sequence[str],
        passes: Sequence[Pass],
        anew: frozenset[str],
        patch_files: PatchFiles | None,
    ) -> None:
        self._input_dirs = input_dirs_of(input_dir)
        self._walked = {photo_key(path): path for path in paths}
        self._passes = passes
        self._anew = anew
        self._patch_files = patch_files
        self._ids = any("image_id" in each.fields for each in passes) or patch_files is not None
        self._share = cache(lambda names: names)  # equal sets are one object

    def survey(self, dataset: Path) -> DatasetGaps:
        """Read a dataset from its first line to its last."""
        survey = DatasetGaps(fingerprint(dataset), entries={}, new=[], keys={})
        ids: dict[str, str] = {}
        missing: dict[str, str] = {}
        if survey.fingerprint is not None:
            for found in read_records(dataset, *self._input_dirs):
                self._take(found, survey, ids, missing)
        survey.records = len(survey.keys)
        survey.missing = list(missing.values())
        self._add_new(survey)
        self._share_out(survey, ids)
        self._give_ids(survey, ids.values())
        self._look_for_patches(survey)
        return survey

    def _take(
        self, found: FoundRecord, survey: DatasetGaps, ids: dict[str, str], missing: dict[str, str]
    ) -> None:
        """Take in one line: ids and missing images are kept by key, so that the last one counts."""
        line, record, path, key = found
        if record is None:
            survey.malformed.append(line.number)
            self._reserve(line, survey)
            return
        earlier = survey.keys.get(key)
        if earlier is not None:
            survey.superseded.append(earlier)
            survey.entries.pop(earlier, None)
        survey.keys[key] = line.number
        if path is None:
            survey.outside.append(line.number)
        image_id = record.text("image_id") if self._ids else None
        ids.pop(key, None)
        if image_id is not None:
            ids[key] = image_id
        entry = self._entry(line.number, key, path, record, image_id, survey)
        if self._ids and record.image_id and not (image_id and is_file_name(image_id)):
            survey.unusable_ids.append(line.number)
            entry.patches = False
        if entry.lacking or entry.patches:
            survey.entries[line.number] = entry
        missing.pop(key, None)
        if not entry.on_disk:
            missing[key] = record.image_path

    def _reserve(self, line: DatasetLine, survey: DatasetGaps) -> None:
        """Give no second record to the image of a line that others can read, and we cannot."""
        path = None if line.data is None else loosely_read_path(line.data)
        if path is not None and (key := photo_key(path)) not in survey.keys:
            survey.keys[key] = line.number

    def _entry(
        self,
        line: int,
        key: str,
        path: str | None,
        record: Record,
        image_id: str | None,
        survey: DatasetGaps,
    ) -> Lacking:
        lacking = set[str]()
        for each in self._passes:
            lacking |= {*each.lacking(record)}
            if each.name in self._anew:
                lacking |= each.remade
        size = None if "dimensions" in self._anew else record.size
        name = record.text("aspect_bucket")
        bucket = None if name is None else parse_bucket(name)
        if record.aspect_bucket and bucket is None:
            survey.odd_buckets.append(line)
        if "migrate" in self._anew or bucket is None:
            bucket = None if size is None else bucket_of(size)
        spelt = self._walked.get(key, path or record.image_path)
        return Lacking(
            line=line,
            key=key,
            path=spelt,
            on_disk=key in self._walked
            or (path is not None and find_image(self._input_dirs[0], spelt) is not None),
            lacking=self._share(frozenset(lacking)),
            present=self._share(frozenset(name for name in lacking if getattr(record, name))),
            size=size,
            bucket=bucket,
            image_id=image_id,
            patches=self._patch_files is not None,
            has_caption=record.text("caption") is not None,
            has_mask=bool(record.t5_attention_mask) and not T5.lacking(record),
        )

    def _is_there(self, path: str) -> bool:
        return find_image(self._input_dirs[0], path) is not None

    def _share_out(self, survey: DatasetGaps, ids: Mapping[str, str]) -> None:
        """Note ids of several records: there is one file of that name, and it is the first's."""
        borrowed = borrowed_ids(ids)
        survey.shared_ids = list(dict.fromkeys(borrowed.values()))
        for key in borrowed:
            entry = survey.entries.get(survey.keys[key])
            if entry is not None:
                entry.patches = False

    def _add_new(self, survey: DatasetGaps) -> None:
        fields = self._share(frozenset(name for each in self._passes for name in each.fields))
        for key, path in self._walked.items():
            if key not in survey.keys:
                entry = Lacking(line=0, key=key, path=path, lacking=fields)
                entry.patches = self._patch_files is not None
                survey.new.append(entry)

    def _give_ids(self, survey: DatasetGaps, ids: Iterable[str]) -> None:
        if not self._ids:
            return
        nameless = [entry for entry in survey.all_entries() if entry.image_id is None]
        names = assign_ids([entry.path for entry in nameless], set(ids))
        for entry, name in zip(nameless, names, strict=True):
            entry.image_id = name

    def _look_for_patches(self, survey: DatasetGaps) -> None:
        """Leave out the records whose patch file is whole and of the right shape."""
        files = self._patch_files
        if files is None or "patches" in self._anew:
            return
        for entry in survey.all_entries():
            if entry.bucket is None:  # it follows from a size that is not known yet
                continue
            entry.patches = entry.patches and not has_patches(files, entry)
            if not entry.lacking and not entry.patches:
                survey.entries.pop(entry.line, None)


def has_patches(files: PatchFiles, entry: Lacking) -> bool:
    """Tell whether the patch file of a record is whole and of the shape of its bucket."""
    assert entry.image_id is not None
    assert entry.bucket is not None
    try:
        return files.state(entry.image_id, entry.bucket) == "whole"
    except ValueError:  # no file can have that name; making it will tell
        return False
