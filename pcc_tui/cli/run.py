"""`pcc run`: caption a photo library."""

from __future__ import annotations

import dataclasses
import math
from typing import Annotated, Optional

import msgspec
import typer

from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import (
    CaptioningOptions,
    PaceOptions,
    SelectionOptions,
    SiteOptions,
    require_text,
)
from pcc_tui.cli.origin import look_again, origin
from pcc_tui.cli.output import fail, narration, print_json, say
from pcc_tui.cli.run_request import admits_server, captioner_words, request_of, require_server
from pcc_tui.words.figures import counted, counts, duration
from pcc_tui.words.outcomes import photo_outcome
from pipeline.captions.request import PreparedRun, RunReport, RunRequest, prepare_run


@dataclasses.dataclass(frozen=True)
class LimitOptions:
    """How far to go."""

    limit: Annotated[
        Optional[int], typer.Option(min=0, help="Photos attempted in this run at most.")
    ] = None
    restart_every: Annotated[
        Optional[int],
        typer.Option(
            min=0, help="End with exit code 2 after so many photos; 0 is never. See run_loop.sh."
        ),
    ] = None
    budget: Annotated[Optional[float], typer.Option(min=0, help="US dollars the run may cost.")] = (
        None
    )
    run_id: Annotated[
        Optional[str],
        typer.Option(help="Go on with the run of this id.", show_default="made from the time"),
    ] = None
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Decode every photo, call no model.")
    ] = False


@takes_groups
def run(
    site: SiteOptions,
    captioning: CaptioningOptions,
    selection: SelectionOptions,
    pace: PaceOptions,
    limits: LimitOptions,
) -> int:
    """Caption every photo that has no caption yet. Safe to interrupt, safe to repeat."""
    request = request_of(site, captioning, selection, pace)
    if limits.run_id is not None:
        require_text("--run-id", limits.run_id)
    if limits.run_id == "":
        fail("--run-id is empty; leave it out to have one made", ExitCode.USAGE)
    if limits.budget is not None and not math.isfinite(limits.budget):
        fail(f"--budget is a sum of US dollars, not {limits.budget}", ExitCode.USAGE)
    if limits.restart_every and request.selection.repeats and limits.run_id is None:
        fail(
            "--restart-every with a retry or --force needs --run-id, or the loop never ends",
            ExitCode.USAGE,
        )
    if limits.restart_every and limits.dry_run:
        fail("--restart-every does not go with --dry-run: it would never end", ExitCode.USAGE)
    request = msgspec.structs.replace(
        request,
        run=limits.run_id,
        limit=limits.limit,
        restart_every=limits.restart_every or None,
        budget=limits.budget,
        dry_run=limits.dry_run,
    )
    return carry_out(request, site, captioning)


def carry_out(request: RunRequest, site: SiteOptions, captioning: CaptioningOptions) -> int:
    """Carry out a run, show its progress, and return the exit code."""
    json = site.json
    prepared = prepare_run(request)
    try:
        code, report, how = _run_prepared(prepared, site, captioning)
    finally:
        prepared.lock.release()
    look_again()
    if json:
        print_json(report)
    else:
        _tell_end(prepared, report, code, how)
    return code


