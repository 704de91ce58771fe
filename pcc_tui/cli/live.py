"""A running job shown live: bars on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, TextIO

from pcc_tui.clean import clean
from pcc_tui.cli.output import say, told
from pcc_tui.words.figures import about, counts, duration, is_of_one_piece, loading_words, rate
from pipeline.jobs.progress import Snapshot

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pipeline.jobs.pause_point import PausePoint

REFRESH_SECONDS = 0.25
LINE_SECONDS = 10.0
LAST_DRAWING_SECONDS = 1.0
SHOWN_ERRORS = 3


def status_parts(shot: Snapshot) -> list[str]:
    """Return a snapshot in a few short phrases."""
    if shot.loading is not None:
        if not is_of_one_piece(shot):
            return [f"loading: {loading_words(shot.loading)}", f"{shot.total:,} photos wait"]
        left = "" if shot.eta_seconds is None else f", about {about(shot.eta_seconds)} to go"
        parts = [f"{shot.stage}: {loading_words(shot.loading)}{left}"]
        return [*parts, f"{shot.total:,} photos"] if shot.total else parts
    share = shot.attempted / shot.total if shot.total else 1.0
    pace = f"{rate(shot.rate_now)} now, {rate(shot.rate)} on average"
    if shot.state == "running" and shot.eta_seconds is not None and shot.remaining:
        done_at = datetime.now() + timedelta(seconds=shot.eta_seconds)
        pace += f", {duration(shot.eta_seconds)} to go, done at {done_at:%a %H:%M}"
    parts = [
        f"{shot.state}: {shot.attempted:,} of {shot.total:,} ({share:.0%})",
        pace,
        counts(shot.by_status),
    ]
    if shot.trouble is not None:
        parts.insert(1, shot.trouble)
    if shot.state == "stopping":
        parts.insert(1, "finishing what is in flight; Ctrl+C again ends at once")
    if shot.tokens_in or shot.tokens_out:
        parts.append(f"{shot.tokens_in:,} tokens in, {shot.tokens_out:,} out, ${shot.cost_usd:.4f}")
    return parts


def status_line(shot: Snapshot) -> str:
    """Return a snapshot in one line."""
    return "; ".join(status_parts(shot))


async def show(snapshot: Callable[[], Snapshot], stream: TextIO) -> None:
    """Show a job on a stream until cancelled.

    A thread draws: a terminal that nobody reads (a hung line, Ctrl+S) holds up
    the drawing and not the job.
    """
    board = _Board(snapshot())
    draw = _draw_bars if stream.isatty() else _draw_lines
    artist = threading.Thread(target=draw, args=(board, stream), daemon=True)
    artist.start()
    try:
        while True:
            board.shot = snapshot()
            await asyncio.sleep(REFRESH_SECONDS)
    finally:
        board.done.set()
        await asyncio.to_thread(artist.join, LAST_DRAWING_SECONDS)


def run_blocking(
    work: Callable[[PausePoint], None], stage: Literal["verify", "write"], stream: TextIO
) -> int | None:
    """Run work that blocks, in reach of signals alone, and show it on a stream.

    Args:
        work: The work; it waits at its pause point, and ends there when told to stop.
        stage: What kind of work it is, as its snapshots say.
        stream: Where it is shown.

    Returns:
        128 and the number of the signal that stopped the work, None without one.
    """
    from pipeline.jobs.blocking_step import BlockingStep
    from pipeline.jobs.progress import Progress
    from pipeline.jobs.run_job import run_unlisted

    progress = Progress(run=stage, stage=stage, backend=stage, total=0, skipped={})
    step = BlockingStep(work, progress)
    _, code = asyncio.run(run_unlisted(step, lambda shot: show(shot, stream)))
    return code


class _Board:
    """Where the event loop leaves the newest snapshot for the thread that draws."""

    def __init__(self, shot: Snapshot) -> None:
        self.shot = shot
        self.done = threading.Event()


def _draw_lines(board: _Board, stream: TextIO) -> None:
    while not board.done.wait(LINE_SECONDS):
        say(status_line(board.shot), to=stream)


def _draw_bars(board: _Board, stream: TextIO) -> None:
    from rich.console import Console
    from rich.live import Live

    with (
        suppress(OSError),  # the terminal is gone; the job goes on
        Live(console=Console(file=stream), auto_refresh=False, transient=True) as live,
    ):
        while not board.done.wait(REFRESH_SECONDS):
            live.update(picture_of(board.shot), refresh=True)


def picture_of(shot: Snapshot) -> RenderableType:
    """Return a snapshot as a progress bar with the last captions and errors below."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    def line(text: str, style: str = "") -> Text:
        return Text(clean(told(text)), style=style, no_wrap=True, overflow="ellipsis")

    grid = Table.grid(expand=True)
    grid.add_row(ProgressBar(total=max(1, shot.total), completed=shot.attempted))
    for part in status_parts(shot):
        grid.add_row(line(part))
    for remark in shot.remarks:
        grid.add_row(line(f"note: {remark}", "yellow"))
    for result in shot.last:
        if result.status == "success":
            grid.add_row(line(f"  {result.rel_path}  {result.text}", "green"))
    for result in shot.errors[:SHOWN_ERRORS]:
        grid.add_row(line(f"  {result.rel_path}  {result.text}", "red"))
    return grid
