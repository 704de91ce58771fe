"""The step of a job that makes shards: images are decoded in parallel and written in order."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from backends.base import Picture
from pipeline.datasets.shards.samples import Candidate, LiveRecords
from pipeline.datasets.shards.writer import ShardWriter
from pipeline.jobs.async_step import AsyncStep
from pipeline.jobs.decode_ahead import MOST_UNREAD_IN_A_ROW, not_read_words
from pipeline.jobs.errors import RunStopped
from pipeline.jobs.pause_point import GivenUp
from pipeline.jobs.progress import Progress
from pipeline.jobs.stage import Usage
from pipeline.jobs.step import Ending
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import CorruptImageError, PhotosDirMissing, StorageError
from pipeline.photos.exporting import AS_IT_IS, EXPORT
from pipeline.photos.photo import LoadedPhoto
from pipeline.photos.walk import JPEG_SUFFIXES, PHOTO_SUFFIXES, is_empty_or_gone

log = logging.getLogger("pcc.run")

AHEAD = 3
"""Images for each decoding process that are under way or wait for their turn."""

MOST_BYTES_AHEAD = 128 << 20
"""Bytes of the files under way; a single larger file is let through."""

COUNT_SECONDS = 0.05
NAMED = 1000
"""Names of each kind that are kept for the report and the log."""

Decoding = asyncio.Task[LoadedPhoto]


class _Flying(NamedTuple):
    """A candidate, and its image on the way unless it has none."""

    candidate: Candidate
    decoding: Decoding | None


class ShardStep(AsyncStep):
    """Makes the shards that are missing. A step that is stopped gives up the shard under way.

    Args:
        writer: Takes the samples.
        live: The records.
        keep_metadata: Whether images stay the files they are.
        decoders: Number of processes that decode.
        progress: Where to count.

    Attributes:
        named: Images and lines that were passed over, by reason; at most `NAMED` of each.
    """

    def __init__(
        self,
        writer: ShardWriter,
        live: LiveRecords,
        *,
        keep_metadata: bool,
        decoders: int,
        progress: Progress,
    ) -> None:
        super().__init__(progress)
        self.named: dict[str, list[str]] = {}
        self._writer = writer
        self._live = live
        self._spec = AS_IT_IS if keep_metadata else EXPORT
        self._decoders = decoders
        self._flying: deque[_Flying] = deque()
        self._uncounted: list[Usage] = []
        self._counted_at = 0.0
        self._unread_in_a_row = 0

    async def run(self) -> Ending:
        """Make the shards.

        Raises:
            DiskFull: the room ran out; whole shards stay.
            OtherShards: somebody changed the dataset meanwhile.
            PhotosDirMissing: the images are gone, all of them.
            RunStopped: the storage fails; whole shards stay.
            DecoderUnavailable: no decoding process can be started.
        """
        self.progress.begin()
        root = Path(self._live.input_dir)
        try:
            async with DecoderPool(root, self._spec, self._decoders) as pool:
                await self._write_all(pool)
            await asyncio.to_thread(self._writer.finish)
        except GivenUp:
            return Ending.STOPPED
        finally:
            await asyncio.to_thread(self._writer.abandon)
            self._count()
            self.progress.finish()
        return Ending.DONE

    async def _write_all(self, pool: DecoderPool) -> None:
        try:
            for candidate in self._candidates():
                while self._flying and self._is_full(candidate):
                    await self._take()
                await self._go_on()
                decoding = None
                if candidate.fault is None:
                    decoding = asyncio.create_task(pool.decode(candidate.path))
                self._flying.append(_Flying(candidate, decoding))
            while self._flying:
                await self._take()
        finally:
            waiting = [each.decoding for each in self._flying if each.decoding is not None]
            for decoding in waiting:
                decoding.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _candidates(self) -> Iterator[Candidate]:
        return self._live.candidates(self._writer.index.line)

    def _is_full(self, candidate: Candidate) -> bool:
        waiting = sum(each.candidate.image_bytes for each in self._flying)
        full = len(self._flying) >= AHEAD * self._decoders
        return full or waiting + candidate.image_bytes > MOST_BYTES_AHEAD

    async def _take(self) -> None:
        """Wait for the oldest image and write its sample."""
        await self._go_on()
        candidate, decoding = self._flying[0]
        reason, cause, picture = candidate.fault, candidate.fault, None
        if decoding is not None:
            try:
                picture = (await decoding).picture
                self._unread_in_a_row = 0
            except CorruptImageError as error:
                reason, cause = "broken", str(error)
                self._judge_storage(candidate.path, error)
            except asyncio.CancelledError:
                if self._stopping:
                    raise GivenUp from None
                raise
        self._flying.popleft()
        if picture is None:
            self._skip(candidate, reason or "", cause or "")
        else:
            await self._add(candidate, picture)

    def _judge_storage(self, path: str, error: CorruptImageError) -> None:
        """Write no shards without pictures because a share is gone.

        Raises:
            PhotosDirMissing: the images are gone, all of them.
            RunStopped: the storage delivered none of the last images.
        """
        if error.photos_gone:
            raise PhotosDirMissing(self._live.input_dir, "it is empty or gone")
        self._unread_in_a_row += isinstance(error, StorageError)
        if self._unread_in_a_row >= MOST_UNREAD_IN_A_ROW:
            raise RunStopped(not_read_words(self._live.input_dir, path, error))

    async def _add(self, candidate: Candidate, picture: Picture) -> None:
        suffix = suffix_of(candidate.path, picture)
        fault = await asyncio.to_thread(self._writer.add, candidate, picture.data, suffix)
        if fault is not None:
            self._name(f"patches {fault}", candidate, fault)
        self._uncounted.append(Usage(candidate.path, "success", ""))
        if time.monotonic() - self._counted_at >= COUNT_SECONDS:
            self._count()

    def _skip(self, candidate: Candidate, reason: str, cause: str) -> None:
        if reason == "missing" and is_empty_or_gone(Path(self._live.input_dir)):
            raise PhotosDirMissing(self._live.input_dir)
        self._writer.skip(candidate, reason)
        self._name(reason, candidate, cause)
        self._uncounted.append(Usage(candidate.path, "error_corrupt", cause))

    def _name(self, reason: str, candidate: Candidate, cause: str) -> None:
        names = self.named.setdefault(reason, [])
        image = candidate.record.image_path
        if len(names) < NAMED:
            log.warning(reason, {"line": candidate.line, "image": image, "cause": cause})
            names.append(f"line {candidate.line:,}" if reason == "unreadable" else image)

    def _count(self) -> None:
        """Count what was written since the last time: the progress wants few large steps."""
        if self._uncounted:
            self.progress.add(self._uncounted)
        self._uncounted, self._counted_at = [], time.monotonic()

    def stop(self) -> None:
        """Give up the shard under way, and what is decoded for it."""
        super().stop()
        for each in self._flying:
            if each.decoding is not None:
                each.decoding.cancel()


def suffix_of(path: str, picture: Picture) -> str:
    """Return what the name of an image in a shard ends in, without the dot.

    A file that stays as it is keeps its own ending, but only one of images: another
    could be that of the record or of the patches.
    """
    if picture.encoding != "file":
        return "png" if picture.encoding == "png" else "jpg"
    suffix = Path(path).suffix.lower().removeprefix(".")
    return "jpg" if suffix in JPEG_SUFFIXES or suffix not in PHOTO_SUFFIXES else suffix
