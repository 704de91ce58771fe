"""Captions beside their photos: find, mark, retry, edit, copy."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input

from backends.keys import scrub
from pcc_tui.dialogs.choose_backend import ChooseBackend
from pcc_tui.screens.base import PccScreen
from pcc_tui.screens.parts.caption_editor import CaptionEditor
from pcc_tui.screens.parts.findings_overlay import FindingsOverlay
from pcc_tui.screens.parts.photo_search import PhotoSearch
from pcc_tui.widgets.entry_view import EntryView
from pcc_tui.widgets.findings import FindingsView
from pcc_tui.widgets.overlay import Overlay, overlay_of
from pcc_tui.widgets.photo_list import ListRow, PhotoList, in_order
from pcc_tui.widgets.photo_row import photo_row
from pcc_tui.widgets.picture import PictureBox
from pcc_tui.widgets.text import Words, clean_lines
from pipeline.captions.plan import Selection
from pipeline.captions.query import Query
from pipeline.ingest.cache.findings import Findings

STAY_SECONDS = 0.04
"""How long the cursor must stay: a held key passes over photos without reading them."""


class ReviewScreen(PccScreen):
    """The list of the library, and the photo under the cursor."""

    MODE = "review"
    AUTO_FOCUS = "#photos"
    BINDINGS: ClassVar[list[BindingType]] = in_order(
        Binding("slash", "search", "Search", key_display="/", id="review.search"),
        Binding("f", "cycle_status", "Errors/all", id="review.status"),
        Binding("b", "cycle_backend", "By backend", show=False, id="review.backend"),
        Binding("d", "cycle_year", "By year", show=False, id="review.year"),
        Binding("a", "show_all", "Show all", show=False, id="review.all"),
        Binding("n", "next_error(1)", "Next error", id="review.next_error"),
        Binding("N", "next_error(-1)", "Previous error", show=False, id="review.previous_error"),
        Binding("m", "mark", "Mark", id="review.mark"),
        Binding("M", "mark_all", "Mark all shown", show=False, id="review.mark_all"),
        Binding("x", "unmark_all", "Clear marks", show=False, id="review.unmark_all"),
        Binding("r", "retry", "Retry", id="review.retry"),
        Binding("R", "retry_with", "Retry with …", show=False, id="review.retry_with"),
        Binding("e", "edit", "Edit", id="review.edit"),
        Binding("u", "undo", "Undo", id="review.undo"),
        Binding("o", "overlay", "Boxes", id="review.overlay"),
        Binding("c", "copy", "Copy", id="review.copy"),
        Binding(
            "escape,enter",
            "focus_list",
            "Back to the list",
            show=False,
            id="review.list",
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        self._search = PhotoSearch(self, self._show_where)
        self._editor = CaptionEditor(self, self.show_edited)
        self._overlay = FindingsOverlay(self, self._show_entry)

    def compose_body(self) -> ComposeResult:
        """Lay out list, picture and caption."""
        with Horizontal(id="review"):
            with Vertical(id="left"):
                yield Input(
                    placeholder="/ words status:error date:2024 is:edited",
                    select_on_focus=False,
                    id="query",
                )
                yield PhotoList(self._row, id="photos")
                yield Words(id="where")
            with Vertical(id="right"):
                yield PictureBox(self.pcc.image_widget, "picture")
                with VerticalScroll(id="findings-scroll", can_focus=True):
                    yield FindingsView(id="findings")
                with VerticalScroll(id="entry-scroll", can_focus=True):
                    yield EntryView(id="entry")

    @property
    def _list(self) -> PhotoList:
        return self.query_one(PhotoList)

    # The list

    def _row(self, key: str) -> ListRow:
        catalogue, marked = self.desks.captions.catalogue, self.desks.captions.marked
        edited = key in catalogue.edits.texts
        return photo_row(key, catalogue.made(key), marked=key in marked, edited=edited)

    def show_catalogue(self) -> None:
        """Show new photos; the photo in sight may have a new caption too."""
        self._search.catch_up()
        self._show_entry()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        self._search.look_for(Query.parse(event.value))

    def on_photo_list_moved(self) -> None:
        """Show the photo under the cursor."""
        self._show_where()
        self._show_entry()

    def _show_where(self) -> None:
        photos = self._list
        total = len(photos.rows)
        marked = len(self.desks.captions.marked)
        words = f"{min(photos.cursor + 1, total):,} of {total:,}"
        if self._search.query != Query():
            words += f" found in {len(self.desks.captions.catalogue.keys):,}"
        self.query_one("#where", Words).update(words + (f" · {marked:,} marked" if marked else ""))

    # The photo under the cursor

    def _show_entry(self) -> None:
        self.background("entry", self._read_entry, self._list.current)

    async def _read_entry(self, key: str | None) -> None:
        await asyncio.sleep(STAY_SECONDS)
        entry = await self.desks.captions.entry(key)
        self.query_one(EntryView).show(entry)
        path = None
        if entry is not None:
            record = entry.record
            path = await self.desks.photos.file_at(record.rel_path, record.raw_path)
        found = await self._overlay.of(key)
        self._show_findings(found)
        boxes, texts = self._overlay.shown
        overlay = Overlay() if found is None else overlay_of(found, boxes=boxes, texts=texts)
        self.query_one("#picture", PictureBox).show(self.desks.photos.thumbnails(), path, overlay)

    def _show_findings(self, found: Findings | None) -> None:
        """List what was found, or say that the cache is still being read."""
        self.query_one("#right").set_class(self._overlay.on, "-findings")
        boxes, texts = self._overlay.shown
        view = self.query_one(FindingsView)
        if self._overlay.reading and (found is None or found.missing):
            view.say("Reading the cache …")
        elif self._overlay.on:
            view.show(found, boxes=boxes, texts=texts)

    # Finding

    def action_search(self) -> None:
        """Go to the query."""
        self.set_focus(self.query_one("#query", Input))  # immediately: more keys may follow

    def action_focus_list(self) -> None:
        """Go back to the list."""
        self.set_focus(self._list)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave letters to the query while it has the focus, and Enter and Escape to it alone."""
        return (action == "focus_list") is isinstance(self.focused, Input)

    def action_show_all(self) -> None:
        """Take every filter away."""
        self._search.ask(Query())

    def action_cycle_status(self) -> None:
        """Show errors alone, successes alone, everything."""
        self._search.cycle_status()

    def action_cycle_backend(self) -> None:
        """Show what each backend captioned, one after the other."""
        self.background("cycle", self._search.cycle, "backend")

    def action_cycle_year(self) -> None:
        """Show each year, one after the other."""
        self.background("cycle", self._search.cycle, "date")

    async def action_next_error(self, step: int) -> None:
        """Go to the next or the previous photo without a caption."""
        await self.pcc.guarded(self._go_to_error, step)

    async def _go_to_error(self, step: int) -> None:
        photos, catalogue = self._list, self.desks.captions.catalogue
        rows, start = photos.rows, photos.cursor

        def seek() -> int | None:
            order = range(start + 1, len(rows)) if step > 0 else range(start - 1, -1, -1)
            for row in order:
                made = catalogue.made(rows[row])
                if made is not None and made.status != "success":
                    return row
            return None

        row = await asyncio.to_thread(seek)
        if row is None:
            self.pcc.tell("no further error in this direction")
        else:
            photos.go_to(row)

    async def action_overlay(self) -> None:
        """Show what was found in the photo: boxes, text, both, nothing."""
        await self.pcc.guarded(self._overlay.switch)

    # Marks and retries

    def action_mark(self) -> None:
        """Mark the photo, or take its mark away, and go on to the next photo."""
        key = self._list.current
        if key is not None:
            self.desks.captions.marked ^= {key}
            self._list.refresh_row(self._list.cursor)
            self._list.action_move(1)
            self._show_where()

    def action_mark_all(self) -> None:
        """Mark everything that is shown."""
        self.desks.captions.marked.update(self._list.rows)
        self._marks_changed()

    def action_unmark_all(self) -> None:
        """Take all marks away."""
        self.desks.captions.marked.clear()
        self._marks_changed()

    def _marks_changed(self) -> None:
        self._list.refresh()
        self._show_where()

    def action_retry(self) -> None:
        """Retry the marked photos, or the one under the cursor, with the chosen backend."""
        self._retry()

    def action_retry_with(self) -> None:
        """Retry the same photos with another backend."""

        def chosen(backend: str | None) -> None:
            if backend is not None:
                self._retry(backend)

        self.app.push_screen(ChooseBackend(self.workspace.settings.choices.backend), chosen)

    def _retry(self, backend: str | None = None) -> None:
        keys = self.desks.captions.marked or {key for key in [self._list.current] if key}
        if not keys:
            self.pcc.tell("nothing to retry", "warning")
        elif self.pcc.link.running:
            self.pcc.tell("a job is running; retry when it is over", "warning")
        else:
            self.carry_out(self._start_retry, frozenset(keys), backend)

    async def _start_retry(self, keys: frozenset[str], backend: str | None) -> None:
        listed = await self.desks.captions.write_retry_list(keys)

        def unmark() -> None:
            self.desks.captions.marked.difference_update(keys)

        listing = Selection(keys=keys)
        self.pcc.start_captioning(listing, retry_list=listed, backend=backend, started=unmark)

    # Edits

    async def action_edit(self) -> None:
        """Write the caption by hand."""
        await self.pcc.guarded(self._editor.edit, self._list.current)

    async def action_undo(self) -> None:
        """Take back the last edit of this session; without one, the edit of this photo."""
        await self.pcc.guarded(self._editor.take_last_back, self._list.current)

    def show_edited(self, key: str | None) -> None:
        """Show that captions were edited.

        Args:
            key: The photo to go to if it is shown, None to stay.
        """
        if key is not None and key in self._list.rows:
            self._list.go_to(self._list.rows.index(key))
        self._list.refresh()
        self._show_entry()

    async def action_copy(self) -> None:
        """Copy the caption, made safe, to the clipboard of the terminal."""
        await self.pcc.guarded(self._copy, self._list.current)

    async def _copy(self, key: str | None) -> None:
        entry = await self.desks.captions.entry(key)
        if entry is None or entry.caption is None:
            self.pcc.tell("there is no caption to copy", "warning")
        else:
            self.app.copy_to_clipboard(clean_lines(scrub(entry.caption)))
            self.pcc.tell("The caption is in the clipboard.")
