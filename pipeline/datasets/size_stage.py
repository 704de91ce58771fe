"""The stage that reads sizes: the header of each image, and not one pixel."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from backends.base import PictureSpec
from journal import Status, split_path
from pipeline.datasets.side_records import SizeRecord, now
from pipeline.jobs.errors import RunStopped, describe
from pipeline.jobs.stage import Decoded, FailedAttempt, SoloStage, Usage
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import CorruptImageError, DecoderUnavailable, PhotosDirMissing
from pipeline.photos.geometry import Size
from pipeline.photos.photo import Photo
from pipeline.photos.walk import is_empty_or_gone

HEADERS_AT_ONCE = 64


class SizeStage(SoloStage[SizeRecord]):
    """Asks the decoding processes for sizes.

    Args:
        input_dir: Where the images are.
        processes: Decoding processes.
    """

    name = "dimensions"
    record_type = SizeRecord
    picture: PictureSpec | None = None
    workers = 2
    unexpected: Status = "error_model"
    batch_size = HEADERS_AT_ONCE

    def __init__(self, input_dir: Path, processes: int) -> None:
        # A header needs no form of picture; a pool wants to know one all the same.
        self._input_dir = input_dir
        self._pool = DecoderPool(input_dir, PictureSpec(max_edge=1), processes)

    async def open(self) -> None:
        """Start the decoding processes."""
        await self._pool.__aenter__()

    async def close(self) -> None:
        """End them."""
        await self._pool.__aexit__(None, None, None)

    async def process(self, photos: Sequence[Decoded]) -> list[SizeRecord | Exception]:
        """Return the sizes of some images."""
        return await asyncio.gather(*(self._read(decoded.photo) for decoded in photos))

    async def _read(self, photo: Photo) -> SizeRecord:
        try:
            size = await self._pool.size(photo.path)
        except CorruptImageError as error:
            if is_empty_or_gone(self._input_dir):
                raise PhotosDirMissing(self._input_dir, "it is empty or gone") from None
            return self._record(photo, "error_corrupt", error=describe(error))
        return self._record(photo, "success", size=size)

    def _record(
        self,
        photo: Photo,
        status: Status,
        *,
        size: Size | None = None,
        error: str | None = None,
    ) -> SizeRecord:
        rel_path, raw_path = split_path(photo.path)
        width, height = size or (None, None)
        return SizeRecord(
            rel_path=rel_path,
            raw_path=raw_path,
            status=status,
            at=now(),
            width=width,
            height=height,
            error=error,
        )

    def failed(self, failure: FailedAttempt) -> SizeRecord:
        """Return the record of an image without a size."""
        return self._record(failure.photo, failure.status, error=failure.error)

    def usage(self, record: SizeRecord) -> Usage:
        """Return what to show of a size."""
        text = record.error or f"{record.width} x {record.height}"
        return Usage(record.rel_path, record.status, text, raw_path=record.raw_path)

    def watch(self, error: Exception | None) -> None:
        """Stop where no decoding process starts; a broken header says nothing of the next.

        Raises:
            RunStopped: none starts, or all images are gone.
        """
        if isinstance(error, (DecoderUnavailable, PhotosDirMissing)):
            raise RunStopped(str(error))
