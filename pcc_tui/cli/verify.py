"""`pcc dataset verify`: the table of buckets, and what is missing, stale or damaged."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from backends.encoders.t5 import DEFAULT_TOKENIZER
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import Site, require_extra
from pcc_tui.cli.output import ExitCode, fail, narration, print_json, say

if TYPE_CHECKING:
    from pipeline.datasets.verify_report import VerifyReport

HEADINGS = ("bucket", "records", "shape", "whole", "missing", "stale", "truncated", "NaN")


@dataclasses.dataclass(frozen=True)
class Checks:
    """What to check."""

    input_dir: Annotated[
        Optional[Path],
        typer.Option(help="The images.", show_default="the photos directory, if there is one"),
    ] = None
    patches_dir: Annotated[
        Optional[Path],
        typer.Option(help="Patch files.", show_default="dinov3_patches beside the dataset"),
    ] = None
    masks: Annotated[
        bool, typer.Option("--masks", help="Tokenize every caption, to find masks of older ones.")
    ] = False
    discard: Annotated[
        Optional[Path],
        typer.Option(help="Move patch files that are amiss there; enrich makes them anew."),
    ] = None
    t5_model: Annotated[
        str, typer.Option(help="The T5 tokenizer: id on the hub, or a directory.")
    ] = DEFAULT_TOKENIZER


@takes_groups
def verify(
    site: Site,
    checks: Checks,
    file: Annotated[Optional[Path], typer.Argument(show_default="WORKSPACE/dataset.jsonl")] = None,
) -> int:
    """Check every record and every number of the patch files; exit code 1 if any is amiss."""
    dataset = file or site.workspace / "dataset.jsonl"
    if not dataset.is_file():
        fail(f"there is no dataset at {dataset}", ExitCode.USAGE)
    if checks.masks:
        require_extra("datasets", "--masks")
    input_dir = checks.input_dir or site.photos_if_here(site.settings())
    if input_dir is not None and not input_dir.is_dir():
        fail(f"the input directory {input_dir} does not exist", ExitCode.USAGE)
    report, code = _run(site, checks, dataset, input_dir)
    if site.json:
        print_json(report)
    else:
        _tell(report, dataset)
    if code is not None:
        return code
    return ExitCode.OK if report.ok else ExitCode.FAILED


def _run(
    site: Site, checks: Checks, dataset: Path, input_dir: Path | None
) -> tuple[VerifyReport, int | None]:
    import asyncio

    from backends.encoders.t5 import T5Tokenizer
    from pcc_tui.cli.live import show
    from pipeline.datasets.verify import Verifier
    from pipeline.jobs.hosting import attend
    from pipeline.jobs.progress import Progress
    from pipeline.jobs.thread_step import ThreadStep

    tokenizer = None
    if checks.masks:
        tokenizer = T5Tokenizer(checks.t5_model)
        tokenizer.open()
    patches_dir = checks.patches_dir or dataset.parent / "dinov3_patches"
    verifier = Verifier(dataset, input_dir, patches_dir, tokenizer, checks.discard)
    progress = Progress(run="verify", stage="verify", backend="verify", total=0, skipped={})
    step = ThreadStep(verifier.run, progress)
    stream = narration(site.json)
    _, code = asyncio.run(attend(step, step.snapshot, lambda shot: show(shot, stream)))
    return verifier.report, code


def _tell(report: VerifyReport, dataset: Path) -> None:
    say(f"{report.records:,} records in {dataset}")
    for line in _table(report):
        say(line)
    if not report.patches_checked:
        say("There are no patch files")
    for count, what in _findings(report):
        if count:
            say(f"{count:,} {what}")
    for kind, names in report.examples.items():
        say(f"  {kind}: {_some(names)}")
    if report.not_made:
        say(f"Not made yet: {', '.join(report.not_made)}")
    say("Nothing is amiss" if report.ok else "Something is amiss")


def _findings(report: VerifyReport) -> list[tuple[int, str]]:
    """Return what was counted, and what it is."""
    widths = report.embedding_widths
    lengths = ", ".join(f"{count:,} of {width:,}" for width, count in widths.items())
    return [
        *(
            (count, f"records lack {name}, which others have")
            for name, count in report.lacking.items()
        ),
        *((count, f"records have a {name} that is none") for name, count in report.damaged.items()),
        (len(widths) if len(widths) > 1 else 0, f"lengths of embeddings: {lengths}"),
        (
            report.stale_masks or 0,
            "masks are not those of their caption; enrich --redo t5 mends them",
        ),
        (report.missing_images or 0, "records whose image is not there"),
        (len(report.malformed), f"lines hold no record: {_some(report.malformed)}"),
        (len(report.superseded), "lines have another record of their image further down"),
        (len(report.shared_ids), f"ids belong to several records: {_some(report.shared_ids)}"),
        (report.orphans, "patch files belong to no record"),
        (report.discarded, "patch files were moved away"),
    ]


def _some(names: list[str] | list[int]) -> str:
    shown = ", ".join(map(str, names[:5]))
    return f"{shown}, …" if len(names) > 5 else shown


def _table(report: VerifyReport) -> list[str]:
    """Return the table of buckets as aligned lines."""
    rows = [HEADINGS]
    for name, row in report.buckets.items():
        shape = "" if row.shape is None else f"{row.shape[0]} x {row.shape[1]}"
        states = (row.whole, row.missing, row.stale, row.truncated, row.nan)
        shown = [f"{count:,}" if report.patches_checked else "-" for count in states]
        rows.append((name, f"{row.records:,}", shape, *shown))  # type: ignore[arg-type]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
