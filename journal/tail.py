"""The end of a journal, where lines are added: all of a write and its sync, or none of it."""

from __future__ import annotations

import errno
import os
from io import FileIO
from pathlib import Path

import msgspec

from journal.errors import DiskFull, JournalWriteFailed
from journal.lines import BOM, TORN_MARK
from journal.lock import WriterLock
from journal.reader import UNREADABLE, read_chunks

sync_data = getattr(os, "fdatasync", os.fsync)
"""Where a system has no fdatasync, fsync does the same and a little more."""

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class JournalTail:
    """Adds lines to a journal whose lock is held.

    Args:
        lock: The writer's lock on the journal.

    Raises:
        JournalWriteFailed: a torn last line could not be healed.
    """

    def __init__(self, lock: WriterLock) -> None:
        self.path = lock.path
        self._lock = lock
        self._size = os.fstat(lock.descriptor).st_size
        self._heal()
        if not self._size:
            sync_directory(self.path.parent)  # the file itself may be new

    def write(self, data: bytes) -> int:
        """Bring whole lines to disk, and return the byte offset of the first.

        Raises:
            JournalLost: the path names another file now.
            JournalWriteFailed: they cannot be written; the file is as it was.
        """
        self._lock.verify()
        self._size = os.fstat(self._lock.descriptor).st_size
        self._write(data)
        return self._size

    def _write(self, data: bytes) -> None:
        descriptor = self._lock.descriptor
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError as error:
            self._cut_back()
            raise self._describe(error, len(data)) from error
        try:
            sync_data(descriptor)
        except OSError as error:
            raise self._describe(error, len(data)) from error

    def _cut_back(self) -> None:
        """Take back a short write of ours; if even that fails, the next writer heals it."""
        try:
            os.ftruncate(self._lock.descriptor, self._size)
        except OSError:
            return

    def _describe(self, error: OSError, needed: int) -> JournalWriteFailed:
        if error.errno in NO_SPACE:
            return DiskFull(self.path, needed, free_bytes(self.path.parent))
        return JournalWriteFailed(self.path, error)

    def _heal(self) -> None:
        """End a torn last line, so that the next record starts a line of its own."""
        descriptor = self._lock.descriptor
        if self._size == 0 or os.pread(descriptor, 1, self._size - 1) == b"\n":
            return
        self._write((b"" if self._is_whole() else TORN_MARK) + b"\n")

    def _is_whole(self) -> bool:
        """Tell whether the last line is a record that lacks its newline alone."""
        tail = b""
        with FileIO(self.path, "rb") as file:
            for chunk in read_chunks(file, max(0, self._size - (1 << 20))):
                tail = b"" if chunk.complete else chunk.lines[0]
        try:
            msgspec.json.decode(tail.removeprefix(BOM))
        except UNREADABLE:
            return False
        return True


def sync_directory(directory: Path) -> None:
    """Make a created or renamed entry of a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_bytes(directory: Path) -> int:
    """Return the bytes an ordinary user may still write on a directory's file system."""
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize
