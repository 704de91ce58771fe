"""The step of a job that makes a synthetic set."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from journal import NO_SPACE, DiskFull, atomic_rewrite, free_bytes, what_failed
from pipeline.jobs.async_step import AsyncStep
from pipeline.jobs.pause_point import GivenUp
from pipeline.jobs.progress import Progress
from pipeline.jobs.step import Ending
from pipeline.synth.archive import IMAGES, LABELS, SplitFile
from pipeline.synth.drawing import images_of, labels_of
from pipeline.synth.errors import SynthError
from pipeline.synth.metadata import METADATA, encode_metadata, make_metadata
from pipeline.synth.staging import publish, staging
from pipeline.synth.train_val_test import Split, splits_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.uint8]


LEAST_SECONDS = 0.05
"""Time between two counts. The progress keeps a limited number, which must cover ten seconds."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What to make, and with how much at once.

    Attributes:
        num_images: Number of images of the set.
        seed: Seed that decides every image.
        workers: Number of threads that draw.
        chunk_size: Number of images that a thread draws at a time.
    """

    num_images: int
    seed: int
    workers: int
    chunk_size: int


class ImageProgress(Progress):
    """A progress whose unit is an image of a set."""

    def count(self, images: int) -> None:
        """Count images that are written."""
        now = self._active_seconds()
        self.by_status["success"] += images
        if self._recent and now - self._recent[-1][0] < LEAST_SECONDS:
            began, before = self._recent.pop()
            self._recent.append((began, before + images))
        else:
            self._recent.append((now, images))


class GenerateStep(AsyncStep):
    """Draws chunks on threads and writes them in order. A step that is stopped leaves nothing.

    Args:
        recipe: What to make.
        targets: Yields the directories that the set may become, all in one parent; the first
            that is free at the end is taken.
        progress: Where to count.

    Attributes:
        directory: Directory of the set, None until the set is there.
    """

    def __init__(
        self, recipe: Recipe, targets: Callable[[], Iterator[Path]], progress: ImageProgress
    ) -> None:
        super().__init__(progress)
        self._images = progress
        self.directory: Path | None = None
        self._recipe = recipe
        self._targets = targets

    async def run(self) -> Ending:
        """Make the set.

        Raises:
            DatasetExists: somebody made the directory meanwhile.
            DiskFull: the room ran out.
            SynthError: the set cannot be written.
        """
        self.progress.begin()
        pool = ThreadPoolExecutor(self._recipe.workers, thread_name_prefix="draw")
        target = next(self._targets())
        try:
            with staging(target) as folder:
                await self._make(folder, pool)
        except GivenUp:
            return Ending.STOPPED
        except OSError as error:
            if error.errno in NO_SPACE:
                raise DiskFull(target, 0, free_bytes(target.parent)) from error
            raise SynthError(f"{target} cannot be written: {what_failed(error)}") from error
        finally:
            pool.shutdown(cancel_futures=True)
            self.progress.finish()
        return Ending.DONE

    async def _make(self, folder: Path, pool: ThreadPoolExecutor) -> None:
        recipe, checksums = self._recipe, {}
        for split in splits_of(recipe.num_images):
            with SplitFile(folder / split.file_name, split.size) as file:
                await self._write(file, split, pool)
                checksums[split.file_name] = await asyncio.to_thread(file.finish)
        metadata = make_metadata(recipe.num_images, recipe.seed, checksums)
        with atomic_rewrite(folder / METADATA) as metadata_file:
            metadata_file.write(encode_metadata(metadata))
        await self._go_on()
        self.directory = await asyncio.to_thread(publish, folder, self._targets())

    async def _write(self, file: SplitFile, split: Split, pool: ThreadPoolExecutor) -> None:
        """Write a split: all labels first, which are quickly made, then the images."""
        recipe, loop = self._recipe, asyncio.get_running_loop()
        for member, draw in ((LABELS, labels_of), (IMAGES, images_of)):
            file.begin(member)
            flying: deque[asyncio.Future[Rows]] = deque()
            for span in split.spans(recipe.chunk_size):
                await self._go_on()
                flying.append(loop.run_in_executor(pool, draw, recipe.seed, split, *span))
                if len(flying) > recipe.workers:
                    await self._take(file, member, flying.popleft())
            while flying:
                await self._take(file, member, flying.popleft())

    async def _take(self, file: SplitFile, member: str, drawn: asyncio.Future[Rows]) -> None:
        rows = await drawn
        await asyncio.to_thread(file.write, rows)
        if member == IMAGES:
            self._images.count(len(rows))
