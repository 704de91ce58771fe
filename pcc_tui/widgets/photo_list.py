"""A list of photos of any length: only the lines in sight are ever drawn.

What a row of Review shows stands in `photo_row.py`, what a row of Clusters shows in
`cluster_tree.py`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pcc_tui.clean import clean

WIDEST_ROW = 1000
"""Characters at the end of a text that are looked at; no terminal shows more."""


def in_order(*bindings: Binding) -> list[BindingType]:
    """Return bindings that act in the order in which their keys are pressed.

    Textual forwards an ordinary key to the part in focus and goes on to the next key
    before the first has acted, so that keys in a burst meet the wrong part.
    """
    return [dataclasses.replace(binding, priority=True) for binding in bindings]


class ListRow(NamedTuple):
    """What a row shows.

    Attributes:
        sign: Up to three cells before the text.
        style: Name of the component class that colours the sign.
        text: The text, not yet made safe.
    """

    sign: str
    style: str
    text: str


class PhotoList(ScrollView, can_focus=True):
    """A virtual list: rows are keys, and a function says what a row looks like.

    Args:
        row_of: Returns what the row of a key shows.
        id: Id of the widget.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "photo-list--row",
        "photo-list--cursor",
        "photo-list--good",
        "photo-list--bad",
        "photo-list--marked",
    }
    BINDINGS: ClassVar[list[BindingType]] = in_order(
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("home,g", "jump(0)", "First", show=False, id="list.first"),
        Binding("end,G", "jump(-1)", "Last", show=False, id="list.last"),
    )

    cursor: reactive[int] = reactive(0)

    class Moved(Message):
        """The cursor stands on another row."""

    def __init__(self, row_of: Callable[[str], ListRow], id: str) -> None:
        super().__init__(id=id)
        self._row_of = row_of
        self.rows: Sequence[str] = ()

    @property
    def current(self) -> str | None:
        """The key under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def show(self, rows: Sequence[str], keep: str | None = None) -> None:
        """Show other rows.

        Args:
            rows: Keys of the rows.
            keep: The key that the cursor goes to, None for the key under the cursor; if no row
                has that key, the cursor keeps its place.
        """
        key = keep or self.current
        same = self.cursor < len(rows) and rows[self.cursor] == key
        self.rows = rows
        self.virtual_size = Size(self.size.width, len(rows))
        if not same and key is not None:
            self.cursor = self._place_of(key)
        self.cursor = min(self.cursor, max(0, len(rows) - 1))
        self._bring_into_sight()
        self.refresh()
        if not same:
            self.post_message(self.Moved())

    def _place_of(self, key: str) -> int:
        try:
            return self.rows.index(key)
        except ValueError:
            return self.cursor

    def go_to(self, row: int) -> None:
        """Put the cursor on a row, or on the nearest row there is, and bring it into sight."""
        self.cursor = max(0, min(row, len(self.rows) - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Draw the rows anew that the cursor left and reached."""
        self.refresh_row(old)
        self.refresh_row(new)
        self._bring_into_sight()
        self.post_message(self.Moved())

    def _bring_into_sight(self) -> None:
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)

    def refresh_row(self, row: int) -> None:
        """Draw a row anew, if it is in sight."""
        self.refresh(Region(0, row - self.scroll_offset.y, self.size.width, 1))

    def on_resize(self, event: Resize) -> None:
        """Let rows be as wide as the list."""
        self.virtual_size = Size(event.size.width, len(self.rows))

    def render_line(self, y: int) -> Strip:
        """Return one line of the list."""
        row = y + self.scroll_offset.y
        width = self.size.width
        base = self.get_component_rich_style("photo-list--row")
        if row >= len(self.rows):
            return Strip.blank(width, base)
        sign, kind, text = self._row_of(self.rows[row])
        style = self.get_component_rich_style(f"photo-list--{kind}")
        if row == self.cursor:
            cursor = self.get_component_rich_style("photo-list--cursor")
            style, base = cursor, cursor
        if not self.has_focus:
            base = base + Style(bold=False)
        sign = set_cell_size(sign, 3)
        shown = self.fitted(text, max(0, width - 3))
        return Strip([Segment(sign, style), Segment(shown, base)], width)

    def fitted(self, text: str, width: int) -> str:
        """Return the text of a row, exactly as wide as given; of a long path, the end."""
        return fit(text, width)

    def on_click(self, event: Click) -> None:
        """Put the cursor where the mouse is."""
        self.go_to(event.y + self.scroll_offset.y)

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self.go_to(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by pages."""
        self.go_to(self.cursor + pages * max(1, self.size.height - 1))

    def action_jump(self, row: int) -> None:
        """Move the cursor to the first or last row."""
        self.go_to(len(self.rows) - 1 if row < 0 else row)


def fit(text: str, width: int) -> str:
    """Return the end of a text, made safe and exactly as wide as given, in cells."""
    shown = clean(text[-WIDEST_ROW:])
    if cell_len(shown) <= width and len(text) <= WIDEST_ROW:
        return set_cell_size(shown, width)
    while shown and cell_len(shown) > width - 1:
        shown = shown[max(1, (cell_len(shown) - width) // 2) :]
    return set_cell_size("…" + shown, width)
