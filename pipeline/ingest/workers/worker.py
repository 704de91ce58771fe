"""A worker: takes photos from the queue, looks at them, and goes on until told to end.

Started by `worker_pool.py`. It holds the models. If it is killed, its leases run out, and
another worker takes what it had.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from backends.detectors.siglip import RegionLabeller
from backends.errors import SetupError
from backends.helper_server import Owner, serving
from backends.keys import scrub
from backends.ocr.base import OcrOptions
from backends.registry import make_detector, make_ocr
from journal import JournalError, protect
from pipeline.captions.catalogue import Catalogue
from pipeline.ingest.cache.counting import counted, source_of
from pipeline.ingest.cache.lines import Lines
from pipeline.ingest.cache.manifest import ModelFacts
from pipeline.ingest.cache.records import Detection, StageName
from pipeline.ingest.cache.sharing import Share
from pipeline.ingest.cache.store import Cache, PhotoResult
from pipeline.ingest.errors import CacheRefused, DeviceLost, IngestError, QueueLost
from pipeline.ingest.queue.opening import open_queue
from pipeline.ingest.vision.looking import Looker
from pipeline.ingest.vision.stage import IngestStage
from pipeline.ingest.vision.text_reading import TextReader
from pipeline.ingest.workers.committer import Committer
from pipeline.ingest.workers.leasing import LeaseFeeder, Leases
from pipeline.ingest.workers.messages import (
    Order,
    Told,
    WorkerFailed,
    WorkerReply,
    WorkerRequest,
    WorkerSetup,
)
from pipeline.jobs.errors import JobError, RunStopped
from pipeline.jobs.job import Job
from pipeline.jobs.log import log_to
from pipeline.jobs.progress import Progress
from pipeline.photos.errors import DecoderUnavailable

TELL_SECONDS = 0.25

LIFE_SECONDS = 10.0
"""How often a worker that has nothing new to tell says that it is alive."""

DEVICE_LOST = 70
"""Exit status: this process can do no more, another may."""

Run = Owner[WorkerRequest, WorkerReply]
"""The run that has started this worker."""

log = logging.getLogger("pcc.ingest")


class Worker:
    """One worker with its models.

    Args:
        setup: What the worker is to do.
    """

    def __init__(self, setup: WorkerSetup) -> None:
        self._setup = setup
        protect(Path(os.fsdecode(setup.photos_dir)))
        self.cache = Cache(Path(os.fsdecode(setup.cache)))
        self.share = Share(self.cache.directory)
        self.share.hold()
        self.queue = open_queue(setup.queue, self.cache.directory, setup.cache_id)
        self.leases = Leases(self.queue, setup.worker)
        self._captions = Catalogue(Path(os.fsdecode(setup.captions)))
        self._regions = Lines(self.cache.detections, Detection)
        self.stage = self._make_stage()
        photos_dir = Path(os.fsdecode(setup.photos_dir))
        self.job: Job[PhotoResult] = Job(
            self.stage,
            (),
            photos_dir=photos_dir,
            open_journal=lambda on_commit, on_failure: Committer(
                self.cache, self.leases, self._failed_itself, on_commit, on_failure
            ),
            decoders=setup.cores,
            progress=Progress(run=setup.worker, stage="ingest", backend="", total=0, skipped={}),
            open_ended=True,
        )
        self._feeder = LeaseFeeder(self.job, self.stage, self.leases, self.queue, photos_dir)

    def _make_stage(self) -> IngestStage:
        setup = self._setup
        detector = labeller = reader = None
        if setup.detector is not None:
            detector = make_detector(
                setup.detector.model,
                setup.detector.vocabulary,
                revision=setup.detector.revision,
                device=setup.device,
                threshold=setup.detector.threshold,
                proposals=setup.detector.proposals,
                batch_size=setup.batch_size,
            )
        if setup.labeller is not None:
            labeller = RegionLabeller(
                setup.labeller.model,
                setup.labeller.vocabulary,
                revision=setup.labeller.revision,
                device=setup.device,
            )
        if setup.ocr is not None:
            options = OcrOptions(threads=setup.cores, model=setup.ocr.model)
            reader = TextReader(make_ocr(setup.ocr.engine, options))
        return IngestStage(
            Looker(detector, labeller),
            reader,
            caption_of=self._caption_of,
            regions_of=self._regions_of,
            check=self._check,
            worker=setup.worker,
        )

    def _failed_itself(self) -> bool:
        """Tell whether it is this process that fails, not the photos."""
        return self.stage.lost is not None

    def _caption_of(self, key: str) -> str | None:
        if key not in self._captions.index:
            return None
        entry = self._captions.entry(key)
        return entry.caption if entry is not None else None

    def _check(self, models: dict[StageName, ModelFacts]) -> None:
        """Make sure that the vectors of this labeller may join those of the cache.

        Raises:
            CacheRefused: the vectors in the cache are of another labeller.
        """
        if "label" in models:
            self.cache.vectors.require(models["label"])

    def _regions_of(self, key: str) -> list[Detection]:
        """Return the regions of a photo; those of a copy are the regions of its original."""
        outcome = self.cache.outcomes.photo(key).regions
        source = None if outcome is None else source_of(key, outcome, self.cache.outcomes.photo)
        if source is None:
            return []
        self._regions.refresh()
        return counted(self._regions.of(source.key), source.outcome)

    def _learn(self) -> None:
        """Read what the cache and the captions hold so far."""
        while not self._captions.refresh():
            pass
        self._captions.edits.refresh()
        self.cache.outcomes.refresh()
        if self._setup.labeller is not None and self._setup.detector is None:
            self._regions.refresh()

    async def run(self) -> None:
        """Work until told to end.

        Raises:
            SetupError: a model cannot be loaded.
            JobError: no further photo would fare better.
            JournalError: results cannot be kept.
            DeviceLost: the device has failed; another process may fare better.
            IngestError: the queue cannot be reached.
        """
        await asyncio.to_thread(self._learn)
        feeding = asyncio.create_task(self._feeder.run())
        feeding.add_done_callback(lambda _: self.job.stop())
        try:
            await self.job.run()
        except RunStopped:
            if self.stage.lost is not None:
                raise DeviceLost(str(self.stage.lost)) from None
            raise
        finally:
            feeding.cancel()
            ended = await asyncio.gather(feeding, return_exceptions=True)
            with suppress(QueueLost):  # the leases run out by themselves
                await asyncio.to_thread(self.leases.close)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    def told(self) -> Told:
        """Return what the run is to know of this worker."""
        shot = self.job.snapshot()
        return Told(
            loading=shot.loading,
            remarks=shot.remarks,
            models=self.stage.facts() if shot.loading is None else {},
            current=shot.current,
        )


def _say(owner: Run, message: WorkerReply) -> None:
    """Send a message; when nobody listens any more, the end is near anyway."""
    with suppress(BrokenPipeError):
        owner.send(message)


def _listen(owner: Run, worker: Worker, loop: asyncio.AbstractEventLoop) -> None:
    """Wait for orders; the end of the run is one as well."""
    for order in owner.requests:
        worker.queue.hurry()
        at_once = isinstance(order, Order) and order.at_once
        loop.call_soon_threadsafe(worker.job.abort if at_once else worker.job.stop)
    worker.queue.hurry()
    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(worker.job.stop)


async def _serve(owner: Run, setup: WorkerSetup) -> None:
    worker = Worker(setup)
    loop = asyncio.get_running_loop()
    threading.Thread(target=_listen, args=(owner, worker, loop), daemon=True).start()
    telling = asyncio.create_task(_tell(owner, worker))
    log.info("worker starts", {"worker": setup.worker, "pid": os.getpid()})
    try:
        await worker.run()
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        _say(owner, worker.told())
        log.info("worker ends", {"worker": setup.worker})


async def _tell(owner: Run, worker: Worker) -> None:
    last, said_at = None, 0.0
    while True:
        told, now = worker.told(), time.monotonic()
        if told != last or now - said_at >= LIFE_SECONDS:
            _say(owner, told)
            last, said_at = told, now
        await asyncio.sleep(TELL_SECONDS)


def main() -> None:
    """Serve standard input and output."""
    with serving(WorkerRequest, when_orphaned=signal.SIGCONT) as owner:
        setup = next(owner.requests)
        code = 0
        with log_to(Path(os.fsdecode(setup.cache)) / "ingest.log"):
            try:
                # Not `asyncio.run`, which waits at its end for threads that were given up.
                asyncio.Runner().run(_serve(owner, setup))
            except (SetupError, CacheRefused, ValueError) as error:
                _say(owner, WorkerFailed(scrub(str(error)), setup=True))
            except DeviceLost as error:
                print(scrub(str(error)), file=sys.stderr)  # noqa: T201 - the run reads it
                code = DEVICE_LOST
            except (JobError, JournalError, IngestError, DecoderUnavailable) as error:
                _say(owner, WorkerFailed(scrub(str(error)), setup=False))
        os._exit(code)  # a thread still waits at standard input, which nobody can close under it


if __name__ == "__main__":
    main()
