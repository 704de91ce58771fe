"""The owner's end of the fitting process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from backends.helper import Helper, HelperDied
from pipeline.clusters.errors import FitFailed
from pipeline.clusters.messages import Fit, FitPhase, FitReply, FitRequest, Fitted, Unfit, Warm

log = logging.getLogger("pcc.clusters")

MEMORY_HINT = (
    ". Where a lack of memory may be the reason, as the system's log would tell, "
    "--sample takes fewer photos at once"
)
"""What SIGKILL may mean, and need not: anybody can send it."""

WORKER_MODULE = "pipeline.clusters.fit_worker"


class FitProcess(Helper[FitRequest, FitReply]):
    """A process that finds clusters. It can be stopped at any moment, and paused."""

    def __init__(self) -> None:
        super().__init__(WORKER_MODULE, FitReply)

    async def warm_up(self) -> None:
        """Start the process, and let numba compile the functions that the fit will need.

        Raises:
            FitFailed: no process can be started.
        """
        with _told_as_failure():
            await self.start()
        self.send(Warm())

    async def fit(self, request: Fit, tell: Callable[[FitPhase], None]) -> Fitted:
        """Find the clusters of a library.

        Raises:
            FitFailed: the process failed or was killed.
        """
        with _told_as_failure():
            if not self.started:
                await self.start()
            self.send(request)
            del request  # some 40 MB that nobody needs any more
            while isinstance(reply := await self.receive(), FitPhase):
                tell(reply)
        if isinstance(reply, Unfit):
            raise FitFailed(reply.reason)
        return reply


@contextmanager
def _told_as_failure() -> Iterator[None]:
    try:
        yield
    except HelperDied as died:
        log.error(
            "fitting process", {"error": f"the process {died}", "last_words": died.last_words}
        )
        words = f": {died.last_line or 'it said nothing'}" if died.status is not None else ""
        hint = MEMORY_HINT if died.killed else ""
        raise FitFailed(f"the fitting process {died}{words}{hint}") from None
