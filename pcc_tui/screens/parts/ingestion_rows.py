"""The rows of ingestion on the Datasets screen: their counts, and what their keys do."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from journal import FileRefused
from pcc_tui.clean import clean
from pcc_tui.desks.ingestion import Ingested, IngestionDesk
from pcc_tui.dialogs.ask import AskDialog
from pcc_tui.widgets.text import Words
from pcc_tui.words.datasets import bar
from pcc_tui.words.figures import tidy
from pcc_tui.words.ingestion import queue_words, status_words
from pipeline.ingest.cache.records import STAGES
from pipeline.ingest.errors import IngestError
from pipeline.jobs.progress import Snapshot

if TYPE_CHECKING:
    from pcc_tui.screens.base import PccScreen

ALL = "ingest"

ABOUT = {
    "detect": "objects in photos",
    "label": "better names for them",
    "ocr": "text in photos",
    ALL: f"{', '.join(STAGES[:-1])} and {STAGES[-1]} at once",
}
"""What each row makes."""

STAGES_OF_ROW: dict[str, tuple[str, ...]] = {
    "detect": ("detect",),
    "label": ("detect", "label"),  # a photo without objects cannot be labelled
    "ocr": ("ocr",),
    ALL: STAGES,
}

AGAIN = ("ingest", "run", "--retry-errors")

COUNT_SECONDS = 3.0
"""How often counts follow a running ingestion."""

Show = Callable[[str, str, str], None]


class IngestionRows:
    """The rows of ingestion among the passes of a dataset.

    Args:
        screen: The screen; it has words `#ingestion`.
        show: Shows a text in a row and a column.
        tell: Shows lines as the report.
    """

    def __init__(self, screen: PccScreen, show: Show, tell: Callable[[list[str]], None]) -> None:
        self._screen = screen
        self._show = show
        self._tell = tell
        self._counted_at = 0.0

    @property
    def _desk(self) -> IngestionDesk:
        return self._screen.desks.ingestion

    @property
    def _cache(self) -> str:
        return tidy(self._screen.workspace.cache)

    # What is shown

    async def count(self, walk: bool = True) -> None:
        """Show how far each stage is, and what waits in the queue.

        Args:
            walk: Whether to look for new photos.
        """
        place = self._screen.query_one("#ingestion", Words)
        try:
            counted = await self._desk.count(walk=walk)
            self._show_counts(counted)
            queue = await self._desk.counts() if counted.there else None
        except (IngestError, FileRefused) as error:
            place.say(f"Ingestion: {error}", "$warning")
            return
        if not counted.there:
            place.say("Ingestion: nothing yet; r on ingest finds objects and text in photos", "dim")
        elif queue is None:
            place.say(f"Ingestion: {self._cache}, no queue yet", "dim")
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

    # What is done

    def run(self, row: str) -> None:
        """Bring the photos through the stages of a row."""
        self._screen.pcc.start_pcc(self._screen.desks.commands.ingest(STAGES_OF_ROW[row]))

    async def tell_status(self) -> None:
        """Show what the cache holds, and which photos were given up, with the reasons."""
        try:
            status, asked = await self._desk.status(), await self._desk.asked()
            whole = self._screen.workspace.origin(asked).command_line(*AGAIN)
            self._tell(status_words(status, self._cache, again=whole))
        except (IngestError, FileRefused) as error:
            self._tell([f"{error}"])

    async def switch_queue(self) -> None:
        """Pause the queue, whoever works on it, or let the queue go on."""
        try:
            paused = await self._desk.switch_queue()
        except (IngestError, FileRefused) as error:
            self._screen.pcc.tell(f"{error}", "warning")
            return
        self._screen.pcc.tell(f"The queue is {'paused' if paused else 'resumed'}")
        await self.count()

    def ask_for_database(self) -> None:
        """Ask where to import the cache to, and start the import."""
        proposed = f"{self._screen.workspace.path.absolute() / 'ingested.sqlite'}"

        def named(answer: str | None) -> None:
            if answer:
                # The proposed path is shown made safe, and what is shown may be another path.
                chosen = proposed if answer == clean(proposed) else answer
                path = Path(chosen).expanduser()
                self._screen.pcc.start_pcc(self._screen.desks.commands.import_cache(path))

        question = "Import objects and text into which SQLite database?"
        dialog = AskDialog(question, "Path of the file, then Enter", proposed)
        self._screen.app.push_screen(dialog, named)
