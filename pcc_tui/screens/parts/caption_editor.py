"""Captions written by hand on Review, and the edits of this session, which can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from journal import JournalError, record_key
from pcc_tui.dialogs.edit_caption import EditDialog
from pcc_tui.words.failures import failure_words
from pipeline.captions.catalogue import CatalogueEntry

if TYPE_CHECKING:
    from pcc_tui.screens.base import PccScreen


class Undo(msgspec.Struct, frozen=True):
    """An edit of this session, and how to take it back.

    Attributes:
        key: Key of the photo.
        rel_path: Path of the photo.
        raw_path: Base64 of the path's bytes where they are not UTF-8.
        before: The edit that the photo had before, None for the machine's caption.
        wrote: What this edit wrote, None where this edit took another back.
    """

    key: str
    rel_path: str
    raw_path: str | None
    before: str | None
    wrote: str | None


class CaptionEditor:
    """Asks for captions and writes them.

    Args:
        screen: The screen in front of which the dialog appears.
        edited: Shows that captions were edited; gets the key of the photo to go to, or None.
    """

    def __init__(self, screen: PccScreen, edited: Callable[[str | None], None]) -> None:
        self._screen = screen
        self._edited = edited
        self._undo: list[Undo] = []

    async def edit(self, key: str | None) -> None:
        """Ask for the caption of a photo."""
        entry = await self._screen.desks.captions.entry(key)
        if entry is not None:
            await self._ask(entry, entry.caption or "")

    async def _ask(self, entry: CatalogueEntry, text: str) -> None:
        def written(text: str | None) -> None:
            if text is not None and text != (entry.caption or ""):
                self._screen.carry_out(self._write, entry, text)

        await self._screen.app.push_screen(EditDialog(entry.record.rel_path, text), written)

    async def _write(self, entry: CatalogueEntry, text: str) -> None:
        record = entry.record
        new = text if text and text != record.caption else None
        try:
            await self._screen.desks.captions.edit(record.rel_path, record.raw_path, new)
        except (JournalError, OSError) as error:
            self._screen.pcc.tell(f"the edit is not saved: {failure_words(error)}", "error")
            await self._ask(entry, text)
            return
        key = record_key(record.rel_path, record.raw_path)
        self._undo.append(Undo(key, record.rel_path, record.raw_path, entry.edit, new))
        self._edited(None)

    async def take_last_back(self, key: str | None) -> None:
        """Take the last edit of this session back; without one, the edit of a photo."""
        edits = self._screen.desks.captions.catalogue.edits
        if self._undo:
            undo = self._undo[-1]
            if edits.texts.get(undo.key) != undo.wrote:
                self._undo.pop()
                words = f"{undo.rel_path} was edited elsewhere since; that edit stays"
                self._screen.pcc.tell(words)
                return
            await self._take_back(undo)
            self._undo.pop()
            return
        entry = await self._screen.desks.captions.entry(key)
        if key is None or entry is None or entry.edit is None:
            self._screen.pcc.tell("nothing to undo")
            return
        record = entry.record
        await self._take_back(Undo(key, record.rel_path, record.raw_path, None, entry.edit))

    async def _take_back(self, undo: Undo) -> None:
        await self._screen.desks.captions.edit(undo.rel_path, undo.raw_path, undo.before)
        self._edited(undo.key)
