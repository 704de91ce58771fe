"""From the queue to the job of a worker: some photos ahead of it, and their leases kept alive."""

from __future__ import annotations

import asyncio
import logging
import time

from pipeline.ingest.cache.store import PhotoResult
from pipeline.ingest.queue.base import Leased, WorkQueue
from pipeline.ingest.vision.results import LeasedPhoto
from pipeline.ingest.vision.stage import IngestStage
from pipeline.ingest.workers.committer import Leases
from pipeline.jobs.job import Job

LOOK_SECONDS = 0.25
"""Between two looks into a queue that had nothing."""

FULL_SECONDS = 0.02
"""Between two looks whether a worker has its hands free."""

BATCHES_AHEAD = 3
"""Of photos in a worker's hands: one is looked at, one read, one decoded."""

MOST_AHEAD = 64
"""Photos in the hands of a quick worker: as many as it does in a second, since commits take their
time. A slow one holds few, or the last photos of a library would wait for it alone."""

log = logging.getLogger("pcc.ingest")


class LeaseFeeder:
    """Leases photos for a job, as many as it can soon work on.

    Args:
        job: The job, open-ended.
        stage: What it does.
        leases: What it holds.
        queue: Where photos come from.
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
        """Take on what there is room for; return the seconds until the next look."""
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
            # Held beside others, it would be parked if one of them killed this worker.
            await asyncio.to_thread(self._leases.release, last)
            await self._emptied()
            last = await asyncio.to_thread(self._leases.take, 1)
        if last:
            await self._work_alone(last[0])
        return FULL_SECONDS if leased else LOOK_SECONDS

    def _ahead(self) -> int:
        """Return how many photos this worker should hold."""
        a_second = round(self._job.progress.snapshot().rate_now)
        return max(BATCHES_AHEAD * self._stage.batch_size, min(a_second, MOST_AHEAD))

    async def _work_alone(self, leased: Leased) -> None:
        """Let nothing else be in flight with a photo that workers have died of."""
        log.warning("last attempt", {"photo": leased.item.rel_path, "attempt": leased.attempt})
        self._job.add([LeasedPhoto.of(leased)])
        await self._emptied()

    async def _emptied(self) -> None:
        while self._job.unsettled:
            await asyncio.to_thread(self._renew_in_time)
            await asyncio.sleep(LOOK_SECONDS / 10)
