"""Asking for the title of a cluster."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from pcc_tui.clean import clean
from pcc_tui.widgets.text import Words


class AskDialog(ModalScreen[str]):
    """Asks for a title.

    Args:
        question: What it is the title of.
        title: What stands there to begin with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f10", "cancel", "Cancel", id="title.cancel"),
    ]

    def __init__(self, question: str, title: str = "") -> None:
        super().__init__()
        self._question = question
        self._title = clean(title)

    def compose(self) -> ComposeResult:
        """Lay out the question and the line to write on."""
        with Vertical(id="dialog"):
            yield Words(id="question")
            yield Input(self._title, placeholder="Title, then Enter", id="title")

    def on_mount(self) -> None:
        """Ask."""
        self.query_one("#question", Words).say(self._question)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with what was written, once: a second Enter may follow at once."""
        event.input.disabled = True
        if self.is_current:
            self.dismiss(event.value.strip() or None)

    def action_cancel(self) -> None:
        """Keep what was."""
        if self.is_current:
            self.dismiss(None)
