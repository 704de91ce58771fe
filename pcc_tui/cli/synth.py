"""`pcc synth`: make sets of small synthetic pictures, and check them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, TextIO

import typer

from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import SiteOptions, require_extra, require_text
from pcc_tui.cli.output import fail, narration, print_json, say
from pcc_tui.cli.question import agrees, require_terminal
from pcc_tui.settings import MOST_WORKERS
from pcc_tui.words.figures import duration
from pipeline.synth.errors import DatasetExists, SynthError

if TYPE_CHECKING:
    from pipeline.jobs.run_job import JobResult
    from pipeline.synth.findings import Validation
    from pipeline.synth.report import SynthReport
    from pipeline.synth.run import SynthPlan, SynthRequest

LARGEST_SEED = 2**64 - 1
LARGEST_CHUNK = 2**20
SHOWN_DEFECTS = 20
MOST_IMAGES = 10**12


@dataclasses.dataclass(frozen=True)
class GenerationOptions:
    """How to make it."""

    output_dir: Annotated[
        Optional[Path],
        typer.Option(
            help="The directory to make; it must not exist.",
            show_default="WORKSPACE/datasets/YYYY-MM-DD-vN",
        ),
    ] = None
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Same seed, same images.")] = 42
    workers: Annotated[
        Optional[int],
        typer.Option(
            min=1, max=MOST_WORKERS, help="Threads that draw.", show_default="usable cores"
        ),
    ] = None
    chunk_size: Annotated[
        int, typer.Option(min=1, max=LARGEST_CHUNK, help="Images drawn at a time.")
    ] = 8192
    no_validate: Annotated[
        bool, typer.Option("--no-validate", help="Leave out the check of the new set.")
    ] = False


@takes_groups
def generate(
    num_images: Annotated[
        int, typer.Option(min=1, max=MOST_IMAGES, help="Images of the set.", show_default=False)
    ],
    generation: GenerationOptions,
    site: SiteOptions,
) -> int:
    """Make train, val and test sets; the same seed gives the same images on every machine."""
    require_extra("synth", "this command")
    request = _request(site, generation, num_images)
    stream = narration(site.json)
    if not site.yes:
        require_terminal(stream, "give --yes to generate at once")
    _show_plan(request, stream)
    if not site.yes and not agrees("Proceed with generation? (y/n)", stream):
        return _decline(request, site, stream)
    result = _run(request, stream)
    report, stop_code = result.report, result.stop_code
    if site.json:
        print_json(report)
    else:
        _tell(report)
    is_damaged = report.validation is not None and not report.validation.valid
    return stop_code or (ExitCode.FAILED if is_damaged else ExitCode.OK)


def _request(site: SiteOptions, generation: GenerationOptions, num_images: int) -> SynthRequest:
    from pipeline.jobs.cores import usable_cores
    from pipeline.synth.run import SynthRequest
    from pipeline.synth.step import Recipe

    require_text("--workspace", str(site.workspace))
    require_text("--output-dir", str(generation.output_dir or ""))
    recipe = Recipe(
        num_images=num_images,
        seed=generation.seed,
        workers=generation.workers or usable_cores(),
        chunk_size=generation.chunk_size,
    )
    return SynthRequest(
        workspace=site.workspace,
        output_dir=generation.output_dir,
        recipe=recipe,
        validate=not generation.no_validate,
    )


def _show_plan(request: SynthRequest, stream: TextIO) -> None:
    from pipeline.synth.metadata import readable_bytes
    from pipeline.synth.staging import leftovers

    plan = _planned(request)
    for folder in leftovers(plan.directory.parent):
        say(f"warning: {folder} is what a killed run left; delete it", to=stream)
    counts = ", ".join(f"{count:,} {name}" for name, count in _counts(request).items())
    for name, text in (
        ("Images", f"{request.recipe.num_images:,} ({counts}), seed {request.recipe.seed}"),
        ("Memory", f"about {readable_bytes(plan.memory_bytes)}"),
        (
            "Disk",
            f"{readable_bytes(plan.disk_bytes)}, {readable_bytes(plan.free_bytes)} are free",
        ),
        ("Directory", str(plan.directory)),
    ):
        say(f"{name + ':':<11}{text}", to=stream)


def _counts(request: SynthRequest) -> dict[str, int]:
    from pipeline.synth.train_val_test import splits_of

    return {split.name: split.size for split in splits_of(request.recipe.num_images)}


def _planned(request: SynthRequest) -> SynthPlan:
    from pipeline.synth.run import plan_generation

    try:
        return plan_generation(request)
    except SynthError as error:
        fail(str(error), ExitCode.USAGE)


def _decline(request: SynthRequest, site: SiteOptions, stream: TextIO) -> int:
    from pipeline.synth.run import empty_report

    if site.json:
        print_json(empty_report(request, "declined"))
    else:
        say("Nothing was made", to=stream)
    return ExitCode.OK


def _run(request: SynthRequest, stream: TextIO) -> JobResult[SynthReport]:
    import asyncio

    from pcc_tui.cli.live import show
    from pipeline.synth.run import run_generation

    try:
        return asyncio.run(run_generation(request, lambda shot: show(shot, stream)))
    except DatasetExists as error:
        fail(str(error), ExitCode.USAGE)


def _tell(report: SynthReport) -> None:
    if report.directory is None:
        say("Stopped; nothing is left of the set")
        return
    took = f"{report.seconds:.1f} s" if report.seconds < 60 else duration(report.seconds)
    say(f"{report.num_images:,} images in {took} ({report.rate:,.0f} a second)")
    say(report.directory)
    if report.validation is not None:
        _tell_validation(report.validation)


@takes_groups
def validate(
    site: SiteOptions,
    directory: Annotated[Path, typer.Argument(help="The set.", metavar="DIR", show_default=False)],
) -> int:
    """Check a set: files, counts, types, labels, checksums, each image; draw a report."""
    require_extra("synth", "this command")
    if not directory.is_dir():
        fail(f"there is no directory {directory}", ExitCode.USAGE)
    found, stop_code = _validate(directory, narration(site.json))
    if found is None:
        return stop_code or ExitCode.FAILED
    if site.json:
        print_json(found)
    else:
        _tell_validation(found)
    return ExitCode.OK if found.valid else ExitCode.FAILED


def _validate(directory: Path, stream: TextIO) -> tuple[Validation | None, int | None]:
    """Return what the check found, None if a signal stopped it, and the exit code of the signal."""
    from pcc_tui.cli.live import run_blocking
    from pipeline.jobs.pause_point import PausePoint
    from pipeline.synth.validation import validate_dataset

    found: list[Validation] = []

    def work(pause_point: PausePoint) -> None:
        found.append(validate_dataset(directory, pause_point))

    code = run_blocking(work, "verify", stream)
    return (found[0] if found else None), code


def _tell_validation(found: Validation) -> None:
    for name, seen in found.splits.items():
        classes = f", {min(seen.classes):,} to {max(seen.classes):,} of a class"
        say(f"{name + ':':<7}{seen.images:,} images{classes if seen.images else ''}")
    for pair, count in found.equal_pictures.items():
        first, _, second = pair.partition("_in_")
        if count:
            say(f"{count:,} pictures of {first} are equal to one of {second}")
    for note in found.notes:
        say(f"note: {note}")
    for defect in found.defects[:SHOWN_DEFECTS]:
        say(f"defect: {defect}")
    if len(found.defects) > SHOWN_DEFECTS:
        say(f"and {len(found.defects) - SHOWN_DEFECTS:,} more; --json lists them all")
    if found.report is not None:
        say(f"Report: {found.report}")
    say("Valid" if found.valid else f"Not valid: {_defects(len(found.defects))}")


def _defects(count: int) -> str:
    return "1 defect" if count == 1 else f"{count:,} defects"
