"""What screens ask of the app: its desks, the job, and a place to say things.

Screens know this module and not `app.py`, because `app.py` imports the screens.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text
from textual.app import App
from textual.notifications import SeverityLevel
from textual.signal import Signal
from textual.worker import Worker

from backends.errors import BackendError
from backends.keys import scrub
from journal import JournalError, make_directory
from pcc_tui.clean import clean
from pcc_tui.desks.commands import MISSING_CAPTIONS
from pcc_tui.desks.desks import Desks
from pcc_tui.desks.endings import outcome_of
from pcc_tui.desks.job_link import JobEnd, JobLink
from pcc_tui.dialogs.confirm import ConfirmDialog
from pcc_tui.errors import AppError, SettingsError
from pcc_tui.preferences import Preferences
from pcc_tui.probes import MachineProbe
from pcc_tui.terminal import PatientDriver
from pcc_tui.words.commands import shortened
from pcc_tui.words.estimates import price_question
from pcc_tui.words.failures import bug_words, failure_words
from pcc_tui.words.outcomes import Verdict
from pipeline.captions.bill import may_cost
from pipeline.captions.plan import Selection
from pipeline.captions.request import RunRequest
from pipeline.clusters.errors import ClusterError
from pipeline.ingest.errors import IngestError
from pipeline.jobs.control_messages import Command
from pipeline.jobs.errors import JobError
from pipeline.jobs.log import keep_traceback
from pipeline.jobs.progress import Snapshot
from pipeline.photos.errors import PhotoError

if TYPE_CHECKING:
    from textual_image.widget._base import Image as ImageWidget

EXPECTED = (
    *(AppError, BackendError, ClusterError, IngestError, JobError, JournalError, PhotoError),
    *(MemoryError, OSError),
)
"""Errors that say in a sentence what is wrong and what mends it."""

LONGEST_NOTICE = 400
"""Characters of a notice; the rest is cut off."""

SEVERITIES: dict[Verdict, SeverityLevel] = {
    "good": "information",
    "partly": "warning",
    "bad": "error",
}
"""How loudly the end of a job is told."""

SAMPLE_SECONDS, SAMPLES = 1.0, 240
"""How often the rate of a job is sampled, and how many samples the Run screen draws."""

AsyncWork = Callable[..., Coroutine[Any, Any, None]]


class BaseApp(App[int]):
    """The app without its screens.

    Args:
        desks: The desks of the workspace.
        preferences: What the user likes.
        image_widget: The widget that draws pictures, None for no pictures.
        machine: Reads what the machine is doing; ask it off the event loop.

    Attributes:
        workspace: The workspace.
        link: Follows the job, whoever started it.
        snapshot: The last state of the running job, None while no job runs.
        ended: How the last job ended; None before the first end, and once another job starts.
        rates: Photos a second of the running job, second by second.
        catalogue_grew: Published by `PccApp`, which has the catalogue's thread look at the
            journal every second, after that thread has read something new.
        job_moved: Published with each snapshot, and with None when a job is over.
        job_ended: Published with each new value of `ended`.
    """

    def __init__(
        self,
        desks: Desks,
        preferences: Preferences,
        image_widget: type[ImageWidget] | None,
        machine: MachineProbe,
    ) -> None:
        super().__init__(driver_class=PatientDriver)
        self.desks = desks
        self.workspace = desks.workspace
        self.preferences = preferences
        self.image_widget = image_widget
        self.machine = machine
        self.link = JobLink(
            desks.workspace.path,
            on_snapshot=self._job_went_on,
            on_reply=self._job_replied,
            on_trouble=self._job_is_strange,
            on_end=self._job_is_over,
            rate=preferences.refresh_rate(),
        )
        self.snapshot: Snapshot | None = None
        self.ended: JobEnd | None = None
        self.rates: deque[float] = deque(maxlen=SAMPLES)
        self.catalogue_grew: Signal[None] = Signal(self, "catalogue grew")
        self.job_moved: Signal[Snapshot | None] = Signal(self, "job moved")
        self.job_ended: Signal[JobEnd | None] = Signal(self, "job ended")
        self._sampled_at = 0.0

    def action_go(self, mode: str) -> None:
        """Show another screen, unless a dialog waits for an answer."""
        if not self.screen.is_modal:
            self.switch_mode(mode)

    # The job

    def start_captioning(
        self,
        selection: Selection = MISSING_CAPTIONS,
        *,
        retry_list: Path | None = None,
        backend: str | None = None,
        started: Callable[[], None] = lambda: None,
    ) -> None:
        """Start a run with the settings of the workspace and show it; see `Commands.run`.

        This is the one way to captions, so nothing that may cost money starts without its price
        and a question.

        Args:
            selection: Which photos are captioned again.
            retry_list: A file that lists the photos to work on, which `selection` holds too.
            backend: A backend other than the chosen one.
            started: Called once the run has started, which may be after a question.
        """
        if self.workspace.photos_dir is None:
            self.switch_mode("setup")
            return
        run = self.desks.commands.run(selection, retry_list=retry_list, backend=backend)
        request = self.desks.captions.request(selection, backend)
        asks = may_cost(request.backend, request.options) or self.desks.backends.server_question(
            request.backend
        )
        if self.link.running or not asks:
            self._start_run(run, started)
        elif not self.screen.is_modal:
            self.background(self._ask_first, request, run, started)

    async def _ask_first(
        self, request: RunRequest, run: Sequence[str], started: Callable[[], None]
    ) -> None:
        """Ask whether the server is meant, where a file alone names it, and about the price."""
        if not await self.admits_server(request.backend):
            return
        bill = await self.desks.captions.estimate(request)
        is_due = bill.photos_remaining > 0 and bill.cost_usd != 0
        if not is_due or await self.push_screen_wait(ConfirmDialog(price_question(bill))):
            self._start_run(run, started)

    async def admits_server(self, backend: str, typed: str | None = None) -> bool:
        """Tell whether photos may go to the server of a backend; ask where a file alone names it.

        Args:
            backend: Name of the backend.
            typed: The address in a field, None where there is no field or nothing in it.
        """
        question = self.desks.backends.server_question(backend, typed)
        if question is None:
            return True
        if await self.push_screen_wait(ConfirmDialog(question)):
            await asyncio.to_thread(self.desks.backends.keep_server)
            return True
        return False

    def _start_run(self, run: Sequence[str], started: Callable[[], None]) -> None:
        if self._start_and_show(run):
            started()

    def start_clustering(self) -> None:
        """Start the clustering of the library and show it."""
        self._start_and_show(self.desks.commands.cluster())

    def _start_and_show(self, command: Sequence[str]) -> bool:
        started = self.start_pcc(command)
        if started:
            self.switch_mode("run")
        return started

    def start_pcc(self, command: Sequence[str]) -> bool:
        """Start a command of `pcc` as the job, on whatever screen; tell whether it started."""
        if self.link.running:
            self.tell("a job is running; wait for it, or stop it", "warning")
            return False
        try:
            make_directory(self.workspace.path)
            self.link.start(command)
        except OSError as error:
            self.tell(f"the job cannot be started: {failure_words(error)}", "error")
            return False
        self._set_ended(None)
        self.rates.clear()
        return True

    def command_job(self, command: Command) -> None:
        """Tell the running job something."""
        if self.link.running:
            self.background(self.link.send, command)
        else:
            self.tell("no job is running", "warning")

    def pause_or_resume_job(self) -> None:
        """Pause the running job, or let a paused job go on."""
        paused = self.snapshot is not None and self.snapshot.state == "paused"
        self.command_job("resume" if paused else "pause")

    def show_snapshot(self, shot: Snapshot | None) -> None:
        """Let every screen know the state of the job, None where no job runs."""
        self.snapshot = shot
        self.job_moved.publish(shot)

    def _job_went_on(self, shot: Snapshot) -> None:
        now = time.monotonic()
        if now - self._sampled_at >= SAMPLE_SECONDS:
            self._sampled_at = now
            self.rates.append(0.0 if shot.state == "paused" else shot.rate_now)
        self.show_snapshot(shot)

    def _job_replied(self, reply: str) -> None:
        self.tell(f"The job answers: {reply}")

    def _job_is_strange(self, trouble: str) -> None:
        self.tell(trouble, "warning")

    def _job_is_over(self, ended: JobEnd) -> None:
        with suppress(SettingsError):  # whoever asks next is told what is wrong with the file
            self.workspace.recall()
        self.show_snapshot(None)
        outcome = outcome_of(ended)
        self.tell(outcome.words, SEVERITIES[outcome.verdict])
        self._set_ended(ended)

    def _set_ended(self, ended: JobEnd | None) -> None:
        self.ended = ended
        self.job_ended.publish(ended)

    # What is told

    def tell(self, sentence: str, severity: SeverityLevel = "information") -> None:
        """Show a sentence as a notice; nothing in the sentence acts on the terminal."""
        sentence = self.workspace.origin().complete(sentence)
        words = shortened(clean(scrub(sentence)), LONGEST_NOTICE)
        self.notify(words, severity=severity, markup=False)

    def background(self, work: AsyncWork, *arguments: Any) -> Worker[None]:
        """Do something while the app stays alive, whatever screen is shown."""
        return self.run_worker(partial(self.guarded, work, *arguments), exit_on_error=False)

    async def guarded(self, work: AsyncWork, *arguments: Any) -> None:
        """Do something that may fail; a failure is a sentence, not the end of the app."""
        try:
            await work(*arguments)
        except EXPECTED as error:
            self.tell(failure_words(error), "error")
        except Exception as error:
            self.tell(self._noted(error), "error")

    def _noted(self, error: Exception) -> str:
        """Write an unexpected error to the log of the app, and return the error in words."""
        return bug_words(error, keep_traceback(error, self.workspace.path / "app.log"))

    # Textual prints tracebacks, with every local variable, from the next two methods. They
    # are Textual's own business, so tests keep them working, and its exact version is pinned.

    def panic(self, *renderables: RenderableType) -> None:
        """End the app with one sentence instead of the tracebacks."""
        self._return_code = 1
        self._end_with("The terminal cannot be read any longer.")

    def _fatal_error(self) -> None:
        """End the app with one sentence about the error."""
        error = self._exception
        if error is not None and not self._exit_renderables:
            self._end_with(self._noted(error))
        self._close_messages_no_wait()

    def _end_with(self, reason: str) -> None:
        words = clean(scrub(reason))[:LONGEST_NOTICE]
        sentence = f"pcc: the app failed, a running job goes on. {words}"
        if not self._exit_renderables:
            self._exit_renderables.append(Text(sentence))
        self._close_messages_no_wait()
