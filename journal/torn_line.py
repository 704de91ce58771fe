"""A torn last line: what a kill in the middle of a write leaves, and what the next writer does."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from journal.foreign_files import open_regular
from journal.lines import BOM, TORN_MARK, UNREADABLE
from journal.reader import read_chunks


def healing_of(path: Path, descriptor: int, size: int) -> bytes:
    """Return what ends a torn last line, so that the next record starts a line of its own.

    A line that lacks nothing but its newline gets a newline. Any other line is marked as
    torn as well, so that readers can tell it from a damaged line.

    Args:
        path: The journal.
        descriptor: The journal, open for reading.
        size: Its size in bytes.
    """
    if size == 0 or os.pread(descriptor, 1, size - 1) == b"\n":
        return b""
    return b"\n" if _is_whole(path, size) else TORN_MARK + b"\n"


def _is_whole(path: Path, size: int) -> bool:
    """Tell whether the last line is a record that lacks nothing but its newline."""
    tail = b""
    with open_regular(path) as file:
        for chunk in read_chunks(file, max(0, size - (1 << 20))):
            tail = b"" if chunk.complete else chunk.lines[0]
    try:
        msgspec.json.decode(tail.removeprefix(BOM))
    except UNREADABLE:
        return False
    return True
