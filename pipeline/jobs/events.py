"""What the log of a job tells of the job as a whole: how it goes, and how it ended.

`docs/contracts.md` lists the events, since other programs read them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec

from backends.keys import scrub
from pipeline.jobs.log import tell_error
from pipeline.jobs.progress import Snapshot
from pipeline.jobs.step import Ending

PROGRESS_SECONDS = 60.0
"""Between two lines that say how far a job is."""

log = logging.getLogger("pcc.run")


async def log_progress(snapshot: Callable[[], Snapshot]) -> None:
    """Say how far a job is, once a minute, until cancelled.

    A thread writes: a disk that hangs holds up that line and not the job.
    """
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        await asyncio.to_thread(_tell_progress, snapshot())


def _tell_progress(shot: Snapshot) -> None:
    """Say how far a job is."""
    log.info(
        "progress",
        {
            "run": shot.run,
            "stage": shot.stage,
            "state": shot.state,
            **_counts(shot),
            "seconds": round(shot.seconds, 1),
            "rate": round(shot.rate_now or shot.rate, 3),
            "tokens_in": shot.tokens_in,
            "tokens_out": shot.tokens_out,
            "cost_usd": shot.cost_usd,
        },
    )


def tell_end(
    last: Snapshot, ending: Ending, stopped_by: str | None, report: msgspec.Struct
) -> None:
    """Say how a job ended, by whom, and what it did.

    Args:
        last: The last snapshot.
        ending: How the work ended.
        stopped_by: The signal or the client that ended the job, None where nobody did.
        report: What the job did.
    """
    _tell_progress(last)
    how, by = _how(ending, stopped_by, later=last.later)
    figures = {
        name: value
        for name, value in msgspec.to_builtins(report).items()
        if name != "ending" and not isinstance(value, list)  # a list may name every photo
    }
    log.info("end", {"run": last.run, "how": how, "by": by, **figures})


def tell_failure(last: Snapshot, error: BaseException) -> None:
    """Say that an error ended a job."""
    kind = type(error).__name__
    told = scrub(f"{kind}: {error}") if str(error) else kind
    if isinstance(error, Exception):
        tell_error(error)
    _tell_progress(last)
    fields = {"run": last.run, "how": "failed", "by": kind, "error": told, **_counts(last)}
    log.info("end", fields)


def _how(ending: Ending, stopped_by: str | None, *, later: int) -> tuple[str, str | None]:
    if stopped_by is not None:
        return "stopped", stopped_by
    if ending is Ending.BUDGET:
        return "budget", "--budget"
    if ending is Ending.DONE and later:
        return "restart", "--restart-every"
    return ending.value, None


def _counts(shot: Snapshot) -> dict[str, Any]:
    return {
        "attempted": shot.attempted,
        "total": shot.total,
        "later": shot.later,
        "by_status": shot.by_status,
    }
