"""`pcc plan`: what there is to do, and which flag does it."""

from __future__ import annotations

import msgspec

from pcc_tui.cli import options as shared
from pcc_tui.cli.output import print_json, say, warn
from pipeline.captions.request import plan_run
from pipeline.captions.stats import count_copies


class PlanReport(msgspec.Struct):
    """What `pcc plan --json` prints.

    Attributes:
        photos: Photos found on disk.
        missing: Photos without a record.
        errored: Photos whose record is an error, by status.
        stale: Captions of another backend, model or prompt.
        edited: Captions edited by hand; redone by `--force` alone.
        copies: Photos whose caption was copied from an identical file.
        to_do: What `pcc run` with these flags would work on.
    """

    photos: int
    missing: int
    errored: dict[str, int]
    stale: int
    edited: int
    copies: int
    to_do: int


def plan(
    workspace: shared.Workspace = shared.HERE,
    photos_dir: shared.PhotosDir = None,
    captions_jsonl: shared.Journal = None,
    backend: shared.Backend = None,
    model: shared.Model = None,
    prompt: shared.Prompt = None,
    retry_status: shared.RetryStatus = None,
    retry_backend: shared.RetryBackend = None,
    retry_stale: shared.RetryStale = False,
    force: shared.Force = False,
    include: shared.Include = None,
    exclude: shared.Exclude = None,
    json: shared.Json = False,
    yes: shared.Yes = False,
) -> None:
    """Tell what there is to do, and which flag of `pcc run` does it. Writes nothing."""
    settings = shared.open_workspace(workspace)
    request = shared.request_of(
        workspace,
        settings,
        photos_dir=photos_dir,
        journal=captions_jsonl,
        backend=backend,
        options=shared.backend_options(settings, model=model, prompt=prompt),
        selection=shared.selection_of(retry_status, retry_backend, retry_stale, force),
        include=include,
        exclude=exclude,
    )
    found, warnings = plan_run(request)
    for warning in warnings:
        warn(f"warning: {warning}")
    report = PlanReport(
        photos=found.photos,
        missing=found.missing,
        errored=dict(found.errored),
        stale=found.stale,
        edited=found.edited,
        copies=count_copies(request.journal),
        to_do=len(found.to_do),
    )
    if json:
        print_json(report)
    else:
        _tell(report)


def _tell(report: PlanReport) -> None:
    rows = [("photos", report.photos, ""), ("missing", report.missing, "pcc run")]
    rows += [
        (status, count, f"pcc run --retry-status {status}" if status != "error_corrupt" else "")
        for status, count in sorted(report.errored.items())
    ]
    rows += [
        ("stale", report.stale, "pcc run --retry-stale"),
        ("edited", report.edited, "pcc run --force"),
        ("copies", report.copies, ""),
        ("to do now", report.to_do, ""),
    ]
    for name, count, command in rows:
        say(f"{name:<14} {count:>10,}   {command}".rstrip())
