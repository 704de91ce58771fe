"""Writing results into a dataset: the old file is copied with changes, then replaced."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedWriter, FileIO
from pathlib import Path

import msgspec

from journal import atomic_rewrite, open_regular, split_path
from pipeline.datasets.draft import Draft
from pipeline.datasets.errors import DatasetChanged
from pipeline.datasets.gaps import DatasetGaps, Lacking
from pipeline.datasets.passes import PASSES, fields_of_new_record
from pipeline.datasets.passes.base import Pass
from pipeline.datasets.records import DATASET, DatasetLine, fingerprint, parse, read_lines
from pipeline.datasets.results import Results
from pipeline.datasets.splice import set_fields
from pipeline.jobs.pause_point import PausePoint

BLOCK_BYTES = 1 << 20
BLOCK_ENTRIES = 512
"""Lines are taken in blocks, so that a tokenizer gets many captions at once."""

SMALL_FIELDS_BYTES = 500
"""Bytes that the short fields of a record take at most; an estimate for the free space."""

COPIED_AT_ONCE = 1 << 20


class Merged(msgspec.Struct):
    """What a merge wrote.

    Attributes:
        new: Number of records added.
        enriched: Lines of records that gained or changed a field.
        outdated: By pass, lines that keep a value that was made from an older text.
        done: Whether the merge came to its end.
    """

    new: int = 0
    enriched: set[int] = set()
    outdated: dict[str, set[int]] = {}
    done: bool = False


_FIELDS_OF_NEW_RECORD = ("image_path", "raw_path", *fields_of_new_record())

_READERS = tuple(each for each in PASSES.values() if each.reads)
"""Passes whose values are outdated when a text changes."""


class Merge:
    """Writes what there is into a dataset.

    Args:
        dataset: The file.
        gaps: What the dataset lacks.
        results: What there is to put into records.
        pause_point: Passed with the bytes read so far.
    """

    def __init__(
        self, dataset: Path, gaps: DatasetGaps, results: Results, pause_point: PausePoint
    ) -> None:
        self._dataset = dataset
        self._gaps = gaps
        self._results = results
        self._pause_point = pause_point
        self._merged = Merged()

    def run(self) -> Merged:
        """Write the dataset anew, if there is anything to put into it.

        Raises:
            DiskFull: there is no room; the dataset is as it was.
            DatasetChanged: somebody else wrote it since it was surveyed.
            GivenUp: the merge is to end.
        """
        size = self._gaps.fingerprint[1] if self._gaps.fingerprint else 0
        self._pause_point.begin(f"writing {self._dataset.name}", size)
        if any(map(self._results.would_change, self._gaps.all_entries())):
            with atomic_rewrite(self._dataset, self.needed(), DATASET) as file:
                self._write(file)
                self._require_same()
        self._merged.done = True
        return self._merged

    def needed(self) -> int:
        """Return about how many bytes the new file will have."""
        size = self._gaps.fingerprint[1] if self._gaps.fingerprint else 0
        entries = len(self._gaps.entries) + len(self._gaps.new)
        waiting = sum(producer.waiting_bytes() for producer in self._results.producers)
        return size + waiting + entries * SMALL_FIELDS_BYTES

    def _require_same(self) -> None:
        if fingerprint(self._dataset) != self._gaps.fingerprint:
            raise DatasetChanged(self._dataset)

    def _write(self, file: BufferedWriter) -> None:
        self._require_same()
        ended = True
        if self._gaps.fingerprint is not None:
            with open_regular(self._dataset) as source:
                for block in self._blocks():
                    ended = self._write_block(file, source, block)
        if self._gaps.new and not ended:
            file.write(b"\n")
        for start in range(0, len(self._gaps.new), BLOCK_ENTRIES):
            self._pause_point.go_through(self._pause_point.at.done)
            self._write_new(file, self._gaps.new[start : start + BLOCK_ENTRIES])

    def _blocks(self) -> Iterator[list[DatasetLine]]:
        block: list[DatasetLine] = []
        start = 0
        for line in read_lines(self._dataset):
            block.append(line)
            if line.end - start >= BLOCK_BYTES:
                self._pause_point.go_through(line.end)
                yield block
                block, start = [], line.end
        yield block

    def _write_block(self, file: BufferedWriter, source: FileIO, block: list[DatasetLine]) -> bool:
        """Write some lines; return whether the last one ended with a newline."""
        drafts = self._drafts(block)
        ended = True
        parts: list[bytes] = []
        for line in block:
            if line.data is None:
                file.write(b"".join(parts))
                parts.clear()
                ended = _copy(source, file, line)
                continue
            data = line.data
            draft = drafts.get(line.number)
            if draft is not None and draft.values:
                data = set_fields(data, draft.fields(), draft.entry.present)
                if data != line.data:
                    self._note_change(line.number, draft)
            ended = line.end - line.start > len(line.data)
            parts += (data, b"\n") if ended else (data,)
        file.write(b"".join(parts))
        return ended

    def _drafts(self, block: list[DatasetLine]) -> dict[int, Draft]:
        """Return the records of a block that lack something, with what there is for them."""
        drafts = {
            line.number: Draft(entry, line.data)
            for line in block
            if line.data is not None and (entry := self._gaps.entries.get(line.number)) is not None
        }
        self._results.fill(list(drafts.values()))
        return drafts

    def _note_change(self, line: int, draft: Draft) -> None:
        """Note that a record changed, and which of its values are outdated since."""
        self._merged.enriched.add(line)
        suspects: list[type[Pass]] = [
            each for each in _READERS if not draft.values.keys().isdisjoint(each.reads)
        ]
        record = parse(draft.line) if suspects and draft.line is not None else None
        for each in suspects:
            if record is not None and each.is_outdated(record, draft.values):
                self._merged.outdated.setdefault(each.name, set()).add(line)

    def _write_new(self, file: BufferedWriter, entries: list[Lacking]) -> None:
        drafts = [Draft(entry) for entry in entries]
        self._results.fill(drafts)
        for draft in drafts:
            file.write(new_line(draft) + b"\n")
            self._merged.new += 1


def new_line(draft: Draft) -> bytes:
    """Return the line of a record that was not there before."""
    rel_path, raw_path = split_path(draft.entry.path)
    values = {"image_path": msgspec.json.encode(rel_path), **draft.fields()}
    if raw_path is not None:
        values["raw_path"] = msgspec.json.encode(raw_path)
    members = (
        b'"%b":%b' % (name.encode(), values[name])
        for name in _FIELDS_OF_NEW_RECORD
        if name in values
    )
    return b"{" + b",".join(members) + b"}"


def _copy(source: FileIO, file: BufferedWriter, line: DatasetLine) -> bool:
    """Copy a line that is too long to be looked at; return whether it ends with a newline."""
    source.seek(line.start)
    left, data = line.end - line.start, b""
    while left and (data := source.read(min(left, COPIED_AT_ONCE))):
        file.write(data)
        left -= len(data)
    return data.endswith(b"\n")
