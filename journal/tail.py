"""The end of a journal, where lines are added: a write and its sync happen as a whole or not."""

from __future__ import annotations

import os

from journal.disk import NO_SPACE, free_bytes, sync_data, sync_directory
from journal.errors import DiskFull, JournalWriteFailed
from journal.lock import WriterLock
from journal.torn_line import healing_of


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
        if healing := healing_of(self.path, lock.descriptor, self._size):
            self._write(healing)
        if not self._size:
            sync_directory(self.path.parent)  # the file itself may be new

    def write(self, data: bytes) -> int:
        """Bring whole lines to disk, and return the byte offset of the first.

        Raises:
            JournalLost: the path names another file now.
            JournalWriteFailed: the lines cannot be written; the file is as it was.
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
        """Take back our own short write; if even that fails, the next writer heals the line."""
        try:
            os.ftruncate(self._lock.descriptor, self._size)
        except OSError:
            return

    def _describe(self, error: OSError, needed: int) -> JournalWriteFailed:
        if error.errno in NO_SPACE:
            return DiskFull(self.path, needed, free_bytes(self.path.parent))
        return JournalWriteFailed(self.path, error)
