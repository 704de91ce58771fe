"""Many records to one sync: a thread gathers what is appended and brings it to disk together.

A sync takes milliseconds whatever its size, so a sync for each record would be the limit.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from journal.errors import JournalError, JournalWriteFailed

R = TypeVar("R")
P = TypeVar("P")

COMMIT_SECONDS = 0.05
"""Least seconds between two syncs, so at most 20 syncs a second; no record waits longer."""

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
