"""Text from outside on the screen, which is always data and never markup."""

from __future__ import annotations

from textual.content import Content
from textual.visual import VisualType
from textual.widgets import Static

from backends.keys import scrub
from pcc_tui.clean import clean

MOST_CHARACTERS = 20_000
"""Most characters of one text: more than any screen holds, and still quick to lay out."""


def safe(text: str, style: str = "") -> Content:
    """Return a text as one line, without API keys, that no terminal acts upon."""
    return Content.styled(clean(scrub(text)[:MOST_CHARACTERS]), style)


def safe_lines(text: str, style: str = "") -> Content:
    """Return a text with its line breaks, without API keys, that no terminal acts upon."""
    rest = f" … ({len(text):,} characters)" if len(text) > MOST_CHARACTERS else ""
    return Content.styled(clean_lines(scrub(text)[:MOST_CHARACTERS]) + rest, style)


def clean_lines(text: str) -> str:
    """Return a text with its line breaks and nothing else that a terminal acts upon."""
    return "\n".join(map(clean, text.split("\n")))


class Words(Static):
    """A text that is never markup; `say` is for text from outside, `update` for the app's own."""

    def __init__(
        self, text: VisualType = "", *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(text, id=id, classes=classes, markup=False)

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show a content; the screen is laid out anew only if this widget can change its size."""
        if content == self.content:
            return
        height = self.styles.height
        super().update(content, layout=layout and (height is None or height.is_auto))

    def say(self, text: str, style: str = "") -> None:
        """Show a text with its line breaks."""
        self.update(safe_lines(text, style))
