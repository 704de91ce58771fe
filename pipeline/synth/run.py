"""Making a synthetic set, from what a user asked for to a directory with four files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

from journal import DiskFull, free_bytes
from pipeline.jobs.blocking_step import BlockingStep
from pipeline.jobs.pause_point import PausePoint
from pipeline.jobs.run_file import new_run_id
from pipeline.jobs.run_job import JobFrame, JobResult, Watcher, run_job
from pipeline.jobs.step import Ending
from pipeline.jobs.step_sequence import StepSequence
from pipeline.synth.errors import DatasetExists, SynthError
from pipeline.synth.findings import Validation
from pipeline.synth.metadata import BYTES_OF_LABEL, BYTES_PER_IMAGE
from pipeline.synth.primitives import GRID
from pipeline.synth.report import SynthReport
from pipeline.synth.staging import free_names
from pipeline.synth.step import GenerateStep, ImageProgress, Recipe
from pipeline.synth.train_val_test import splits_of
from pipeline.synth.validation import validate_dataset

STAGE = "synth"
BYTES_PER_HASH = 8

BASE_MEMORY = 70_000_000
"""Bytes that the process takes before anything is drawn: Python, numpy, the table of forms."""

FIXED_BYTES = 64 * 1024
"""Bytes for the metadata, and for what a file holds besides its arrays."""


class SynthRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked for.

    Attributes:
        workspace: Directory of the log, the control socket and, unless a directory is named,
            `datasets`.
        output_dir: Directory to make, None for the next free one.
        recipe: Number and seed of the images, and how many are drawn at once.
        validate: Whether the set is checked once it is there.
    """

    workspace: Path
    output_dir: Path | None
    recipe: Recipe
    validate: bool = True

    def targets(self) -> Iterator[Path]:
        """Yield the directories the set may become, the best first."""
        if self.output_dir is not None:
            return iter([self.output_dir])
        return free_names(self.workspace, date.today())


class SynthPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a generation will take.

    Attributes:
        directory: Directory of the set.
        disk_bytes: Room on the disk in bytes.
        free_bytes: Free bytes on that disk.
        memory_bytes: Memory in bytes, about.
    """

    directory: Path
    disk_bytes: int
    free_bytes: int
    memory_bytes: int


def plan_generation(request: SynthRequest) -> SynthPlan:
    """Look at where the set will be; nothing is written.

    Raises:
        DatasetExists: the directory is there already.
        SynthError: no directory can be made there.
        DiskFull: there is too little room.
    """
    recipe, target = request.recipe, next(request.targets()).absolute()
    if os.path.lexists(target):
        raise DatasetExists(target)
    parent = target.parent
    while not os.path.lexists(parent):
        parent = parent.parent
    if not parent.is_dir():
        raise SynthError(f"{target} cannot be made: {parent} is no directory")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise SynthError(f"{target} cannot be made: {parent} is not writable")
    needed, free = (
        recipe.num_images * (BYTES_PER_IMAGE + BYTES_OF_LABEL) + FIXED_BYTES,
        free_bytes(parent),
    )
    if needed > free:
        raise DiskFull(target, needed, free)
    return SynthPlan(
        directory=target, disk_bytes=needed, free_bytes=free, memory_bytes=memory_for(request)
    )


def memory_for(request: SynthRequest) -> int:
    """Return about how many bytes a generation takes: chunks that are drawn or wait.

    A check of the set holds a hash of each image; that is the only part that grows with the set.
    """
    recipe = request.recipe
    hashes = BYTES_PER_HASH * recipe.num_images if request.validate else 0
    held = min(recipe.workers + 2, -(-recipe.num_images // recipe.chunk_size))
    drawn = held * min(recipe.chunk_size, recipe.num_images) * (GRID * GRID + 32)
    return BASE_MEMORY + hashes + drawn


async def run_generation(request: SynthRequest, watch: Watcher) -> JobResult[SynthReport]:
    """Make the set, and check the set unless the request leaves that out.

    Raises:
        WorkspaceBusy: another job runs in this workspace.
        DatasetExists: somebody made the directory meanwhile.
        DiskFull: the room ran out; nothing is left of the set.
        SynthError: the set cannot be written.
    """
    recipe, run, began = request.recipe, new_run_id(), time.monotonic()
    progress = ImageProgress(
        run=run, stage=STAGE, backend=STAGE, total=recipe.num_images, skipped={}
    )
    making = GenerateStep(recipe, request.targets, progress)
    checked = ImageProgress(
        run=run, stage="verify", backend=STAGE, total=recipe.num_images, skipped={}
    )
    found: list[Validation] = []

    def check(pause_point: PausePoint) -> None:
        assert making.directory is not None
        found.append(validate_dataset(making.directory.absolute(), pause_point))
        checked.count(found[0].num_images)

    checking = [BlockingStep(check, checked)] if request.validate else []
    frame = JobFrame(
        run=run,
        stage=STAGE,
        workspace=request.workspace,
        journal=next(request.targets()),
        told=msgspec.to_builtins(recipe),
    )

    def report(ending: Ending) -> SynthReport:
        made = empty_report(request, ending.value)
        made.validation = found[0] if found else None
        seconds = time.monotonic() - began - (found[0].seconds if found else 0.0)
        made.seconds = round(seconds, 3)
        if making.directory is not None:
            made.directory = str(making.directory.absolute())
            made.rate = round(progress.snapshot().rate, 1)
        return made

    return await run_job(StepSequence([making, *checking]), frame, watch, report)


def empty_report(request: SynthRequest, ending: str) -> SynthReport:
    """Return the report of a generation that made nothing."""
    recipe = request.recipe
    return SynthReport(
        ending=ending,
        directory=None,
        num_images=recipe.num_images,
        seed=recipe.seed,
        counts={split.name: split.size for split in splits_of(recipe.num_images)},
        total_bytes=recipe.num_images * BYTES_PER_IMAGE,
    )
