"""The step of a job that finds the clusters, after the step that makes the vectors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from backends.base import Loading
from pipeline.clusters.fit_process import FitProcess
from pipeline.clusters.gathering import Gathered
from pipeline.clusters.messages import FitPhase, Fitted
from pipeline.jobs.progress import Progress, Snapshot
from pipeline.jobs.step import Ending

LEAST_SHARE = 0.15
"""Share of the work that must be done before the remaining time can be estimated."""

NOTHING = Fitted(b"", [], b"")
"""The result if no photo has a vector."""

FIT_SHARE = 0.9
"""Share of this step that is fitting; the rest is titles and files."""


class ClusterStep:
    """Fits, names and writes the clusters. A stop at any moment leaves the old clusters.

    Args:
        process: The fitting process, which may be compiling already.
        gather: Gathers the vectors, or returns None if nothing has changed; called on a thread.
        finish: Names the clusters and writes them; called on a thread.
        progress: The progress to update.
    """

    def __init__(
        self,
        process: FitProcess,
        gather: Callable[[], Gathered | None],
        finish: Callable[[Gathered, Fitted], None],
        progress: Progress,
    ) -> None:
        self.progress = progress
        self._process = process
        self._gather = gather
        self._finish = finish
        self._share = 0.0
        self._began = 0.0
        self._running: asyncio.Task[None] | None = None
        self._too_late = False

    async def run(self) -> Ending:
        """Find the clusters.

        Raises:
            FitFailed: the clusters cannot be found.
        """
        self._began = time.monotonic()
        self.progress.begin()
        self._tell(FitPhase("reading vectors", 0.0))
        self._running = asyncio.create_task(self._work())
        with suppress(asyncio.CancelledError):
            await self._running
        self.progress.finish()
        return Ending.STOPPED if self._running.cancelled() else Ending.DONE

    async def _work(self) -> None:
        gathered = await asyncio.to_thread(self._gather)
        if gathered is None:
            return
        fitted = NOTHING
        request = await asyncio.to_thread(gathered.fit_request)
        if request.places:
            fitting = self._process.fit(request, self._tell)
            del request  # or all vectors would stay in memory until the fit is done
            fitted = await fitting
        self._tell(FitPhase("naming clusters", 1.0))
        self._too_late = True  # to stop: the rest takes a second or two
        await asyncio.to_thread(self._finish, gathered, fitted)

    def _tell(self, stage: FitPhase) -> None:
        self._share = stage.share * FIT_SHARE
        self.progress.loading = Loading(stage.what, round(100 * self._share), 100, "percent")

    def snapshot(self) -> Snapshot:
        """Return the progress; the remaining time follows from the share that is done."""
        shot = self.progress.snapshot()
        if self._share < LEAST_SHARE:
            return shot
        left = (time.monotonic() - self._began) * (1 - self._share) / self._share
        return msgspec.structs.replace(shot, eta_seconds=left)

    def pause(self) -> None:
        """Freeze the fitting process."""
        self._process.hold(True)
        self.progress.pause(True)

    def resume(self) -> None:
        """Let the fitting process continue."""
        self._process.hold(False)
        self.progress.pause(False)

    def stop(self) -> None:
        """Cancel the fit, unless the clusters are being written already."""
        self.progress.state = "stopping"
        if self._running is not None and not self._too_late:
            self._running.cancel()

    abort = stop

    def retry(self) -> int:
        """Return 0, because there is nothing to retry."""
        return 0
