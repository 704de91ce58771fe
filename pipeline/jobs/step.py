"""What every piece of work of a job can be told and asked, whatever happens inside."""

from __future__ import annotations

import enum
from typing import Protocol

from pipeline.jobs.progress import Snapshot


class Ending(enum.Enum):
    """How a step, or a whole job, ended."""

    DONE = "done"
    BUDGET = "budget"
    STOPPED = "stopped"


class Step(Protocol):
    """A piece of work that runs once and takes commands meanwhile.

    All methods are called on the event loop on which `run` runs.
    """

    async def run(self) -> Ending:
        """Work until the end, or until a command ends the work early."""

    def snapshot(self) -> Snapshot:
        """Return the state of this moment."""

    def pause(self) -> None:
        """Begin nothing more until `resume`."""

    def resume(self) -> None:
        """Go on after a pause."""

    def stop(self) -> None:
        """Finish what is in flight, and end."""

    def abort(self) -> None:
        """End now."""

    def retry(self) -> int:
        """Do again what failed; return how many photos that is."""
