"""Carrying out a planned run of the captioner. `pcc run` is a thin shell around this."""

from __future__ import annotations

import logging
import os

import msgspec

from backends.base import Captioner
from backends.prices import require_price
from backends.registry import make_backend
from journal import CaptionRecord, JournalWriter, WriterLock, utc_now
from pipeline.captions.dry_run import DryRunJournal, dry_run_path, dry_run_stage
from pipeline.captions.plan import History
from pipeline.captions.prompt_file import keep_prompt
from pipeline.captions.request import PreparedRun, RunReport
from pipeline.captions.stage import CaptionStage
from pipeline.jobs.budget import Budget
from pipeline.jobs.copies import Copies
from pipeline.jobs.cores import decoder_count
from pipeline.jobs.hosting import Watcher, host
from pipeline.jobs.job import Ending, Job
from pipeline.jobs.log import log_to
from pipeline.jobs.pending_records import OpenJournal
from pipeline.jobs.progress import Progress, Snapshot
from pipeline.jobs.run_file import RunFile
from pipeline.photos.photo import Photo

log = logging.getLogger("pcc.run")


class RunResult(msgspec.Struct):
    """How a run ended.

    Attributes:
        ending: Done, at the budget, or stopped.
        signal_code: 128 and the signal that stopped it, None without one.
        report: What it did.
        remarks: What came up, a sentence each.
    """

    ending: Ending
    signal_code: int | None
    report: RunReport
    remarks: list[str] = []


async def run_captions(prepared: PreparedRun, watch: Watcher) -> RunResult:
    """Caption the photos of a prepared run.

    Args:
        prepared: The run; its lock is given back at the end.
        watch: Shows how it goes.

    Raises:
        SetupError: the backend cannot be made or opened, or has no price for a budget.
        RunStopped: every further photo would fail for the same reason.
        JournalError: records can no longer be kept.
        DecoderUnavailable: no decoding process starts.
    """
    request = prepared.request
    stage = _make_stage(prepared)
    bound = stage.captioner.cost_bound()
    if request.budget is not None:
        bound = require_price(bound, request.backend, stage.captioner.model)
    progress = Progress(
        run=prepared.run,
        stage=stage.name,
        backend=stage.captioner.name,
        total=len(prepared.batch),
        later=prepared.later,
        skipped=dict(prepared.plan.skipped),
    )
    job: Job[CaptionRecord] = Job(
        stage,
        [Photo.at(path) for path in prepared.batch],
        photos_dir=request.photos_dir,
        journal=dry_run_path(prepared.lock.path) if request.dry_run else prepared.lock.path,
        open_journal=_journal_of(prepared),
        decoders=decoder_count(),
        progress=progress,
        copies=Copies({} if request.dry_run else prepared.history.digests),
        budget=Budget(request.budget, _spent(prepared.history, bound or 0.0), bound or 0.0),
    )
    with log_to(request.workspace / "caption.log"):
        _log_start(prepared, stage.captioner)
        return await _run_job(job, prepared, stage, watch)


def _spent(history: History, bound: float) -> float:
    """Return what a run has cost: an answer that told no cost counts as the most it can be."""
    return history.spent + history.unpriced * bound


async def _run_job(
    job: Job[CaptionRecord], prepared: PreparedRun, stage: CaptionStage, watch: Watcher
) -> RunResult:
    run_file = RunFile(
        pid=os.getpid(),
        run=prepared.run,
        stage=stage.name,
        socket="",
        journal=str(prepared.lock.path),
        started=utc_now(),
    )
    try:
        ending, signal_code = await host(
            job, job.snapshot, watch, prepared.request.workspace, run_file
        )
    finally:
        report = _report(prepared, job.snapshot())
        log.info("end", msgspec.to_builtins(report))
    return RunResult(ending, signal_code, report, stage.captioner.remarks)


def _make_stage(prepared: PreparedRun) -> CaptionStage:
    request = prepared.request
    prompt = keep_prompt(request.workspace, request.options.prompt)
    if request.dry_run:
        return dry_run_stage(prepared.run, prompt)
    return CaptionStage(make_backend(request.backend, request.options), prepared.run, prompt)


def _journal_of(prepared: PreparedRun) -> OpenJournal[CaptionRecord]:
    if not prepared.request.dry_run:
        return lambda on_commit, on_failure: JournalWriter(prepared.lock, on_commit, on_failure)
    beside = WriterLock(dry_run_path(prepared.lock.path), "pcc run --dry-run")
    return lambda on_commit, on_failure: DryRunJournal(prepared.lock, beside, on_commit, on_failure)


def _log_start(prepared: PreparedRun, captioner: Captioner) -> None:
    plan = prepared.plan
    log.info(
        "start",
        {
            "run": prepared.run,
            "backend": captioner.name,
            "model": captioner.model,
            "photos": plan.photos,
            "to_do": len(prepared.batch),
        },
    )
    log.info(
        "skipped",
        {
            "total": plan.skipped.total(),
            "by_status": dict(plan.skipped),
            "malformed_lines": plan.malformed.total,
        },
    )
    for warning in prepared.warnings:
        log.warning("walk", {"reason": warning})


def _report(prepared: PreparedRun, last: Snapshot) -> RunReport:
    return RunReport(
        run=prepared.run,
        attempted=last.attempted,
        by_status=last.by_status,
        seconds=round(last.seconds, 3),
        rate=round(last.rate, 3),
        tokens_in=last.tokens_in,
        tokens_out=last.tokens_out,
        cost_usd=last.cost_usd,
        remaining=prepared.remaining - last.attempted,
    )
