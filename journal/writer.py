"""Appending to a journal, durably, many records to one sync."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Sequence
from io import FileIO
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from journal.errors import DiskFull, JournalError, JournalWriteFailed
from journal.lines import BOM, TORN_MARK, seal
from journal.lock import WriterLock
from journal.reader import UNREADABLE, read_chunks

R = TypeVar("R", bound=msgspec.Struct)

COMMIT_SECONDS = 0.05
"""Least time between two syncs, so at most 20 a second; no record waits longer than that."""

sync_data = getattr(os, "fdatasync", os.fsync)
"""Where a system has no fdatasync, fsync does the same and a little more."""

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)

Committed = Sequence[tuple[int, R]]
"""Records that are on disk, each with its byte offset."""


class JournalWriter(Generic[R]):
    """The one writer of a journal.

    `append` never waits. A thread of the writer's own gathers what was appended,
    writes and syncs it, and then acknowledges each record through `on_commit`.

    Args:
        lock: The writer's lock on the journal; released by `close`.
        on_commit: Called on the writer's thread with records now on disk.
        on_failure: Called on the writer's thread, once, when no more can be written.

    Raises:
        JournalWriteFailed: a torn last line could not be healed.
    """

    def __init__(
        self,
        lock: WriterLock,
        on_commit: Callable[[Committed[R]], None] = lambda committed: None,
        on_failure: Callable[[JournalError], None] = lambda error: None,
    ) -> None:
        self._encoder = msgspec.json.Encoder()
        self._on_commit = on_commit
        self._on_failure = on_failure
        self._changed = threading.Condition()
        self._pending: list[tuple[R, bytes]] = []
        self._synced_at = 0.0
        self._appended = 0
        self._durable = 0
        self._flushing = False
        self._closing = False
        self._failure: JournalError | None = None
        self._lock = lock
        self.path = lock.path
        self._size = os.fstat(lock.descriptor).st_size
        self._heal()
        sync_directory(self.path.parent)  # the file itself may be new
        self._thread = threading.Thread(target=self._commit_forever, name="journal", daemon=True)
        self._thread.start()

    def append(self, record: R) -> None:
        """Hand over a record; `on_commit` acknowledges it once it is on disk.

        Raises:
            JournalError: an earlier write failed, so this one will not happen.
        """
        line = seal(self._encoder.encode(record))
        with self._changed:
            if self._failure is not None:
                raise self._failure
            if self._closing:
                raise JournalError(f"{self.path} is closed")
            self._pending.append((record, line))
            self._appended += 1
            if len(self._pending) == 1:
                self._changed.notify_all()

    def flush(self) -> None:
        """Wait until everything appended so far is on disk and acknowledged.

        Raises:
            JournalError: a write failed.
        """
        with self._changed:
            target = self._appended
            self._flushing = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._durable >= target or self._failure is not None)
            if self._failure is not None:
                raise self._failure

    def close(self) -> None:
        """Write what is pending and release the lock.

        Raises:
            JournalError: a write failed, now or before.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._lock.release()
        if self._failure is not None:
            raise self._failure

    def _commit_forever(self) -> None:
        while batch := self._next_batch():
            try:
                committed = self._commit(batch)
            except JournalError as error:
                self._fail(error)
                return
            except OSError as error:
                self._fail(JournalWriteFailed(self.path, error))
                return
            self._on_commit(committed)
            with self._changed:
                self._durable += len(batch)
                self._changed.notify_all()

    def _next_batch(self) -> list[tuple[R, bytes]]:
        """Wait for records, let others join them, return them; empty when closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._closing)
            due = self._synced_at + COMMIT_SECONDS
            self._changed.wait_for(
                lambda: self._flushing or self._closing, timeout=due - time.monotonic()
            )
            self._flushing = False
            self._synced_at = time.monotonic()
            batch, self._pending = self._pending, []
            return batch

    def _commit(self, batch: list[tuple[R, bytes]]) -> list[tuple[int, R]]:
        self._lock.verify()
        offset = self._size = os.fstat(self._lock.descriptor).st_size
        self._write(b"".join([line for _, line in batch]))
        committed = []
        for record, line in batch:
            committed.append((offset, record))
            offset += len(line)
        return committed

    def _write(self, data: bytes) -> None:
        """Write all of `data` and sync it, or leave the file as it was."""
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

    def _fail(self, error: JournalError) -> None:
        with self._changed:
            self._failure = error
            self._changed.notify_all()
        self._on_failure(error)

    def _heal(self) -> None:
        """End a torn last line, so that the next record starts a line of its own."""
        descriptor = self._lock.descriptor
        if self._size == 0 or os.pread(descriptor, 1, self._size - 1) == b"\n":
            return
        self._write((b"" if self._tail_is_whole() else TORN_MARK) + b"\n")

    def _tail_is_whole(self) -> bool:
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
