"""A step that works piece by piece on the event loop, and can pause between two pieces."""

from __future__ import annotations

import asyncio

from pipeline.jobs.pause_point import GivenUp
from pipeline.jobs.progress import Progress, Snapshot


class AsyncStep:
    """What such steps share: pausing, resuming and stopping.

    Args:
        progress: Where to count.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._stopping = False

    async def _go_on(self) -> None:
        """Wait while paused.

        Raises:
            GivenUp: the step is to end.
        """
        await self._resumed.wait()
        if self._stopping:
            raise GivenUp

    def snapshot(self) -> Snapshot:
        """Return how far the step is."""
        return self.progress.snapshot()

    def pause(self) -> None:
        """Begin no further piece until `resume`."""
        if not self._stopping:
            self._resumed.clear()
            self.progress.pause(True)

    def resume(self) -> None:
        """Go on after a pause."""
        if not self._stopping:
            self._resumed.set()
            self.progress.pause(False)

    def stop(self) -> None:
        """Give up what is not finished."""
        self._stopping = True
        self._resumed.set()
        self.progress.state = "stopping"

    def abort(self) -> None:
        """End now, which is what a stop does."""
        self.stop()

    def retry(self) -> int:
        """There is nothing to retry."""
        return 0
