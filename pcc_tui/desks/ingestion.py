"""The ingestion of a workspace: how far each stage is, what waits, and the queue's switch."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from pcc_tui.desks.photos import PhotosDesk
from pcc_tui.workspace import Workspace
from pipeline.ingest.cache.asked import Asked, read_asked
from pipeline.ingest.cache.manifest import manifest_path, read_manifest, require_ours
from pipeline.ingest.cache.records import STAGES, StageName
from pipeline.ingest.cache.store import Cache
from pipeline.ingest.errors import QueueUnusable
from pipeline.ingest.queue.base import Counts
from pipeline.ingest.queue.opening import SQLITE_FILE, open_queue
from pipeline.photos.photo import photo_key

if TYPE_CHECKING:
    from pipeline.ingest.queue.base import WorkQueue
    from pipeline.ingest.status import IngestStatus


class StageCounts(msgspec.Struct):
    """How far a stage has come with the photos that are there.

    Attributes:
        done: Photos that went through the stage.
        failed: Photos on which the stage failed; they are not counted as done.
        missing: Photos without an outcome.
    """

    done: int = 0
    failed: int = 0
    missing: int = 0


class Ingested(msgspec.Struct):
    """How the ingestion of a workspace stands.

    Attributes:
        there: Whether there is a cache.
        stages: How far each stage has come, by name.
    """

    there: bool
    stages: dict[StageName, StageCounts]


class IngestionDesk:
    """Counts what the cache of a workspace has, and switches its queue.

    Args:
        workspace: The workspace.
        photos: The desk that knows which photos there are.
    """

    def __init__(self, workspace: Workspace, photos: PhotosDesk) -> None:
        self._directory = workspace.cache
        self._workspace = workspace
        self._photos = photos
        self._cache = Cache(workspace.cache)
        self._turn = threading.Lock()

    async def count(self, *, walk: bool = True) -> Ingested:
        """Return how the ingestion stands.

        Args:
            walk: Whether to look for new photos.

        Raises:
            CacheRefused: the cache is of another form.
            PhotosDirMissing: the photos directory cannot be read.
        """
        place = self._workspace.photos_dir
        if place is None:
            return await asyncio.to_thread(self._count, [])
        walked = await self._photos.library(place, again=walk)
        return await asyncio.to_thread(self._count, walked.paths)

    def _count(self, paths: list[str]) -> Ingested:
        if not manifest_path(self._directory).exists():
            empty = {stage: StageCounts(missing=len(paths)) for stage in STAGES}
            return Ingested(there=False, stages=empty)
        with self._turn:  # one thread at a time refreshes
            require_ours(self._directory, read_manifest(self._directory))
            self._cache.outcomes.refresh()
        keys = [photo_key(path) for path in paths]
        counted = {}
        for stage in STAGES:
            of = self._cache.outcomes.of
            by_status = Counter(one and one.status for one in (of(key, stage) for key in keys))
            done, missing = by_status["success"], by_status[None]
            counted[stage] = StageCounts(done, len(keys) - done - missing, missing)
        return Ingested(there=True, stages=counted)

    async def counts(self) -> Counts | None:
        """Return how many items the queue holds in each state, None where there is no queue yet.

        Raises:
            CacheRefused: there is no cache.
            QueueLost: the queue failed.
            QueueUnusable: the queue cannot be opened.
        """

        def look() -> Counts | None:
            if _address() == "sqlite" and not (self._directory / SQLITE_FILE).exists():
                return None
            with self._queue() as queue:
                return queue.counts()

        return await asyncio.to_thread(look)

    async def status(self) -> IngestStatus:
        """Return what `pcc ingest status` shows.

        Raises:
            CacheRefused: there is no cache, or one of another form.
            QueueLost: the queue failed.
            QueueUnusable: the queue cannot be opened.
        """

        def look() -> IngestStatus:
            from pipeline.ingest.status import status_of

            with self._queue() as queue:
                return status_of(self._directory, queue)

        return await asyncio.to_thread(look)

    async def asked(self) -> Asked:
        """Return what the last ingestion was told."""
        place = self._workspace
        return await asyncio.to_thread(
            read_asked, self._directory, place.path, place.settings.photos_dir
        )

    async def switch_queue(self) -> bool:
        """Pause the queue, or let a paused queue go on; tell whether the queue is paused now.

        Raises:
            CacheRefused: there is no cache.
            QueueLost: the queue failed.
            QueueUnusable: the queue cannot be opened.
        """

        def switch() -> bool:
            with self._queue() as queue:
                paused = queue.paused
                (queue.resume if paused else queue.pause)()
                return not paused

        return await asyncio.to_thread(switch)

    @contextmanager
    def _queue(self) -> Iterator[WorkQueue]:
        """Open the queue that `pcc ingest` would open."""
        cache_id = read_manifest(self._directory).cache_id
        try:
            queue = open_queue(_address(), self._directory, cache_id)
        except ValueError as error:
            raise QueueUnusable(str(error)) from None
        try:
            yield queue
        finally:
            queue.close()


def _address() -> str:
    """Return the address of the queue that `pcc ingest` opens where no flag names one."""
    return os.environ.get("PCC_QUEUE") or "sqlite"
