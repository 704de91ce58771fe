"""A step of a job that is plain work on a thread, such as writing a large file."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import msgspec

from backends.base import Loading
from pipeline.jobs.job import Ending
from pipeline.jobs.progress import Progress, Snapshot

LEAST_SHARE = 0.02
"""What must be done before the time that is left can be guessed."""


class GivenUp(Exception):
    """Raised at a gate when the work is to end; whoever is told cleans up and lets it pass."""


class Gate:
    """What the work passes again and again: it may be held there, or sent home."""

    def __init__(self) -> None:
        self.at = Loading("starting")
        self.began = time.monotonic()
        self._open = threading.Event()
        self._open.set()
        self._closing = False

    def begin(self, what: str, total: int, unit: str = "bytes") -> None:
        """Tell what comes next, and how much of it there is."""
        self.at = Loading(what, 0, total, unit)
        self.began = time.monotonic()

    def go_through(self, done: int) -> None:
        """Tell how much is done; wait while paused.

        Raises:
            GivenUp: the work is to end.
        """
        self.at = msgspec.structs.replace(self.at, done=done)
        self._open.wait()
        if self._closing:
            raise GivenUp

    def seconds_left(self) -> float | None:
        """Return about how long the rest takes, None while that is anybody's guess."""
        share = self.at.done / self.at.total if self.at.total else 0.0
        if share < LEAST_SHARE:
            return None
        return (time.monotonic() - self.began) * (1 - share) / share

    def hold(self, held: bool) -> None:
        """Stop the work at the gate, or let it through again."""
        if held and not self._closing:
            self._open.clear()
        else:
            self._open.set()

    def close(self) -> None:
        """Send the work home."""
        self._closing = True
        self._open.set()


class ThreadStep:
    """Runs a function on a thread, behind a gate.

    Args:
        work: Does it, and tells the gate how far it is.
        progress: Where to tell.
    """

    def __init__(self, work: Callable[[Gate], None], progress: Progress) -> None:
        self.progress = progress
        self._work = work
        self._gate = Gate()

    async def run(self) -> Ending:
        """Do the work to its end, or until it is given up."""
        self.progress.begin()
        try:
            await asyncio.to_thread(self._work, self._gate)
        except GivenUp:
            return Ending.STOPPED
        finally:
            self.progress.finish()
        return Ending.DONE

    def snapshot(self) -> Snapshot:
        """Return how far it is."""
        self.progress.loading = self._gate.at
        shot = self.progress.snapshot()
        return msgspec.structs.replace(shot, eta_seconds=self._gate.seconds_left())

    def pause(self) -> None:
        """Hold the work where it is."""
        self._gate.hold(True)
        self.progress.pause(True)

    def resume(self) -> None:
        """Let it go on."""
        self._gate.hold(False)
        self.progress.pause(False)

    def stop(self) -> None:
        """Give it up."""
        self.progress.state = "stopping"
        self._gate.close()

    abort = stop

    def retry(self) -> int:
        """There is nothing to put to work again."""
        return 0
