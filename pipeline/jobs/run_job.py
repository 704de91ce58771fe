"""The one frame around every job: its log, its socket, its signals, its report.

A job is a process of its own, so the frame is the same for all: tell the log how the job
starts, let signals and the clients of the socket reach the job, and report how it ended.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from journal import clear_leftovers, utc_now
from pipeline.jobs.control import ControlServer
from pipeline.jobs.errors import WorkspaceBusy
from pipeline.jobs.events import log_progress, tell_end, tell_failure
from pipeline.jobs.log import LOG_NAME, log_to
from pipeline.jobs.progress import Snapshot
from pipeline.jobs.run_file import RunFile, identity_of, readable
from pipeline.jobs.signals import StopOrders, heard
from pipeline.jobs.step import Ending, Step
from pipeline.jobs.stray_errors import StrayErrors

Report = TypeVar("Report", bound=msgspec.Struct)

log = logging.getLogger("pcc.run")

Watcher = Callable[[Callable[[], Snapshot]], Coroutine[Any, Any, None]]
"""Shows a running job: gets a function that samples the job, and is cancelled at its end."""


class JobFrame(msgspec.Struct, kw_only=True):
    """What the frame of a job tells others about the job.

    Attributes:
        run: Id of the run.
        stage: Name of the stage, as `run.json` and the log tell it.
        workspace: The directory that holds `run.json`.
        journal: The file that the job writes.
        told: Further fields of the log's `start`.
        log: The log, None for `caption.log` of the workspace.
        shares_workspace: Whether the job may run beside another job of the workspace. Clients
            then reach the other job, and this one hears signals alone.
    """

    run: str
    stage: str
    workspace: Path
    journal: Path
    told: dict[str, Any] = {}
    log: Path | None = None
    shares_workspace: bool = False

    def clear_leftovers(self) -> None:
        """Remove the half-written files that killed jobs left beside what this job writes."""
        for directory in {self.workspace.absolute(), self.journal.absolute().parent}:
            with suppress(FileNotFoundError, PermissionError):
                clear_leftovers(directory)

    def run_file(self) -> RunFile:
        """Return what `run.json` says of the job before the job has a socket."""
        path, inode = identity_of(self.workspace)
        return RunFile(
            pid=os.getpid(),
            run=self.run,
            stage=self.stage,
            socket="",
            journal=readable(self.journal.absolute()),
            started=utc_now(),
            workspace=path,
            inode=inode,
        )


class JobResult(msgspec.Struct, Generic[Report]):
    """How a job ended.

    Attributes:
        ending: Done, at the budget, or stopped.
        stop_code: Exit code where a signal or a client of the socket stopped the job: 128 and
            the number of the signal, 130 for a client; None otherwise.
        report: What the job did.
        remarks: What the user should know besides the report, a sentence each.
    """

    ending: Ending
    stop_code: int | None
    report: Report
    remarks: list[str] = []


async def run_job(
    step: Step, frame: JobFrame, watch: Watcher, report: Callable[[Ending], Report]
) -> JobResult[Report]:
    """Run a job where signals and the clients of its socket reach the job.

    Args:
        step: The work.
        frame: What others are told about the job.
        watch: Shows how the work goes.
        report: Returns what the job did, given how the job ended.

    Raises:
        WorkspaceBusy: another job runs in this workspace, and this one may not share it.
        Exception: whatever `step` raises; the log tells it first.
    """
    with log_to(frame.log or frame.workspace / LOG_NAME) as log_file:
        frame.clear_leftovers()
        log.info("start", {"run": frame.run, "stage": frame.stage, **frame.told})
        orders = StopOrders(step.stop, step.abort)
        try:
            ending = await _serve(step, frame, (watch, log_progress), orders)
        except BaseException as error:
            tell_failure(step.snapshot(), error)
            if isinstance(error, Exception):
                log_file.has_traceback(error)
            raise
        made, last = report(ending), step.snapshot()
        stop_code = orders.exit_code(work_left=ending is Ending.STOPPED or last.later > 0)
        tell_end(last, ending, None if stop_code is None else orders.by, made)
    return JobResult(ending, stop_code, made)


async def _serve(
    step: Step, frame: JobFrame, watchers: Sequence[Watcher], orders: StopOrders
) -> Ending:
    control = ControlServer(
        step.snapshot,
        {
            "pause": lambda _: step.pause(),
            "resume": lambda _: step.resume(),
            "stop": orders.stop,
            "abort": orders.abort,
            "retry": lambda _: step.retry(),
        },
    )
    try:
        serving = control.serving(frame.workspace, frame.run_file())
        return await _accompany(step, watchers, serving, orders)
    except WorkspaceBusy:
        if not frame.shares_workspace:
            raise
        return await _accompany(step, watchers, nullcontext(), orders)


async def run_unlisted(step: Step, watch: Watcher) -> tuple[Ending, int | None]:
    """Run work that no client need reach, and that holds up no other job of the workspace.

    Returns:
        How the work ended, and 128 with the signal that stopped it, None without one.
    """
    orders = StopOrders(step.stop, step.abort)
    ending = await _accompany(step, [watch], nullcontext(), orders)
    return ending, orders.exit_code(work_left=ending is Ending.STOPPED)


async def _accompany(
    step: Step,
    watchers: Sequence[Watcher],
    serving: AbstractAsyncContextManager[None],
    orders: StopOrders,
) -> Ending:
    strays = StrayErrors()
    watching = [asyncio.create_task(watch(step.snapshot)) for watch in watchers]
    try:
        with heard(orders):
            async with serving:
                return await strays.watched(step.run())
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
