"""One reading of a dataset that finds out which record lacks what."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from pipeline.datasets.buckets import bucket_of
from pipeline.datasets.gaps import DatasetGaps, Lacking
from pipeline.datasets.image_ids import assign_ids, borrowed_ids, is_file_name
from pipeline.datasets.image_places import ImagePlaces
from pipeline.datasets.passes.dimensions import DimensionsPass, recorded_size
from pipeline.datasets.passes.migrate import ID, MigratePass, has_odd_bucket, recorded_bucket
from pipeline.datasets.records import (
    DatasetLine,
    FoundRecord,
    Record,
    fingerprint,
    loosely_read_path,
    read_records,
)
from pipeline.datasets.results import Results
from pipeline.photos.photo import photo_key


class Surveyor:
    """Reads the dataset of an enrichment, and asks the passes what each record lacks.

    Args:
        results: The passes that were chosen, and what was asked for.
        paths: Images found by the walk.
    """

    def __init__(self, results: Results, paths: Sequence[str]) -> None:
        request = results.request
        self._dataset = request.dataset
        self._anew = request.anew
        self._passes = results.passes
        self._walked = {photo_key(path): path for path in paths}
        self._places = ImagePlaces(request.input_dir, request.dataset, self._walked.__contains__)
        self._wants_ids = results.chosen(MigratePass) is not None
        self._files = frozenset(each.name for each in results.passes if each.makes_file)
        self._share = cache(lambda names: names)  # equal sets are one object
        self._gaps = DatasetGaps(None, entries={}, new=[], keys={})
        self._ids: dict[str, str] = {}
        self._missing: dict[str, str] = {}

    def survey(self) -> DatasetGaps:
        """Read the dataset from its first line to its last."""
        gaps = self._gaps
        gaps.fingerprint = fingerprint(self._dataset)
        if gaps.fingerprint is not None:
            for found in read_records(self._dataset, self._places.path_of):
                self._take(found)
        gaps.records = len(gaps.keys)
        gaps.missing = list(self._missing.values())
        self._add_new()
        self._note_shared_ids()
        self._give_ids()
        self._look_for_files()
        return gaps

    def _take(self, found: FoundRecord) -> None:
        """Take in one line: ids and missing images are kept by key, so that the last one counts."""
        gaps = self._gaps
        line, record, path, key = found
        if record is None:
            gaps.malformed.append(line.number)
            self._reserve(line)
            return
        earlier = gaps.keys.get(key)
        if earlier is not None:
            gaps.superseded.append(earlier)
            gaps.entries.pop(earlier, None)
        gaps.keys[key] = line.number
        if path is None:
            gaps.outside.append(line.number)
        if has_odd_bucket(record):
            gaps.odd_buckets.append(line.number)
        entry = self._entry(line.number, key, path, record)
        self._take_id(entry, record)
        if entry.lacking or entry.files:
            gaps.entries[line.number] = entry
        self._missing.pop(key, None)
        if not entry.on_disk:
            self._missing[key] = record.image_path

    def _reserve(self, line: DatasetLine) -> None:
        """Give no second record to the image of a line that others can read, and we cannot."""
        spelt = None if line.data is None else loosely_read_path(line.data)
        path = None if spelt is None else self._places.path_of(Record(spelt))
        if path is not None and (key := photo_key(path)) not in self._gaps.keys:
            self._gaps.keys[key] = line.number

    def _entry(self, line: int, key: str, path: str | None, record: Record) -> Lacking:
        lacking = set[str]()
        for each in self._passes:
            lacking |= {*each.missing_fields(record)}
            if each.anew:
                lacking |= each.field_names - each.stays
        size = None if DimensionsPass.name in self._anew else recorded_size(record)
        bucket = None if MigratePass.name in self._anew else recorded_bucket(record)
        if bucket is None and size is not None:
            bucket = bucket_of(size)
        spelt = self._walked.get(key)
        if spelt is None and path is not None and (found := self._places.find(path)) is not None:
            spelt = found[0]
        texts = {
            name for each in self._passes for name in each.reads if record.text(name) is not None
        }
        return Lacking(
            line=line,
            key=key,
            path=spelt or path or record.image_path,
            on_disk=spelt is not None,
            lacking=self._share(frozenset(lacking)),
            present=self._share(frozenset(name for name in lacking if record.raw(name))),
            texts=self._share(frozenset(texts)),
            files=self._files,
            size=size,
            bucket=bucket,
        )

    def _take_id(self, entry: Lacking, record: Record) -> None:
        """Note the id of a record; no file is made under an id that cannot name one."""
        if not self._wants_ids:
            return
        self._ids.pop(entry.key, None)
        entry.image_id = record.text(ID)
        if entry.image_id is not None:
            self._ids[entry.key] = entry.image_id
        if record.raw(ID) and not (entry.image_id and is_file_name(entry.image_id)):
            self._gaps.unusable_ids.append(entry.line)
            entry.files = frozenset()

    def _add_new(self) -> None:
        fields = self._share(frozenset[str]().union(*(each.field_names for each in self._passes)))
        self._gaps.new = [
            Lacking(line=0, key=key, path=path, lacking=fields, files=self._files)
            for key, path in self._walked.items()
            if key not in self._gaps.keys
        ]

    def _note_shared_ids(self) -> None:
        """Note ids of several records: there is one file of that name, and it is the first's."""
        borrowed = borrowed_ids(self._ids)
        self._gaps.shared_ids = list(dict.fromkeys(borrowed.values()))
        for key in borrowed:
            entry = self._gaps.entries.get(self._gaps.keys[key])
            if entry is not None:
                entry.files = frozenset()

    def _give_ids(self) -> None:
        if not self._wants_ids:
            return
        nameless = [entry for entry in self._gaps.all_entries() if entry.image_id is None]
        names = assign_ids([entry.path for entry in nameless], set(self._ids.values()))
        for entry, name in zip(nameless, names, strict=True):
            entry.image_id = name

    def _look_for_files(self) -> None:
        """Leave out the files that are there, and the records that then lack nothing."""
        if not self._files:
            return
        for each in self._passes:
            for entry in self._gaps.all_entries():
                # A bucket that is not known yet follows from a size that is not known yet.
                is_known = entry.bucket is not None and each.name in entry.files
                if is_known and not each.anew and each.has_file(entry):
                    entry.files -= {each.name}
        entries = self._gaps.entries.items()
        self._gaps.entries = {line: each for line, each in entries if each.lacking or each.files}
