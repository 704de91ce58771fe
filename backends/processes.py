"""Processes of ours: how one is ended, and whether one works, was stopped, or waits."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

KILL_SECONDS = 2.0
"""How long a killed process may take to be gone. One that waits for a share that does not answer
is not gone before the share answers."""

WORKING_SHARE = 0.05
"""Share of one core that a process uses at least while it works, however busy the machine is."""


class Activity(NamedTuple):
    """A process at one moment.

    Attributes:
        at: The moment, on the clock that never goes back.
        seconds: Processor time that the process has used so far.
        stopped: Whether a signal or a debugger has stopped the process.
    """

    at: float
    seconds: float
    stopped: bool

    @classmethod
    def of(cls, pid: int) -> Activity:
        """Look at a process; one that is gone does nothing."""
        import psutil  # nobody needs to know while no process hangs

        try:
            process = psutil.Process(pid)
            times, status = process.cpu_times(), process.status()
        except psutil.Error:
            return cls(time.monotonic(), 0.0, stopped=False)
        stopped = status in (psutil.STATUS_STOPPED, psutil.STATUS_TRACING_STOP)
        return cls(time.monotonic(), times.user + times.system, stopped)

    def is_waiting_since(self, before: Activity) -> bool:
        """Tell whether the process waits for something outside, most likely a disk or a share."""
        worked = self.seconds - before.seconds > WORKING_SHARE * (self.at - before.at)
        return not worked and not self.stopped


async def end(process: asyncio.subprocess.Process, patience: float) -> int | None:
    """Wait some seconds for the end of a process, then kill the process.

    Returns:
        The exit status. None for a process that is not gone even then: it is left behind, and
        ends when the disk or share that it waits for answers.
    """
    for seconds in (patience, KILL_SECONDS):
        try:
            async with asyncio.timeout(seconds):
                return await process.wait()
        except TimeoutError:
            if process.returncode is None:
                process.kill()
    # asyncio has no public way to let go of a process, and would complain at the exit.
    process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001
    return None
