"""A contact sheet: small pictures in a grid, each with its caption."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.events import Click, Resize
from textual.message import Message

from pcc_tui.widgets.photo_list import in_order
from pcc_tui.widgets.picture import PictureBox
from pcc_tui.widgets.text import Words, safe
from pipeline.captions.library import LibraryPhoto

if TYPE_CHECKING:
    from textual_image.widget._base import Image as ImageWidget

    from pipeline.photos.thumbnails import Thumbnails

CELL_WIDTH, CELL_HEIGHT = 22, 9
"""Least width and height of a picture with its caption, in cells of the terminal."""

CAPTION_HEIGHT = 2
"""Height of a caption where no pictures are drawn, in cells of the terminal."""

MOST_CELLS = 12
"""Most photos of a page."""

FindFile = Callable[[LibraryPhoto], Coroutine[Any, Any, Path | None]]


class SheetCell(Vertical):
    """One photo of the sheet."""

    def __init__(self, number: int, kind: type[ImageWidget] | None) -> None:
        super().__init__(classes="sheet-cell")
        self.number = number
        self._kind = kind

    def compose(self) -> ComposeResult:
        """Put a picture over a caption."""
        yield PictureBox(self._kind, f"sheet-picture-{self.number}")
        yield Words(classes="sheet-caption")

    @property
    def picture(self) -> PictureBox:
        """The picture."""
        return self.query_one(PictureBox)

    def say(self, content: Content) -> None:
        """Show a caption."""
        self.query_one(".sheet-caption", Words).update(content)


class ContactSheet(Container, can_focus=True):
    """Shows a page of photos at a time.

    Args:
        kind: The widget that draws pictures, None for no pictures.
        is_marked: Tells whether a photo is marked, by its key.
    """

    BINDINGS: ClassVar[list[BindingType]] = in_order(
        Binding("right,l", "move(1)", "Next", show=False, id="sheet.right"),
        Binding("left,h", "move(-1)", "Previous", show=False, id="sheet.left"),
        Binding("down,j", "row(1)", "Down", show=False, id="sheet.down"),
        Binding("up,k", "row(-1)", "Up", show=False, id="sheet.up"),
    )

    class Turned(Message):
        """Other photos are in sight."""

    def __init__(
        self, kind: type[ImageWidget] | None, is_marked: Callable[[str], bool], id: str
    ) -> None:
        super().__init__(id=id)
        self._kind = kind
        self._is_marked = is_marked
        self._library: Sequence[LibraryPhoto] = ()
        self._places: Sequence[int] = ()
        self._exemplar: int | None = None
        self._first = self._cursor = 0
        self._columns = self._rows = 1
        self._pictures = kind is not None

    def compose(self) -> ComposeResult:
        """Put empty cells into the grid."""
        for number in range(MOST_CELLS):
            yield SheetCell(number, self._kind)

    def on_resize(self, event: Resize) -> None:
        """Show as many photos as fit."""
        self._arrange()

    def show_pictures(self, shown: bool) -> None:
        """Show pictures over the captions, or captions alone where there are no pictures."""
        if shown != self._pictures:
            self._pictures = shown
            self._arrange()

    def _arrange(self) -> None:
        """Lay out a grid of as many photos as fit."""
        width, height = self.size
        self._columns = max(1, min(4, width // CELL_WIDTH)) if self._pictures else 1
        rows = height // (CELL_HEIGHT if self._pictures else CAPTION_HEIGHT)
        self._rows = max(1, min(rows, MOST_CELLS // self._columns))
        self.set_class(not self._pictures, "-captions-alone")
        self.styles.grid_size_columns = self._columns
        self.styles.grid_size_rows = self._rows
        for cell in self.query(SheetCell):
            cell.display = cell.number < self.page_size
            cell.picture.display = self._pictures
        self._first = self._cursor // self.page_size * self.page_size
        self.post_message(self.Turned())

    @property
    def page_size(self) -> int:
        """Photos in sight at once."""
        return self._columns * self._rows

    @property
    def current(self) -> LibraryPhoto | None:
        """The photo under the cursor."""
        if self._cursor >= len(self._places):
            return None
        return self._library[self._places[self._cursor]]

    @property
    def where(self) -> str:
        """Which photos are in sight, in words."""
        if not self._places:
            return "no photos"
        last = min(self._first + self.page_size, len(self._places))
        return f"{self._first + 1:,}-{last:,} of {len(self._places):,}"

    def show_photos(
        self,
        library: Sequence[LibraryPhoto],
        places: Sequence[int],
        exemplar: int | None = None,
        keep: int | None = None,
    ) -> None:
        """Show other photos.

        Args:
            library: All photos.
            places: Places of the photos to show, in order.
            exemplar: Place of the photo that stands for them all.
            keep: Place of the photo the cursor goes to, None for the first.
        """
        self._library, self._places, self._exemplar = library, places, exemplar
        self._cursor = places.index(keep) if keep is not None and keep in places else 0
        self._first = self._cursor // self.page_size * self.page_size
        self.post_message(self.Turned())

    async def fill(self, thumbnails: Thumbnails | None, find: FindFile) -> None:
        """Show the page: captions at once, pictures as they are decoded."""
        places = self._places[self._first : self._first + self.page_size]
        page = [self._library[place] for place in places]
        cells = list(self.query(SheetCell))
        self.draw_captions()
        for cell, photo in zip(cells, page, strict=False):
            cell.picture.show(thumbnails, await find(photo))
        for cell in cells[len(page) :]:
            cell.picture.show(None, None)

    def draw_captions(self) -> None:
        """Draw the captions of the page, the cursor and the marks."""
        for cell in self.query(SheetCell):
            place = self._first + cell.number
            here = place == self._cursor and place < len(self._places)
            cell.set_class(here and self.has_focus, "-cursor")
            if place >= len(self._places) or cell.number >= self.page_size:
                cell.say(Content(""))
                continue
            photo = self._library[self._places[place]]
            mark = ("● ", "$warning bold") if self._is_marked(photo.key) else ("", "")
            star = ("★ ", "$success") if self._places[place] == self._exemplar else ("", "")
            words = photo.caption or photo.status or "not captioned"
            style = "" if photo.caption else "dim"
            name = photo.rel_path.rpartition("/")[2]
            cell.say(Content.assemble(mark, star, safe(words, style), " ", safe(name, "dim")))

    def on_focus(self) -> None:
        """Show the cursor."""
        self.draw_captions()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.draw_captions()

    def on_click(self, event: Click) -> None:
        """Put the cursor on the photo under the mouse."""
        widget = event.widget
        while widget is not None and not isinstance(widget, SheetCell):
            widget = widget.parent if isinstance(widget.parent, Container | Vertical) else None
        if widget is not None and self._first + widget.number < len(self._places):
            self._cursor = self._first + widget.number
            self.draw_captions()

    def action_move(self, photos: int) -> None:
        """Move the cursor, and turn the page where the cursor leaves the page."""
        self._cursor = max(0, min(self._cursor + photos, len(self._places) - 1))
        first = self._cursor // self.page_size * self.page_size
        if first == self._first:
            self.draw_captions()
        else:
            self.turn_to(first)

    def action_row(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.action_move(rows * self._columns)

    def turn(self, pages: int) -> None:
        """Show another page."""
        first = self._first + pages * self.page_size
        if 0 <= first < len(self._places):
            self._cursor = first
            self.turn_to(first)

    def turn_to(self, first: int) -> None:
        """Show the page that begins with a photo."""
        self._first = first
        self.post_message(self.Turned())
