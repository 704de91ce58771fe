"""The first line of every screen: where one is, and how the job is doing."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from pcc_tui.words.figures import rate
from pipeline.jobs.progress import Snapshot

SCREENS = (
    ("1", "library", "Library"),
    ("2", "backend", "Backend"),
    ("3", "run", "Run"),
    ("4", "review", "Review"),
    ("5", "clusters", "Clusters"),
    ("6", "datasets", "Datasets"),
)


class Navigation(Static):
    """Names of the screens, to click on, and the job in a few words."""

    def __init__(self, current: str) -> None:
        super().__init__(id="navigation")
        self._current = current
        self._job = ""

    def on_mount(self) -> None:
        """Show the names."""
        self.show_job(None)

    def show_job(self, shot: Snapshot | None) -> None:
        """Show how the job is doing, nothing where no job runs."""
        job = ""
        if shot is not None:
            done = shot.attempted / shot.total if shot.total else 1.0
            job = f"  {shot.state} {done:.0%} {rate(shot.rate_now)}"
        if job == self._job and self.content:
            return
        self._job = job
        parts: list[Content] = []
        for key, mode, name in SCREENS:
            style = "$primary reverse bold" if mode == self._current else "dim"
            link = Content.from_markup(f"[@click=app.go('{mode}')] {key} {name} [/]")
            parts.append(link.stylize(style))
        parts.append(Content.styled(job, "$success bold"))
        self.update(Content("").join(parts), layout=False)
