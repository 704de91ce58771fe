"""Writing a caption by hand."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Button, TextArea

from pcc_tui.clean import clean
from pcc_tui.widgets.text import Words, clean_lines, safe_lines


class CaptionArea(TextArea):
    """The editor; its save key acts after the keys before it and before the keys after it."""

    def on_key(self, event: Key) -> None:
        """Save at once instead of passing the key on."""
        active = self.screen.active_bindings.get(event.key)
        if active is not None and active.binding.id == "edit.save":
            event.stop()
            event.prevent_default()
            self.read_only = True
            self.app.call_later(self.screen.run_action, active.binding.action)


class EditDialog(ModalScreen[str]):
    """Asks for a caption; an empty answer lets the machine's caption count again.

    Args:
        rel_path: Path of the photo.
        caption: The caption that counts now.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "save", "Save", id="edit.save"),
        Binding("escape,f10", "cancel", "Cancel", id="edit.cancel"),
    ]

    def __init__(self, rel_path: str, caption: str) -> None:
        super().__init__()
        self._rel_path = rel_path
        self._shown = clean_lines(caption)
        self._escapes = {
            escape: char
            for char in set(caption) - {"\n"}
            if (escape := clean(char)) != char and escape not in caption
        }

    def compose(self) -> ComposeResult:
        """Lay out the text and its buttons."""
        with Vertical(id="dialog"):
            yield Words(safe_lines(self._rel_path), id="edited-photo")
            yield CaptionArea(self._shown, soft_wrap=True, tab_behavior="focus", id="caption")
            with Horizontal(id="answers"):
                yield Button("Save (f2)", variant="primary", id="save")
                yield Button("Cancel (esc)", id="cancel")

    def on_mount(self) -> None:
        """Put the cursor behind the text."""
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        getattr(self, f"action_{event.button.id}")()

    def action_save(self) -> None:
        """Keep what was written; each escape becomes the character that it stands for."""
        text = self.query_one(TextArea).text.strip()
        for escape, char in self._escapes.items():
            text = text.replace(escape, char)
        self.dismiss(text)

    def action_cancel(self) -> None:
        """Keep nothing of what was written."""
        self.dismiss(None)
