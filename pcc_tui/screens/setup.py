"""First run: where the photos are, and what captions them."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.suggester import Suggester
from textual.widgets import Button, Input, Select

from backends.registry import backend_names
from pcc_tui.screens.base import PccScreen
from pcc_tui.widgets.text import Words
from pcc_tui.wording import tidy
from pipeline.photos.walk import walk_photos

COUNT_SECONDS = 5.0
"""A folder so large that counting takes longer has enough photos."""


def _folder(typed: str) -> Path:
    return Path(typed.strip()).expanduser()


class FolderSuggester(Suggester):
    """Completes the path of a folder as one types; right takes the suggestion."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return the first folder that begins like this."""
        return await asyncio.to_thread(first_folder, value)


def first_folder(value: str) -> str | None:
    """Return the first folder, by name, whose path begins with a text."""
    if not value:
        return None
    typed = Path(value).expanduser()
    parent, start = (typed, "") if value.endswith("/") else (typed.parent, typed.name)
    try:
        names = sorted(
            entry.name
            for entry in parent.iterdir()
            if entry.name.startswith(start) and (start or entry.name[0] != ".") and entry.is_dir()
        )
    except OSError:
        return None
    return value + names[0][len(start) :] if names and names[0] != start else None


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
        chosen = self.session.settings.choices.backend
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
                str(self.session.photos_dir or ""),
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
        self.query_one("#workspace", Words).say(tidy(self.session.workspace), "$primary")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Count the photos there."""
        self.background("count", self._count, event.value)

    async def _count(self, typed: str) -> None:
        words = self.query_one("#found-photos", Words)
        if not typed.strip():
            words.say("")
            return
        await asyncio.sleep(0.2)  # someone is typing
        place = _folder(typed)
        if not await asyncio.to_thread(place.is_dir):
            words.say("There is no such directory.", "$warning")
            return
        words.say("Counting …", "dim")
        deadline = time.monotonic() + COUNT_SECONDS
        gone = threading.Event()
        try:
            walked = await asyncio.to_thread(
                walk_photos,
                place,
                go_on=lambda: not gone.is_set() and time.monotonic() < deadline,
            )
        finally:
            gone.set()  # another text was typed, or the app is left
        count = len(walked.paths)
        more = "" if walked.whole else " and more"
        words.say(f"{count:,} photos{more}", "$success" if count else "$warning")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on."""
        self._save(start=False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Save, and start if asked to."""
        self._save(start=event.button.id == "start")

    def _save(self, *, start: bool) -> None:
        typed = self.query_one("#photos-dir", Input).value
        place = _folder(typed)
        if not typed.strip() or not place.is_dir():
            self.query_one("#found-photos", Words).say("There is no such directory.", "$error")
            self.query_one("#photos-dir", Input).focus()
            return
        backend = str(self.query_one("#backend", Select).value)
        self.background("save", self._keep, place.resolve(), backend, start)

    async def _keep(self, place: Path, backend: str, start: bool) -> None:
        self.session.save(photos_dir=str(place), backend=backend)
        self.pcc.action_go("library")
        if start:
            self.pcc.start_job()

    def action_library(self) -> None:
        """Go to the library without a change."""
        self.pcc.action_go("library")
