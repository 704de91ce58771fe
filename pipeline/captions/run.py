"""Carrying out a planned run of the captioner. `pcc run` is a thin layer over this module."""

from __future__ import annotations

import asyncio

from backends.prices import require_price
from backends.registry import make_backend
from journal import CAPTIONS, CaptionRecord, JournalError, JournalWriter, WriterLock
from pipeline.captions.dry_run import DryRunJournal, dry_run_path, dry_run_stage
from pipeline.captions.last_captioner import keep_captioner, was_kept
from pipeline.captions.moved_edits import follow_renames
from pipeline.captions.plan import History
from pipeline.captions.prompt_file import keep_prompt
from pipeline.captions.request import PreparedRun, RunReport
from pipeline.captions.stage import SAME_COMMAND, CaptionStage
from pipeline.jobs.budget import Budget
from pipeline.jobs.copies import Copies
from pipeline.jobs.job import Job
from pipeline.jobs.pending_records import OpenJournal
from pipeline.jobs.progress import Progress, Snapshot
from pipeline.jobs.run_job import JobFrame, JobResult, Watcher, run_job
from pipeline.photos.photo import Photo


async def run_captions(
    prepared: PreparedRun, watch: Watcher, go_on: str = SAME_COMMAND
) -> JobResult[RunReport]:
    """Caption the photos of a prepared run.

    Args:
        prepared: The run. The lock of the run is released at the end.
        watch: Shows the progress.
        go_on: How the run goes on that the backend has stopped.

    Raises:
        SetupError: the backend cannot be made or opened, or has no price for the budget.
        RunStopped: every further photo would fail for the same reason.
        JournalError: records can no longer be kept.
        DecoderUnavailable: no decoding process starts.
    """
    request = prepared.request
    stage = _make_stage(prepared, go_on)
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
    budget = Budget(request.budget, _spent(prepared.history, bound or 0.0), bound or 0.0)
    stage.captioner.may_repeat = budget.admit_repeat
    job: Job[CaptionRecord] = Job(
        stage,
        [Photo.at(path) for path in prepared.batch],
        photos_dir=request.photos_dir,
        open_journal=_journal_of(prepared),
        progress=progress,
        copies=_copies_of(prepared),
        budget=budget,
    )
    frame = _frame_of(prepared, stage)
    result = await run_job(job, frame, watch, lambda _: _report(prepared, job.snapshot()))
    unread = job.snapshot().trouble
    result.remarks = [
        *stage.captioner.remarks,
        *([f"{unread}; the next run tries again"] if unread else []),
        *await asyncio.to_thread(_follow_renames, prepared),
    ]
    return result


def _frame_of(prepared: PreparedRun, stage: CaptionStage) -> JobFrame:
    plan = prepared.plan
    return JobFrame(
        run=prepared.run,
        stage=stage.name,
        workspace=prepared.request.workspace,
        journal=prepared.lock.path,
        told={
            "backend": stage.captioner.name,
            "model": stage.captioner.model,
            "photos": plan.photos,
            "to_do": len(prepared.batch),
            "skipped": dict(plan.skipped),
            "malformed_lines": plan.malformed.total,
            "warnings": prepared.warnings,
        },
    )


def _follow_renames(prepared: PreparedRun) -> list[str]:
    """Give edits on to photos that were renamed, and say so."""
    try:
        followed = follow_renames(prepared.lock.path, prepared.request.photos_dir, prepared.run)
    except JournalError as error:
        return [f"edits of photos that were renamed could not be given on: {error}"]
    told = f"captions written by hand that followed a renamed photo: {followed:,}"
    return [told] if followed else []


def _spent(history: History, bound: float) -> float:
    """Return the cost of a run so far; an answer without a cost counts with the highest cost."""
    return history.spent + history.unpriced * bound


def _make_stage(prepared: PreparedRun, go_on: str) -> CaptionStage:
    request = prepared.request
    prompt = keep_prompt(request.workspace, request.options.prompt)
    if request.dry_run:
        return dry_run_stage(prepared.run, prompt)
    captioner = make_backend(request.backend, request.options)
    stage = CaptionStage(captioner, prepared.run, prompt, go_on)
    # A pilot, or a few photos given to another backend, say nothing of all the others.
    if request.selection.keys is None or not was_kept(request.workspace):
        options = request.options
        keep_captioner(request.workspace, request.backend, options.model, options.base_url)
    return stage


def _copies_of(prepared: PreparedRun) -> Copies:
    journal = prepared.lock.path
    if prepared.request.dry_run:
        return Copies(dry_run_path(journal))
    return Copies(journal, prepared.history.digests)


def _journal_of(prepared: PreparedRun) -> OpenJournal[CaptionRecord]:
    if not prepared.request.dry_run:
        return lambda on_commit, on_failure: JournalWriter(prepared.lock, on_commit, on_failure)
    beside = WriterLock(dry_run_path(prepared.lock.path), "pcc run --dry-run", CAPTIONS)
    return lambda on_commit, on_failure: DryRunJournal(prepared.lock, beside, on_commit, on_failure)


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
