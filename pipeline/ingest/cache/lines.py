"""The lines of one photo, read from a file of a cache when someone looks at the photo."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from journal import BOM, UNREADABLE, Follower, collector_off, open_regular, read_line, record_key
from pipeline.ingest.cache.records import Detection, Outcome, Text

R = TypeVar("R", Detection, Text, Outcome)


class _Key(msgspec.Struct, gc=False):
    rel_path: str = msgspec.field(name="image_id")
    raw_path: str | None = None


class Lines(Generic[R]):
    """Knows where the lines of each photo stand in a file that grows, and holds no line.

    Args:
        path: `detections.jsonl`, `ocr.jsonl` or `outcomes.jsonl` of a cache.
        record_type: The type of the records in the file.
    """

    def __init__(self, path: Path, record_type: type[R]) -> None:
        self.path = path
        self._decode: Callable[[bytes], R] = msgspec.json.Decoder(record_type).decode
        self._follower = Follower(path, _Key)
        self._offsets: dict[str, array[int]] = {}

    def refresh(self) -> int:
        """Take in what was written since the last call; return the number of new lines."""
        count = 0
        with collector_off():
            for offset, head in self._follower.poll(self._offsets.clear):
                key = record_key(head.rel_path, head.raw_path)
                offsets = self._offsets.get(key)
                if offsets is None:
                    self._offsets[key] = array("q", (offset,))
                else:
                    offsets.append(offset)
                count += 1
        return count

    def of(self, key: str) -> Iterator[R]:
        """Yield all lines of a photo, the oldest first."""
        offsets = self._offsets.get(key)
        if not offsets:
            return
        try:
            file = open_regular(self.path)
        except OSError:
            return
        with file:
            for offset in offsets:
                try:
                    record = self._decode(read_line(file, offset).removeprefix(BOM))
                except UNREADABLE:
                    continue
                if record.key == key:
                    yield record
