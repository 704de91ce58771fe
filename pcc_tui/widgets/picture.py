"""A photo on the screen, decoded elsewhere and only when one stays on it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Container

from pcc_tui.widgets.text import Words
from pipeline.photos.errors import PhotoError

if TYPE_CHECKING:
    from PIL.Image import Image
    from textual_image.widget._base import Image as ImageWidget

    from pipeline.photos.thumbnails import Thumbnails

STAY_SECONDS = 0.12
"""How long one must stay on a photo before it is decoded: a fast scroll decodes nothing."""


class PictureBox(Container):
    """Shows one photo at a time, or says why it cannot.

    Args:
        kind: The widget that draws pictures, None for none.
        id: Of the box.
    """

    def __init__(self, kind: type[ImageWidget] | None, id: str) -> None:
        super().__init__(id=id, classes="picture-box")
        self.display = kind is not None
        self._kind = kind
        self._shown: Path | None = None

    def compose(self) -> ComposeResult:
        """Put an empty picture and a place for words into the box."""
        yield Words(classes="picture-words")
        if self._kind is not None:
            yield self._kind(classes="picture")

    def show(self, thumbnails: Thumbnails | None, path: Path | None) -> None:
        """Show a photo if one stays on it; what was still being decoded is forgotten.

        Args:
            thumbnails: Where pictures come from.
            path: The photo, None for nothing.
        """
        if path == self._shown:
            return
        self._shown = path
        if thumbnails is None or path is None:
            self.workers.cancel_group(self, "picture")
            self._put(None, "")
            return
        self._wait_and_show(thumbnails, path)

    @work(group="picture", exclusive=True, exit_on_error=False)
    async def _wait_and_show(self, thumbnails: Thumbnails, path: Path) -> None:
        await asyncio.sleep(STAY_SECONDS)
        await self.present(thumbnails, path)

    async def present(self, thumbnails: Thumbnails, path: Path) -> None:
        """Show a photo, and return when it is there."""
        self._shown = path
        if self._kind is None:
            return
        try:
            image = await thumbnails.image(path)
        except (PhotoError, OSError) as error:
            self._put(None, f"no picture: {error}")
        else:
            self._put(image, "")

    def on_resize(self) -> None:
        """Fit the picture into the box again."""
        for widget in self.query(".picture").results():
            widget.refresh(layout=True)

    def _put(self, image: Image | None, words: str) -> None:
        self.query_one(".picture-words", Words).say(words)
        for widget in self.query(".picture").results():
            widget.display = image is not None
            widget.image = image  # type: ignore[attr-defined]
