"""What every screen has: the first line, the footer, and work in the background that may fail."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, cast

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer
from textual.worker import Worker

from pcc_tui.base_app import AsyncWork, BaseApp
from pcc_tui.desks.desks import Desks
from pcc_tui.widgets.navigation import Navigation
from pcc_tui.workspace import Workspace
from pipeline.jobs.progress import Snapshot


class PccScreen(Screen[None]):
    """A screen that is a mode of the app.

    A screen out of sight draws nothing; it catches up when it comes back.
    """

    MODE: ClassVar[str]

    @property
    def pcc(self) -> BaseApp:
        """The app."""
        return cast(BaseApp, self.app)

    @property
    def desks(self) -> Desks:
        """The desks that the screen asks."""
        return self.pcc.desks

    @property
    def workspace(self) -> Workspace:
        """The paths and settings."""
        return self.pcc.workspace

    def compose(self) -> ComposeResult:
        """Put the screen's own parts between its first line and its footer."""
        yield Navigation(self.MODE)
        yield from self.compose_body()
        yield Footer(show_command_palette=False)

    def compose_body(self) -> ComposeResult:
        """Yield the parts of the screen."""
        yield from ()

    def on_mount(self) -> None:
        """Follow the job and the catalogue."""
        self.pcc.job_moved.subscribe(self, self._job_moved)
        self.pcc.catalogue_grew.subscribe(self, self._catalogue_grew)

    def on_screen_resume(self) -> None:
        """Catch up with what happened meanwhile."""
        self._job_moved(self.pcc.snapshot)
        self._catalogue_grew(None)

    def _job_moved(self, shot: Snapshot | None) -> None:
        if self.is_current:
            self.query_one(Navigation).show_job(shot)
            self.show_snapshot(shot)

    def _catalogue_grew(self, _: None) -> None:
        if self.is_current:
            self.show_catalogue()

    def show_snapshot(self, shot: Snapshot | None) -> None:
        """Show the state of the job, None when no job runs."""

    def show_catalogue(self) -> None:
        """Show what changed in the journal or the edits."""

    def carry_out(self, work: AsyncWork, *arguments: Any) -> Worker[None]:
        """Do something to its end while the screen stays alive."""
        guarded = partial(self.pcc.guarded, work, *arguments)
        return self.run_worker(guarded, exit_on_error=False)

    def background(self, group: str, work: AsyncWork, *arguments: Any) -> Worker[None]:
        """Do something while the screen stays alive; later work of the same group replaces it."""
        guarded = partial(self.pcc.guarded, work, *arguments)
        return self.run_worker(guarded, group=group, exclusive=True, exit_on_error=False)
