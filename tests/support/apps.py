"""The app without a terminal, for tests that press its keys."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot
from textual.widget import Widget

from journal import CaptionRecord, JournalWriter, WriterLock
from pcc_tui.app import PccApp
from pcc_tui.desks.desks import Desks
from pcc_tui.graphics import Protocol, image_widget
from pcc_tui.preferences import Preferences
from pcc_tui.probes import Gpu, GpuProbe, MachineProbe, NullProbe, Readings
from pcc_tui.workspace import Workspace

GIB = 1 << 30


class FakeProbe:
    """A GPU of 8 GB under full load."""

    reason = ""

    def sample(self) -> tuple[Gpu, ...]:
        """Return the same readings each time."""
        return (Gpu("NVIDIA GeForce RTX 3070", 6 * GIB, 8 * GIB, 0.97, 71.0),)


class FakeMachine(MachineProbe):
    """A machine whose readings never change."""

    def __init__(self) -> None:
        super().__init__(Path(), FakeProbe())

    def sample(self) -> Readings:
        """Return the same readings each time."""
        return Readings(FakeProbe().sample(), "", 0.42, 9 * GIB, 16 * GIB, 250 * GIB)


def make_app(
    workspace: Path,
    photos: Path | None = None,
    *,
    theme: str = "textual-dark",
    images: Protocol = "halfcell",
    gpus: GpuProbe | None = None,
    keys: dict[str, str] | None = None,
) -> PccApp:
    """Return an app on a workspace, with a separate cache and the same look on every machine."""
    desks = Desks(Workspace(workspace, photos), workspace / "thumbnails")
    machine = MachineProbe(workspace, gpus or NullProbe("no NVIDIA driver"))
    preferences = Preferences(theme=theme, keys=keys or {})
    return PccApp(desks, preferences, image_widget(images), machine)


@asynccontextmanager
async def running(app: PccApp, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Pilot[int]]:
    """Run an app until the block ends."""
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield pilot


async def until(pilot: Pilot[int], condition: Callable[[], object], seconds: float = 15) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            # An Exception, because other errors would leave an app under a snapshot test running.
            raise AssertionError(f"it never came true:\n{shown(pilot.app.screen)}")
        await pilot.pause(0.02)


def shown(widget: Widget) -> str:
    """Return the text that a widget, or a screen, shows."""
    app = widget.app
    lines = app.screen._compositor.render_strips()
    text = "\n".join(strip.text for strip in lines)
    if widget is app.screen:
        return text
    region = widget.region
    rows = text.split("\n")[region.y : region.bottom]
    return "\n".join(row[region.x : region.right] for row in rows)


def write_records(workspace: Path, *records: CaptionRecord) -> None:
    """Write records to a journal, as a run does."""
    workspace.mkdir(exist_ok=True)
    writer: JournalWriter[CaptionRecord] = JournalWriter(
        WriterLock(workspace / "captions.jsonl", "a test", None)
    )
    for record in records:
        writer.append(record)
    writer.close()


def caption(number: int, text: str = "a caption", **fields: str) -> CaptionRecord:
    """Return the record of a success."""
    return CaptionRecord(
        rel_path=f"IMG_{number:05d}.jpg",
        caption=text,
        status="success",
        backend=fields.pop("backend", "basic"),
        taken=f"{2020 + number % 5}-0{1 + number % 9}-11T10:00:00",
        **fields,  # type: ignore[arg-type]
    )


def failure(number: int, error: str = "CallError: no answer") -> CaptionRecord:
    """Return the record of a call that failed."""
    return CaptionRecord(
        rel_path=f"IMG_{number:05d}.jpg",
        caption=None,
        status="error_api",
        backend="openai",
        error=error,
    )
