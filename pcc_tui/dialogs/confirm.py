"""A question with two answers."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button

from pcc_tui.widgets.text import Words, safe_lines


class ConfirmDialog(ModalScreen[bool]):
    """Asks whether to do something.

    Args:
        question: The question, to be answered with yes or no.
    """

    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes"),
        Binding("n,escape", "answer(False)", "No", key_display="n", id="confirm.no"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Lay out the question and its answers."""
        with Vertical(id="dialog"):
            yield Words(safe_lines(self._question), id="question")
            with Horizontal(id="answers"):
                yield Button("Yes (y)", variant="primary", id="yes")
                yield Button("No (n)", id="no")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer by the button that was pressed."""
        self.action_answer(event.button.id == "yes")

    def action_answer(self, agreed: bool) -> None:
        """Answer, and only once: a second key may follow immediately."""
        if self.is_current:
            self.dismiss(agreed)
