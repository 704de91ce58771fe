"""Ingestion among the passes of a dataset: its rows, its counts, and what is done with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pcc_tui.clean import clean
from pcc_tui.desks.ingestion import IngestDesk, Ingested
from pcc_tui.dialogs.ask import AskDialog
from pcc_tui.widgets.text import Words
from pcc_tui.words.datasets import bar
from pcc_tui.words.figures import tidy
from pcc_tui.words.ingestion import (
    IngestAnswer,
    import_words,
    ingest_words,
    queue_words,
    status_words,
)
from pipeline.ingest.cache.records import STAGES
from pipeline.ingest.errors import IngestError
from pipeline.ingest.importing.report import ImportReport
from pipeline.jobs.progress import Snapshot

if TYPE_CHECKING:
    from pcc_tui.desks.job_link import JobEnd
    from pcc_tui.screens.base import PccScreen

ALL = "ingest"

ABOUT = {
    "detect": "objects in photos",
    "label": "better names for them",
    "ocr": "text in photos",
    ALL: f"{', '.join(STAGES[:-1])} and {STAGES[-1]} at once",
}
"""Rows, and what each makes."""

STAGES_OF_ROW: dict[str, tuple[str, ...]] = {
    "detect": ("detect",),
    "label": ("detect", "label"),  # what has no objects yet cannot be labelled
    "ocr": ("ocr",),
    ALL: STAGES,
}

COUNT_SECONDS = 3.0
"""How often counts follow a running ingestion."""

Show = Callable[[str, str, str], None]


class IngestPart:
    """The rows of ingestion on a screen.

    Args:
        screen: It has words `#ingestion`.
        show: Shows something in a row and a column.
        tell: Shows lines as the report.
    """

    def __init__(self, screen: PccScreen, show: Show, tell: Callable[[list[str]], None]) -> None:
        self._screen = screen
        self._show = show
        self._tell = tell
        self._desk: IngestDesk | None = None
        self._counted_at = 0.0

    @property
    def desk(self) -> IngestDesk:
        """The ingestion of the workspace."""
        if self._desk is None:
            self._desk = IngestDesk(self._screen.session)
        return self._desk

    # What is shown

    async def count(self, walk: bool = True) -> None:
        """Show how far each stage is, and what is in the queue.

        Args:
            walk: Whether to look for new photos.
        """
        place = self._screen.query_one("#ingestion", Words)
        try:
            counted = await self.desk.count(walk=walk)
            self._show_counts(counted)
            queue = await self.desk.counts() if counted.there else None
        except IngestError as error:
            place.say(f"Ingestion: {error}", "$warning")
            return
        if not counted.there:
            place.say("Ingestion: nothing yet; r on ingest finds objects and text in photos", "dim")
        elif queue is None:
            place.say(f"Ingestion: {tidy(self.desk.directory)}, no queue yet", "dim")
        else:
            place.say(f"Ingestion: {queue_words(queue)}", "$warning" if queue.paused else "dim")

    def _show_counts(self, counted: Ingested) -> None:
        for name, stage in counted.stages.items():
            total = stage.done + stage.failed + stage.missing
            self._show(name, "There", f"{stage.done:,}")
            self._show(name, "Missing", f"{stage.missing:,}")
            self._show(name, "Share", bar(stage.done / max(1, total)))
            failed = f"{stage.failed:,} failed; " if stage.failed else ""
            self._show(name, "Makes", f"{failed}{ABOUT[name]}")

    def show_snapshot(self, shot: Snapshot | None) -> None:
        """Show which stages the running job works for."""
        at_work = shot.backend.split("+") if shot is not None and shot.stage == "ingest" else []
        for name in STAGES:
            self._show(name, "Now", shot.state if shot is not None and name in at_work else "")
        now = time.monotonic()
        if at_work and now - self._counted_at >= COUNT_SECONDS:
            self._counted_at = now
            self._screen.background("ingestion", self.count, False)

    def report_of(self, ended: JobEnd) -> list[str]:
        """Return what an ingestion or an import did, nothing for any other job."""
        answer = ended.read_answer(IngestAnswer, "parked")
        if answer is not None:
            return ingest_words(answer, go_on="r goes on", why="v tells why")
        report = ended.read_answer(ImportReport, "regions")
        return [] if report is None else import_words(report)

    # What is done

    def run(self, row: str) -> None:
        """Bring the photos through the stages of a row."""
        self._screen.pcc.start_pcc(self.desk.run_arguments(STAGES_OF_ROW[row]))

    async def tell_status(self) -> None:
        """Show what the cache holds, and which photos were given up, with reasons."""
        try:
            self._tell(status_words(await self.desk.status(), tidy(self.desk.directory)))
        except IngestError as error:
            self._tell([f"{error}"])

    async def switch_queue(self) -> None:
        """Pause the queue, whoever works on it, or let it go on."""
        try:
            paused = await self.desk.switch_queue()
        except IngestError as error:
            self._screen.pcc.tell(f"{error}", "warning")
            return
        self._screen.pcc.tell(f"The queue is {'paused' if paused else 'resumed'}")
        await self.count()

    def ask_for_database(self) -> None:
        """Ask where to import the cache to, and do."""
        proposed = f"{self._screen.session.workspace.absolute() / 'ingested.sqlite'}"

        def named(answer: str | None) -> None:
            if answer:
                # What is proposed is shown made safe, which its own name need not be.
                chosen = proposed if answer == clean(proposed) else answer
                path = Path(chosen).expanduser()
                self._screen.pcc.start_pcc(self.desk.import_arguments(path))

        question = "Import objects and text into which SQLite database?"
        self._screen.app.push_screen(AskDialog(question, proposed), named)
