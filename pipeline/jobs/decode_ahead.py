"""Photos on their way to the workers: decoded ahead of need, twins held back, in batches.

`PhotoFeed` has photos decoded; `DecodedBuffer` bounds how many wait, and hands them out.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from journal import split_path
from pipeline.jobs.copies import Copies
from pipeline.jobs.errors import RunStopped
from pipeline.jobs.pending_records import PendingRecords
from pipeline.jobs.stage import Decoded, Stage
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import (
    CorruptImageError,
    PhotoError,
    PhotosDirMissing,
    StorageError,
)
from pipeline.photos.photo import LoadedPhoto, Photo

R = TypeVar("R", bound=msgspec.Struct)

log = logging.getLogger("pcc.job")


class _Marker(enum.Enum):
    """What stands between decoded photos."""

    DRAINED = "nothing more is being decoded: do not wait for a full batch"
    END = "no photo will come any more"


MOST_UNREAD_IN_A_ROW = 10
"""Photos that the storage fails to deliver, one after the other, before the job stops."""

PLACES_PER_DECODER = 2
"""Photos that are decoded, or on their way, for each decoding process: one is decoded while
another waits. More would only hold memory."""


def not_read_words(photos_dir: Path | str, path: str, error: CorruptImageError) -> str:
    """Return why a job stops for which the storage delivers no photo any more.

    Args:
        photos_dir: The photos directory.
        path: The last of the photos.
        error: What went wrong with it.
    """
    return (
        f"the photos cannot be read from {photos_dir} ({path}: {error}); they are left as they "
        "were: start the same command again once the storage answers"
    )


class DecodedBuffer:
    """Room for photos between decoding and the workers.

    A place is reserved before a photo is decoded. The place is free again when a worker
    takes the photo, or by `give_back` when no worker will.

    Args:
        workers: How many workers take batches.
        decoders: How many processes decode.
        resumed: While this event is not set, no photo is handed out.
    """

    def __init__(self, workers: int, decoders: int, resumed: asyncio.Event) -> None:
        self._workers = workers
        self._places = asyncio.Semaphore(PLACES_PER_DECODER * decoders)
        self._ready: asyncio.Queue[Decoded | _Marker] = asyncio.Queue()
        self._filling = asyncio.Lock()
        self._resumed = resumed
        self._ended = False

    async def reserve(self) -> None:
        """Wait for a place for one more photo."""
        await self._places.acquire()

    def give_back(self) -> None:
        """Free a reserved place that no photo will take."""
        self._places.release()

    def put(self, decoded: Decoded) -> None:
        """Put a photo in the place reserved for it."""
        self._ready.put_nowait(decoded)

    def drained(self) -> None:
        """Tell that nothing is being decoded, so a batch that is begun will not grow."""
        self._ready.put_nowait(_Marker.DRAINED)

    def end(self) -> None:
        """Hand out nothing any more."""
        self._ended = True
        for _ in range(self._workers):
            self._ready.put_nowait(_Marker.END)

    def make_room(self, places: int) -> None:
        """Add places: only a stage that is open knows how many photos it takes at once."""
        for _ in range(places):
            self._places.release()

    async def batch(self, most: int) -> list[Decoded]:
        """Return the next batch of at most so many photos; empty at the end."""
        async with self._filling:  # one batch at a time: a marker is for whoever fills
            batch: list[Decoded] = []
            while len(batch) < most:
                item = await self._ready.get()
                await self._resumed.wait()
                if self._ended or item is _Marker.END:
                    return []
                if isinstance(item, Decoded):
                    self._places.release()
                    batch.append(item)
                elif batch:
                    break
            return batch


class PhotoFeed(Generic[R]):
    """Decodes photos, a bounded number ahead of the workers.

    Args:
        stage: The stage that the workers hand the photos to.
        photos: What there is to do, in order.
        records: Takes the records of photos that no worker will see: broken ones and copies.
        copies: Knows identical files.
        photos_dir: The photos directory.
        decoders: Number of decoding processes.
        resumed: While this event is not set, no photo is taken or handed out.
        on_failure: Told of what ends the job.
        open_ended: Whether more photos may come, through `add`.

    Attributes:
        trouble: Which photos the storage could not deliver, None while all can be read.
    """

    def __init__(
        self,
        stage: Stage[R],
        photos: Iterable[Photo],
        records: PendingRecords[R],
        copies: Copies,
        *,
        photos_dir: Path,
        decoders: int,
        resumed: asyncio.Event,
        on_failure: Callable[[BaseException], None],
        open_ended: bool,
    ) -> None:
        self._stage = stage
        self._queue = deque(photos)
        self._records = records
        self._copies = copies
        self._photos_dir = photos_dir
        self._resumed = resumed
        self._on_failure = on_failure
        self._open_ended = open_ended
        needed = decoders if open_ended else max(1, min(decoders, len(self._queue)))
        self._decoders = (
            None if stage.picture is None else DecoderPool(photos_dir, stage.picture, needed)
        )
        self._buffer = DecodedBuffer(stage.workers, decoders, resumed)
        self._decoding: set[asyncio.Task[None]] = set()
        self._in_flight = 0
        self._unread = self._unread_in_a_row = 0
        self.trouble: str | None = None
        self._wake = asyncio.Event()
        self._ended = False

    def decoding(self) -> AbstractAsyncContextManager[object]:
        """Hold the decoding processes while the block runs."""
        return self._decoders or nullcontext()

    async def run(self) -> None:
        """Start the decoding of photos until nothing is left, or until told to end."""
        self._buffer.make_room(self._stage.workers * self._stage.batch_size)
        while not self._ended:
            if self._queue and self._resumed.is_set():
                await self._buffer.reserve()
                photo = self._queue.popleft()
                self._in_flight += 1
                task = asyncio.create_task(self._decode(photo))
                self._decoding.add(task)
                task.add_done_callback(self._decoded)
            elif self._queue or self._in_flight or self._open_ended:
                self._wake.clear()
                await self._wake.wait()
            else:
                break
        self._buffer.end()

    async def batch(self) -> list[Decoded]:
        """Return the next photos for the stage; an empty list at the end."""
        return await self._buffer.batch(self._stage.batch_size)

    @property
    def unsettled(self) -> int:
        """Photos that are here and have no record on disk."""
        return len(self._queue) + self._in_flight

    def add(self, photos: Iterable[Photo]) -> None:
        """Take on more photos."""
        self._queue.extend(photos)
        self._wake.set()

    def settled(self, photos: int) -> None:
        """Note that so many photos have got their record."""
        self._in_flight -= photos
        self._wake.set()

    def wake(self) -> None:
        """Look again whether there is something to do: a pause is over."""
        self._wake.set()

    def end(self) -> None:
        """Take no further photo, and hand none out."""
        self._ended = True
        self._buffer.end()
        self._wake.set()

    async def cancel_decoding(self) -> None:
        """Give up what is being decoded."""
        leftover = list(self._decoding)
        for task in leftover:
            task.cancel()
        await asyncio.gather(*leftover, return_exceptions=True)

    def _decoded(self, task: asyncio.Task[None]) -> None:
        self._decoding.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(error)
        if not self._queue and not self._decoding:
            self._buffer.drained()

    async def _decode(self, photo: Photo) -> None:
        """Decode one photo, and pass it on unless an identical one serves for both."""
        if self._decoders is None:
            self._buffer.put(Decoded(photo))
            return
        try:
            loaded = await self._decoders.decode(photo.path, self._stage.picture_of(photo))
        except PhotoError as error:
            self._buffer.give_back()
            self.not_read(photo, error)
        else:
            self.was_read()
            if self._has_twin(photo, loaded):
                self._buffer.give_back()
            else:
                self._buffer.put(Decoded(photo, loaded))

    def not_read(self, photo: Photo, error: PhotoError) -> None:
        """Keep a record of a photo that is damaged, and none where the photo is not to blame."""
        if isinstance(error, StorageError):
            self._pass_over(photo, error)
        elif not isinstance(error, CorruptImageError):
            self._on_failure(error)
        elif error.photos_gone:
            self._stop_without_photos()
        else:
            self._records.keep_failure(photo, error, "error_corrupt")

    def was_read(self) -> None:
        """Note that the storage delivers."""
        self._unread_in_a_row = 0

    def _stop_without_photos(self) -> None:
        gone = PhotosDirMissing(self._photos_dir, "it is empty or gone")
        self._on_failure(RunStopped(str(gone)))

    def _pass_over(self, photo: Photo, error: StorageError) -> None:
        """Leave a photo without a record, because the storage failed and not the photo.

        A job without an end has a queue that waits for an outcome, and tries again by itself.
        """
        if self._open_ended:
            self._records.keep_failure(photo, error, "error_corrupt")
            return
        self._unread += 1
        self._unread_in_a_row += 1
        rel_path = split_path(photo.path)[0]
        self.trouble = (
            f"photos that could not be read: {self._unread:,}, the last {rel_path} ({error})"
        )
        log.warning("unread", {"rel_path": rel_path, "error": str(error)})
        if error.photos_gone:
            self._stop_without_photos()
        elif self._unread_in_a_row >= MOST_UNREAD_IN_A_ROW:
            self._on_failure(RunStopped(not_read_words(self._photos_dir, rel_path, error)))
        self.settled(1)

    def _has_twin(self, photo: Photo, loaded: LoadedPhoto) -> bool:
        """Copy the record of an identical photo, or wait for that record; False without a twin."""
        record = self._copies.record_of(loaded.digest, self._stage)
        if record is None:
            return not self._copies.is_first(loaded.digest, photo)
        self._records.keep(self._stage.copied(record, photo), photo, is_copy=True)
        return True
