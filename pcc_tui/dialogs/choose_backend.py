"""Choosing a backend for a retry."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from backends.registry import backend_names
from pcc_tui.widgets.text import Words, safe


class ChooseBackend(ModalScreen[str]):
    """Asks for a backend; the backend in use stands first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Cancel", id="choose.cancel"),
    ]

    def __init__(self, current: str) -> None:
        super().__init__()
        self._names = sorted(backend_names(), key=lambda name: name != current)

    def compose(self) -> ComposeResult:
        """Lay out the names of the backends."""
        with Vertical(id="dialog"):
            yield Words("Retry with which backend?", id="question")
            yield OptionList(*(Option(safe(name), id=name) for name in self._names))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with the name of the chosen backend."""
        self.dismiss(event.option.id)

    def action_cancel(self) -> None:
        """Choose nothing."""
        self.dismiss(None)
