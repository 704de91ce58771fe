"""The full-screen app: puts screens, session and job together, and nothing else."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import RenderableType
from rich.text import Text
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel
from textual.reactive import reactive
from textual.screen import Screen
from textual.worker import Worker

from backends.errors import BackendError
from backends.keys import scrub
from journal import JournalError
from pcc_tui.clean import clean
from pcc_tui.desks.job_link import JobEnd, JobLink
from pcc_tui.dialogs.leave import Leave, LeaveDialog
from pcc_tui.driver import PatientDriver
from pcc_tui.errors import AppError, SettingsError
from pcc_tui.hang_up import leave_on_signals
from pcc_tui.locations import preferences_path, styles_path
from pcc_tui.preferences import Preferences
from pcc_tui.probes import MachineProbe
from pcc_tui.screens.backend import BackendScreen
from pcc_tui.screens.clusters import ClustersScreen
from pcc_tui.screens.datasets import DatasetsScreen
from pcc_tui.screens.host import AsyncWork
from pcc_tui.screens.library import LibraryScreen
from pcc_tui.screens.review import ReviewScreen
from pcc_tui.screens.run import RunScreen
from pcc_tui.screens.setup import SetupScreen
from pcc_tui.session import Session
from pcc_tui.toml import change_toml
from pipeline.clusters.errors import ClusterError
from pipeline.ingest.errors import IngestError
from pipeline.jobs.control import Command
from pipeline.jobs.errors import JobError
from pipeline.jobs.log import log_to
from pipeline.jobs.progress import Snapshot
from pipeline.photos.errors import PhotoError

if TYPE_CHECKING:
    from textual.theme import Theme
    from textual_image.widget._base import Image as ImageWidget

EXPECTED = (
    *(AppError, BackendError, ClusterError, IngestError, JobError, JournalError, PhotoError),
    OSError,
)
"""Errors that say in a sentence what is wrong and what mends it."""

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

LONGEST_NOTICE = 400
SAMPLE_SECONDS, SAMPLES = 1.0, 240

CATALOGUE_SECONDS = 1.0
"""How often the journal is looked at for new records."""


class PccApp(App[int]):
    """One workspace on one terminal.

    Args:
        session: The workspace.
        preferences: What the user likes.
        image_widget: The widget that draws pictures, None for none.
        machine: Reads the machine.
        first_mode: The screen to begin with, None for the one that fits.
        start_with: Arguments of a job to start at once, None for no job.

    Attributes:
        snapshot: The last state of the running job, None while there is none.
        version: Grows whenever the catalogue changed.
        ended: How the last job ended.
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

    snapshot: reactive[Snapshot | None] = reactive(None)
    version: reactive[int] = reactive(0)
    ended: reactive[JobEnd | None] = reactive(None)

    def __init__(
        self,
        session: Session,
        preferences: Preferences,
        image_widget: type[ImageWidget] | None,
        machine: MachineProbe,
        *,
        first_mode: str | None = None,
        start_with: Sequence[str] | None = None,
    ) -> None:
        super().__init__(driver_class=PatientDriver)
        self.session = session
        self.preferences = preferences
        self.image_widget = image_widget
        self.machine = machine
        self.link = JobLink(
            session.workspace,
            on_snapshot=self._job_went_on,
            on_reply=self._job_replied,
            on_end=self._job_ended,
            rate=preferences.refresh_rate(),
        )
        self.job_kept = False
        self.rates: deque[float] = deque(maxlen=SAMPLES)
        self._sampled_at = 0.0
        self._first_mode = first_mode
        self._start_with = start_with
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
        self.switch_mode(self._first_mode or ("setup" if self.session.is_new else "library"))
        self._background(self.link.follow)
        self._background(self._follow_journal)
        for warning in self.session.settings.warnings:
            self.tell(warning, "warning")
        if self._start_with is not None:
            self.start_job(self._start_with)

    async def on_unmount(self) -> None:
        """Let go of threads, decoders and commands; a running job goes on."""
        self.link.close()
        self.workers.cancel_all()
        waiting = [worker.wait() for worker in self.workers]
        await asyncio.gather(*waiting, return_exceptions=True)  # they end their processes
        await self.session.close()

    # The journal

    async def _follow_journal(self) -> None:
        """Take in what is added to the journal, a piece at a time."""
        while True:
            await self.guarded(self._read_news)
            await asyncio.sleep(CATALOGUE_SECONDS)

    async def _read_news(self) -> None:
        session = self.session
        if await session.read(session.catalogue.changed):
            finished = False
            while not finished:
                finished = await session.read(session.catalogue.refresh)
                self.version += 1

    # The job

    def start_job(self, extra: Iterable[str] = ()) -> None:
        """Start a job with the settings of the workspace and show it."""
        if self.session.photos_dir is None:
            self.switch_mode("setup")
        else:
            self._start_and_show(self.session.run_arguments(extra))

    def start_clustering(self) -> None:
        """Start the clustering of the library and show it."""
        self._start_and_show(self.session.cluster_arguments())

    def _start_and_show(self, arguments: Sequence[str]) -> None:
        if self.start_pcc(arguments):
            self.switch_mode("run")

    def start_pcc(self, arguments: Sequence[str]) -> bool:
        """Start a command of `pcc` as the job, and stay where one is; tell whether it started."""
        if self.link.running:
            self.tell("a job is running; wait for it, or stop it", "warning")
            return False
        try:
            self.session.workspace.mkdir(parents=True, exist_ok=True)
            self.link.start(arguments)
        except OSError as error:
            self.tell(f"the job cannot be started: {error}", "error")
            return False
        self.ended = None
        self.rates.clear()
        return True

    def command_job(self, command: Command) -> None:
        """Tell the running job something."""
        if self.link.running:
            self._background(self.link.send, command)
        else:
            self.tell("no job is running", "warning")

    def _job_went_on(self, shot: Snapshot) -> None:
        now = time.monotonic()
        if now - self._sampled_at >= SAMPLE_SECONDS:
            self._sampled_at = now
            self.rates.append(0.0 if shot.state == "paused" else shot.rate_now)
        self.snapshot = shot

    def _job_replied(self, reply: str) -> None:
        self.tell(f"The job answers: {reply}")

    def _job_ended(self, ended: JobEnd) -> None:
        self.snapshot = None
        if isinstance(self.screen, LeaveDialog):
            if self.screen.stopping:
                self.exit(0)
                return
            self.screen.dismiss("stay")
        if ended.code not in (None, 0):
            self.tell(f"The job ended with exit code {ended.code}: {ended.words}", "error")
        elif ended.report is not None:
            self.tell(f"The job is over: {ended.report.attempted:,} photos done.")
        else:
            self.tell("The job is over.")
        self.ended = ended

    # Getting about

    def action_go(self, mode: str) -> None:
        """Show another screen."""
        if self.screen.is_modal:
            return
        self.switch_mode(mode)

    def action_keys(self) -> None:
        """Show or hide the keys of this screen."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

    def action_leave(self) -> None:
        """Leave; with a job running, ask what becomes of it."""
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
        yield SystemCommand("Start", "Caption what has no caption", self.start_job)
        yield SystemCommand("Cluster", "Sort the photos into clusters", self.start_clustering)
        for command, words in ORDERS.items():
            yield SystemCommand(command.title(), words, partial(self.command_job, command))
        yield from super().get_system_commands(screen)

    # What is told

    def tell(self, sentence: str, severity: SeverityLevel = "information") -> None:
        """Say a sentence where it is seen; whatever is in it, it is only shown."""
        self.notify(clean(scrub(sentence))[:LONGEST_NOTICE], severity=severity, markup=False)

    def _background(self, work: AsyncWork, *arguments: Any) -> Worker[None]:
        return self.run_worker(partial(self.guarded, work, *arguments), exit_on_error=False)

    async def guarded(self, work: AsyncWork, *arguments: Any) -> None:
        """Do something that may fail; a failure is a sentence, not the end."""
        try:
            await work(*arguments)
        except EXPECTED as error:
            self.tell(f"{error}", "error")
        except Exception as error:
            self._note(error)
            self.tell(f"unexpected {type(error).__name__}: {error}; app.log has more", "error")

    def _draw_anew(self, app: App[object]) -> None:
        """Draw everything: after a stop the terminal holds something else."""
        self.screen.refresh(repaint=True, layout=True)

    def _keep_theme(self, theme: Theme) -> None:
        try:
            change_toml(preferences_path(), {"theme": theme.name}, Preferences)
        except SettingsError as error:
            self.tell(str(error), "warning")

    def _note(self, error: Exception) -> None:
        """Write an unexpected error to the log of the app."""
        trace = scrub("".join(traceback.format_exception(error)))
        with suppress(OSError), log_to(self.session.workspace / "app.log") as log:
            log.error("failed", {"error": scrub(str(error)), "traceback": trace})

    # Textual prints tracebacks, with every local variable, from the next two. They are
    # its own business, so tests keep them working, and the exact version is pinned.

    def panic(self, *renderables: RenderableType) -> None:
        """End with a sentence, whatever there is to show."""
        self._return_code = 1
        self._end_with("The terminal cannot be read any longer.")

    def _fatal_error(self) -> None:
        """End with a sentence."""
        error = self._exception
        if error is not None and not self._exit_renderables:
            self._note(error)
            self._end_with(f"{type(error).__name__}: {str(error)[:300]}; app.log has more")
        self._close_messages_no_wait()

    def _end_with(self, reason: str) -> None:
        words = clean(scrub(reason))[:LONGEST_NOTICE]
        sentence = f"pcc: the app failed, a running job goes on. {words}"
        if not self._exit_renderables:
            self._exit_renderables.append(Text(sentence))
        self._close_messages_no_wait()
