"""The stage that reads sizes: the header of each image, and not one pixel."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from backends.base import PictureSpec
from pipeline.datasets.side_records import SizeRecord
from pipeline.datasets.side_stage import SideStage
from pipeline.jobs.stage import Decoded
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import PhotoError
from pipeline.photos.photo import Photo

HEADERS_AT_ONCE = 64


class SizeStage(SideStage[SizeRecord]):
    """Asks the decoding processes for sizes.

    Args:
        input_dir: Where the images are.
        processes: Number of decoding processes.
    """

    name = "dimensions"
    record_type = SizeRecord
    workers = 2
    batch_size = HEADERS_AT_ONCE

    def __init__(self, input_dir: Path, processes: int) -> None:
        # A header needs no form of picture; a pool wants to know one all the same.
        self._pool = DecoderPool(input_dir, PictureSpec(max_edge=1), processes)

    async def open(self) -> None:
        """Start the decoding processes."""
        await self._pool.__aenter__()

    async def close(self) -> None:
        """End the decoding processes."""
        await self._pool.__aexit__(None, None, None)

    async def process(self, photos: Sequence[Decoded]) -> list[SizeRecord | Exception]:
        """Return the sizes of some images."""
        return await asyncio.gather(*(self._read(decoded.photo) for decoded in photos))

    async def _read(self, photo: Photo) -> SizeRecord | Exception:
        try:
            width, height = await self._pool.size(photo.path)
        except PhotoError as error:
            return error
        return self.record(photo, width=width, height=height)
