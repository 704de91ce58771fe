"""The engine: decodes ahead, hands photos to a stage, keeps its records, can be told to stop.

A photo travels through the methods of `Job` from top to bottom: `_feed`,
`_decode`, `_take`, `_work`, `_settle`, `_committed`.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from backends.errors import CallError, PictureError
from journal import Committed, JournalError, Status, split_path
from pipeline.jobs.budget import Budget
from pipeline.jobs.copies import Copies
from pipeline.jobs.decoded_buffer import DecodedBuffer
from pipeline.jobs.errors import RunStopped, describe
from pipeline.jobs.pending_records import OpenJournal, PendingRecords
from pipeline.jobs.progress import Progress, Snapshot
from pipeline.jobs.stage import Decoded, FailedAttempt, Stage
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import CorruptImageError, DecoderUnavailable, PhotosDirMissing
from pipeline.photos.photo import LoadedPhoto, Photo
from pipeline.photos.walk import is_empty_or_gone

R = TypeVar("R", bound=msgspec.Struct)
T = TypeVar("T")

log = logging.getLogger("pcc.job")


class Ending(enum.Enum):
    """How a job ended."""

    DONE = "done"
    BUDGET = "budget"
    STOPPED = "stopped"


class Job(Generic[R]):
    """One resumable pass of a stage over photos.

    Everything runs on one event loop; only decoding and the journal's syncs do
    not. The public methods may be called while `run` runs, on the same loop.

    Args:
        stage: What is done with each photo.
        photos: What there is to do, in order.
        photos_dir: Where the photos are.
        journal: The file whose records may be copied.
        open_journal: Opens the journal for writing.
        decoders: Number of decoding processes.
        progress: Where to count.
        copies: What is known of identical files.
        budget: The sum to keep.
        open_ended: Whether more photos may come, through `add`, until it is stopped.
    """

    def __init__(
        self,
        stage: Stage[R],
        photos: Iterable[Photo],
        *,
        photos_dir: Path,
        journal: Path,
        open_journal: OpenJournal[R],
        decoders: int,
        progress: Progress,
        copies: Copies,
        budget: Budget,
        open_ended: bool = False,
    ) -> None:
        self.progress = progress
        self._stage = stage
        self._queue = deque(photos)
        self._open_ended = open_ended
        self._photos_dir = photos_dir
        self._journal = journal
        self._open_journal = open_journal
        self._copies = copies
        self._budget = budget
        needed = decoders if open_ended else max(1, min(decoders, len(self._queue)))
        self._decoders = (
            None if stage.picture is None else DecoderPool(photos_dir, stage.picture, needed)
        )
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._ahead = DecodedBuffer(stage.workers, 2 * decoders, self._resumed)
        self._decoding: set[asyncio.Task[None]] = set()
        self._opening: asyncio.Task[None] | None = None
        self._ledger: PendingRecords[R] = PendingRecords()
        self._workers: list[asyncio.Task[None]] = []
        self._unsettled = 0
        self._wake = asyncio.Event()
        self._cost_settled = asyncio.Event()
        self._ending: Ending | None = None
        self._failure: BaseException | None = None

    async def run(self) -> Ending:
        """Work until nothing is left, or until told to stop.

        Raises:
            RunStopped: every further photo would fail for the same reason.
            JournalError: records can no longer be kept.
            DecoderUnavailable: no decoding process starts.
            BackendError: the stage could not be opened.
        """
        writer = self._open_journal(self._on_loop(self._committed), self._on_loop(self._fail))
        self._append = writer.append
        try:
            async with self._decoders or nullcontext():
                try:
                    await self._open_stage()
                    await self._work_through()
                finally:
                    await self._stage.close()
        finally:
            # Acknowledgements of the flush serve photos that wait for an identical one.
            await self._finish_writing(writer.flush)
            await self._finish_writing(writer.close)
            self.progress.finish()
        if self._failure is not None:
            raise self._failure
        return self._ending or Ending.DONE

    async def _finish_writing(self, write: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(write)
        except JournalError as error:
            self._failure = self._failure or error
        await asyncio.sleep(0)  # the acknowledgements are on the loop's list

    async def _open_stage(self) -> None:
        """Open the stage; a stop need not wait for a model that loads or a server that hangs."""
        if self._ending is not None:
            return
        self._opening = asyncio.create_task(self._stage.open())
        try:
            await self._opening
        except asyncio.CancelledError:
            if self._ending is None:
                raise

    async def _work_through(self) -> None:
        if self._ending is not None:
            return
        self.progress.begin()
        self._ahead.make_room(self._stage.workers * self._stage.batch_size)
        feeder = asyncio.create_task(self._feed())
        feeder.add_done_callback(self._surface)
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._stage.workers)]
        try:
            await asyncio.gather(*self._workers)
        except asyncio.CancelledError:
            if self._ending is None:
                raise
        finally:
            leftover = [feeder, *self._workers, *self._decoding]
            for task in leftover:
                task.cancel()
            await asyncio.gather(*leftover, return_exceptions=True)

    @property
    def unsettled(self) -> int:
        """Photos that are here and have no record on disk."""
        return len(self._queue) + self._unsettled

    def add(self, photos: Iterable[Photo]) -> None:
        """Take on more photos."""
        self._queue.extend(photos)
        self._wake.set()

    def snapshot(self) -> Snapshot:
        """Return how far the job is."""
        self.progress.model = self._stage.model
        self.progress.loading = self._stage.loading
        self.progress.remarks = self._stage.remarks
        return self.progress.snapshot()

    def pause(self) -> None:
        """Take no further photo; what is in flight is finished."""
        if self._ending is None and self._resumed.is_set():
            self._resumed.clear()
            self.progress.pause(True)
            log.info("pause")

    def resume(self) -> None:
        """Go on after a pause."""
        if self._ending is None and not self._resumed.is_set():
            self.progress.pause(False)
            self._resumed.set()
            self._wake.set()
            log.info("resume")

    def stop(self) -> None:
        """Take no further photo, finish and write what is in flight, end."""
        self._end(Ending.STOPPED)
        if self._opening is not None:
            self._opening.cancel()

    def abort(self) -> None:
        """End now; what is in flight is given up, what was reported stays."""
        self.stop()
        for worker in self._workers:
            worker.cancel()

    def retry(self) -> int:
        """Put the photos of this job that failed at the backend to work again; return how many."""
        if self._ending is not None:
            return 0
        again = self._ledger.take_failed()
        self._copies.forget_failures()
        self._queue.extend(again)
        self._wake.set()
        return len(again)

    def _end(self, ending: Ending) -> None:
        if self._ending is not None:
            return
        self._ending = ending
        self.progress.state = "stopping"
        self._ahead.end()
        self._resumed.set()
        self._wake.set()
        self._cost_settled.set()

    def _fail(self, error: BaseException) -> None:
        """End because of an error; without a journal, nothing in flight is worth waiting for."""
        if self._failure is None:
            self._failure = error
        self._end(Ending.STOPPED)
        if isinstance(error, JournalError):
            self.abort()

    def _on_loop(self, function: Callable[[T], None]) -> Callable[[T], None]:
        """Return a function for other threads to call, which calls this one on the loop."""
        loop = asyncio.get_running_loop()

        def guarded(argument: T) -> None:
            try:
                function(argument)
            except Exception as error:
                self._fail(error)

        def hand_over(argument: T) -> None:
            loop.call_soon_threadsafe(guarded, argument)

        return hand_over

    def _surface(self, task: asyncio.Task[None]) -> None:
        """End the job if a task of it died of what nobody expected."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    async def _feed(self) -> None:
        """Start the decoding of photos, a bounded number ahead of the workers."""
        while self._ending is None:
            if self._queue and self._resumed.is_set():
                await self._ahead.reserve()
                photo = self._queue.popleft()
                self._unsettled += 1
                task = asyncio.create_task(self._decode(photo))
                self._decoding.add(task)
                task.add_done_callback(self._decoded)
            elif not (self._queue or self._unsettled or self._open_ended):
                self._ending = Ending.DONE
            else:
                self._wake.clear()
                await self._wake.wait()
        self._ahead.end()

    def _decoded(self, task: asyncio.Task[None]) -> None:
        self._decoding.discard(task)
        self._surface(task)
        if not self._queue and not self._decoding:
            self._ahead.drained()

    async def _decode(self, photo: Photo) -> None:
        """Decode one photo, and pass it on unless an identical one serves for both."""
        if self._decoders is None:
            self._ahead.put(Decoded(photo))
            return
        try:
            spec = self._stage.picture_of(photo)
            loaded = await self._decoders.decode(photo.path, spec)
        except CorruptImageError as error:
            self._ahead.give_back()
            if is_empty_or_gone(self._photos_dir):
                self._fail(
                    RunStopped(str(PhotosDirMissing(self._photos_dir, "it is empty or gone")))
                )
                return
            self._keep_failure(photo, None, error, "error_corrupt", seconds=None)
        except DecoderUnavailable as error:
            self._fail(error)
        else:
            if self._has_twin(photo, loaded):
                self._ahead.give_back()
            else:
                self._ahead.put(Decoded(photo, loaded))

    def _has_twin(self, photo: Photo, loaded: LoadedPhoto) -> bool:
        """Copy the record of an identical photo, or wait for it; False if there is none."""
        record = self._copies.record_of(loaded.digest, self._journal, self._stage)
        if record is None:
            return not self._copies.is_first(loaded.digest, photo)
        self._keep(self._stage.copied(record, photo), photo, is_copy=True)
        return True

    async def _take(self) -> list[Decoded]:
        """Return the next batch that may be worked on; empty when there is none any more."""
        batch = await self._ahead.batch(self._stage.batch_size)
        return batch if batch and await self._afford(len(batch)) else []

    async def _afford(self, photos: int) -> bool:
        """Set the cost of some photos aside; end the job if they could pass the budget."""
        while not self._budget.admits(photos):
            if not self._budget.in_flight:
                self._end(Ending.BUDGET)
                return False
            self._cost_settled.clear()
            await self._cost_settled.wait()
            if self._ending is not None:
                return False
        self._budget.take(photos)
        return True

    async def _work(self) -> None:
        """Hand batches to the stage, one after the other."""
        while batch := await self._take():
            for decoded in batch:
                self.progress.start(split_path(decoded.photo.path)[0])
            began = time.monotonic()
            outcomes: Sequence[R | Exception]
            try:
                outcomes = await self._stage.process(batch)
            except Exception as error:
                outcomes = [error] * len(batch)
            seconds = (time.monotonic() - began) / len(batch)
            for decoded, outcome in zip(batch, outcomes, strict=True):
                self._settle(decoded, outcome, seconds)

    def _settle(self, decoded: Decoded, outcome: R | Exception, seconds: float) -> None:
        """Keep what came of one photo, and stop if the next would fare the same."""
        if isinstance(outcome, Exception):
            status = self._status_of(outcome)
            record = self._keep_failure(decoded.photo, decoded.loaded, outcome, status, seconds)
        else:
            record = self._keep(outcome, decoded.photo)
        cost = self._stage.usage(record).cost_usd
        self._budget.settle(cost, answered=not isinstance(outcome, Exception))
        self._cost_settled.set()
        try:
            self._stage.watch(outcome if isinstance(outcome, Exception) else None)
        except RunStopped as stop:
            self._fail(stop)

    def _status_of(self, error: Exception) -> Status:
        if isinstance(error, PictureError):
            return "error_corrupt"
        if isinstance(error, CallError):
            return "error_api"
        return self._stage.unexpected

    def _keep_failure(
        self,
        photo: Photo,
        loaded: LoadedPhoto | None,
        error: Exception,
        status: Status,
        seconds: float | None,
    ) -> R:
        failure = FailedAttempt(photo, loaded, status, describe(error), seconds)
        return self._keep(self._stage.failed(failure), photo)

    def _keep(self, record: R, photo: Photo, *, is_copy: bool = False) -> R:
        self._ledger.enter(record, photo, is_copy=is_copy)
        try:
            self._append(record)
        except JournalError as error:
            self._fail(error)
        return record

    def _committed(self, committed: Committed[R]) -> None:
        """Report records that are on disk, and serve the photos that waited for them."""
        usages = [self._stage.usage(record) for _, record in committed]
        self.progress.add(usages)
        for (offset, record), usage in zip(committed, usages, strict=True):
            self._unsettled -= 1
            entry, replaced = self._ledger.settle(record, usage.status)
            if replaced is not None:
                self.progress.take_back(replaced)
            if usage.status != "success":
                fields = {"photo": usage.rel_path, "status": usage.status, "error": usage.text}
                log.warning("photo failed", fields)
            digest = self._stage.digest(record)
            if digest is not None and not entry.is_copy:
                for photo in self._copies.settle(digest, usage.status, offset):
                    self._keep(self._stage.copied(record, photo), photo, is_copy=True)
        self._wake.set()
