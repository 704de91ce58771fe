"""Reading a journal: line by line, by offset, and further and further while it grows.

Readers take no lock. Lines that cannot be read are passed over and counted,
never changed.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import msgspec

from journal.errors import RecordUnreadable
from journal.foreign_files import open_regular
from journal.lines import BOM, TORN_MARK, UNREADABLE, Seal, check_seal, why_unreadable

T = TypeVar("T")

CHUNK_BYTES = 1 << 20
MAX_LINE_BYTES = 16 << 20
NUMBERED_LINES = 1000
TOLD_LINES = 10


class Malformed(msgspec.Struct):
    """The lines that a reader passed over.

    Attributes:
        torn_tail: Half lines left by a killed writer. They are expected; nothing was lost.
        damaged: Lines in the middle that no longer hold a record.
        lines: Numbers of the damaged lines, from 1; the first 1,000 of them.
    """

    torn_tail: int = 0
    damaged: int = 0
    lines: list[int] = msgspec.field(default_factory=list)

    @property
    def total(self) -> int:
        """Number of lines passed over."""
        return self.torn_tail + self.damaged

    def warnings(self, path: Path) -> list[str]:
        """Return a sentence about the damaged lines of a file; none where no line is damaged."""
        if not self.damaged:
            return []
        numbers = ", ".join(f"{number:,}" for number in self.lines[:TOLD_LINES])
        more = ", …" if self.damaged > TOLD_LINES else ""
        lines = "1 line" if self.damaged == 1 else f"{self.damaged:,} lines"
        return [f"{path} is damaged: {lines} passed over and kept as they are ({numbers}{more})"]

    def count(self, number: int, *, torn: bool) -> None:
        """Count one unreadable line."""
        if torn:
            self.torn_tail += 1
            return
        self.damaged += 1
        if len(self.lines) < NUMBERED_LINES:
            self.lines.append(number)


class Follower(Generic[T]):
    """Reads the records of a journal, and with each further poll the records added since.

    Args:
        path: The journal.
        record_type: What its lines hold.
        last_bytes: Where to begin, in bytes before the end; at the beginning by default.

    Attributes:
        malformed: The lines that were passed over up to now.
        at_end: True when the last poll has come to the end of the file.
    """

    def __init__(self, path: Path, record_type: type[T], last_bytes: int | None = None) -> None:
        self.path = path
        self.malformed = Malformed()
        self.at_end = True
        self._decode = msgspec.json.Decoder(record_type).decode
        self._last_bytes = last_bytes
        self._identity: tuple[int, int] | None = None
        self._offset = 0
        self._number = 0
        self._tail_is_torn = False

    def poll(self, on_reset: Callable[[], object] | None = None) -> Iterator[tuple[int, T]]:
        """Yield `(byte offset, record)` for each whole record added since the last poll.

        Args:
            on_reset: Called before the first record when the file was replaced or is gone: all
                records of earlier polls are void.

        Raises:
            NotOurs: the path names no regular file.
        """
        try:
            file = open_regular(self.path)
        except FileNotFoundError:
            self._forget(on_reset)
            return
        self.at_end = False
        with file:
            self._resume(os.fstat(file.fileno()), on_reset)
            for chunk in read_chunks(file, self._offset):
                if not chunk.complete and not self._readable(chunk.lines[0].removeprefix(BOM)):
                    self._tail_is_torn = True
                    self.malformed.torn_tail += 1
                    break
                yield from self._records(chunk.offset, chunk.lines)
                self._number += len(chunk.lines)
                self._offset = chunk.end
        self.at_end = True

    def _resume(self, now: os.stat_result, on_reset: Callable[[], object] | None) -> None:
        identity = (now.st_dev, now.st_ino)
        if self._identity != identity or now.st_size < self._offset:
            self._forget(on_reset)
            self._identity = identity
            if self._last_bytes is not None:  # most likely amid a line, which is passed over
                self._offset = max(0, now.st_size - self._last_bytes)
        elif self._tail_is_torn:
            self.malformed.torn_tail -= 1
        self._tail_is_torn = False

    def _forget(self, on_reset: Callable[[], object] | None) -> None:
        """Begin anew: the file is another one, or gone."""
        if self._identity is not None and on_reset is not None:
            on_reset()
        self.malformed = Malformed()
        self._identity, self._offset, self._number = None, 0, 0

    def _records(self, offset: int, lines: list[bytes]) -> Iterator[tuple[int, T]]:
        decode = self._decode
        for number, line in enumerate(lines, self._number + 1):
            try:
                record = decode(line)
            except UNREADABLE:
                if offset == 0 and self._readable(line.removeprefix(BOM)):
                    yield offset, decode(line.removeprefix(BOM))
                elif line.strip(b"\r"):
                    self.malformed.count(number, torn=line.endswith(TORN_MARK))
            else:
                yield offset, record
            offset += len(line) + 1

    def _readable(self, line: bytes) -> bool:
        try:
            self._decode(line)
        except UNREADABLE:
            return False
        return True


def scan(
    path: Path, record_type: type[T], last_bytes: int | None = None
) -> Iterator[tuple[int, T]]:
    """Yield `(byte offset, record)` for every readable record of a journal, in file order.

    With `last_bytes`, only records that begin in so many bytes at the end of the file.
    """
    return Follower(path, record_type, last_bytes).poll()


class LineBlock(NamedTuple):
    """Some lines of a file, without their newlines.

    Attributes:
        offset: Byte offset of the first line.
        end: Byte offset behind the last line and its newline.
        lines: The lines; of a line above 16 MiB only the first KiB.
        complete: False only for the last line of a file that has no newline.
    """

    offset: int
    end: int
    lines: list[bytes]
    complete: bool


def read_chunks(file: FileIO, start: int = 0) -> Iterator[LineBlock]:
    r"""Split a file at `\n` alone: JSON may hold other line separators raw."""
    file.seek(start)
    offset, rest = start, b""
    while data := file.read(CHUNK_BYTES):
        *lines, tail = data.split(b"\n")
        if lines:
            lines[0] = rest + lines[0]
            end = offset + len(rest) + len(data) - len(tail)
            yield LineBlock(offset, end, lines, complete=True)
            offset, rest = end, tail
            continue
        rest += data
        if len(rest) > MAX_LINE_BYTES:
            passed, ended = _skip_line(file)
            end = offset + len(rest) + passed
            yield LineBlock(offset, end, [rest[:1024]], complete=ended)
            offset, rest = end, b""
            file.seek(offset)
    if rest:
        yield LineBlock(offset, offset + len(rest), [rest], complete=False)


def _skip_line(file: FileIO) -> tuple[int, bool]:
    """Read past the next newline; return the bytes passed, and whether there was one."""
    passed = 0
    while chunk := file.read(CHUNK_BYTES):
        newline = chunk.find(b"\n")
        if newline >= 0:
            return passed + newline + 1, True
        passed += len(chunk)
    return passed, False


def read_line(file: FileIO, offset: int) -> bytes:
    """Return the line that starts at a byte offset, without its newline."""
    file.seek(offset)
    line = b""
    while b"\n" not in line and len(line) <= MAX_LINE_BYTES:
        chunk = file.read(64 << 10)
        if not chunk:
            break
        line += chunk
    return line.partition(b"\n")[0]


def read_record(path: Path, offset: int, record_type: type[T]) -> tuple[T, Seal]:
    """Return the record whose line starts at a byte offset, and what its crc says.

    Raises:
        RecordUnreadable: no valid record stands there.
    """
    with open_regular(path) as file:
        line = read_line(file, offset)
    try:
        text = line.removeprefix(BOM)
        return msgspec.json.decode(text, type=record_type), check_seal(text)
    except UNREADABLE as error:
        why = why_unreadable(error)
        raise RecordUnreadable(f"no record at byte {offset:,} of {path}: {why}") from None


@contextmanager
def collector_off() -> Iterator[None]:
    """Pause the cyclic collector: over a million records it costs more than the parsing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
