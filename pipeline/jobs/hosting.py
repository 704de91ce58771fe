"""A job in its process: reachable over its socket, stopped by signals, told of in the log."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

from backends.keys import scrub
from pipeline.jobs.control import ControlServer
from pipeline.jobs.job import Ending
from pipeline.jobs.progress import Snapshot
from pipeline.jobs.run_file import RunFile
from pipeline.jobs.signals import stop_on_signals

log = logging.getLogger("pcc.run")

Watcher = Callable[[Callable[[], Snapshot]], Coroutine[Any, Any, None]]
"""Shows a running job: gets a function that samples it, and is cancelled when it ends."""


class Hosted(Protocol):
    """Work that can be told what to do while it runs."""

    async def run(self) -> Ending:
        """Work until the end."""

    def pause(self) -> None:
        """Take on nothing more for now."""

    def resume(self) -> None:
        """Go on after a pause."""

    def stop(self) -> None:
        """Finish what is in flight, and end."""

    def abort(self) -> None:
        """End now."""

    def retry(self) -> int:
        """Put what failed to work again; return how much that is."""


async def host(
    job: Hosted,
    snapshot: Callable[[], Snapshot],
    watch: Watcher,
    workspace: Path,
    run_file: RunFile,
) -> tuple[Ending, int | None]:
    """Run a job where signals and clients of its socket reach it.

    Args:
        job: The work.
        snapshot: Samples it.
        watch: Shows how it goes.
        workspace: Where its address is left.
        run_file: What that says; the socket is filled in.

    Returns:
        How it ended, and 128 with the signal that stopped it, None without one.
    """
    control = ControlServer(
        snapshot,
        {
            "pause": job.pause,
            "resume": job.resume,
            "stop": job.stop,
            "abort": job.abort,
            "retry": job.retry,
        },
    )
    return await _accompany(job, snapshot, watch, control.serving(workspace, run_file))


async def attend(
    job: Hosted, snapshot: Callable[[], Snapshot], watch: Watcher
) -> tuple[Ending, int | None]:
    """Run work that nobody else need reach: it only reads, and holds up no other job.

    Args:
        job: The work.
        snapshot: Samples it.
        watch: Shows how it goes.

    Returns:
        How it ended, and 128 with the signal that stopped it, None without one.
    """
    return await _accompany(job, snapshot, watch, nullcontext())


async def _accompany(
    job: Hosted,
    snapshot: Callable[[], Snapshot],
    watch: Watcher,
    serving: AbstractAsyncContextManager[None],
) -> tuple[Ending, int | None]:
    asyncio.get_running_loop().set_exception_handler(_log_stray_error)
    watching = asyncio.create_task(watch(snapshot))
    try:
        with stop_on_signals(job.stop, job.abort) as received:
            async with serving:
                ending = await job.run()
    except Exception as error:
        trace = "".join(traceback.format_exception(error))
        log.error("failed", {"error": scrub(str(error)), "traceback": scrub(trace)})
        raise
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return ending, received.exit_code


def _log_stray_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Keep what no task waits for, such as a client that hung up, off the terminal."""
    log.warning(
        "stray error", {"error": scrub(f"{context['message']}: {context.get('exception')}")}
    )
