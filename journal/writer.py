"""Appending to a journal: each record is acknowledged once it is on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from journal.errors import JournalError
from journal.group_commit import Committed, GroupCommit
from journal.lines import seal
from journal.lock import WriterLock
from journal.tail import JournalTail

R = TypeVar("R", bound=msgspec.Struct)


class JournalWriter(GroupCommit[R, bytes]):
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
        on_commit: Callable[[Committed[R]], None] = lambda committed: None,
        on_failure: Callable[[JournalError], None] = lambda error: None,
    ) -> None:
        self._lock = lock
        self._tail = JournalTail(lock)
        self._encoder = msgspec.json.Encoder()
        super().__init__(lock.path, on_commit, on_failure)

    def _prepare(self, record: R) -> bytes:
        return seal(self._encoder.encode(record))

    def _commit(self, batch: list[tuple[R, bytes]]) -> list[tuple[int, R]]:
        offset = self._tail.write(b"".join([line for _, line in batch]))
        committed = []
        for record, line in batch:
            committed.append((offset, record))
            offset += len(line)
        return committed

    def close(self) -> None:
        """Write what is pending and release the lock.

        Raises:
            JournalError: a write failed, now or before.
        """
        try:
            super().close()
        finally:
            self._lock.release()
