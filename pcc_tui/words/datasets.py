"""What the jobs that make datasets did and what checks found, in words."""

from __future__ import annotations

import shlex
from pathlib import Path

from pcc_tui.words.figures import counted, duration, tidy
from pipeline.datasets.enrich_report import EnrichReport
from pipeline.datasets.passes.caption import CaptionPass
from pipeline.datasets.shards.report import ShardReport
from pipeline.datasets.verify_report import VerifyReport
from pipeline.synth.findings import Validation
from pipeline.synth.report import SynthReport

HEADINGS = ("bucket", "records", "shape", "whole", "missing", "stale", "truncated", "NaN")

BAR_CELLS = 16


def bar(share: float) -> str:
    """Return a share, 0 to 1, as a bar; only a share of 0 is empty, only a share of 1 full."""
    full = min(BAR_CELLS - (share < 1), max(share > 0, round(share * BAR_CELLS)))
    return "━" * full + "─" * (BAR_CELLS - full)


def enrich_words(report: EnrichReport) -> list[str]:
    """Return what an enrichment did, line by line."""
    done = report.new + report.enriched + report.skipped
    lines = [
        f"Processing: {report.new:,} new, {report.enriched:,} enriched, {report.skipped:,} skipped "
        f"(total: {done:,}/{report.total:,})"
    ]
    lines += _caption_words(report)
    lines += [
        f"  {name}: {count:,}"
        for name, count in report.made.items()
        if count and name != CaptionPass.name
    ]
    lines += [
        f"  {name}: {count:,} failed; caption.log says why"
        for name, count in report.failed.items()
        if count
    ]
    if report.stale_masks:
        lines.append(
            f"{report.stale_masks:,} masks are of an older caption; "
            "--redo t5 makes them anew: `pcc dataset enrich --redo t5`"
        )
    if report.left:
        lines.append(f"{report.left:,} images remain; the same command goes on")
    if report.run is not None:
        lines.append(f"In {duration(report.seconds)}")
    return lines


def _caption_words(report: EnrichReport) -> list[str]:
    """Return where the captions came from, and what those cost that were bought."""
    made, lines = report.made.get(CaptionPass.name, 0), []
    if report.cost_usd:
        lines.append(
            f"  caption: {made:,} bought from {report.captioned_by} for ${report.cost_usd:.4f}"
        )
    elif made:
        lines.append(f"  caption: {made:,} by {report.captioned_by}, which cost nothing")
    if report.captions_taken:
        lines.append(f"  caption: {report.captions_taken:,} taken from the captions journal")
    if report.uncaptioned:
        lines.append(f"  caption: left out; {no_backend_words(report.uncaptioned)}")
    return lines


def no_backend_words(images: int) -> str:
    """Return what the caption pass needs where nobody named a backend."""
    have = counted(images, "image has", "images have")
    return (
        f"{have} no caption in the captions journal, and no backend is named to write them: add "
        "--backend, or backend to pcc.toml (`pcc doctor` lists the backends)"
    )


def shard_words(report: ShardReport) -> list[str]:
    """Return which shards there are now, line by line."""
    count = f"{report.samples:,} samples in {report.shards:,} shards"
    return [count, f"Made: {report.urls or report.directory}"]


def synth_words(report: SynthReport) -> list[str]:
    """Return which synthetic set was made, line by line."""
    made = [f"Made: {report.directory or 'nothing'}"]
    return made + (validation_words(report.validation) if report.validation is not None else [])


def validation_words(found: Validation | None) -> list[str]:
    """Return what the check of a synthetic set found, line by line; None where there is no set."""
    if found is None:
        return ["There is no synthetic set yet"]
    verdict = "Valid" if found.valid else "Not valid"
    return [f"{verdict}: {tidy(Path(found.directory))}", *found.defects, *found.notes]


def verify_words(report: VerifyReport, dataset: str) -> list[str]:
    """Return what a check found, line by line.

    Args:
        report: What the check found.
        dataset: Path of the dataset, as it is to be shown.
    """
    verdict = "Nothing is amiss" if report.ok else "Something is amiss"
    if not report.finished:
        verdict = "Stopped before the end"
    lines = [f"{verdict}: {report.records:,} records in {dataset}", *_table(report)]
    if report.mixed_models:
        lines.append(
            "Some patch files are still of another model; "
            f"`pcc dataset enrich --redo patches{_model_flags(report)}` goes on"
        )
    if not report.patches_checked:
        lines.append("There are no patch files")
    elif report.patches_by is None:
        lines.append("No patches.json that can be read tells which model made the patch files")
    lines += [f"{count:,} {what}" for count, what in _findings(report) if count]
    lines += [f"  {kind}: {_some(names)}" for kind, names in report.examples.items()]
    if report.not_made:
        lines.append(f"Not made yet: {', '.join(report.not_made)}")
    return lines


def _model_flags(report: VerifyReport) -> str:
    """Return the options that name the model whose patch files are there, or are to come."""
    named = {"--dino-model": report.patches_by, "--dino-revision": report.patches_revision}
    return "".join(f" {name} {shlex.quote(value)}" for name, value in named.items() if value)


def _findings(report: VerifyReport) -> list[tuple[int, str]]:
    """Return each count of the report, and what was counted."""
    widths = report.embedding_widths
    lengths = ", ".join(f"{count:,} of {width:,}" for width, count in widths.items())
    return [
        *(
            (count, f"records lack {name}, which others have")
            for name, count in report.lacking.items()
        ),
        *((count, f"records have no usable {name}") for name, count in report.damaged.items()),
        (len(widths) if len(widths) > 1 else 0, f"lengths of embeddings: {lengths}"),
        (
            report.stale_masks or 0,
            "masks are not those of their caption; `pcc dataset enrich --redo t5` mends them",
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
