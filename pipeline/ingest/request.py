"""What an ingestion is asked to do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from blake3 import blake3

from pipeline.ingest.cache.records import StageName
from pipeline.ingest.cache.sharing import Task
from pipeline.ingest.workers.messages import DetectorChoice, LabellerChoice, OcrChoice, WorkerSetup
from pipeline.jobs.cores import usable_cores


class IngestRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked for.

    Attributes:
        workspace: The directory of `run.json`.
        photos_dir: The photo library; only ever read.
        cache: The directory of the cache.
        captions: The captions journal; each region records the caption of its photo.
        queue: `sqlite`, or the URL of a Redis server.
        stages: The stages that each photo is to go through.
        workers: Number of worker processes; each holds the models.
        detector: Which detector, None where `stages` has no `detect`.
        labeller: Which labeller, None where `stages` has no `label`.
        ocr: Which OCR engine, None where `stages` has no `ocr`.
        device: The device that models run on, None for the best there is.
        batch_size: Photos in a batch, None for what suits the device.
        include: Globs; if there are any, only photos that match one count.
        exclude: Globs of photos that do not count.
        retry_errors: Whether to retry photos that failed.
        redo: Whether to put every photo through the stages again.
        asked: The options that a later run needs to go on with the same; see `cache/asked.py`.
    """

    workspace: Path
    photos_dir: Path
    cache: Path
    captions: Path
    queue: str = "sqlite"
    stages: tuple[StageName, ...]
    workers: int = 1
    detector: DetectorChoice | None = None
    labeller: LabellerChoice | None = None
    ocr: OcrChoice | None = None
    device: str | None = None
    batch_size: int | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    retry_errors: bool = False
    redo: bool = False
    asked: Mapping[str, tuple[str, ...]] = {}

    def task(self) -> Task:
        """Return what the workers must be able to do."""
        parts = (self.stages, self.detector, self.labeller, self.ocr)
        place = os.fsencode(self.photos_dir.resolve())
        hashed = blake3(msgspec.json.encode(parts) + place).hexdigest(8)
        return Task(hashed, f"{', '.join(self.stages)} of {self.photos_dir}")

    def worker_setups(self, cache_id: str) -> list[WorkerSetup]:
        """Return the first message to each worker; worker names tell machine and process.

        Args:
            cache_id: The name of the cache, and so of its queue.
        """
        host = os.uname().nodename
        return [
            WorkerSetup(
                worker=f"{host}-{os.getpid()}-{number}",
                cache=os.fsencode(self.cache.resolve()),
                cache_id=cache_id,
                queue=self.queue,
                photos_dir=os.fsencode(self.photos_dir.resolve()),
                captions=os.fsencode(self.captions.resolve()),
                detector=self.detector,
                labeller=self.labeller,
                ocr=self.ocr,
                device=self.device,
                batch_size=self.batch_size,
                cores=max(1, usable_cores() // self.workers),
            )
            for number in range(1, self.workers + 1)
        ]
