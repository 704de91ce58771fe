"""Kinds of files, told by what a file holds, so that one is not written over as another."""

from __future__ import annotations

from collections.abc import Callable
from io import FileIO
from typing import NamedTuple

import msgspec

from journal.lines import BOM, TORN_MARK, UNREADABLE
from journal.reader import read_chunks

LOOKED_AT = 16 << 20
"""Bytes at the beginning of a file that are looked at, at most."""

HEAD_BYTES = 4096


class FileKind(NamedTuple):
    """What a file must be before it is written over or added to.

    Attributes:
        name: What the file is, with its article, as in "a captions journal".
        recognises: Tells whether an open file, which is not empty, is of the kind.
    """

    name: str
    recognises: Callable[[FileIO], bool]


def journal_kind(name: str, record_type: type[msgspec.Struct]) -> FileKind:
    """Return the kind of a journal: a line is a record, or nothing but what a crash leaves."""
    decode = msgspec.json.Decoder(record_type).decode
    return FileKind(name, lambda file: _is_journal(file, decode))


def _is_journal(file: FileIO, decode: Callable[[bytes], object]) -> bool:
    could_be = True
    for block in read_chunks(file):
        for line in block.lines:
            text = line.removeprefix(BOM).strip(b"\0\r ")
            try:
                decode(text)
            except UNREADABLE:
                is_last = not block.complete
                could_be &= not text or text.endswith(TORN_MARK) or (is_last and text[:1] == b"{")
            else:
                return True
        if block.end > LOOKED_AT:
            break
    return could_be


def text_kind(name: str, *beginnings: str) -> FileKind:
    """Return the kind of a text that begins in one of some ways, perhaps behind a BOM."""
    return data_kind(name, *(beginning.encode() for beginning in beginnings))


def data_kind(name: str, *beginnings: bytes) -> FileKind:
    """Return the kind of a file that begins with one of some bytes, perhaps behind a BOM."""

    def recognises(file: FileIO) -> bool:
        return file.read(HEAD_BYTES).removeprefix(BOM).startswith(beginnings)

    return FileKind(name, recognises)


DATABASE = data_kind("an SQLite database", b"SQLite format 3\0", bytes(HEAD_BYTES))
"""SQLite writes the first page last, so a file that a kill left in the making begins with zeros."""
