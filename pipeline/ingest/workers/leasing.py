"""From the queue to the job of a worker: photos are leased ahead of need, and leases renewed."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterable

from pipeline.ingest.cache.store import PhotoResult
from pipeline.ingest.queue.base import Leased, WorkQueue
from pipeline.ingest.vision.results import LeasedPhoto
from pipeline.ingest.vision.stage import IngestStage
from pipeline.jobs.job import Job

LOOK_SECONDS = 0.25
"""Time between two looks into a queue that had nothing to give."""

FULL_SECONDS = 0.02
"""Time between two looks whether the job has room for more photos."""

BATCHES_AHEAD = 3
"""Batches that a worker holds: one is looked at, one is read, one is decoded."""

MOST_AHEAD = 64
"""Photos that a quick worker holds at most. It holds as many as it finishes in a second, since
commits take their time. A slow worker holds few, or the last photos of a library would wait for
that worker alone."""

log = logging.getLogger("pcc.ingest")


class Leases:
    """The leases that a worker holds. Any thread may ask and change.

    Args:
        queue: The queue that gave the leases.
        worker: Name of the worker.
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
            for one in leased:
                if one.item.leads_outside:
                    self._queue.park(self._worker, one, "it leads outside the photos directory")
            leased = [one for one in leased if not one.item.leads_outside]
            with self._changing:
                self._held.update({one.token: one for one in leased})
            return leased

    def renew(self) -> None:
        """Make all leases hold for longer, and forget those that another worker was given.

        Raises:
            QueueLost: the queue failed.
        """
        self._drop(self._queue.renew(self._worker, list(self._held.values())))

    def still_held(self, leased: Iterable[Leased]) -> set[str]:
        """Return the tokens of the leases that no other worker was given.

        Raises:
            QueueLost: the queue failed.
        """
        asked = [one for one in leased if one.token in self._held]
        lost = {one.token for one in self._queue.renew(self._worker, asked)}
        return {one.token for one in asked} - lost

    def complete(self, leased: list[Leased]) -> None:
        """Tell the queue that items are done.

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
        """Take no further item, and give back those that are left, untouched.

        Raises:
            QueueLost: the queue failed.
        """
        with self._taking:  # a thread of a feeder that was cancelled may still be leasing
            self._closed = True
            self.release(list(self._held.values()))

    def _drop(self, leased: Iterable[Leased]) -> None:
        with self._changing:
            for one in leased:
                self._held.pop(one.token, None)


class LeaseFeeder:
    """Leases photos for a job, as many as the job can soon work on.

    Args:
        job: The job, open-ended.
        stage: The stage of the job.
        leases: The leases of this worker.
        queue: The queue that photos come from.
    """

    def __init__(
        self, job: Job[PhotoResult], stage: IngestStage, leases: Leases, queue: WorkQueue
    ) -> None:
        self._job = job
        self._stage = stage
        self._leases = leases
        self._queue = queue
        self._renewed = time.monotonic()
        self._looked = 0.0

    async def run(self) -> None:
        """Feed the job for ever.

        Raises:
            QueueLost: the queue failed.
        """
        while True:
            await asyncio.to_thread(self._renew_in_time)
            await asyncio.sleep(await self._feed())

    def _renew_in_time(self) -> None:
        if time.monotonic() - self._renewed > self._queue.lease_seconds / 4:
            self._renewed = time.monotonic()
            self._leases.renew()

    async def _feed(self) -> float:
        """Lease what there is room for; return the seconds until the next look."""
        if self._stage.loading is not None:
            return LOOK_SECONDS
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            if await asyncio.to_thread(lambda: self._queue.paused):
                self._job.pause()
                return LOOK_SECONDS
            self._job.resume()
        room = self._ahead() - self._job.unsettled
        if room <= 0:
            return FULL_SECONDS
        leased = await asyncio.to_thread(self._leases.take, room)
        last = [one for one in leased if one.attempt >= self._queue.max_attempts]
        self._job.add([LeasedPhoto.of(one) for one in leased if one not in last])
        if last and (len(leased) > 1 or self._job.unsettled):
            # Held beside others, this item would be parked if one of them killed this worker.
            await asyncio.to_thread(self._leases.release, last)
            await self._until_empty()
            last = await asyncio.to_thread(self._leases.take, 1)
        if last:
            await self._work_alone(last[0])
        return FULL_SECONDS if leased else LOOK_SECONDS

    def _ahead(self) -> int:
        """Return how many photos this worker should hold."""
        a_second = round(self._job.progress.snapshot().rate_now)
        return max(BATCHES_AHEAD * self._stage.batch_size, min(a_second, MOST_AHEAD))

    async def _work_alone(self, leased: Leased) -> None:
        """Let no other photo be in flight beside one that workers have died of."""
        log.warning("last attempt", {"rel_path": leased.item.rel_path, "attempt": leased.attempt})
        self._job.add([LeasedPhoto.of(leased)])
        await self._until_empty()

    async def _until_empty(self) -> None:
        while self._job.unsettled:
            await asyncio.to_thread(self._renew_in_time)
            await asyncio.sleep(LOOK_SECONDS / 10)
