"""What ingestion found in the photos of a screen: read from the cache when one asks to see it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pipeline.ingest.cache.findings import Findings, FindingsIndex
from pipeline.ingest.cache.manifest import manifest_path, read_manifest, require_ours
from pipeline.ingest.errors import CacheRefused

if TYPE_CHECKING:
    from pcc_tui.screens.base import PccScreen

REFRESH_SECONDS = 1.0
"""How soon what a run finds is seen."""


class Shown(NamedTuple):
    """What of the findings is to be seen."""

    boxes: bool
    texts: bool


CYCLE = (Shown(False, False), Shown(True, False), Shown(True, True), Shown(False, True))


class Overlaying:
    """Which findings are shown, and where they come from.

    Args:
        screen: Where they are shown; it tells what stands in the way.
        changed: Shows the photo in sight again.

    Attributes:
        shown: What is to be seen now; nothing at first.
        reading: Whether the cache is still read for the first time.
    """

    def __init__(self, screen: PccScreen, changed: Callable[[], None]) -> None:
        self.shown = CYCLE[0]
        self.reading = True
        self._screen = screen
        self._changed = changed
        self._index: FindingsIndex | None = None
        self._turn = threading.Lock()

    @property
    def on(self) -> bool:
        """Whether anything is to be seen."""
        return any(self.shown)

    async def switch(self) -> None:
        """Show the next of boxes, boxes and text, text, nothing."""
        if self._index is None:
            self._index = await asyncio.to_thread(self._open)
        if self._index is None:
            return
        was_on = self.on
        self.shown = CYCLE[(CYCLE.index(self.shown) + 1) % len(CYCLE)]
        self._changed()
        if not was_on:
            self._screen.background("findings", self._follow)

    def _open(self) -> FindingsIndex | None:
        cache = self._screen.session.workspace / "cache"
        if not manifest_path(cache).exists():
            words = "Nothing was looked for in the photos yet; ingest in Datasets (6) does"
            self._tell(words)
            return None
        try:
            require_ours(cache, read_manifest(cache))
        except CacheRefused as error:
            self._tell(str(error))
            return None
        return FindingsIndex(cache)

    def _tell(self, words: str) -> None:
        self._screen.app.call_from_thread(self._screen.pcc.tell, words, "warning")

    async def _follow(self) -> None:
        """Take in what a run writes, while one looks."""
        while self.on:
            if self._screen.is_current and await asyncio.to_thread(self._refresh):
                self._changed()
            await asyncio.sleep(REFRESH_SECONDS)

    def _refresh(self) -> bool:
        """Read what is new; tell whether the photo in sight may look different now."""
        assert self._index is not None
        with self._turn:  # whom one no longer waits for may still be reading
            news = self._index.refresh() or self.reading
            self.reading = False
        return news

    async def of(self, key: str | None) -> Findings | None:
        """Return what was found in a photo, None if nothing is known or to be shown."""
        if key is None or self._index is None or not self.on:
            return None
        return await asyncio.to_thread(self._index.of, key)
