"""Which photos a list shows: all of them, or what a query finds; and queries made by key."""

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
"""How soon a list of what was found follows a growing journal."""

STATUS_CYCLE = ("", "error", "success")


class PhotoSearch:
    """Fills the list of a screen.

    Args:
        screen: It has a `PhotoList`, an input `#query` and words `#where`.
        listed: Says how many there are.

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
            self._list.show(self._screen.session.catalogue.keys, self._kept)
            self._kept = None
            self._listed()
        elif self._selecting:
            self._select_again = True
        else:
            self._screen.background("select", self._select)

    def look_for(self, query: Query) -> None:
        """Show what another query finds; until that is known, nothing can be marked by mistake."""
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
        session = self._screen.session
        self._screen.query_one("#where", Words).say("Searching …", "dim")
        pieces = session.catalogue.select(self.query, frozenset(session.marked))
        rows: list[str] = []
        while (piece := await session.read(next, pieces, None)) is not None:
            rows += piece
        self._list.show(rows, self._kept)
        self._kept = None
        self._listed()

    def ask(self, query: Query) -> None:
        """Write a query where people write theirs, and show what it finds."""
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
        session = self._screen.session
        made = await session.read(session.catalogue.index.totals)
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
