"""A photo on the screen, decoded in another process, and only where the cursor stays on it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Container

from pcc_tui.widgets.overlay import Overlay, draw
from pcc_tui.widgets.text import Words
from pcc_tui.words.failures import failure_words
from pipeline.photos.errors import PhotoError

if TYPE_CHECKING:
    from PIL.Image import Image
    from textual_image.widget._base import Image as ImageWidget

    from pipeline.photos.thumbnails import Thumbnails

STAY_SECONDS = 0.12
"""How long the cursor must stay on a photo: a fast scroll decodes nothing."""


HALF_CELLS = "HalfcellImage"
"""Name of the widget that draws two pixels in a cell."""

PIXELS_ACROSS, PIXELS_DOWN = 10, 20
"""Pixels of a cell in a terminal that draws pictures; an estimate, good enough for line widths."""


class PictureBox(Container):
    """Shows one photo at a time, or says why it cannot.

    Args:
        kind: The widget that draws pictures, None for no pictures.
        id: Id of the box.
    """

    def __init__(self, kind: type[ImageWidget] | None, id: str) -> None:
        super().__init__(id=id, classes="picture-box")
        self.display = kind is not None
        self._kind = kind
        self._shown: tuple[Path | None, Overlay] = None, Overlay()
        self._image: Image | None = None

    def compose(self) -> ComposeResult:
        """Put an empty picture and a place for words into the box."""
        yield Words(classes="picture-words")
        if self._kind is not None:
            yield self._kind(classes="picture")

    def show(
        self, thumbnails: Thumbnails | None, path: Path | None, overlay: Overlay | None = None
    ) -> None:
        """Show a photo if the cursor stays on it; a photo still being decoded is forgotten.

        Args:
            thumbnails: Where pictures come from.
            path: The photo, None for nothing.
            overlay: What to draw over it.
        """
        shown = path, overlay or Overlay()
        if shown == self._shown:
            return
        same, self._shown = path == self._shown[0], shown
        if not same:
            self._image = None
        if thumbnails is None or path is None:
            self.workers.cancel_group(self, "picture")
            self._put(None, "")
            return
        self._wait_and_show(thumbnails, path, 0.0 if same else STAY_SECONDS)

    @work(group="picture", exclusive=True, exit_on_error=False)
    async def _wait_and_show(self, thumbnails: Thumbnails, path: Path, wait: float) -> None:
        await asyncio.sleep(wait)
        await self.present(thumbnails, path, self._shown[1])

    async def present(
        self, thumbnails: Thumbnails, path: Path, overlay: Overlay | None = None
    ) -> None:
        """Show a photo, and return when the photo is on the screen."""
        self._shown = path, overlay or Overlay()
        if self._kind is None:
            return
        try:
            self._image = await thumbnails.image(path)
        except (PhotoError, OSError) as error:
            self._put(None, f"no picture: {failure_words(error)}")
        else:
            await self._draw()

    async def _draw(self) -> None:
        """Put the photo into the box, with what is to be drawn over it."""
        image, overlay = self._image, self._shown[1]
        drawn = image
        if image is not None and overlay != Overlay():
            drawn = await asyncio.to_thread(draw, image, overlay, self._pixels(image))
        if (image, overlay) == (self._image, self._shown[1]):
            self._put(drawn, "")

    def _pixels(self, image: Image) -> tuple[int, int]:
        """Return how many pixels across and down the terminal shows a picture with."""
        across, down = self.size.width, self.size.height
        ratio = image.width / image.height * PIXELS_DOWN / PIXELS_ACROSS
        down, across = min(down, round(across / ratio)), min(across, round(down * ratio))
        if self._kind is not None and self._kind.__name__ == HALF_CELLS:
            return max(1, across), max(1, 2 * down)
        return across * PIXELS_ACROSS, down * PIXELS_DOWN

    def on_resize(self) -> None:
        """Fit the picture into the box again, with lines as wide as its pixels."""
        if self._image is not None and self._shown[1] != Overlay():
            self._draw_again()
        for widget in self.query(".picture").results():
            widget.refresh(layout=True)

    @work(group="redraw", exclusive=True, exit_on_error=False)
    async def _draw_again(self) -> None:
        await self._draw()

    def _put(self, image: Image | None, words: str) -> None:
        self.query_one(".picture-words", Words).say(words)
        for widget in self.query(".picture").results():
            widget.display = image is not None
            widget.image = image  # type: ignore[attr-defined]
