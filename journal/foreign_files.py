"""Reading a file that may not be ours: regular, of bounded size, and named in every error.

A workspace may come from a stick. What stands in it under the name of a settings file may be a
FIFO, which would be waited on for ever, a device, which never ends, or larger than the memory.
"""

from __future__ import annotations

import os
import stat
from io import BufferedReader, FileIO
from pathlib import Path

from journal.errors import NotOurs, TooLarge

SETTINGS_BYTES = 1 << 18
"""The most bytes of a file that people write by hand."""

NOTE_BYTES = 64 << 20
"""The most bytes of a file that a program writes and reads as a whole."""


def open_regular(path: Path) -> FileIO:
    """Open a file for reading that must be a regular one; a link to one is followed.

    Raises:
        NotOurs: the path names something else, such as a FIFO, a device or a directory.
        OSError: the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise NotOurs(path, f"is {kind_of_entry(mode)}")
    return FileIO(descriptor, "rb")


def open_lines(path: Path) -> BufferedReader:
    """Open a regular file for `readline`, which asks the system for each byte of a bare `FileIO`.

    Raises:
        NotOurs: the path names no regular file.
        OSError: the file cannot be opened.
    """
    return BufferedReader(open_regular(path))


def read_whole(path: Path, most: int = NOTE_BYTES) -> bytes:
    """Return all bytes of a regular file of bounded size.

    Args:
        path: The file.
        most: The most bytes that the file may have.

    Raises:
        NotOurs: the path names no regular file.
        TooLarge: the file has more bytes.
        OSError: the file cannot be read.
    """
    with open_regular(path) as file:
        data = bytearray()
        while chunk := file.read(min(most + 1 - len(data), 1 << 20)):
            data += chunk
    if len(data) > most:
        raise TooLarge(path, most)
    return bytes(data)


def kind_of_entry(mode: int) -> str:
    """Return what a directory entry is, with its article, given its mode."""
    names = {
        stat.S_IFLNK: "a link",
        stat.S_IFDIR: "a directory",
        stat.S_IFIFO: "a FIFO",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFREG: "a file",
    }
    return names.get(stat.S_IFMT(mode), "no regular file")
