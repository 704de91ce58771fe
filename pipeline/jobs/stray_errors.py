"""Errors that reach no task of a job, because the event loop itself met them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from backends.keys import scrub

Result = TypeVar("Result")

log = logging.getLogger("pcc.run")


class StrayErrors:
    """Keeps such errors off the terminal, and ends a job for which the memory does not suffice.

    Most are of no consequence, such as a client that hung up. But where the loop finds no memory
    for what it reads, bytes of a reply are lost, so that a sound photo would be called damaged,
    and the loop would read again without end.
    """

    def __init__(self) -> None:
        self._work: asyncio.Task[Any] | None = None
        self._lack: MemoryError | None = None

    async def watched(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Return the result of the work of a job.

        Raises:
            MemoryError: the event loop had not enough memory, and the work was given up.
        """
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(_rest)  # a thread that lacks memory at its start hangs Python
        loop.set_exception_handler(self._hear)
        self._work = task = loop.create_task(work)
        try:
            return await task
        except asyncio.CancelledError:
            if self._lack is None:
                raise
            raise MemoryError from self._lack
        finally:
            task.cancel()

    def _hear(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, MemoryError):
            log.warning("stray error", {"error": scrub(f"{context['message']}: {error}")})
        elif self._lack is None:
            self._lack = error
            assert self._work is not None
            self._work.cancel()


def _rest() -> None:
    """Do nothing, in the thread that later waits for the disk."""
