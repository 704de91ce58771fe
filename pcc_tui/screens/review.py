"""Captions beside their photos: find, mark, retry, edit, copy."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input

from backends.keys import scrub
from journal import JournalError, record_key
from pcc_tui.screens.base import PccScreen
from pcc_tui.screens.choose import ChooseBackend
from pcc_tui.screens.edit import EditDialog
from pcc_tui.widgets.entry_view import EntryView
from pcc_tui.widgets.photo_list import PhotoList, in_order
from pcc_tui.widgets.picture import PictureBox
from pcc_tui.widgets.text import Words, clean_lines
from pipeline.captions.catalogue import Entry, readable_path
from pipeline.captions.query import Query, fits_query
from pipeline.jobs.plan import Made

TYPING_SECONDS = 0.15

SELECT_AGAIN_SECONDS = 2.0
"""How soon a list of what was found follows a growing journal."""

STAY_SECONDS = 0.04
"""A held key passes by photos without reading them."""

STATUS_CYCLE = ("", "error", "success")


class Undo(msgspec.Struct, frozen=True):
    """An edit of this session, and how to take it back.

    Attributes:
        key: Of the photo.
        rel_path: Its path.
        raw_path: Base64 of the path's bytes where they are not UTF-8.
        before: The edit it had before, None for the machine's caption.
        wrote: What this edit wrote, None where it took one back.
    """

    key: str
    rel_path: str
    raw_path: str | None
    before: str | None
    wrote: str | None


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
        self._query = Query()
        self._kept: str | None = None
        self._selecting = self._select_again = False
        self._undo: list[Undo] = []

    def compose_body(self) -> ComposeResult:
        """Lay out list, picture and caption."""
        with Horizontal(id="review"):
            with Vertical(id="left"):
                yield Input(
                    placeholder="/ words status:error date:2024 is:edited",
                    select_on_focus=False,
                    id="query",
                )
                yield PhotoList(self._describe, id="photos")
                yield Words(id="where")
            with Vertical(id="right"):
                yield PictureBox(self.pcc.image_widget, "picture")
                with VerticalScroll(id="entry-scroll", can_focus=True):
                    yield EntryView(id="entry")

    @property
    def _list(self) -> PhotoList:
        return self.query_one(PhotoList)

    # The list

    def _describe(self, key: str) -> tuple[str, str, str]:
        """Return sign, style class and text of a row."""
        session = self.session
        made = session.catalogue.made(key)
        good = made is not None and made.status == "success"
        marked = key in session.marked
        edited = key in session.catalogue.edits.texts
        sign = f"{'●' if marked else ' '}{'✓' if good else '✗'}{'✎' if edited else ' '}"
        return sign, "marked" if marked else "good" if good else "bad", readable_path(key)

    def show_catalogue(self) -> None:
        """Show new photos; the photo in sight may have a new caption too."""
        if self._query == Query():
            self._list.show(self.session.catalogue.keys, self._kept)
            self._kept = None
            self._show_where()
        elif self._selecting:
            self._select_again = True
        else:
            self.background("select", self._select)
        self._show_entry()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        self._look_for(Query.parse(event.value))

    def _look_for(self, query: Query) -> None:
        """Show what another query finds; until that is known, nothing can be marked by mistake."""
        if query == self._query:
            return
        self._query = query
        self._kept = self._list.current or self._kept
        self._list.show(())
        if query == Query():
            self.workers.cancel_group(self, "select")
            self.show_catalogue()
        else:
            self.background("select", self._select, TYPING_SECONDS)

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
        session = self.session
        self.query_one("#where", Words).say("Searching …", "dim")
        pieces = session.catalogue.select(self._query, frozenset(session.marked))
        rows: list[str] = []
        while (piece := await session.read(next, pieces, None)) is not None:
            rows += piece
        self._list.show(rows, self._kept)
        self._kept = None
        self._show_where()

    def on_photo_list_moved(self) -> None:
        """Show the photo under the cursor."""
        self._show_where()
        self._show_entry()

    def _show_where(self) -> None:
        photos = self._list
        total = len(photos.rows)
        marked = len(self.session.marked)
        words = f"{min(photos.cursor + 1, total):,} of {total:,}"
        if self._query != Query():
            words += f" found in {len(self.session.catalogue.keys):,}"
        self.query_one("#where", Words).update(words + (f" · {marked:,} marked" if marked else ""))

    # The photo under the cursor

    def _show_entry(self) -> None:
        self.background("entry", self._read_entry, self._list.current)

    async def _read_entry(self, key: str | None) -> None:
        await asyncio.sleep(STAY_SECONDS)
        entry = await self._entry_of(key)
        self.query_one(EntryView).show(entry)
        path = None
        if entry is not None:
            path = await self.session.file_at(entry.record.rel_path, entry.record.raw_path)
        self.query_one("#picture", PictureBox).show(self.session.thumbnails(), path)

    async def _entry_of(self, key: str | None) -> Entry | None:
        if key is None:
            return None
        return await asyncio.to_thread(self.session.catalogue.entry, key)

    # Finding

    def action_search(self) -> None:
        """Go to the query."""
        self.set_focus(self.query_one("#query", Input))  # at once: more keys may follow

    def action_focus_list(self) -> None:
        """Go back to the list."""
        self.set_focus(self._list)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave to the query what one types there, and Enter and Escape to everything else."""
        return (action == "focus_list") is isinstance(self.focused, Input)

    def _ask(self, query: Query) -> None:
        self.query_one("#query", Input).value = str(query)
        self._look_for(query)

    def action_show_all(self) -> None:
        """Take every filter away."""
        self._ask(Query())

    def action_cycle_status(self) -> None:
        """Show errors alone, successes alone, everything."""
        status = _after(self._query.status, STATUS_CYCLE)
        self._ask(msgspec.structs.replace(self._query, status=status))

    async def _cycle(self, field: str) -> None:
        made = await self.session.read(self.session.catalogue.index.totals)
        found = {_value(group, field) for group in made}
        values = ("", *sorted(value for value in found if fits_query(value)))
        value = _after(getattr(self._query, field), values)
        self._ask(msgspec.structs.replace(self._query, **{field: value}))

    def action_cycle_backend(self) -> None:
        """Show what each backend captioned, one after the other."""
        self.background("cycle", self._cycle, "backend")

    def action_cycle_year(self) -> None:
        """Show each year, one after the other."""
        self.background("cycle", self._cycle, "date")

    async def action_next_error(self, step: int) -> None:
        """Go to the next or the previous photo without a caption."""
        await self.pcc.guarded(self._go_to_error, step)

    async def _go_to_error(self, step: int) -> None:
        photos, catalogue = self._list, self.session.catalogue
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

    # Marks and retries

    def action_mark(self) -> None:
        """Mark the photo, or take its mark away, and go on to the next."""
        key = self._list.current
        if key is not None:
            self.session.marked ^= {key}
            self._list.refresh_row(self._list.cursor)
            self._list.action_move(1)
            self._show_where()

    def action_mark_all(self) -> None:
        """Mark everything that is shown."""
        self.session.marked.update(self._list.rows)
        self._marks_changed()

    def action_unmark_all(self) -> None:
        """Take all marks away."""
        self.session.marked.clear()
        self._marks_changed()

    def _marks_changed(self) -> None:
        self._list.refresh()
        self._show_where()

    def action_retry(self) -> None:
        """Retry the marked photos, or the one under the cursor, with the chosen backend."""
        self._retry([])

    def action_retry_with(self) -> None:
        """Retry them with another backend."""

        def chosen(backend: str | None) -> None:
            if backend is not None:
                self._retry(["--backend", backend])

        self.app.push_screen(ChooseBackend(self.session.settings.choices.backend), chosen)

    def _retry(self, extra: list[str]) -> None:
        keys = self.session.marked or {key for key in [self._list.current] if key}
        if not keys:
            self.pcc.tell("nothing to retry", "warning")
        elif self.pcc.link.running:
            self.pcc.tell("a job is running; retry when it is over", "warning")
        else:
            self.carry_out(self._start_retry, frozenset(keys), extra)

    async def _start_retry(self, keys: frozenset[str], extra: list[str]) -> None:
        listed = await asyncio.to_thread(self.session.write_retry_list, keys)
        self.pcc.start_job(["--retry-list", str(listed), *extra])
        if self.pcc.link.running:
            self.session.marked.difference_update(keys)

    # Edits

    async def action_edit(self) -> None:
        """Write the caption by hand."""
        await self.pcc.guarded(self._edit, self._list.current)

    async def _edit(self, key: str | None) -> None:
        entry = await self._entry_of(key)
        if entry is not None:
            await self._ask_for_caption(entry, entry.caption or "")

    async def _ask_for_caption(self, entry: Entry, text: str) -> None:
        def written(text: str | None) -> None:
            if text is not None and text != (entry.caption or ""):
                self.carry_out(self._write_edit, entry, text)

        await self.app.push_screen(EditDialog(entry.record.rel_path, text), written)

    async def _write_edit(self, entry: Entry, text: str) -> None:
        record = entry.record
        new = text if text and text != record.caption else None
        try:
            await self.session.edit(record.rel_path, record.raw_path, new)
        except (JournalError, OSError) as error:
            self.pcc.tell(f"the edit is not saved: {error}", "error")
            await self._ask_for_caption(entry, text)
            return
        key = record_key(record.rel_path, record.raw_path)
        self._undo.append(Undo(key, record.rel_path, record.raw_path, entry.edit, new))
        self._edits_changed()

    async def action_undo(self) -> None:
        """Take the last edit back; without one in this session, the edit of this photo."""
        await self.pcc.guarded(self._take_last_back, self._list.current)

    async def _take_last_back(self, key: str | None) -> None:
        texts = self.session.catalogue.edits.texts
        if self._undo:
            undo = self._undo[-1]
            if texts.get(undo.key) != undo.wrote:
                self._undo.pop()
                self.pcc.tell(f"{undo.rel_path} was edited elsewhere since; that edit stays")
                return
            await self._take_back(undo)
            self._undo.pop()
            return
        entry = await self._entry_of(key)
        if key is None or entry is None or entry.edit is None:
            self.pcc.tell("nothing to undo")
            return
        record = entry.record
        await self._take_back(Undo(key, record.rel_path, record.raw_path, None, entry.edit))

    async def _take_back(self, undo: Undo) -> None:
        await self.session.edit(undo.rel_path, undo.raw_path, undo.before)
        if undo.key in self._list.rows:
            self._list.go_to(self._list.rows.index(undo.key))
        self._edits_changed()

    def _edits_changed(self) -> None:
        self._list.refresh()
        self._show_entry()

    async def action_copy(self) -> None:
        """Copy the caption, made safe, to the clipboard of the terminal."""
        await self.pcc.guarded(self._copy, self._list.current)

    async def _copy(self, key: str | None) -> None:
        entry = await self._entry_of(key)
        if entry is None or entry.caption is None:
            self.pcc.tell("there is no caption to copy", "warning")
        else:
            self.app.copy_to_clipboard(clean_lines(scrub(entry.caption)))
            self.pcc.tell("The caption is in the clipboard.")


def _after(value: str, values: tuple[str, ...]) -> str:
    """Return the value that follows in a cycle; the second one after an unknown value."""
    place = values.index(value) if value in values else 0
    return values[(place + 1) % len(values)]


def _value(made: Made, field: str) -> str:
    return (made.backend or "") if field == "backend" else (made.month or "")[:4]
