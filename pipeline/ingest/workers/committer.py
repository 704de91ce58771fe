"""From results to the cache, and only then to the queue: what is done there is on disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from journal import Committed, GroupCommit, JournalError
from pipeline.ingest.cache.store import Cache, PhotoResult
from pipeline.ingest.errors import QueueLost
from pipeline.ingest.queue.base import Leased, WorkQueue

COMMIT_SECONDS = 0.2
"""Least time between two commits of one worker: each takes a few syncs."""


class Leases:
    """The items in a worker's hands. Any thread may ask and change.

    Args:
        queue: Where they are from.
        worker: Who holds them.
    """

    def __init__(self, queue: WorkQueue, worker: str) -> None:
        self._queue = queue
        self._worker = worker
        self._held: dict[str, Leased] = {}
        self._changing = threading.Lock()
        self._taking = threading.Lock()
        self._closed = False

    def take(self, count: int) -> list[Leased]:
        """Lease more items.

        Raises:
            QueueLost: the queue failed.
        """
        with self._taking:
            if self._closed:
                return []
            leased = self._queue.lease(self._worker, count)
            with self._changing:
                self._held.update({one.token: one for one in leased})
            return leased

    def renew(self) -> None:
        """Make all leases hold for longer; those that are lost are held no more.

        Raises:
            QueueLost: the queue failed.
        """
        self._drop(self._queue.renew(self._worker, list(self._held.values())))

    def still_held(self, leased: Iterable[Leased]) -> set[str]:
        """Return the tokens of those leases that nobody else was given.

        Raises:
            QueueLost: the queue failed.
        """
        asked = [one for one in leased if one.token in self._held]
        lost = {one.token for one in self._queue.renew(self._worker, asked)}
        return {one.token for one in asked} - lost

    def complete(self, leased: list[Leased]) -> None:
        """Note items as done.

        Raises:
            QueueLost: the queue failed.
        """
        self._queue.complete(self._worker, leased)
        self._drop(leased)

    def fail(self, leased: Leased, reason: str, *, for_good: bool) -> bool:
        """Give a failed item back, or park it; return whether it is parked.

        Raises:
            QueueLost: the queue failed.
        """
        if for_good:
            self._queue.park(self._worker, leased, reason)
            parked = True
        else:
            parked = self._queue.fail(self._worker, leased, reason)
        self._drop([leased])
        return parked

    def release(self, leased: list[Leased]) -> None:
        """Give items back, untouched.

        Raises:
            QueueLost: the queue failed.
        """
        self._queue.release(self._worker, leased)
        self._drop(leased)

    def close(self) -> None:
        """Take nothing more, and give back what is left, untouched.

        Raises:
            QueueLost: the queue failed.
        """
        with self._taking:  # a thread may still be leasing for an intake that was cancelled
            self._closed = True
            self.release(list(self._held.values()))

    def _drop(self, leased: Iterable[Leased]) -> None:
        with self._changing:
            for one in leased:
                self._held.pop(one.token, None)


class Committer(GroupCommit[PhotoResult, Leased]):
    """Brings results to a cache and tells the queue.

    A success is written, then its item is done. A broken file is written, then parked. Any
    other failure gives the item back; only the one that parks it is written.

    Args:
        cache: Where results go.
        leases: What they answer.
        failed_itself: Tells whether failures are this process's, not the photos'.
        on_commit: Called on the committer's thread with results that are settled.
        on_failure: Called on that thread, once, when no more can be settled.
    """

    def __init__(
        self,
        cache: Cache,
        leases: Leases,
        failed_itself: Callable[[], bool],
        on_commit: Callable[[Committed[PhotoResult]], None],
        on_failure: Callable[[JournalError], None],
    ) -> None:
        self._cache = cache
        self._leases = leases
        self._failed_itself = failed_itself
        super().__init__(cache.outcomes_path, on_commit, on_failure, COMMIT_SECONDS)

    def _prepare(self, record: PhotoResult) -> Leased:
        assert record.leased is not None
        return record.leased

    def _commit(self, batch: list[tuple[PhotoResult, Leased]]) -> list[tuple[int, PhotoResult]]:
        try:
            self._settle(batch)
        except QueueLost as error:
            raise JournalError(str(error)) from error
        return [(0, result) for result, _ in batch]

    def _settle(self, batch: list[tuple[PhotoResult, Leased]]) -> None:
        ours = self._leases.still_held(leased for _, leased in batch)
        held = [(result, leased) for result, leased in batch if leased.token in ours]
        done = [(result, leased) for result, leased in held if result.status == "success"]
        broken = [one for one in held if one[0].status == "error_corrupt"]
        failed = [one for one in held if one[0].status not in ("success", "error_corrupt")]
        self._cache.add([result for result, _ in done + broken])
        self._leases.complete([leased for _, leased in done])
        for result, leased in broken:
            self._leases.fail(leased, result.reason, for_good=True)
        if failed and self._failed_itself():
            self._leases.release([leased for _, leased in failed])
            return
        parked = [
            result
            for result, leased in failed
            if self._leases.fail(leased, result.reason, for_good=False)
        ]
        self._cache.add(parked)
