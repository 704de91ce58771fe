"""A step of a job that is plain work on a thread, such as writing a large file."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from backends.base import Loading
from pipeline.jobs.job import Ending
from pipeline.jobs.progress import Progress, Snapshot


class GivenUp(Exception):
    """Raised at a gate when the work is to end; whoever is told cleans up and lets it pass."""


class Gate:
    """What the work passes again and again: it may be held there, or sent home."""

    def __init__(self) -> None:
        self.done = 0
        self._open = threading.Event()
        self._open.set()
        self._closing = False

    def go_through(self, done: int) -> None:
        """Tell how much is done; wait while paused.

        Raises:
            GivenUp: the work is to end.
        """
        self.done = done
        self._open.wait()
        if self._closing:
            raise GivenUp

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
        work: Does it; passes the gate with the bytes that are done.
        what: What it does, such as `writing dataset.jsonl`.
        total: Returns the bytes there are, once the work begins.
        progress: Where to tell.
    """

    def __init__(
        self,
        work: Callable[[Gate], None],
        what: str,
        total: Callable[[], int],
        progress: Progress,
    ) -> None:
        self.progress = progress
        self._work = work
        self._what = what
        self._total = total
        self._bytes = 0
        self._gate = Gate()

    async def run(self) -> Ending:
        """Do the work to its end, or until it is given up."""
        self._bytes = self._total()
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
        done = min(self._gate.done, self._bytes)
        self.progress.loading = Loading(self._what, done, self._bytes or None, "bytes")
        return self.progress.snapshot()

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
