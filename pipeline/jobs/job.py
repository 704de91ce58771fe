"""The engine: hands decoded photos to a stage, keeps the records, and can be told to stop.

A photo goes from the `PhotoFeed` through `Job._work` to the stage, and the record of the
photo to the `PendingRecords`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from backends.errors import CallError, PictureError, UnaskedError
from journal import JournalError, Status, split_path
from pipeline.jobs.budget import Budget
from pipeline.jobs.copies import Copies
from pipeline.jobs.cores import decoder_count
from pipeline.jobs.decode_ahead import PhotoFeed
from pipeline.jobs.errors import RunStopped
from pipeline.jobs.pending_records import OpenJournal, PendingRecords
from pipeline.jobs.progress import Progress, Snapshot
from pipeline.jobs.stage import Decoded, Stage
from pipeline.jobs.step import Ending
from pipeline.photos.errors import PhotoError
from pipeline.photos.photo import Photo

R = TypeVar("R", bound=msgspec.Struct)
T = TypeVar("T")

log = logging.getLogger("pcc.job")


class Job(Generic[R]):
    """One resumable pass of a stage over photos.

    Everything runs on one event loop; only decoding and the journal's syncs do
    not. The public methods may be called while `run` runs, on the same loop.

    Args:
        stage: What is done with each photo.
        photos: What there is to do, in order.
        photos_dir: The photos directory.
        open_journal: Opens the journal for writing.
        progress: Where to count.
        copies: What is known of identical files; by default no photo serves for another.
        budget: The sum to keep; by default there is none.
        decoders: Number of decoding processes, None for what suits this machine.
        open_ended: Whether more photos may come, through `add`, until the job is stopped.
    """

    def __init__(
        self,
        stage: Stage[R],
        photos: Iterable[Photo],
        *,
        photos_dir: Path,
        open_journal: OpenJournal[R],
        progress: Progress,
        copies: Copies | None = None,
        budget: Budget | None = None,
        decoders: int | None = None,
        open_ended: bool = False,
    ) -> None:
        self.progress = progress
        self._stage = stage
        self._open_journal = open_journal
        self._budget = budget or Budget()
        self._resumed = asyncio.Event()
        self._resumed.set()
        copies = copies or Copies()
        self._records: PendingRecords[R] = PendingRecords(
            stage, copies, progress, self._settled, self._fail
        )
        self._feed = PhotoFeed(
            stage,
            photos,
            self._records,
            copies,
            photos_dir=photos_dir,
            decoders=decoders or decoder_count(),
            resumed=self._resumed,
            on_failure=self._fail,
            open_ended=open_ended,
        )
        self._opening: asyncio.Task[None] | None = None
        self._workers: list[asyncio.Task[None]] = []
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
        writer = self._open_journal(
            self._on_loop(self._records.committed), self._on_loop(self._fail)
        )
        self._records.write_to(writer)
        try:
            async with self._feed.decoding():
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
        if self._ending is Ending.STOPPED and not self._feed.unsettled:
            return Ending.DONE  # the order came while the last photos were in flight
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
        feeding = asyncio.create_task(self._feed_to_the_end())
        feeding.add_done_callback(self._surface)
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._stage.workers)]
        try:
            await asyncio.gather(*self._workers)
        except asyncio.CancelledError:
            if self._ending is None:
                raise
        finally:
            leftover = [feeding, *self._workers]
            for task in leftover:
                task.cancel()
            await asyncio.gather(*leftover, return_exceptions=True)
            await self._feed.cancel_decoding()

    async def _feed_to_the_end(self) -> None:
        await self._feed.run()
        self._ending = self._ending or Ending.DONE

    async def _work(self) -> None:
        """Hand batches to the stage, one after the other."""
        while batch := await self._feed.batch():
            if not await self._budget.reserve(len(batch)):
                self._end(Ending.BUDGET)
                return
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
                self._keep(decoded, outcome, seconds)

    def _keep(self, decoded: Decoded, outcome: R | Exception, seconds: float) -> None:
        """Keep what came of one photo, and stop if the next would fare the same."""
        error = outcome if isinstance(outcome, Exception) else None
        if isinstance(outcome, UnaskedError) and not outcome.cost_usd:
            self._budget.charge(None, answered=False)
            return  # no record: the next run finds the photo as this run found it
        if isinstance(outcome, PhotoError):  # of a stage that reads photos by itself
            self._budget.charge(None, answered=False)
            self._feed.not_read(decoded.photo, outcome)
            return
        if decoded.loaded is None:
            self._feed.was_read()
        if isinstance(outcome, Exception):
            status = self._status_of(outcome)
            record = self._records.keep_failure(
                decoded.photo, outcome, status, decoded.loaded, seconds
            )
        else:
            record = outcome
            self._records.keep(record, decoded.photo)
        self._budget.charge(self._stage.usage(record).cost_usd, answered=error is None)
        try:
            self._stage.watch(error)
        except RunStopped as stop:
            self._fail(stop)

    def _status_of(self, error: Exception) -> Status:
        if isinstance(error, PictureError):
            return "error_corrupt"
        if isinstance(error, CallError):
            return "error_api"
        return self._stage.unexpected

    @property
    def unsettled(self) -> int:
        """Photos that are here and have no record on disk."""
        return self._feed.unsettled

    def add(self, photos: Iterable[Photo]) -> None:
        """Take on more photos."""
        self._feed.add(photos)

    def snapshot(self) -> Snapshot:
        """Return how far the job is."""
        self.progress.model = self._stage.model
        self.progress.loading = self._stage.loading
        self.progress.remarks = self._stage.remarks
        self.progress.trouble = self._stage.trouble or self._feed.trouble
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
            self._feed.wake()
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
        """Retry the photos of this job that failed at the backend; return how many there are."""
        if self._ending is not None:
            return 0
        again = self._records.take_failed()
        self._feed.add(again)
        return len(again)

    def _end(self, ending: Ending) -> None:
        if self._ending is not None:
            return
        self._ending = ending
        self.progress.state = "stopping"
        if ending is Ending.STOPPED:
            self._stage.stop_waiting()
        self._feed.end()
        self._resumed.set()
        self._budget.close()

    def _fail(self, error: BaseException) -> None:
        """End because of an error; without a journal, nothing in flight is worth waiting for."""
        if self._failure is None:
            self._failure = error
        self._end(Ending.STOPPED)
        if isinstance(error, JournalError):
            self.abort()

    def _settled(self, photos: int) -> None:
        self._feed.settled(photos)

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
