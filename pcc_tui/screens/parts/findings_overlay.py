"""Which findings of the ingestion the Review screen draws over a photo and lists."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from pipeline.ingest.cache.findings import Findings
from pipeline.ingest.errors import CacheRefused

if TYPE_CHECKING:
    from pcc_tui.screens.base import PccScreen

REFRESH_SECONDS = 1.0
"""How soon the screen shows what a run finds."""


class Shown(NamedTuple):
    """Which findings the user wants to see."""

    boxes: bool
    texts: bool


CYCLE = (Shown(False, False), Shown(True, False), Shown(True, True), Shown(False, True))


class FindingsOverlay:
    """Switches findings on and off, and follows the cache while they are on.

    Args:
        screen: The screen that shows the findings.
        changed: Shows the photo in sight again.

    Attributes:
        shown: Which findings the user wants to see now; none at first.
    """

    def __init__(self, screen: PccScreen, changed: Callable[[], None]) -> None:
        self.shown = CYCLE[0]
        self._screen = screen
        self._changed = changed

    @property
    def on(self) -> bool:
        """Whether the user wants to see any findings."""
        return any(self.shown)

    @property
    def reading(self) -> bool:
        """Whether the cache is still being read for the first time."""
        return self._screen.desks.findings.reading

    async def switch(self) -> None:
        """Show the next of boxes, boxes and text, text, nothing."""
        try:
            there = await self._screen.desks.findings.open()
        except CacheRefused as error:
            self._screen.pcc.tell(str(error), "warning")
            return
        if not there:
            words = "Nothing was looked for in the photos yet; ingest in Datasets (6) does"
            self._screen.pcc.tell(words, "warning")
            return
        was_on = self.on
        self.shown = CYCLE[(CYCLE.index(self.shown) + 1) % len(CYCLE)]
        self._changed()
        if not was_on:
            self._screen.background("findings", self._follow)

    async def _follow(self) -> None:
        """Take in what a run writes, while somebody looks."""
        while self.on:
            if self._screen.is_current and await self._screen.desks.findings.read_news():
                self._changed()
            await asyncio.sleep(REFRESH_SECONDS)

    async def of(self, key: str | None) -> Findings | None:
        """Return what was found in a photo, None if nothing is known or is to be shown."""
        return await self._screen.desks.findings.of(key) if self.on and key is not None else None
