"""The full-screen app: puts screens, desks and job together, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from pcc_tui.base_app import BaseApp
from pcc_tui.desks.desks import Desks
from pcc_tui.dialogs.leave import Leave, LeaveDialog
from pcc_tui.errors import SettingsError
from pcc_tui.locations import preferences_path, styles_path
from pcc_tui.preferences import Preferences
from pcc_tui.probes import MachineProbe
from pcc_tui.screens.backend import BackendScreen
from pcc_tui.screens.clusters import ClustersScreen
from pcc_tui.screens.datasets import DatasetsScreen
from pcc_tui.screens.library import LibraryScreen
from pcc_tui.screens.review import ReviewScreen
from pcc_tui.screens.run import RunScreen
from pcc_tui.screens.setup import SetupScreen
from pcc_tui.terminal import leave_on_signals
from pcc_tui.toml import change_toml
from pipeline.jobs.control_messages import Command

if TYPE_CHECKING:
    from textual.theme import Theme
    from textual_image.widget._base import Image as ImageWidget

PLACES = (
    ("library", "Library", "What this workspace holds"),
    ("backend", "Backend", "What makes the captions"),
    ("run", "Run", "How the job is doing"),
    ("review", "Review", "Look at captions"),
    ("clusters", "Clusters", "Read and correct the tree of clusters"),
    ("datasets", "Datasets", "Make training datasets"),
    ("setup", "Photos directory", "Choose the photos"),
)

ORDERS: dict[Command, str] = {
    "pause": "Pause the job",
    "resume": "Let the job go on",
    "stop": "Stop the job after what is in flight",
    "retry": "Retry what failed in the job",
}

CATALOGUE_SECONDS = 1.0
"""How often the journal is looked at for new records."""


class PccApp(BaseApp):
    """One workspace on one terminal.

    Args:
        desks: The desks of the workspace.
        preferences: What the user likes.
        image_widget: The widget that draws pictures, None for no pictures.
        machine: Reads what the machine is doing.
        caption_at_once: Whether to start a run as soon as the app is open.

    Attributes:
        job_kept: Whether the app was left with a job running.
    """

    TITLE = "pcc"
    CSS_PATH: ClassVar = [
        styles_path() / f"{name}.tcss"
        for name in (
            *("app", "library", "backend", "run", "review", "clusters", "datasets", "setup"),
        )
    ]
    MODES: ClassVar = {
        "library": LibraryScreen,
        "backend": BackendScreen,
        "run": RunScreen,
        "review": ReviewScreen,
        "clusters": ClustersScreen,
        "datasets": DatasetsScreen,
        "setup": SetupScreen,
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "go('library')", "Library", show=False, id="app.library"),
        Binding("2", "go('backend')", "Backend", show=False, id="app.backend"),
        Binding("3", "go('run')", "Run", show=False, id="app.run"),
        Binding("4", "go('review')", "Review", show=False, id="app.review"),
        Binding("5", "go('clusters')", "Clusters", show=False, id="app.clusters"),
        Binding("6", "go('datasets')", "Datasets", show=False, id="app.datasets"),
        Binding("question_mark,f1", "keys", "Keys", key_display="?", id="app.keys"),
        Binding("ctrl+p", "command_palette", "Palette", show=False, id="app.palette"),
        Binding("q", "leave", "Quit", id="app.quit"),
        Binding("ctrl+q,ctrl+c", "leave", "Quit", show=False, id="app.interrupt"),
    ]
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        desks: Desks,
        preferences: Preferences,
        image_widget: type[ImageWidget] | None,
        machine: MachineProbe,
        *,
        caption_at_once: bool = False,
    ) -> None:
        super().__init__(desks, preferences, image_widget, machine)
        self.job_kept = False
        self._caption_at_once = caption_at_once
        self.animation_level = "full" if preferences.animations else "none"

    def on_mount(self) -> None:
        """Begin: theme, keys, signals, the job and the journal."""
        wanted = self.preferences.theme_name()
        if wanted in self.available_themes:
            self.theme = wanted
        else:
            self.tell(f"there is no theme {wanted!r}; choose one with ctrl+p", "warning")
        self.theme_changed_signal.subscribe(self, self._keep_theme)
        self.set_keymap(self.preferences.keys)
        self.app_resume_signal.subscribe(self, self._draw_anew)
        leave_on_signals(self)
        self.switch_mode("setup" if self.workspace.is_new else "library")
        self.background(self.link.follow)
        self.background(self._follow_journal)
        for warning in self.workspace.settings.warnings:
            self.tell(warning, "warning")
        if self._caption_at_once:
            self.start_captioning()

    async def _follow_journal(self) -> None:
        """Let the captions desk look for new records, and tell the screens when it found some."""
        grew = partial(self.catalogue_grew.publish, None)
        while True:
            await self.guarded(self.desks.captions.read_news, grew)
            await asyncio.sleep(CATALOGUE_SECONDS)

    async def on_unmount(self) -> None:
        """Let go of threads, decoders and commands; a running job goes on."""
        self.link.close()
        self.workers.cancel_all()
        waiting = [worker.wait() for worker in self.workers]
        await asyncio.gather(*waiting, return_exceptions=True)  # workers end their processes
        await self.desks.close()

    # Getting about

    def action_keys(self) -> None:
        """Show or hide the keys of this screen."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

    def action_leave(self) -> None:
        """Leave; with a job running, ask what becomes of the job."""
        if not self.link.running:
            self.exit(0)
        elif not isinstance(self.screen, LeaveDialog):
            self.push_screen(LeaveDialog(), self._leave)

    def _leave(self, answer: Leave | None) -> None:
        if answer == "keep":
            self.job_kept = True
            self.exit(0)

    async def action_quit(self) -> None:
        """Leave, from the palette."""
        self.action_leave()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer everything that has a key, in words."""
        for mode, name, words in PLACES:
            yield SystemCommand(name, words, partial(self.action_go, mode))
        yield SystemCommand("Start", "Caption what has no caption", self.start_captioning)
        yield SystemCommand("Cluster", "Sort the photos into clusters", self.start_clustering)
        for command, words in ORDERS.items():
            yield SystemCommand(command.title(), words, partial(self.command_job, command))
        yield from super().get_system_commands(screen)

    # What the terminal and the palette do

    def _draw_anew(self, app: App[object]) -> None:
        """Draw everything again: after a stop (Ctrl+Z) the terminal shows something else."""
        self.screen.refresh(repaint=True, layout=True)

    def _keep_theme(self, theme: Theme) -> None:
        try:
            change_toml(preferences_path(), {"theme": theme.name}, Preferences)
        except SettingsError as error:
            self.tell(str(error), "warning")
