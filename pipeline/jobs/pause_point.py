"""The place in a long piece of work at which it can be paused or cancelled."""

from __future__ import annotations

import threading
import time

import msgspec

from backends.base import Loading

LEAST_SHARE = 0.02
"""Share of the work that must be done before the time that is left can be estimated."""


class GivenUp(Exception):
    """Raised at a pause point when the work is to end; who catches it cleans up and re-raises."""


class PausePoint:
    """A place that the work passes again and again, where it can be held or cancelled."""

    def __init__(self) -> None:
        self.at = Loading("starting")
        self.began = time.monotonic()
        self._open = threading.Event()
        self._open.set()
        self._closing = False

    def begin(self, what: str, total: int, unit: str = "bytes") -> None:
        """Tell what comes next, and how much there is to do."""
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
        """Return about how many seconds are left, None while too little is done to tell."""
        share = self.at.done / self.at.total if self.at.total else 0.0
        if share < LEAST_SHARE:
            return None
        return (time.monotonic() - self.began) * (1 - share) / share

    def hold(self, held: bool) -> None:
        """Hold the work at its next pass, or let it go on."""
        if held and not self._closing:
            self._open.clear()
        else:
            self._open.set()

    def close(self) -> None:
        """Cancel the work at its next pass."""
        self._closing = True
        self._open.set()
