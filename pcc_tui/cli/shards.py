"""`pcc dataset shards`: a dataset as WebDataset or Parquet shards."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional, TextIO

import typer

from journal import protect, require_outside
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import SiteOptions, require_extra, require_text
from pcc_tui.cli.output import fail, narration, print_json, say
from pcc_tui.words.figures import data_size, duration

if TYPE_CHECKING:
    from pipeline.datasets.shards.report import ShardReport
    from pipeline.datasets.shards.run import PreparedShards, ShardRequest
    from pipeline.jobs.run_job import JobResult

MEGABYTE = 1_000_000
SHOWN = 10

REASONS = {
    "malformed": "lines hold no record",
    "superseded": "lines have another record of their image further down",
    "outside": "records lead out of the input directory",
    "missing": "records whose image is not there",
    "broken": "images cannot be decoded",
    "unreadable": "records that plain JSON readers cannot read",
    "patches missing": "samples without patches: there is no file",
    "patches shared": "samples without patches: their id is an earlier record's",
    "patches stale": "samples without patches: the file is of another shape than the bucket",
    "patches truncated": "samples without patches: the file is no whole array",
}


@dataclasses.dataclass(frozen=True)
class PackingOptions:
    """What goes into the shards."""

    input_dir: Annotated[
        Optional[Path],
        typer.Option(help="The images; only ever read.", show_default="the photos directory"),
    ] = None
    with_patches: Annotated[
        bool, typer.Option("--with-patches", help="With the patch file of each image.")
    ] = False
    patches_dir: Annotated[
        Optional[Path],
        typer.Option(help="Patch files.", show_default="dinov3_patches beside the dataset"),
    ] = None
    keep_metadata: Annotated[
        bool,
        typer.Option(
            "--keep-metadata",
            help="Image files as they are: with EXIF, place, comments, and in any format.",
        ),
    ] = False
    format: Annotated[
        Literal["webdataset", "parquet"], typer.Option(help="What the shards are.")
    ] = "webdataset"
    shard_size: Annotated[
        float, typer.Option(min=0.001, max=1_000_000, help="Most a shard takes, in MB.")
    ] = 1000.0


@takes_groups
def shards(
    site: SiteOptions,
    out: Annotated[
        Path, typer.Option(help="Where the shards go; made if it is not there.", show_default=False)
    ],
    packing: PackingOptions,
    dataset: Annotated[
        Optional[Path],
        typer.Argument(
            metavar="FILE",
            help="The dataset, a JSONL file.",
            show_default="WORKSPACE/dataset.jsonl",
        ),
    ] = None,
) -> int:
    """Write a dataset as shards for training. Safe to interrupt, safe to repeat."""
    require_extra("datasets", "this command")
    from pipeline.datasets.shards.run import prepare_shards

    request = _request(site, dataset or site.workspace / "dataset.jsonl", out, packing)
    stream = narration(site.json)
    prepared = prepare_shards(request)
    report, code = prepared.report(), None
    if not prepared.is_done:
        result = _run(prepared, stream)
        report, code = result.report, result.stop_code
    _tell_what_was_passed_over(report, stream)
    if site.json:
        print_json(report)
    else:
        _tell(report)
    return ExitCode.OK if code is None else code


def _request(site: SiteOptions, dataset: Path, out: Path, packing: PackingOptions) -> ShardRequest:
    from pipeline.datasets.shards.run import ShardRequest
    from pipeline.jobs.cores import decoder_count

    input_dir = packing.input_dir or site.photos(site.settings())
    for option, path in (("--input-dir", input_dir), ("FILE", dataset), ("--out", out)):
        require_text(option, str(path))
    if math.isnan(packing.shard_size):
        fail("--shard-size is an amount of MB, not nan", ExitCode.USAGE)
    if not input_dir.is_dir():
        fail(f"the input directory {input_dir} does not exist", ExitCode.USAGE)
    if not dataset.is_file():
        fail(f"there is no dataset {dataset}", ExitCode.USAGE)
    if out.exists() and not out.is_dir():
        fail(f"{out} is no directory; --out names one", ExitCode.USAGE)
    protect(input_dir)
    require_outside(out)
    patches_dir = packing.patches_dir or dataset.parent / "dinov3_patches"
    if packing.with_patches and not patches_dir.is_dir():
        fail(f"there are no patch files: {patches_dir} does not exist", ExitCode.USAGE)
    if packing.patches_dir is not None and not packing.with_patches:
        fail("--patches-dir goes with --with-patches", ExitCode.USAGE)
    return ShardRequest(
        workspace=site.workspace,
        dataset=dataset,
        input_dir=input_dir,
        out=out,
        patches_dir=patches_dir if packing.with_patches else None,
        format=packing.format,
        shard_size=round(packing.shard_size * MEGABYTE),
        keep_metadata=packing.keep_metadata,
        decoders=decoder_count(),
    )


def _run(prepared: PreparedShards, stream: TextIO) -> JobResult[ShardReport]:
    import asyncio

    from pcc_tui.cli.live import show
    from pipeline.datasets.shards.run import run_shards

    if prepared.index.shards:
        say(f"{len(prepared.index.shards):,} shards are there; going on behind them", to=stream)
    return asyncio.run(run_shards(prepared, lambda shot: show(shot, stream)))


def _tell_what_was_passed_over(report: ShardReport, stream: TextIO) -> None:
    counts = report.skipped | {
        f"patches {fault}": count for fault, count in report.without_patches.items()
    }
    for reason, names in report.named.items():
        counts[reason] = max(counts.get(reason, 0), len(names))
    for reason, count in counts.items():
        names = report.named.get(reason, [])[:SHOWN]
        more = f" and {count - len(names):,} more" if names and count > len(names) else ""
        say(
            f"warning: {count:,} {REASONS[reason]}{': ' if names else ''}{', '.join(names)}{more}",
            to=stream,
        )
    for warning in report.warnings:
        say(f"warning: {warning}", to=stream)


def _tell(report: ShardReport) -> None:
    if report.ending == "stopped":
        say("Stopped; the same command goes on behind the last whole shard")
    took = "nothing was left to do" if report.run is None else f"in {duration(report.seconds)}"
    say(
        f"{report.samples:,} samples in {report.shards:,} shards, {data_size(report.bytes)}, {took}"
        f"{'' if report.urls is None else f': {report.urls}'}"
    )
    if report.run is None and (report.without_patches or report.skipped):
        say(f"What is there by now goes into shards made anew: remove {report.directory} first")
