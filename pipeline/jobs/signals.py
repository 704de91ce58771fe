"""Who asked a job to end: Ctrl+C, `kill`, a closed terminal, or a client of its socket.

The first signal asks the job to stop, the second aborts, and the third ends the process at
once: a thread that waits for a share which does not answer would hold up any other end.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

ABORTING = 2
"""Which signal aborts a job."""

SIGNAL_BASE = 128
"""An exit code is this and the number of the signal, as shells count."""


class StopOrders:
    """Passes orders to end on to a job, and remembers who gave the first.

    Args:
        stop: Lets the job finish what is in flight, and end.
        abort: Lets the job end now.

    Attributes:
        by: The name of the first signal, or of the client that asked first; None while the job
            may go on.
    """

    def __init__(self, stop: Callable[[], None], abort: Callable[[], None]) -> None:
        self.by: str | None = None
        self._stop = stop
        self._abort = abort
        self._signal: signal.Signals | None = None
        self._signals = 0

    def stop(self, by: str) -> None:
        """End after what is in flight, because somebody asked for that."""
        self.by = self.by or by
        self._stop()

    def abort(self, by: str) -> None:
        """End now, because somebody asked for that."""
        self.by = self.by or by
        self._abort()

    def on_signal(self, number: signal.Signals) -> None:
        """Stop at the first signal, abort at the second, leave at the third.

        What was reported is on disk, so nothing is lost by leaving.
        """
        self._signals += 1
        if self._signal is None:
            self._signal = number
            self.stop(number.name)
        elif self._signals == ABORTING:
            self.abort(number.name)
        else:
            os._exit(SIGNAL_BASE + self._signal)

    def exit_code(self, *, work_left: bool) -> int | None:
        """Return the exit code of a job that was asked to end; None for one that was not.

        A signal always has the code that shells expect. A client's order has that of Ctrl+C, so
        that a loop around the job ends, unless the order came when all was done.
        """
        if self._signal is not None:
            return SIGNAL_BASE + self._signal
        return SIGNAL_BASE + signal.SIGINT if self.by is not None and work_left else None


@contextmanager
def heard(orders: StopOrders) -> Iterator[None]:
    """Have signals reach a job while the block runs.

    A SIGHUP that was ignored when the process began (`nohup`) stays ignored.
    """
    loop = asyncio.get_running_loop()
    handled = [
        number
        for number in STOPPING
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
    ]
    for number in handled:
        loop.add_signal_handler(number, orders.on_signal, number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
