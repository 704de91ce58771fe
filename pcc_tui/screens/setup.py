"""First run: where the photos are, and what captions them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.suggester import Suggester
from textual.widgets import Button, Input, Select

from backends.registry import backend_names
from pcc_tui.clean import clean
from pcc_tui.screens.base import PccScreen
from pcc_tui.widgets.text import Words
from pcc_tui.words.figures import tidy

COUNT_SECONDS = 5.0
"""How long counting may take; a folder that takes longer has enough photos."""


TYPING_SECONDS = 0.2


def folder(typed: str) -> Path | None:
    """Return the folder that a text names, None where there is none."""
    try:
        place = Path(typed.strip()).expanduser().resolve()
        return place if typed.strip() and place.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # a name too long, no such user, a NUL
        return None


class FolderSuggester(Suggester):
    """Completes the path of a folder as one types; the right arrow takes the suggestion."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first folder whose path begins with what was typed."""
        return await asyncio.to_thread(first_folder, value)


def first_folder(value: str) -> str | None:
    """Return the first folder, by name, whose path begins with a text."""
    if not value:
        return None
    try:
        typed = Path(value).expanduser()
        parent, start = (typed, "") if value.endswith("/") else (typed.parent, typed.name)
        names = sorted(entry.name for entry in os.scandir(parent) if _may_suggest(entry, start))
    except (OSError, RuntimeError, ValueError):
        return None
    return value + names[0][len(start) :] if names and names[0] != start else None


def _may_suggest(entry: os.DirEntry[str], start: str) -> bool:
    name = entry.name
    shown = name.startswith(start) and (start != "" or name[0] != ".") and clean(name) == name
    return shown and entry.is_dir()


class SetupScreen(PccScreen):
    """Asks for the photos directory and the backend, and counts what is there."""

    MODE = "setup"
    AUTO_FOCUS = "#photos-dir"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "library", "Back", id="setup.back"),
    ]

    def compose_body(self) -> ComposeResult:
        """Lay out the two questions."""
        names = backend_names()
        chosen = self.workspace.settings.choices.backend
        with VerticalScroll(id="setup", can_focus=False):
            yield Words("Welcome to pcc", id="welcome")
            yield Words(
                "It captions every photo of a folder. Stop it at any time: nothing is lost.\n"
                "Your photos are only ever read. What it writes goes into this directory:",
                id="promise",
            )
            yield Words(id="workspace")
            yield Words("Where are the photos?", classes="question")
            yield Input(
                str(self.workspace.photos_dir or ""),
                placeholder="/home/me/Photos  (right completes)",
                suggester=FolderSuggester(),
                compact=True,
                id="photos-dir",
            )
            yield Words(id="found-photos")
            yield Words("What makes the captions?", classes="question")
            yield Select(
                [(name, name) for name in names],
                value=chosen if chosen in names else names[0],
                allow_blank=False,
                compact=True,
                id="backend",
            )
            with Horizontal(id="setup-answers"):
                yield Button("Save and look", variant="primary", id="save")
                yield Button("Save and start", id="start")

    def on_mount(self) -> None:
        """Say where things are written."""
        super().on_mount()
        self.query_one("#workspace", Words).say(tidy(self.workspace.path), "$primary")

    def on_screen_resume(self) -> None:
        """Show the backend that another screen may have chosen meanwhile."""
        super().on_screen_resume()
        chosen = self.workspace.settings.choices.backend
        if chosen in backend_names():
            self.query_one("#backend", Select).value = chosen

    def on_input_changed(self, event: Input.Changed) -> None:
        """Count the photos of the folder that was typed."""
        self.background("count", self._count, event.value)

    async def _count(self, typed: str) -> None:
        words = self.query_one("#found-photos", Words)
        words.say("")
        await asyncio.sleep(TYPING_SECONDS)
        place = await asyncio.to_thread(folder, typed)
        if place is None:
            if typed.strip():
                words.say("There is no such directory.", "$warning")
            return
        words.say("Counting …", "dim")
        walked = await self.desks.photos.walk(place, COUNT_SECONDS)
        count = len(walked.paths)
        more = "" if walked.whole else " and more"
        words.say(f"{count:,} photos{more}", "$success" if count else "$warning")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Save: Enter does what the first button does."""
        self.background("save", self._save, False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Save, and start a run where that is the button."""
        self.background("save", self._save, event.button.id == "start")

    async def _save(self, start: bool) -> None:
        field = self.query_one("#photos-dir", Input)
        place = await asyncio.to_thread(folder, field.value)
        if place is None:
            self.query_one("#found-photos", Words).say("There is no such directory.", "$error")
            self.set_focus(field)
            return
        backend = str(self.query_one("#backend", Select).value)
        await self.workspace.save(photos_dir=str(place), backend=backend)
        if "PHOTOS_DIR" in os.environ:
            self.pcc.tell("PHOTOS_DIR is set: from the next start it goes over this", "warning")
        self.pcc.action_go("library")
        if start:
            self.pcc.start_captioning()

    def action_library(self) -> None:
        """Go to the library without a change."""
        self.pcc.action_go("library")
