"""Captions beside their photos: find, mark, retry, edit, copy."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input

from journal import record_key
from pcc_tui.screens.base import PccScreen
from pcc_tui.screens.choose import ChooseBackend
from pcc_tui.screens.edit import EditDialog
from pcc_tui.widgets.entry_view import EntryView
from pcc_tui.widgets.photo_list import PhotoList
from pcc_tui.widgets.picture import PictureBox
from pcc_tui.widgets.text import Words, safe_lines
from pipeline.captions.catalogue import Entry, key_bytes, readable_path
from pipeline.captions.query import Query
from pipeline.jobs.plan import Made

TYPING_SECONDS = 0.15
STAY_SECONDS = 0.04
"""A held key passes by photos without reading them."""

STATUS_CYCLE = ("", "error", "success")


class Undo(msgspec.Struct, frozen=True):
    """What a photo showed before an edit: another edit, or None for the machine's caption."""

    key: str
    rel_path: str
    raw_path: str | None
    before: str | None


class ReviewScreen(PccScreen):
    """The list of the library, and the photo under the cursor."""

    MODE = "review"
    AUTO_FOCUS = "#photos"
    BINDINGS: ClassVar[list[BindingType]] = [
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
        Binding("escape", "focus_list", "Back to the list", show=False, id="review.list"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._query = Query()
        self._entry: Entry | None = None
        self._undo: list[Undo] = []
        self._seeking = asyncio.Lock()

    def compose_body(self) -> ComposeResult:
        """Lay out list, picture and caption."""
        with Horizontal(id="review"):
            with Vertical(id="left"):
                yield Input(placeholder="/ words status:error date:2024 is:edited", id="query")
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
            self._list.show(self.session.catalogue.keys)
            self._show_where()
        else:
            self.background("select", self._select)
        self._show_entry()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as one types."""
        query = Query.parse(event.value)
        if query == self._query:
            return
        self._query = query
        if query == Query():
            self.workers.cancel_group(self, "select")
            self.show_catalogue()
        else:
            self.background("select", self._select, TYPING_SECONDS)

    async def _select(self, wait: float = 0.0) -> None:
        """Find what the query asks for, a piece at a time, so that another query may come."""
        await asyncio.sleep(wait)
        session = self.session
        self.query_one("#where", Words).say("Searching …", "dim")
        pieces = session.catalogue.select(self._query, frozenset(session.marked))
        rows: list[str] = []
        while (piece := await session.read(next, pieces, None)) is not None:
            rows += piece
        self._list.show(rows)
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
        entry = None
        if key is not None:
            entry = await asyncio.to_thread(self.session.catalogue.entry, key)
        self._entry = entry
        self.query_one(EntryView).show(entry)
        path = None if entry is None else self.session.file_of(entry.record)
        self.query_one("#picture", PictureBox).show(self.session.thumbnails(), path)

    # Finding

    def action_search(self) -> None:
        """Go to the query."""
        self.set_focus(self.query_one("#query", Input))  # at once: more keys may follow

    def action_focus_list(self) -> None:
        """Go back to the list."""
        self.set_focus(self._list)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to what was found."""
        self.set_focus(self._list)

    def _ask(self, query: Query) -> None:
        self.query_one("#query", Input).value = str(query)

    def action_show_all(self) -> None:
        """Take every filter away."""
        self._ask(Query())

    def action_cycle_status(self) -> None:
        """Show errors alone, successes alone, everything."""
        status = _after(self._query.status, STATUS_CYCLE)
        self._ask(msgspec.structs.replace(self._query, status=status))

    async def _cycle(self, field: str) -> None:
        made = await self.session.read(self.session.catalogue.index.totals)
        values = ("", *sorted({_value(group, field) for group in made} - {""}))
        value = _after(getattr(self._query, field), values)
        self._ask(msgspec.structs.replace(self._query, **{field: value}))

    def action_cycle_backend(self) -> None:
        """Show what each backend captioned, one after the other."""
        self.background("cycle", self._cycle, "backend")

    def action_cycle_year(self) -> None:
        """Show each year, one after the other."""
        self.background("cycle", self._cycle, "date")

    def action_next_error(self, step: int) -> None:
        """Go to the next or the previous photo without a caption."""
        self.carry_out(self._seek_error, step)

    async def _seek_error(self, step: int) -> None:
        async with self._seeking:  # a second press goes on from where the first arrives
            await self._go_to_error(step)

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
        keys = set(self.session.marked) or {key for key in [self._list.current] if key}
        if not keys:
            self.pcc.tell("nothing to retry", "warning")
            return
        if self.pcc.link.running:
            self.pcc.tell("a job is running; retry when it is over", "warning")
            return
        names = self.session.workspace / "retry-list"
        names.write_bytes(b"".join(key_bytes(key) + b"\0" for key in sorted(keys)))
        self.session.marked.clear()
        self.pcc.start_job(["--retry-list", str(names), *extra])

    # Edits

    def action_edit(self) -> None:
        """Write the caption by hand."""
        entry = self._entry
        if entry is None:
            return

        def written(text: str | None) -> None:
            if text is not None and text != (entry.caption or ""):
                self.carry_out(self._write_edit, entry, text)

        self.app.push_screen(EditDialog(entry.record.rel_path, entry.caption or ""), written)

    async def _write_edit(self, entry: Entry, text: str) -> None:
        record = entry.record
        new = text if text and text != record.caption else None
        await self.session.edit(record.rel_path, record.raw_path, new)
        key = record_key(record.rel_path, record.raw_path)
        self._undo.append(Undo(key, record.rel_path, record.raw_path, entry.edit))
        self._edits_changed()

    def action_undo(self) -> None:
        """Take the last edit back; without one in this session, the edit of this photo."""
        entry = self._entry
        if self._undo:
            undo = self._undo.pop()
        elif entry is not None and entry.edit is not None:
            record = entry.record
            key = record_key(record.rel_path, record.raw_path)
            undo = Undo(key, record.rel_path, record.raw_path, None)
        else:
            self.pcc.tell("nothing to undo")
            return
        self.carry_out(self._take_back, undo)

    async def _take_back(self, undo: Undo) -> None:
        await self.session.edit(undo.rel_path, undo.raw_path, undo.before)
        if undo.key in self._list.rows:
            self._list.go_to(self._list.rows.index(undo.key))
        self._edits_changed()

    def _edits_changed(self) -> None:
        self._list.refresh()
        self._show_entry()

    def action_copy(self) -> None:
        """Copy the caption, made safe, to the clipboard of the terminal."""
        caption = None if self._entry is None else self._entry.caption
        if caption is None:
            self.pcc.tell("there is no caption to copy", "warning")
        else:
            self.app.copy_to_clipboard(safe_lines(caption).plain)
            self.pcc.tell("The caption is in the clipboard.")


def _after(value: str, values: tuple[str, ...]) -> str:
    """Return the value that follows in a cycle; the second one after an unknown value."""
    place = values.index(value) if value in values else 0
    return values[(place + 1) % len(values)]


def _value(made: Made, field: str) -> str:
    return (made.backend or "") if field == "backend" else (made.month or "")[:4]
