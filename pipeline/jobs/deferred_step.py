"""A step whose job can only be made once the steps before it are done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pipeline.jobs.job import Job
from pipeline.jobs.progress import Progress, Snapshot
from pipeline.jobs.step import Ending


class DeferredStep:
    """Makes a job when its turn comes, and runs the job.

    Args:
        make: Makes the job, on a thread; None if there turns out to be nothing to do.
        progress: The progress of the job, shown until the job is there.
    """

    def __init__(self, make: Callable[[], Job[Any] | None], progress: Progress) -> None:
        self.progress = progress
        self._make = make
        self._job: Job[Any] | None = None
        self._paused = False
        self._ended = False

    async def run(self) -> Ending:
        """Make the job and run the job."""
        job = await asyncio.to_thread(self._make)
        if job is None:
            return Ending.DONE
        self._job = job
        if self._paused:
            job.pause()
        if self._ended:
            job.stop()
        return await job.run()

    def snapshot(self) -> Snapshot:
        """Return how far the job is."""
        return self.progress.snapshot() if self._job is None else self._job.snapshot()

    def pause(self) -> None:
        """Begin nothing more until `resume`."""
        self._paused = True
        if self._job is not None:
            self._job.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        self._paused = False
        if self._job is not None:
            self._job.resume()

    def stop(self) -> None:
        """Finish what is in flight, and end."""
        self._ended = True
        if self._job is not None:
            self._job.stop()

    def abort(self) -> None:
        """End now."""
        self._ended = True
        if self._job is not None:
            self._job.abort()

    def retry(self) -> int:
        """Retry what failed in the job."""
        return 0 if self._job is None else self._job.retry()
