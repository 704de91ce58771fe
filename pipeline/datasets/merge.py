"""Writing results into a dataset: one pass from the old file to the new, then a rename."""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader, BufferedWriter
from pathlib import Path

import msgspec

from journal import atomic_rewrite
from pipeline.datasets.errors import DatasetChanged
from pipeline.datasets.records import DatasetLine, parse, read_lines
from pipeline.datasets.results import Results, new_line
from pipeline.datasets.splice import set_fields
from pipeline.datasets.survey import DatasetGaps, Lacking, fingerprint
from pipeline.jobs.pause_point import PausePoint

BLOCK_BYTES = 1 << 20
BLOCK_ENTRIES = 512
"""Lines are taken in blocks, so that a tokenizer has many captions at once."""

MASK_BYTES = 200
OTHER_BYTES = 300
"""Of a record's fields that are no embedding and no caption; an estimate for the free space."""

COPIED_AT_ONCE = 1 << 20


class Merged(msgspec.Struct):
    """What a merge wrote.

    Attributes:
        new: Records added.
        enriched: Lines of records that gained or changed a field.
        stale_masks: Lines whose caption changed and whose mask did not.
        done: Whether it came to its end.
    """

    new: int = 0
    enriched: set[int] = msgspec.field(default_factory=set)
    stale_masks: set[int] = msgspec.field(default_factory=set)
    done: bool = False


class Merge:
    """Writes what there is into a dataset.

    Args:
        dataset: The file.
        survey: What it lacks.
        results: What there is.
        pause_point: Passed with the bytes read so far.
    """

    def __init__(
        self,
        dataset: Path,
        survey: DatasetGaps,
        results: Results,
        pause_point: PausePoint,
    ) -> None:
        self._dataset = dataset
        self._survey = survey
        self._results = results
        self._pause_point = pause_point
        self._merged = Merged()

    def run(self) -> Merged:
        """Write the dataset anew, if there is anything to put into it.

        Raises:
            DiskFull: there is no room; the dataset is as it was.
            DatasetChanged: somebody else wrote it since it was surveyed.
            GivenUp: it is to end.
        """
        size = self._survey.fingerprint[1] if self._survey.fingerprint else 0
        self._pause_point.begin(f"writing {self._dataset.name}", size)
        if any(map(self._results.would_change, self._survey.all_entries())):
            with atomic_rewrite(self._dataset, self.needed()) as file:
                self._write(file)
                self._require_same()
        self._merged.done = True
        return self._merged

    def needed(self) -> int:
        """Return about how many bytes the new file will have."""
        size = self._survey.fingerprint[1] if self._survey.fingerprint else 0
        entries = len(self._survey.entries) + len(self._survey.new)
        waiting = sum(
            journal.path.stat().st_size
            for journal in (self._results.features, self._results.captions)
            if journal.path.exists()
        )
        known = sum(map(len, self._results.known_captions.values()))
        return size + waiting + 4 * known + entries * (MASK_BYTES + OTHER_BYTES)

    def _require_same(self) -> None:
        if fingerprint(self._dataset) != self._survey.fingerprint:
            raise DatasetChanged(self._dataset)

    def _write(self, file: BufferedWriter) -> None:
        self._require_same()
        ended = True
        if self._survey.fingerprint is not None:
            with self._dataset.open("rb") as source:
                for block in self._blocks():
                    ended = self._write_block(file, source, block)
        if self._survey.new and not ended:
            file.write(b"\n")
        for start in range(0, len(self._survey.new), BLOCK_ENTRIES):
            self._pause_point.go_through(self._pause_point.at.done)
            self._write_new(file, self._survey.new[start : start + BLOCK_ENTRIES])

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

    def _write_block(
        self, file: BufferedWriter, source: BufferedReader, block: list[DatasetLine]
    ) -> bool:
        """Write some lines; return whether the last one ended with a newline."""
        entries = [self._survey.entries.get(line.number) for line in block]
        fields = self._fields(
            [
                (entry, line.data)
                for line, entry in zip(block, entries, strict=True)
                if entry is not None and line.data is not None
            ]
        )
        ended = True
        parts: list[bytes] = []
        for line, entry in zip(block, entries, strict=True):
            if line.data is None:
                file.write(b"".join(parts))
                parts.clear()
                ended = _copy(source, file, line)
                continue
            data = line.data
            if entry is not None and (changed := fields[line.number]):
                data = set_fields(data, changed, entry.present)
                if data != line.data:
                    self._merged.enriched.add(line.number)
                    if entry.has_mask and _outdates_mask(line.data, changed):
                        self._merged.stale_masks.add(line.number)
            ended = line.end - line.start > len(line.data)
            parts += (data, b"\n") if ended else (data,)
        file.write(b"".join(parts))
        return ended

    def _fields(self, entries: list[tuple[Lacking, bytes]]) -> dict[int, dict[str, bytes]]:
        """Return what to put into some records, by line."""
        fields = {entry.line: self._results.fields(entry) for entry, _ in entries}
        captions: dict[int, str] = {}
        for entry, data in entries:
            if "t5_attention_mask" in entry.lacking:
                caption = _caption(entry, fields[entry.line], data)
                if caption is not None:
                    captions[entry.line] = caption
        self._add_masks(fields, captions)
        return fields

    def _add_masks(self, fields: dict[int, dict[str, bytes]], captions: dict[int, str]) -> None:
        if captions and self._results.tokenizer is not None:
            masks = self._results.masks(list(captions.values()))
            for place, mask in zip(captions, masks, strict=True):
                fields[place]["t5_attention_mask"] = mask

    def _write_new(self, file: BufferedWriter, entries: list[Lacking]) -> None:
        fields = {place: self._results.fields(entry) for place, entry in enumerate(entries)}
        captions = {
            place: msgspec.json.decode(fields[place]["caption"], type=str)
            for place, entry in enumerate(entries)
            if "t5_attention_mask" in entry.lacking and "caption" in fields[place]
        }
        self._add_masks(fields, captions)
        for place, entry in enumerate(entries):
            file.write(new_line(entry, fields[place]) + b"\n")
            self._merged.new += 1


def _caption(entry: Lacking, fields: dict[str, bytes], data: bytes) -> str | None:
    """Return the caption a record is about to have, else the one it has; None while it waits."""
    if "caption" in fields:
        return msgspec.json.decode(fields["caption"], type=str)
    record = None if "caption" in entry.lacking else parse(data)
    return None if record is None else record.text("caption")


def _outdates_mask(line: bytes, changed: dict[str, bytes]) -> bool:
    """Tell whether a line gets another caption, and keeps the mask of the one before."""
    if "caption" not in changed or "t5_attention_mask" in changed:
        return False
    record = parse(line)
    before = None if record is None else record.text("caption")
    return before != msgspec.json.decode(changed["caption"], type=str)


def _copy(source: BufferedReader, file: BufferedWriter, line: DatasetLine) -> bool:
    """Copy a line that is too long to be looked at; return whether it ends with a newline."""
    source.seek(line.start)
    left, data = line.end - line.start, b""
    while left and (data := source.read(min(left, COPIED_AT_ONCE))):
        file.write(data)
        left -= len(data)
    return data.endswith(b"\n")
