"""`pcc plan`: what there is to do, and which flag does it."""

from __future__ import annotations

import msgspec

from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import (
    CaptioningOptions,
    PaceOptions,
    SelectionOptions,
    SiteOptions,
)
from pcc_tui.cli.origin import origin
from pcc_tui.cli.output import print_json, say, warn
from pcc_tui.cli.run_request import captioner_words, request_of
from pcc_tui.words.figures import by_extension
from pipeline.captions.request import plan_run
from pipeline.captions.stats import count_copies


class PlanReport(msgspec.Struct, tag_field="kind", tag="plan"):
    """What `pcc plan --json` prints.

    Attributes:
        photos: Photos found on disk.
        missing: Photos without a record.
        errored: Photos whose record is an error, by status.
        stale: Captions of another backend, model or prompt.
        changed: Photos whose file is another than the one that was captioned.
        edited: Captions edited by hand; redone by `--force` alone.
        copies: Photos whose caption was copied from an identical file.
        to_do: What `pcc run` with these flags would work on.
        passed_over: Files that are no photos by their names, by extension.
    """

    photos: int
    missing: int
    errored: dict[str, int]
    stale: int
    changed: int
    edited: int
    copies: int
    to_do: int
    passed_over: dict[str, int]


@takes_groups
def plan(site: SiteOptions, captioning: CaptioningOptions, selection: SelectionOptions) -> None:
    """Tell what there is to do, and which flag of `pcc run` does it. Writes nothing."""
    request = request_of(site, captioning, selection, PaceOptions())
    found, warnings = plan_run(request)
    for warning in warnings:
        warn(f"warning: {warning}")
    report = PlanReport(
        photos=found.photos,
        missing=found.missing,
        errored=dict(found.errored),
        stale=found.stale,
        changed=found.changed,
        edited=found.edited,
        copies=count_copies(request.journal),
        to_do=len(found.to_do),
        passed_over=dict(found.passed_over),
    )
    if site.json:
        print_json(report)
    else:
        say(f"By {captioner_words(request)}")
        _tell(report)


def _tell(report: PlanReport) -> None:
    rows: list[tuple[str, int, tuple[str, ...]]] = [
        ("photos", report.photos, ()),
        ("missing", report.missing, ("run",)),
    ]
    for status, count in sorted(report.errored.items()):
        again = () if status == "error_corrupt" else ("run", "--retry-status", status)
        rows.append((status, count, (*again, "--retry-only") if again else ()))
    rows += [
        ("stale", report.stale, ("run", "--retry-stale", "--retry-only")),
        ("changed", report.changed, ("run", "--retry-stale", "--retry-only")),
        ("edited", report.edited, ()),  # --force redoes them, and every other photo with them
        ("copies", report.copies, ()),
        ("to do now", report.to_do, ()),
    ]
    for name, count, words in rows:
        command = origin().command_line(*words) if words and count else ""
        say(f"{name:<14} {count:>10,}   {command}".rstrip())
    if report.passed_over:
        say(f"Passed over: {by_extension(report.passed_over)}")
    if report.edited:
        say("What was edited stays; `--force` on a run redoes it, and every other photo too")
