"""How the job is doing, live."""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import ProgressBar, Sparkline

from journal import RETRYABLE
from pcc_tui.desks.endings import outcome_of
from pcc_tui.desks.job_link import JobEnd
from pcc_tui.screens.base import PccScreen
from pcc_tui.widgets.gauges import Gauges
from pcc_tui.widgets.picture import PictureBox
from pcc_tui.widgets.text import Words, safe, safe_lines
from pcc_tui.words.figures import duration, is_of_one_piece, loading_words, rate
from pcc_tui.words.job import pace, spent
from pcc_tui.words.outcomes import cluster_words
from pipeline.captions.plan import Selection
from pipeline.captions.request import RunReport
from pipeline.clusters.comparison import ClusterReport
from pipeline.ingest.report import IngestReport
from pipeline.jobs.progress import DonePhoto, Snapshot

GAUGE_SECONDS = 2.0

PICTURE_SECONDS = 1.0
"""Least time between two photos on the screen: faster, nobody could see them."""

STYLES = {"good": "$success", "partly": "$warning", "bad": "$error"}


class RunScreen(PccScreen):
    """The progress, the throughput, the machine, the last photo and its caption, and the errors."""

    MODE = "run"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause/resume", id="run.pause"),
        Binding("s", "stop", "Stop", id="run.stop"),
        Binding("t", "retry", "Retry errors", id="run.retry"),
        Binding("r", "start", "Start", id="run.start"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._pictured_at = 0.0
        self._presenting = False

    def compose_body(self) -> ComposeResult:
        """Lay out the job, the last photo, the errors and the machine."""
        with Vertical(id="run"):
            yield Words(id="state")
            yield ProgressBar(show_percentage=True, show_eta=False, id="progress")
            yield Words(id="pace")
            yield Words(id="counts")
            yield Sparkline([0.0], summary_function=max, id="throughput")
            with Horizontal(id="middle"):
                yield PictureBox(self.pcc.image_widget, "last-picture")
                with Vertical(id="beside"):
                    yield Words(id="last-caption")
                    yield Words(id="errors-now")
                yield Gauges(id="gauges")

    def on_mount(self) -> None:
        """Read the machine while the screen is in sight."""
        super().on_mount()
        self.pcc.job_ended.subscribe(self, self._job_ended)
        self.set_interval(GAUGE_SECONDS, self._read_machine)
        self._read_machine()
        self.show_snapshot(self.pcc.snapshot)

    def _read_machine(self) -> None:
        if self.is_current:
            self.background("machine", self._show_machine)

    async def _show_machine(self) -> None:
        readings = await asyncio.to_thread(self.pcc.machine.sample)
        self.query_one(Gauges).show(readings)

    def show_snapshot(self, shot: Snapshot | None) -> None:
        """Show the state of the job."""
        if shot is None:
            self._show_no_job()
            return
        model = f" / {shot.model}" if shot.model else ""
        state = "loading" if shot.state == "starting" else shot.state
        doing = f"\n{loading_words(shot.loading)}" if shot.loading is not None else ""
        self.query_one("#state", Words).update(
            Content.assemble(
                (f" {state} ", "$primary reverse bold"),
                " ",
                safe_lines(f"{shot.backend}{model}, run {shot.run}{doing}"),
            )
        )
        self._show_progress(shot)
        self.query_one(Sparkline).data = list(self.pcc.rates)
        self._show_last(shot)
        whole = self.workspace.origin().complete
        told = map(whole, [*shot.remarks, *filter(None, [shot.trouble])])
        remarks = [safe(remark, "$warning") for remark in told]
        errors = [
            Content.assemble(safe(f"{error.rel_path} ", "dim"), safe(whole(error.text), "$error"))
            for error in shot.errors
        ]
        self.query_one("#errors-now", Words).update(Content("\n").join([*remarks, *errors]))

    def _show_last(self, shot: Snapshot) -> None:
        captioned = [result for result in shot.last if result.status == "success"]
        now = time.monotonic()
        if captioned and not self._presenting and now - self._pictured_at >= PICTURE_SECONDS:
            self._pictured_at = now
            self.carry_out(self._present, captioned[0])

    async def _present(self, last: DonePhoto) -> None:
        """Show a photo and its caption together, once the photo is decoded."""
        self._presenting = True
        try:
            thumbnails = self.desks.photos.thumbnails()
            path = await self.desks.photos.file_at(last.rel_path, last.raw_path)
            if path is not None and thumbnails is not None:
                await self.query_one(PictureBox).present(thumbnails, path)
        finally:
            self._presenting = False
        self.query_one("#last-caption", Words).update(
            Content.assemble(safe(last.rel_path, "dim"), "\n", safe_lines(last.text))
        )

    def _show_no_job(self) -> None:
        state = self.query_one("#state", Words)
        if self.pcc.link.running:
            state.say("Starting …", "dim")
        elif self.pcc.ended is not None:
            self._job_ended(self.pcc.ended)
        else:
            state.say("No job is running. r starts one.", "dim")

    def _job_ended(self, ended: JobEnd | None) -> None:
        if ended is None:
            self._show_no_job()
            return
        report = ended.report
        if isinstance(report, RunReport | IngestReport) and (
            report.attempted or not report.remaining
        ):
            self._show_report(report)
        elif isinstance(report, ClusterReport):
            self._show_clusters(report)
        elif ended.last is not None:
            self._show_progress(ended.last)
        outcome = outcome_of(ended)
        words = f"{outcome.words} r starts another."
        self.query_one("#state", Words).say(words, STYLES[outcome.verdict])

    def _show_clusters(self, report: ClusterReport) -> None:
        """Show what a clustering found; how far its last step was says nothing any more."""
        self.query_one(ProgressBar).update(total=1, progress=1)
        clusters, photos = cluster_words(report)
        self.query_one("#pace", Words).say(f"{clusters} in {duration(report.seconds)}")
        self.query_one("#counts", Words).say(photos)

    def _show_report(self, report: RunReport | IngestReport) -> None:
        """Show what a job that counts photos did in all."""
        total = report.attempted + report.remaining
        self.query_one(ProgressBar).update(total=max(1, total), progress=report.attempted or 1)
        took = f"{duration(report.seconds)}, {rate(report.rate)}" if report.attempted else "no time"
        left = f" · {report.remaining:,} to do" if report.remaining else ""
        self.query_one("#pace", Words).say(f"{report.attempted:,} photos in {took}{left}")
        tokens_in, tokens_out, cost_usd = 0, 0, 0.0
        if isinstance(report, RunReport):
            tokens_in, tokens_out, cost_usd = report.tokens_in, report.tokens_out, report.cost_usd
        words = spent(report.by_status, 0, tokens_in, tokens_out, cost_usd)
        self.query_one("#counts", Words).say(words)

    def _show_progress(self, shot: Snapshot) -> None:
        """Show how far a job is: in photos, or as a share where it works on all photos at once."""
        total, done = shot.total, shot.attempted
        if shot.loading is not None and is_of_one_piece(shot):
            total, done = shot.loading.total or 0, shot.loading.done
        self.query_one(ProgressBar).update(total=max(1, total), progress=done)
        self.query_one("#pace", Words).say(pace(shot))
        before = sum(shot.skipped.values())
        self.query_one("#counts", Words).say(
            spent(shot.by_status, before, shot.tokens_in, shot.tokens_out, shot.cost_usd)
        )

    def action_pause(self) -> None:
        """Pause the job, or let a paused job go on."""
        self.pcc.pause_or_resume_job()

    def action_stop(self) -> None:
        """Stop the job after what is in flight."""
        self.pcc.command_job("stop")

    def action_retry(self) -> None:
        """Retry what failed and nothing else: in the running job, or in a run of its own.

        After a job that made no captions, such as an ingestion, a run would retry what
        that job never touched, and might be billed.
        """
        ended = self.pcc.ended
        if self.pcc.link.running:
            self.pcc.command_job("retry")
        elif ended is None or ended.was_captioning:
            self.pcc.start_captioning(Selection(frozenset(RETRYABLE), only=True))
        else:
            self.pcc.tell("the last job made no captions, so t retries nothing", "warning")

    def action_start(self) -> None:
        """Caption what has no caption."""
        self.pcc.start_captioning()
