"""Text from outside on the screen: always data, never markup."""

from __future__ import annotations

from textual.content import Content
from textual.visual import VisualType
from textual.widgets import Static

from backends.keys import scrub
from pcc_tui.clean import clean

MOST_CHARACTERS = 20_000
"""Of one text; more than any screen holds, and quick to lay out."""


def safe(text: str, style: str = "") -> Content:
    """Return a text on one line, without keys, that nothing in the terminal acts upon."""
    return Content.styled(clean(scrub(text)[:MOST_CHARACTERS]), style)


def safe_lines(text: str, style: str = "") -> Content:
    """Return a text whose line breaks count, likewise."""
    rest = f" … ({len(text):,} characters)" if len(text) > MOST_CHARACTERS else ""
    return Content.styled(clean_lines(scrub(text)[:MOST_CHARACTERS]) + rest, style)


def clean_lines(text: str) -> str:
    """Return a text whose line breaks count, with nothing else that a terminal acts upon."""
    return "\n".join(map(clean, text.split("\n")))


class Words(Static):
    """A text that is only ever plain. `say` is for text from outside, `update` for our own."""

    def __init__(
        self, text: str = "", *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(text, id=id, classes=classes, markup=False)

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show something; the screen is laid out anew only if this part can change its size."""
        if content == self.content:
            return
        height = self.styles.height
        super().update(content, layout=layout and (height is None or height.is_auto))

    def say(self, text: str, style: str = "") -> None:
        """Show a text, its line breaks included."""
        self.update(safe_lines(text, style))
