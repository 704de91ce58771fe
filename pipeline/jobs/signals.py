"""Ctrl+C, `kill` and a closed terminal: the first signal asks a job to stop, the second aborts."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Received:
    """The signals that a job has received so far.

    Attributes:
        first: The signal that stopped the job, None without one.
    """

    def __init__(self) -> None:
        self.first: signal.Signals | None = None

    @property
    def exit_code(self) -> int | None:
        """128 and the number of the first signal, None without one."""
        return None if self.first is None else 128 + self.first


@contextmanager
def stop_on_signals(stop: Callable[[], None], abort: Callable[[], None]) -> Iterator[Received]:
    """Call `stop` on the first signal and `abort` on every later one.

    A SIGHUP that was ignored when the process began (`nohup`) stays ignored.
    """
    loop = asyncio.get_running_loop()
    received = Received()

    def on_signal(number: signal.Signals) -> None:
        if received.first is None:
            received.first = number
            stop()
        else:
            abort()

    handled = [
        number
        for number in STOPPING
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
    ]
    for number in handled:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield received
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
