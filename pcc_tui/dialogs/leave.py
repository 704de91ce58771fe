"""Leaving while a job runs: whether the job goes on."""

from __future__ import annotations

from typing import ClassVar, Literal, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button

from pcc_tui.base_app import BaseApp
from pcc_tui.desks.job_link import JobEnd
from pcc_tui.widgets.text import Words

Leave = Literal["keep", "stay"]


class LeaveDialog(ModalScreen[Leave]):
    """Asks what becomes of the running job: keep it running, stop it, or stay.

    Attributes:
        stopping: Whether the job was told to stop; the app leaves when the job is over.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "keep", "Keep it running", id="leave.keep"),
        Binding("s", "stop", "Stop it", id="leave.stop"),
        Binding("escape,n,q", "stay", "Stay", id="leave.stay"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.stopping = False

    def compose(self) -> ComposeResult:
        """Lay out the question and its answers."""
        with Vertical(id="dialog"):
            yield Words("A job is running. What becomes of it?", id="question")
            yield Words(
                "Kept running, it needs no terminal; what shows it again is printed next.",
                id="explanation",
            )
            with Horizontal(id="answers"):
                yield Button("Keep it running (k)", variant="primary", id="keep")
                yield Button("Stop it (s)", variant="warning", id="stop")
                yield Button("Stay (n)", id="stay")

    def on_mount(self) -> None:
        """Wait for the end of the job, which may come before an answer."""
        cast(BaseApp, self.app).job_ended.subscribe(self, self._job_ended)

    def _job_ended(self, ended: JobEnd | None) -> None:
        if self.stopping:
            self.app.exit(0)
        elif self.is_current:
            self.dismiss("stay")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        getattr(self, f"action_{event.button.id}")()

    def action_keep(self) -> None:
        """Leave the app; the job goes on."""
        self.dismiss("keep")

    def action_stay(self) -> None:
        """Stay in the app; the job goes on."""
        self.dismiss("stay")

    def action_stop(self) -> None:
        """Stop the job and leave when it is over; asked a second time, stop the job at once."""
        cast(BaseApp, self.app).command_job("abort" if self.stopping else "stop")
        self.stopping = True
        self.query_one("#explanation", Words).update(
            "Stopping after what is in flight … `s` again drops that too."
        )
