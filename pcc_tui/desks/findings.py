"""What ingestion found in each photo, read from its cache while somebody looks at it."""

from __future__ import annotations

import asyncio
import threading

from pcc_tui.workspace import Workspace
from pipeline.ingest.cache.findings import Findings, FindingsIndex
from pipeline.ingest.cache.manifest import manifest_path, read_manifest, require_ours


class FindingsDesk:
    """Tells what was found in a photo, once its cache has been opened.

    Args:
        workspace: The workspace.

    Attributes:
        reading: Whether the cache is still being read for the first time.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.reading = True
        self._cache = workspace.cache
        self._index: FindingsIndex | None = None
        self._turn = threading.Lock()

    async def open(self) -> bool:
        """Open the cache; tell whether there is one.

        Raises:
            CacheRefused: the cache is of another form.
        """
        if self._index is None:
            self._index = await asyncio.to_thread(self._open)
        return self._index is not None

    def _open(self) -> FindingsIndex | None:
        if not manifest_path(self._cache).exists():
            return None
        require_ours(self._cache, read_manifest(self._cache))
        return FindingsIndex(self._cache)

    async def read_news(self) -> bool:
        """Take in what a run has written; tell whether a photo may look different now."""
        return await asyncio.to_thread(self._read_news)

    def _read_news(self) -> bool:
        assert self._index is not None
        with self._turn:  # a call that nobody waits for any longer may still be reading
            news = self._index.refresh() or self.reading
            self.reading = False
        return news

    async def of(self, key: str) -> Findings | None:
        """Return what was found in a photo, None if nothing is known."""
        return None if self._index is None else await asyncio.to_thread(self._index.of, key)
