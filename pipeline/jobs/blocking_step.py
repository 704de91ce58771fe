"""A step that is blocking work on a thread, such as writing a large file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from pipeline.jobs.pause_point import GivenUp, PausePoint
from pipeline.jobs.progress import Progress, Snapshot
from pipeline.jobs.step import Ending


class BlockingStep:
    """Runs a function on a thread; the function passes a pause point again and again.

    Args:
        work: Does it, and tells the pause_point how far it is.
        progress: Where to count.
    """

    def __init__(self, work: Callable[[PausePoint], None], progress: Progress) -> None:
        self.progress = progress
        self._work = work
        self._pause_point = PausePoint()

    async def run(self) -> Ending:
        """Do the work to its end, or until the work is cancelled."""
        self.progress.begin()
        try:
            await asyncio.to_thread(self._work, self._pause_point)
        except GivenUp:
            return Ending.STOPPED
        finally:
            self.progress.finish()
        return Ending.DONE

    def snapshot(self) -> Snapshot:
        """Return how far the work is."""
        self.progress.loading = self._pause_point.at
        shot = self.progress.snapshot()
        return msgspec.structs.replace(shot, eta_seconds=self._pause_point.seconds_left())

    def pause(self) -> None:
        """Hold the work at its next pause point."""
        self._pause_point.hold(True)
        self.progress.pause(True)

    def resume(self) -> None:
        """Let the work go on."""
        self._pause_point.hold(False)
        self.progress.pause(False)

    def stop(self) -> None:
        """Cancel the work."""
        self.progress.state = "stopping"
        self._pause_point.close()

    abort = stop

    def retry(self) -> int:
        """There is nothing to retry."""
        return 0
