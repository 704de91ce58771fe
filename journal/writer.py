"""Appending to a journal: each record is acknowledged once it is on disk.

A sync takes milliseconds whatever its size, so a sync for each record would be the limit.
`GroupCommit` gathers what is appended and brings it to disk together. `JournalTail` adds the
lines: all of a write and its sync, or none of it. `JournalWriter` is both for one journal.
"""

from __future__ import annotations

import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from journal.disk import NO_SPACE, free_bytes, sync_data, sync_directory
from journal.errors import DiskFull, JournalError, JournalLost, JournalWriteFailed
from journal.lines import seal
from journal.lock import WriterLock
from journal.torn_line import healing_of

R = TypeVar("R")
P = TypeVar("P")
Record = TypeVar("Record", bound=msgspec.Struct)

COMMIT_SECONDS = 0.05
"""Least seconds between two syncs, so at most 20 syncs a second; no record waits longer."""

COMPARED_BYTES = 256
"""Bytes at the end of what was written that must still be there at the next write."""

CUT_SHORT = "cut short or changed"

Committed = Sequence[tuple[int, R]]
"""Records that are on disk, each with its byte offset."""


class GroupCommit(ABC, Generic[R, P]):
    """Takes records without waiting, and acknowledges each once it is on disk.

    `append` never waits. A thread gathers what was appended, commits all of it, and
    then acknowledges each record through `on_commit`.

    Args:
        path: The path that errors name.
        on_commit: Called on the thread with records now on disk.
        on_failure: Called on the thread, once, when no more can be written.
        seconds: Least seconds between two commits.
    """

    def __init__(
        self,
        path: Path,
        on_commit: Callable[[Committed[R]], None],
        on_failure: Callable[[JournalError], None],
        seconds: float = COMMIT_SECONDS,
    ) -> None:
        self.path = path
        self._on_commit = on_commit
        self._on_failure = on_failure
        self._seconds = seconds
        self._changed = threading.Condition()
        self._pending: list[tuple[R, P]] = []
        self._committed_at = 0.0
        self._appended = 0
        self._durable = 0
        self._flushing = False
        self._closing = False
        self._failure: JournalError | None = None
        self._thread = threading.Thread(target=self._commit_forever, name="journal", daemon=True)
        self._thread.start()

    @abstractmethod
    def _prepare(self, record: R) -> P:
        """Return the form in which a record is written. Called by `append`."""

    @abstractmethod
    def _commit(self, batch: list[tuple[R, P]]) -> list[tuple[int, R]]:
        """Bring records to disk; return each with its byte offset. Called on the thread.

        Raises:
            JournalError: the records cannot be kept, nor can any further record.
            OSError: a write failed, which means the same.
        """

    def append(self, record: R) -> None:
        """Hand over a record; `on_commit` acknowledges it once it is on disk.

        Raises:
            JournalError: an earlier write failed, so this record will not be written.
        """
        prepared = self._prepare(record)
        with self._changed:
            if self._failure is not None:
                raise self._failure
            if self._closing:
                raise JournalError(f"{self.path} is closed")
            self._pending.append((record, prepared))
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
        """Write what is pending, and end.

        Raises:
            JournalError: a write failed, now or before.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
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
            except Exception as error:  # else whoever flushes would wait for ever
                self._fail(JournalError(f"{self.path}: {type(error).__name__}: {error}"))
                return
            self._on_commit(committed)
            with self._changed:
                self._durable += len(batch)
                self._changed.notify_all()

    def _next_batch(self) -> list[tuple[R, P]]:
        """Wait for records, let others join them, return them; empty when closing."""
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._closing)
            due = self._committed_at + self._seconds
            self._changed.wait_for(
                lambda: self._flushing or self._closing, timeout=due - time.monotonic()
            )
            self._flushing = False
            self._committed_at = time.monotonic()
            batch, self._pending = self._pending, []
            return batch

    def _fail(self, error: JournalError) -> None:
        with self._changed:
            self._failure = error
            self._changed.notify_all()
        self._on_failure(error)


class JournalTail:
    """Adds lines to a journal whose lock is held.

    Other programs know nothing of the lock. What they append stays, and the next record starts
    on a line of its own. A journal that has lost what was written to it is lost.

    Args:
        lock: The writer's lock on the journal.
        least: The bytes that the journal had when this process last gave the lock back.

    Attributes:
        path: The journal.
        end: Byte offset behind what was written last, or behind what was there before.

    Raises:
        JournalLost: the journal has lost some of these bytes since.
        JournalWriteFailed: a torn last line could not be healed.
    """

    def __init__(self, lock: WriterLock, least: int = 0) -> None:
        self.path = lock.path
        self._lock = lock
        self._size = os.fstat(lock.descriptor).st_size
        if self._size < least:
            raise JournalLost(self.path, CUT_SHORT)
        self.end = self._size
        self._last = b""
        if not self._size:
            sync_directory(self.path.parent)  # the file itself may be new
        elif healing := healing_of(self.path, lock.descriptor, self._size):
            self._write(healing)

    def write(self, data: bytes) -> int:
        """Bring whole lines to disk, and return the byte offset of the first.

        Raises:
            JournalLost: the journal is another file now, or lacks what was written to it.
            JournalWriteFailed: the lines cannot be written; the file is as it was.
        """
        self.verify()
        healing = b""
        if self._size != self.end:
            healing = healing_of(self.path, self._lock.descriptor, self._size)
        start = self._size + len(healing)
        self._write(healing + data)
        return start

    def verify(self) -> None:
        """Make sure that the journal still ends, or goes on, behind what was written to it.

        Raises:
            JournalLost: the journal is another file now, or lacks what was written to it.
        """
        self._lock.verify()
        self._size = os.fstat(self._lock.descriptor).st_size
        begins = self.end - len(self._last)
        if self._size < self.end or (
            os.pread(self._lock.descriptor, len(self._last), begins) != self._last
        ):
            raise JournalLost(self.path, CUT_SHORT)

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
        self.end = self._size + len(data)
        self._last = data[-COMPARED_BYTES:]

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


class JournalWriter(GroupCommit[Record, bytes]):
    """The one writer of a journal.

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
        on_commit: Callable[[Committed[Record]], None] = lambda committed: None,
        on_failure: Callable[[JournalError], None] = lambda error: None,
    ) -> None:
        self._lock = lock
        self._tail = JournalTail(lock)
        self._encoder = msgspec.json.Encoder()
        super().__init__(lock.path, on_commit, on_failure)

    def _prepare(self, record: Record) -> bytes:
        return seal(self._encoder.encode(record))

    def _commit(self, batch: list[tuple[Record, bytes]]) -> list[tuple[int, Record]]:
        offset = self._tail.write(b"".join([line for _, line in batch]))
        committed = []
        for record, line in batch:
            committed.append((offset, record))
            offset += len(line)
        return committed

    def close(self) -> None:
        """Write what is pending, see that all of it is there, and release the lock.

        Raises:
            JournalError: a write failed, now or before, or another program cut the journal short.
        """
        try:
            super().close()
            self._tail.verify()
        finally:
            self._lock.release()
