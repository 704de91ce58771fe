"""What this workspace holds, and what to do next."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Literal

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button

from journal import RETRYABLE
from pcc_tui.screens.base import PccScreen
from pcc_tui.widgets.months import MonthStrip
from pcc_tui.widgets.text import Words
from pcc_tui.words.figures import by_extension, tidy
from pipeline.captions.plan import Selection
from pipeline.captions.survey import Survey
from pipeline.jobs.progress import Snapshot
from pipeline.photos.errors import PhotosDirMissing

Step = Literal["wait", "setup", "watch", "start", "retry", "cluster", "review"]


COUNT_AGAIN_SECONDS = 2.0
"""How soon the figures follow a growing journal."""


class NextStep(msgspec.Struct, frozen=True):
    """The one thing to do next, and what the button says."""

    step: Step
    words: str


class LibraryScreen(PccScreen):
    """The figures of the library, its months, and the next step."""

    MODE = "library"
    AUTO_FOCUS = "#next"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5,r", "look_again", "Look for new photos", id="library.look_again"),
        Binding("p", "photos", "Photos directory", id="library.photos"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._survey: Survey | None = None
        self._counting = self._count_again = self._looked = False
        self._next = NextStep("wait", "Looking at the library …")

    def compose_body(self) -> ComposeResult:
        """Lay out figures, months and the next step."""
        with VerticalScroll(id="library", can_focus=False):
            yield Words(id="place")
            with Horizontal(id="figures"):
                for name in ("found", "captioned", "errors", "left"):
                    yield Words(id=name, classes="figure")
            yield Words(id="statuses")
            with Horizontal(id="what-next"):
                yield Button(self._next.words, variant="primary", id="next")
            yield MonthStrip(id="months")
            yield Words(id="library-warnings")

    def show_catalogue(self) -> None:
        """Count again, once the counting under way is done."""
        if self._counting:
            self._count_again = True
        else:
            self.background("survey", self._count, False)

    def show_snapshot(self, shot: Snapshot | None) -> None:
        """Show the next step, which depends on whether a job runs."""
        self._show_next_step()

    def action_look_again(self) -> None:
        """Walk the photos directory for new photos."""
        self.background("survey", self._count, True)

    async def _count(self, walk: bool) -> None:
        self._counting = True
        try:
            await self._survey_once(walk)
            while self._count_again:
                self._count_again = False
                await asyncio.sleep(COUNT_AGAIN_SECONDS)
                await self._survey_once(False)
        finally:
            self._counting = False

    async def _survey_once(self, walk: bool) -> None:
        place, captions = self.workspace.photos_dir, self.desks.captions
        words = "No photos directory yet." if place is None else f"Photos: {tidy(place)}"
        survey = None
        try:
            if place is not None:
                survey = await captions.survey(captions.request(), walk=walk)
        except PhotosDirMissing as error:
            words = str(error)
        self._survey, self._looked = survey, True
        self.query_one("#place", Words).say(words)
        self._show()

    def _show(self) -> None:
        survey = self._survey
        if survey is not None:
            plan = survey.plan
            failed = plan.errored.total()
            done = plan.photos - plan.missing - failed
            self._figure("found", plan.photos, "photos found", "$text")
            self._figure("captioned", done, "captioned", "$success")
            self._figure("errors", failed, "errors", "$error" if failed else "dim")
            to_do = "$warning" if plan.missing else "dim"
            self._figure("left", plan.missing, "to do", to_do)
            statuses = self.workspace.origin().complete(_statuses(survey))
            self.query_one("#statuses", Words).say(statuses, "dim")
            self.query_one(MonthStrip).show(survey.months)
            self.query_one("#library-warnings", Words).say("\n".join(survey.warnings), "$warning")
        self._show_next_step()

    def _show_next_step(self) -> None:
        self._next = self.next_step()
        button = self.query_one("#next", Button)
        if button.label != Content(self._next.words):
            button.label = Content(self._next.words)

    def _figure(self, name: str, count: int, words: str, style: str) -> None:
        self.query_one(f"#{name}", Words).update(
            Content.assemble((f"{count:,}", f"{style} bold"), "\n", (words, "dim"))
        )

    def next_step(self) -> NextStep:
        """Return what to do next."""
        survey, backend = self._survey, self.workspace.settings.choices.backend
        if self.pcc.link.running:
            return NextStep("watch", "Watch the running job")
        if not self._looked:
            return self._next
        if survey is None:
            return NextStep("setup", "Choose the photos directory")
        plan = survey.plan
        if plan.missing:
            return NextStep("start", f"Caption {plan.missing:,} photos with {backend}")
        retryable = sum(plan.errored[status] for status in RETRYABLE)
        if retryable:
            return NextStep("retry", f"Retry {retryable:,} failed photos with {backend}")
        if not plan.photos:
            return NextStep("setup", "No photos here; choose another directory")
        if self.desks.clusters.lacks_clusters():
            return NextStep("cluster", "Sort the photos into clusters")
        return NextStep("review", "Review the captions")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do the next step."""
        match self._next.step:
            case "setup":
                self.pcc.action_go("setup")
            case "watch":
                self.pcc.action_go("run")
            case "start":
                self.pcc.start_captioning()
            case "retry":
                self.pcc.start_captioning(Selection(frozenset(RETRYABLE), only=True))
            case "cluster":
                self.pcc.start_clustering()
            case "review":
                self.pcc.action_go("review")

    def action_photos(self) -> None:
        """Choose another photos directory."""
        self.pcc.action_go("setup")


def _statuses(survey: Survey) -> str:
    """Return what the figures leave out, on one line."""
    plan = survey.plan
    parts = [f"{count:,} {status}" for status, count in sorted(plan.errored.items())]
    if plan.stale:
        parts.append(f"{plan.stale:,} of another model or prompt")
    if plan.changed:
        parts.append(f"{plan.changed:,} changed since")
    if plan.edited:
        parts.append(f"{plan.edited:,} edited by hand")
    gone = survey.recorded.total() - (plan.photos - plan.missing)
    if gone > 0:
        parts.append(f"{gone:,} in the journal and no longer on disk")
    if plan.passed_over:
        parts.append(f"passed over: {by_extension(plan.passed_over)}")
    if plan.malformed.total:
        parts.append(f"{plan.malformed.total:,} malformed lines, see `pcc journal check`")
    return " · ".join(parts)