def _run_prepared(
    prepared: PreparedRun, site: SiteOptions, captioning: CaptioningOptions
) -> tuple[int, RunReport, str]:
    """Carry out a run; return its exit code, its report, and how it ended before its time."""
    json, request = site.json, prepared.request
    _tell_plan(prepared, json=json)
    nothing = ExitCode.OK, RunReport(run=prepared.run, remaining=prepared.remaining), ""
    if not prepared.batch:
        return nothing
    if not request.dry_run:
        require_server(request)
        stream = narration(json)
        if not admits_server(
            request.backend, request.options, captioning, yes=site.yes, stream=stream
        ):
            return nothing

    import asyncio

    from pcc_tui.cli.live import show
    from pipeline.captions.run import run_captions
    from pipeline.jobs.step import Ending

    again = "`pcc run --retry-status error_api --retry-only` takes these photos again"
    go_on = f"{prepared.going_on()} goes on, and {again}"
    result = asyncio.run(run_captions(prepared, lambda shot: show(shot, narration(json)), go_on))
    for remark in result.remarks:
        say(f"note: {remark}", to=narration(json))
    if result.stop_code is not None:
        return result.stop_code, result.report, "stopped"
    if result.ending is Ending.BUDGET:
        return ExitCode.BUDGET, result.report, "stopped at the budget"
    more = result.ending is Ending.DONE and prepared.later
    how = "stopped" if result.ending is Ending.STOPPED else ""
    return ExitCode.RESTART if more else ExitCode.OK, result.report, how


def _tell_plan(prepared: PreparedRun, *, json: bool) -> None:
    plan, stream = prepared.plan, narration(json)
    for warning in prepared.warnings:
        say(f"warning: {warning}", to=stream)
    errors = sum(count for status, count in plan.skipped.items() if status != "success")
    say(
        f"Skipping {plan.skipped.total():,} already processed "
        f"({plan.skipped['success']:,} success, {errors:,} errors)",
        to=stream,
    )
    if plan.malformed.total:
        say(
            f"Passed over {plan.malformed.total:,} malformed lines; `pcc journal check` names them",
            to=stream,
        )
    listed = prepared.request.selection.keys
    if listed is not None and len(listed) > len(plan.to_do):
        absent = len(listed) - len(plan.to_do)
        say(f"warning: {absent:,} of the listed photos are not in the photos directory", to=stream)
    if plan.spared:
        say(
            f"{counted(plan.spared, 'caption', 'captions')} by other backends stay: `basic` looks "
            "at no picture and replaces them only with --force",
            to=stream,
        )
    later = prepared.remaining - len(prepared.batch)
    missing = len(plan.to_do) - plan.retried
    kinds = f": {plan.retried:,} to retry, {missing:,} missing" if plan.retried else ""
    say(
        f"To do: {len(prepared.batch):,} of {plan.photos:,} photos{kinds}"
        f"{f', {later:,} more later' if later else ''}; "
        f"by {captioner_words(prepared.request)} (run {prepared.run})",
        to=stream,
    )


def _how_to_go_on(prepared: PreparedRun, report: RunReport) -> str:
    """Return what goes on with the photos that remain.

    The same command takes no photo twice, unless it asks for photos that have a caption, and goes
    nowhere under a run whose limit is reached.
    """
    request = prepared.request
    if request.dry_run:
        return ""
    if request.selection.repeats or request.run is not None:
        return f"; {prepared.going_on(report.attempted)} goes on"
    return "; the same command goes on"


def _tell_end(prepared: PreparedRun, report: RunReport, code: int, how: str) -> None:
    request = prepared.request
    done = "decoded" if request.dry_run else "captioned"
    words = photo_outcome(report, how, done).words
    say(f"{words[0].upper()}{words[1:]}")
    if report.attempted:
        say(
            f"{report.attempted:,} photos in {duration(report.seconds)} ({report.rate:.1f}/s): "
            f"{counts(report.by_status)}"
        )
    if report.tokens_in:
        say(f"{report.tokens_in:,} tokens in, {report.tokens_out:,} out, ${report.cost_usd:.4f}")
    if code == ExitCode.BUDGET:
        say(f"Stopped at the budget of ${request.budget:.2f}; {report.remaining:,} photos remain")
    elif report.remaining:
        say(f"{report.remaining:,} photos remain{_how_to_go_on(prepared, report)}")
    again = sorted(set(report.by_status) & {"error_api", "error_model"})
    if again:
        command = origin().command_line("run", "--retry-status", ",".join(again), "--retry-only")
        say(f"Retry the failed ones: {command}")
    say(f"Captions: {prepared.lock.path}")
