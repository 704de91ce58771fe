"""`pcc estimate`: what a run would take, before anything is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import msgspec
import typer

from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import (
    CaptioningOptions,
    PaceOptions,
    SelectionOptions,
    SiteOptions,
)
from pcc_tui.cli.output import fail, narration, print_json, say, warn
from pcc_tui.cli.run_request import admits_server, request_of, require_server
from pipeline.captions.plan import Plan, Selection
from pipeline.captions.request import RunRequest, plan_run, prepare_run
from pipeline.jobs.run_file import new_run_id
from pipeline.photos.photo import photo_key

if TYPE_CHECKING:
    from pipeline.captions.estimate import Estimate


@takes_groups
def estimate(
    site: SiteOptions,
    captioning: CaptioningOptions,
    selection: SelectionOptions,
    pace: PaceOptions,
    pilot: Annotated[
        Optional[int],
        typer.Option(
            min=2,
            help="Caption so many photos, spread over the library, and reckon from what they "
            "took. Their captions are kept.",
        ),
    ] = None,
) -> int:
    """Tell what a run would take: tokens, money, time. Calls no model, unless for a pilot."""
    import asyncio

    from pipeline.captions.estimate import estimate_pilot, estimate_run

    request = request_of(site, captioning, selection, pace)
    if pilot is not None:
        require_server(request)
    plan, warnings = plan_run(request)
    for warning in warnings:
        warn(f"warning: {warning}")
    code = None
    if pilot is None or not plan.to_do:
        found = asyncio.run(estimate_run(request, plan))
    else:
        stream = narration(site.json)
        if not admits_server(
            request.backend, request.options, captioning, yes=site.yes, stream=stream
        ):
            return ExitCode.OK
        run, code = _fly(request, plan, pilot, json=site.json)
        plan, _ = plan_run(request)
        estimated = estimate_pilot(request, plan, run)
        if estimated is None:
            fail("the pilot brought no caption; caption.log says why", ExitCode.FAILED)
        found = estimated
    if site.json:
        print_json(found)
    else:
        _tell(found, warnings)
    return code or ExitCode.OK


def _fly(request: RunRequest, plan: Plan, photos: int, *, json: bool) -> tuple[str, int | None]:
    """Caption some photos of a plan; return the id of the run, and the code of a signal."""
    import asyncio

    from pcc_tui.cli.live import show
    from pipeline.captions.estimate import spread
    from pipeline.captions.run import run_captions

    chosen = spread(plan.to_do, photos)
    pilot = msgspec.structs.replace(
        request,
        run=new_run_id(),
        selection=Selection(keys=frozenset(map(photo_key, chosen))),
    )
    prepared = prepare_run(pilot)
    stream = narration(json)
    say(f"Pilot: {len(prepared.batch)} photos with {request.backend}", to=stream)
    try:
        result = asyncio.run(run_captions(prepared, lambda shot: show(shot, stream)))
    finally:
        prepared.lock.release()
    for remark in result.remarks:
        say(f"note: {remark}", to=stream)
    return prepared.run, result.stop_code


def _tell(found: Estimate, told: list[str]) -> None:
    from pcc_tui.words.estimates import estimate_rows

    remaining, total = found.photos_remaining, found.photos_total
    model = f" / {found.model}" if found.model else ""
    rows = [
        ("Photos remaining", f"{remaining:,} / {total:,} ({total - remaining:,} already done)"),
        ("Backend", f"{found.backend}{model}"),
        *estimate_rows(found, "`pcc estimate --pilot 20`"),
    ]
    for name, value in rows:
        say(f"{name + ':':<18} {value}")
    for notice in found.notices:
        if notice not in told:
            say(f"note: {notice}")
