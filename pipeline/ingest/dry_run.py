"""`--dry-run`: each photo is decoded and passes the text gate; nothing detected, nothing kept."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from backends.base import Loading, PictureSpec
from backends.errors import ModelError
from backends.ocr.base import OcrEngine, OcrOptions, TextGate
from backends.registry import DEFAULT_OCR, make_ocr
from journal import Committed, Status, split_path
from pipeline.ingest.cache.manifest import manifest_path, read_manifest, require_ours
from pipeline.ingest.cache.store import Cache
from pipeline.ingest.planning.file_digests import FileDigests
from pipeline.ingest.planning.plan import Planner, Wanted
from pipeline.ingest.queue.base import Item
from pipeline.ingest.request import IngestRequest
from pipeline.ingest.vision.stage import EDGE
from pipeline.jobs.blocking_step import BlockingStep
from pipeline.jobs.budget import Budget
from pipeline.jobs.copies import Copies
from pipeline.jobs.cores import decoder_count, usable_cores
from pipeline.jobs.deferred_step import DeferredStep
from pipeline.jobs.hosting import Watcher, attend
from pipeline.jobs.job import Job
from pipeline.jobs.pause_point import PausePoint
from pipeline.jobs.progress import Progress
from pipeline.jobs.run_file import new_run_id
from pipeline.jobs.stage import Decoded, FailedAttempt, SoloStage, Usage
from pipeline.jobs.steps import Steps
from pipeline.photos.photo import Photo
from pipeline.photos.walk import walk_photos


class Rehearsal(msgspec.Struct):
    """What a run would find to do.

    Attributes:
        photos: Photos on disk.
        to_do: Photos to go through each stage.
        copies: Photos identical to another that is looked at, or was.
        decoded: Photos to look at whose picture can be read.
        unreadable: Those whose picture cannot.
        failed: Those in which the gate could not look for text.
        with_text: Those that may hold text.
        without_text: Those in which nothing would be read.
        skipped: Those, by the reason.
        warnings: Sentences about the walk.
    """

    photos: int = 0
    to_do: dict[str, int] = {}
    copies: int = 0
    decoded: int = 0
    unreadable: int = 0
    failed: int = 0
    with_text: int = 0
    without_text: int = 0
    skipped: dict[str, int] = {}
    warnings: list[str] = []


class Passed(msgspec.Struct):
    """How a photo fared at the gate."""

    rel_path: str
    raw_path: str | None
    gate: TextGate | None
    status: Status = "success"
    error: str | None = None


class GateStage(SoloStage[Passed]):
    """Looks for text in pictures, and reads none.

    Args:
        engine: Has the gate.
    """

    name = "dry-run"
    record_type = Passed
    picture: PictureSpec | None = PictureSpec(max_edge=EDGE)
    workers = 1
    unexpected: Status = "error_model"
    batch_size = 4

    def __init__(self, engine: OcrEngine) -> None:
        self._engine = engine
        self._loading: Loading | None = Loading("loading the text gate")

    @property
    def loading(self) -> Loading | None:
        """What it does until the gate is there."""
        return self._loading

    async def open(self) -> None:
        """Load the gate."""
        await asyncio.to_thread(self._engine.open)
        self._loading = None

    async def close(self) -> None:
        """Let go of it."""
        await asyncio.to_thread(self._engine.close)

    async def process(self, photos: Sequence[Decoded]) -> list[Passed | Exception]:
        """Return how each photo fares."""
        return await asyncio.to_thread(lambda: [self._pass(decoded) for decoded in photos])

    def _pass(self, decoded: Decoded) -> Passed | Exception:
        try:
            gate = self._engine.gate(decoded.seen.picture.image())
        except ModelError as error:
            return error
        return Passed(*split_path(decoded.photo.path), gate)

    def failed(self, failure: FailedAttempt) -> Passed:
        """Return how a photo fared that could not be looked at."""
        path = split_path(failure.photo.path)
        return Passed(*path, None, failure.status, failure.error)

    def usage(self, record: Passed) -> Usage:
        """Return what to show of a photo."""
        gate = record.gate
        text = "may hold text" if gate is not None and gate.has_text else "no text"
        return Usage(record.rel_path, record.status, record.error or text, raw_path=record.raw_path)

    def watch(self, error: Exception | None) -> None:
        """One photo that fails says nothing about the next."""


class Counting:
    """Takes the place of a journal: counts, and keeps nothing.

    Args:
        rehearsal: Where to count.
        on_commit: Told of each record at once.
    """

    def __init__(
        self, rehearsal: Rehearsal, on_commit: Callable[[Committed[Passed]], None]
    ) -> None:
        self._rehearsal = rehearsal
        self._on_commit = on_commit

    def append(self, record: Passed) -> None:
        """Count a record."""
        found = self._rehearsal
        found.decoded += record.status != "error_corrupt"
        found.failed += record.status == "error_model"
        found.unreadable += record.status == "error_corrupt"
        if record.gate is not None:
            found.with_text += record.gate.has_text
            found.without_text += not record.gate.has_text
            if record.gate.reason is not None:
                reasons = found.skipped
                reasons[record.gate.reason] = reasons.get(record.gate.reason, 0) + 1
        self._on_commit([(0, record)])

    def flush(self) -> None:
        """There is nothing to bring to disk."""

    def close(self) -> None:
        """There is nothing to give back."""


async def rehearse(request: IngestRequest, watch: Watcher) -> tuple[Rehearsal, int | None]:
    """Walk, decode, look for text, and count; no detector is loaded and nothing is written.

    Args:
        request: What would be asked for.
        watch: Shows how it goes.

    Returns:
        What was found, and 128 with the signal that stopped it, None without one.

    Raises:
        CacheRefused: the cache is of another form.
        PhotosDirMissing: the photos directory cannot be listed.
        SetupError: the gate cannot be loaded.
    """
    rehearsal = Rehearsal()
    progress = Progress(run=new_run_id(), stage="dry-run", backend="gate", total=0, skipped={})

    items: list[Item] = []

    def plan(pause_point: PausePoint) -> None:
        items.extend(_plan(request, rehearsal, pause_point))
        progress.total = len(items)

    def make() -> Job[Passed] | None:
        return _job(request, items, rehearsal, progress) if items else None

    planning = Progress(run=progress.run, stage="dry-run", backend="walk", total=0, skipped={})
    steps = Steps([BlockingStep(plan, planning), DeferredStep(make, progress)])
    _, code = await attend(steps, steps.snapshot, watch)
    return rehearsal, code


def _plan(request: IngestRequest, rehearsal: Rehearsal, pause_point: PausePoint) -> list[Item]:
    """Return the photos that a run would look at."""
    if manifest_path(request.cache).exists():
        require_ours(request.cache, read_manifest(request.cache))
    outcomes = Cache(request.cache).outcomes
    outcomes.refresh()
    walked = walk_photos(request.photos_dir, request.include, request.exclude)
    redo = "dry-run" if request.redo else None
    planner = Planner(outcomes, Wanted(request.stages, request.retry_errors, redo))
    pause_point.begin("comparing photos", len(walked.paths), "photos")
    with tempfile.TemporaryDirectory(prefix="pcc-") as folder:
        memory = Path(folder) / "digests.sqlite"
        for ending in ("", "-wal"):  # what is known already is known to a copy as well
            with suppress(OSError):
                shutil.copyfile(f"{Cache(request.cache).digests}{ending}", f"{memory}{ending}")
        digests = FileDigests(memory, request.photos_dir)
        sorted_out = planner.sort(digests.of(walked.paths, pause_point.go_through))
        items = [one for one in sorted_out if isinstance(one, Item)]
    rehearsal.photos = planner.plan.photos
    rehearsal.copies = planner.plan.copies
    rehearsal.to_do = dict(planner.plan.stages)
    rehearsal.warnings = walked.warnings
    return items


def _job(
    request: IngestRequest, items: list[Item], rehearsal: Rehearsal, progress: Progress
) -> Job[Passed]:
    chosen = request.ocr
    options = OcrOptions(threads=usable_cores(), model=None if chosen is None else chosen.model)
    engine = make_ocr(DEFAULT_OCR if chosen is None else chosen.engine, options)
    return Job(
        GateStage(engine),
        [Photo(item.path, item.photo_key) for item in items],
        photos_dir=request.photos_dir,
        journal=request.cache,
        open_journal=lambda on_commit, on_failure: Counting(rehearsal, on_commit),
        decoders=decoder_count(),
        progress=progress,
        copies=Copies(None),
        budget=Budget(None, 0.0, 0.0),
    )
