"""`--dry-run`: each photo is decoded and passes the text gate; nothing detected, nothing kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from backends.ocr.base import OcrEngine, OcrOptions
from backends.registry import DEFAULT_OCR, make_ocr
from journal import Committed
from pipeline.ingest.cache.manifest import manifest_path, read_manifest, require_ours
from pipeline.ingest.cache.store import Cache, PhotoResult
from pipeline.ingest.planning.file_digests import FileDigests
from pipeline.ingest.planning.plan import Planner, Wanted
from pipeline.ingest.queue.base import Item, Leased
from pipeline.ingest.request import IngestRequest
from pipeline.ingest.vision.looking import Looker
from pipeline.ingest.vision.results import LeasedPhoto
from pipeline.ingest.vision.stage import IngestStage
from pipeline.ingest.vision.text_reading import TextReader
from pipeline.jobs.blocking_step import BlockingStep
from pipeline.jobs.cores import usable_cores
from pipeline.jobs.deferred_step import DeferredStep
from pipeline.jobs.job import Job
from pipeline.jobs.pause_point import PausePoint
from pipeline.jobs.progress import Progress
from pipeline.jobs.run_file import new_run_id
from pipeline.jobs.run_job import Watcher, run_unlisted
from pipeline.jobs.stage import Usage
from pipeline.jobs.step_sequence import StepSequence
from pipeline.photos.walk import walk_photos


class Rehearsal(msgspec.Struct, tag_field="kind", tag="ingest-run-dry-run"):
    """What a run would find to do.

    Attributes:
        photos: Photos on disk.
        to_do: Photos to go through each stage.
        copies: Photos identical to another that is looked at, or was.
        decoded: Photos to look at whose picture can be decoded.
        unreadable: Photos to look at whose picture cannot be decoded.
        failed: Photos in which the gate could not look for text.
        with_text: Photos that may hold text.
        without_text: Photos in which nothing would be read.
        skipped: Photos in which nothing would be read, by reason.
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


class GateStage(IngestStage):
    """Looks for text in pictures, reads none of it, and looks for nothing else.

    Args:
        engine: The engine with the text gate.
    """

    name = "dry-run"

    def __init__(self, engine: OcrEngine) -> None:
        super().__init__(
            Looker(None, None),
            TextReader(engine, gate_alone=True),
            caption_of=lambda key: None,
            regions_of=lambda key: [],
            check=lambda models: None,
            worker=self.name,
        )

    def usage(self, record: PhotoResult) -> Usage:
        """Return what to show of a photo."""
        usage = super().usage(record)
        if usage.status != "success":
            return usage
        text = "no text" if record.texts[0].skipped else "may hold text"
        return msgspec.structs.replace(usage, text=text)


class Tally:
    """Takes the place of a journal: counts records, and keeps none.

    Args:
        rehearsal: Where to count.
        on_commit: Told of each record at once.
    """

    def __init__(
        self, rehearsal: Rehearsal, on_commit: Callable[[Committed[PhotoResult]], None]
    ) -> None:
        self._rehearsal = rehearsal
        self._on_commit = on_commit

    def append(self, record: PhotoResult) -> None:
        """Count a record."""
        found = self._rehearsal
        found.decoded += record.status != "error_corrupt"
        found.failed += record.status == "error_model"
        found.unreadable += record.status == "error_corrupt"
        for text in record.texts:
            found.with_text += text.skipped is None
            found.without_text += text.skipped is not None
            if text.skipped is not None:
                found.skipped[text.skipped] = found.skipped.get(text.skipped, 0) + 1
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

    def make() -> Job[PhotoResult] | None:
        return _job(request, items, rehearsal, progress) if items else None

    planning = Progress(run=progress.run, stage="dry-run", backend="walk", total=0, skipped={})
    steps = StepSequence([BlockingStep(plan, planning), DeferredStep(make, progress)])
    _, code = await run_unlisted(steps, watch)
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
    with TemporaryDirectory(prefix="pcc-") as folder:
        memory = Path(folder) / "digests.sqlite"
        for ending in ("", "-wal"):  # known digests need not be made again
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
) -> Job[PhotoResult]:
    chosen = request.ocr
    options = OcrOptions(threads=usable_cores(), model=None if chosen is None else chosen.model)
    engine = make_ocr(DEFAULT_OCR if chosen is None else chosen.engine, options)
    looked_at = [msgspec.structs.replace(item, stages=("ocr",)) for item in items]
    return Job(
        GateStage(engine),
        [LeasedPhoto.of(Leased(item, 1, token=""), request.photos_dir) for item in looked_at],
        photos_dir=request.photos_dir,
        open_journal=lambda on_commit, _: Tally(rehearsal, on_commit),
        progress=progress,
    )
