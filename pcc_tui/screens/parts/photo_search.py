"""Which photos the list of Review shows: all of them, or what a query finds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from textual.widgets import Input

from pcc_tui.widgets.photo_list import PhotoList
from pcc_tui.widgets.text import Words
from pipeline.captions.plan import Made
from pipeline.captions.query import Query, fits_query

if TYPE_CHECKING:
    from pcc_tui.screens.base import PccScreen

TYPING_SECONDS = 0.15

SELECT_AGAIN_SECONDS = 2.0
"""How soon the list of what was found follows a growing journal."""

STATUS_CYCLE = ("", "error", "success")


class PhotoSearch:
    """Fills the list of a screen, by the query that one types or makes by keys.

    Args:
        screen: The screen; it has a `PhotoList`, an input `#query` and words `#where`.
        listed: Says how many photos the list has.

    Attributes:
        query: What the list is to show.
    """

    def __init__(self, screen: PccScreen, listed: Callable[[], None]) -> None:
        self.query = Query()
        self._screen = screen
        self._listed = listed
        self._kept: str | None = None
        self._selecting = self._select_again = False

    @property
    def _list(self) -> PhotoList:
        return self._screen.query_one(PhotoList)

    def catch_up(self) -> None:
        """Show what the journal has now."""
        if self.query == Query():
            self._list.show(self._screen.desks.captions.catalogue.keys, self._kept)
            self._kept = None
            self._listed()
        elif self._selecting:
            self._select_again = True
        else:
            self._screen.background("select", self._select)

    def look_for(self, query: Query) -> None:
        """Show what another query finds; the list is empty meanwhile, so that nothing is marked."""
        if query == self.query:
            return
        self.query = query
        self._kept = self._list.current or self._kept
        self._list.show(())
        if query == Query():
            self._screen.workers.cancel_group(self._screen, "select")
            self.catch_up()
        else:
            self._screen.background("select", self._select, TYPING_SECONDS)

    async def _select(self, wait: float = 0.0) -> None:
        """Find what the query asks for, and again if the journal grew meanwhile."""
        self._selecting = True
        try:
            await asyncio.sleep(wait)
            await self._find()
            while self._select_again:
                self._select_again = False
                await asyncio.sleep(SELECT_AGAIN_SECONDS)
                await self._find()
        finally:
            self._selecting = False

    async def _find(self) -> None:
        """Show what the query finds; a piece at a time, so that another query may come."""
        captions = self._screen.desks.captions
        self._screen.query_one("#where", Words).say("Searching …", "dim")
        pieces = captions.catalogue.select(self.query, frozenset(captions.marked))
        rows: list[str] = []
        while (piece := await captions.read(next, pieces, None)) is not None:
            rows += piece
        self._list.show(rows, self._kept)
        self._kept = None
        self._listed()

    def ask(self, query: Query) -> None:
        """Write a query where people type theirs, and show what the query finds."""
        self._screen.query_one("#query", Input).value = str(query)
        self.look_for(query)

    def cycle_status(self) -> None:
        """Ask for errors alone, successes alone, everything."""
        status = _after(self.query.status, STATUS_CYCLE)
        self.ask(msgspec.structs.replace(self.query, status=status))

    async def cycle(self, field: str) -> None:
        """Ask for the next backend or year that the journal has.

        Args:
            field: `backend` or `date`.
        """
        captions = self._screen.desks.captions
        made = await captions.read(captions.catalogue.index.totals)
        found = {_value(group, field) for group in made}
        values = ("", *sorted(value for value in found if fits_query(value)))
        value = _after(getattr(self.query, field), values)
        self.ask(msgspec.structs.replace(self.query, **{field: value}))


def _after(value: str, values: tuple[str, ...]) -> str:
    """Return the value that follows in a cycle; the second one after an unknown value."""
    place = values.index(value) if value in values else 0
    return values[(place + 1) % len(values)]


def _value(made: Made, field: str) -> str:
    return (made.backend or "") if field == "backend" else (made.month or "")[:4]
