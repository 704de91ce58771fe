"""From results to the cache, and only then to the queue: a done item is one that is on disk."""

from __future__ import annotations

from collections.abc import Callable

from journal import Committed, GroupCommit, JournalError
from pipeline.ingest.cache.store import Cache, PhotoResult
from pipeline.ingest.errors import QueueLost
from pipeline.ingest.queue.base import Leased
from pipeline.ingest.workers.leasing import Leases

COMMIT_SECONDS = 0.2
"""Least time between two commits of one worker, since each commit takes a few syncs."""


class Committer(GroupCommit[PhotoResult, Leased]):
    """Brings results to a cache and tells the queue.

    A success is written, then its item is completed. The error of a broken file is written,
    then its item is parked. After any other error the item goes back to the queue; the error
    is written only if it was the last attempt.

    Args:
        cache: Takes the results.
        leases: The leases that the results answer.
        failed_itself: Tells whether it is this process that fails, not the photos.
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
