"""Asking for one line of text: a title, a number, a model, a file."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from pcc_tui.clean import clean
from pcc_tui.widgets.text import Words, safe_lines


class AskDialog(ModalScreen[str]):
    """Asks for a line of text.

    Args:
        question: The question.
        placeholder: What an empty line says, in the manner of "Title, then Enter".
        text: What stands on the line to begin with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f10", "cancel", "Cancel", id="title.cancel"),
    ]

    def __init__(self, question: str, placeholder: str, text: str = "") -> None:
        super().__init__()
        self._question = question
        self._placeholder = placeholder
        self._text = clean(text)

    def compose(self) -> ComposeResult:
        """Lay out the question and the line to write on."""
        with Vertical(id="dialog"):
            yield Words(safe_lines(self._question), id="question")
            yield Input(self._text, placeholder=self._placeholder, id="line")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with what was typed, and only once: a second Enter may follow immediately."""
        event.input.disabled = True
        if self.is_current:
            self.dismiss(event.value.strip() or None)

    def action_cancel(self) -> None:
        """Leave everything as it was."""
        if self.is_current:
            self.dismiss(None)
