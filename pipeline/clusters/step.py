"""The step of a job that finds the clusters, after the vectors are made."""

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
"""What must be done before the time that is left can be guessed."""

NOTHING = Fitted(b"", [], b"")
"""What there is to find where no photo has a vector."""

FIT_SHARE = 0.9
"""Of this step; the rest are titles and files."""


class ClusterStep:
    """Fits, arranges and writes. It can be stopped at any moment; then nothing has changed.

    Args:
        process: Where the fitting goes on; perhaps it is compiling already.
        gather: Gathers the vectors once they are there, None where nothing has changed; called
            on a thread.
        finish: Names and writes what was fitted; called on a thread.
        progress: Where to tell.
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
            FitFailed: they cannot be found.
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
            del request  # it would be held, all vectors, until the fit is done
            fitted = await fitting
        self._tell(FitPhase("naming clusters", 1.0))
        self._too_late = True  # for a stop: from here on it takes a second or two
        await asyncio.to_thread(self._finish, gathered, fitted)

    def _tell(self, stage: FitPhase) -> None:
        self._share = stage.share * FIT_SHARE
        self.progress.loading = Loading(stage.what, round(100 * self._share), 100, "percent")

    def snapshot(self) -> Snapshot:
        """Return how far it is; the time that is left follows from the share that is done."""
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
        """Let it go on."""
        self._process.hold(False)
        self.progress.pause(False)

    def stop(self) -> None:
        """Give up what is not finished."""
        self.progress.state = "stopping"
        if self._running is not None and not self._too_late:
            self._running.cancel()

    abort = stop

    def retry(self) -> int:
        """There is nothing to put to work again."""
        return 0
