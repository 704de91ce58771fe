"""`make screenshots`: pictures of the app, from a real demo and real jobs, as SVG and PNG.

`python -m tests.support.screenshots DIRECTORY`. The PNGs need Chromium.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from io import StringIO
from pathlib import Path
from typing import cast

from PIL import Image, ImageChops
from rich.console import Console
from rich.text import Text
from textual.pilot import Pilot
from textual.widgets import OptionList

from pcc_tui.app import PccApp
from pcc_tui.cli.live import picture_of
from pcc_tui.desks.desks import Desks
from pcc_tui.graphics import image_widget
from pcc_tui.preferences import Preferences
from pcc_tui.workspace import Workspace
from pipeline.jobs.control_client import ControlClient
from pipeline.jobs.errors import NoJob
from pipeline.jobs.progress import Snapshot
from tests.support.apps import FakeMachine, shown, until
from tests.support.ingested import Thing, ingested, looked_at
from tests.support.programs import find, install_line
from tests.support.tiny_dino import save_tiny_dino
from tests.support.tiny_t5 import save_tiny_t5

PCC = [sys.executable, "-P", "-m", "pcc_tui"]
WIDTH = 100
SIZE = (110, 34)
COPIES = 8

BALLOONS = (
    ((0.03, 0.23, 0.14, 0.42), {"hot-air balloon": 0.94, "balloon": 0.91}),
    ((0.33, 0.15, 0.44, 0.32), {"hot-air balloon": 0.93, "kite": 0.22}),
    ((0.58, 0.40, 0.70, 0.58), {"hot-air balloon": 0.90, "balloon": 0.84}),
    ((0.89, 0.25, 1.00, 0.50), {"hot-air balloon": 0.88, "light bulb": 0.31}),
    ((0.00, 0.76, 1.00, 1.00), {"meadow": 0.52, "field": 0.47}),
)
"""Objects in a photo of the sample library: boxes in shares of the photo, with labels."""

CHROMIUM_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


# The command line


def terminal() -> Console:
    """Return a console that records its output."""
    return Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)


def demo(folder: Path) -> Console:
    """Print what `pcc demo` prints without a terminal."""
    done = subprocess.run([*PCC, "demo"], cwd=folder, capture_output=True, text=True, check=True)
    console = terminal()
    console.print(Text("$ pcc demo | cat", style="bold"))
    console.print(Text(done.stdout.replace(f"{folder}/", "")))
    return console


async def snapshot_of_a_job(workspace: Path) -> Snapshot:
    """Return a snapshot of a running job."""
    while True:
        try:
            async with ControlClient.connected(workspace) as client:
                async for message in client.messages():
                    if message.snapshot is not None and message.snapshot.attempted >= 8:
                        return message.snapshot
        except NoJob:
            await asyncio.sleep(0.005)


def headless_run(folder: Path) -> Console:
    """Print what `pcc run` shows while it runs."""
    arguments = ["--photos-dir", "pcc-demo/photos", "--workspace", "run", "--backend", "basic"]
    with subprocess.Popen([*PCC, "run", *arguments], cwd=folder, stdout=subprocess.DEVNULL):
        shot = asyncio.run(snapshot_of_a_job(folder / "run"))
    console = terminal()
    console.print(Text("$ pcc run --photos-dir ~/Photos", style="bold"))
    console.print(picture_of(shot))
    return console


# The app


def app_on(pilot: Pilot[int]) -> PccApp:
    """Return the app that a pilot drives."""
    return cast(PccApp, pilot.app)


async def library(pilot: Pilot[int]) -> None:
    """Show the library, captioned."""
    await until(pilot, lambda: "Review the captions" in shown(pilot.app.screen))
    await until(pilot, lambda: "2024" in shown(pilot.app.screen))


async def backend(pilot: Pilot[int]) -> None:
    """Show the choice of a backend, tried on a photo."""
    await pilot.press("2")
    await until(pilot, lambda: pilot.app.screen.query_one("#backends", OptionList).option_count)
    await pilot.press("t")
    await until(pilot, lambda: "▀" in shown(pilot.app.screen))


async def run(pilot: Pilot[int]) -> None:
    """Show a running job."""
    app = app_on(pilot)
    app.start_captioning()
    await until(pilot, lambda: app.snapshot is not None and app.snapshot.attempted > COPIES * 20)
    await until(pilot, lambda: "▀" in shown(pilot.app.screen))


async def review(pilot: Pilot[int]) -> None:
    """Show a photo and its caption."""
    await pilot.press("4")
    await until(pilot, lambda: "of 41" in shown(pilot.app.screen))
    await pilot.press(*"jmjjmjjj")
    await pilot.pause(0.5)
    await until(pilot, lambda: "▀" in shown(pilot.app.screen))


async def findings(pilot: Pilot[int]) -> None:
    """Show what was found in a photo, drawn over it and listed."""
    await pilot.press("4")
    await until(pilot, lambda: "of 41" in shown(pilot.app.screen))
    await pilot.press("slash", *"burst_003", "enter")
    await until(pilot, lambda: "1 of 1 found" in shown(pilot.app.screen))
    await pilot.press("o")
    await until(pilot, lambda: "r0 hot-air balloon" in shown(pilot.app.screen))
    await pilot.pause(0.5)
    await until(pilot, lambda: "▀" in shown(pilot.app.screen))


async def clusters(pilot: Pilot[int]) -> None:
    """Show the tree, and the contact sheet of a trip."""
    await pilot.press("5")
    await until(pilot, lambda: "portugal" in shown(pilot.app.screen))
    await pilot.press("down")
    await pilot.pause(0.5)
    await until(pilot, lambda: shown(pilot.app.screen).count("▀") > 900)


async def datasets(pilot: Pilot[int]) -> None:
    """Show what the dataset lacks, and the result of a check."""
    await pilot.press("6")
    await until(pilot, lambda: "records" in shown(pilot.app.screen))
    await pilot.press("v")
    await until(pilot, lambda: "Something is amiss" in shown(pilot.app.screen))
    await pilot.pause(2)


Take = Callable[[Pilot[int]], Awaitable[None]]


async def photograph(workspace: Path, take: Take, theme: str) -> str:
    """Return the screen that some keys lead to, as SVG."""
    desks = Desks(Workspace(workspace, workspace / "photos"), workspace / "thumbnails")
    app = PccApp(desks, Preferences(theme=theme), image_widget("halfcell"), FakeMachine())
    async with app.run_test(size=SIZE) as pilot:
        await take(pilot)
        await until(pilot, lambda: "Quit" in shown(app.screen))
        svg = app.export_screenshot(title="pcc")
        if app.link.running:
            app.command_job("stop")
            await until(pilot, lambda: not app.link.running)
    return svg


def longer_library(demo: Path, target: Path) -> None:
    """Copy the sample library several times, with different bytes, so that a job takes longer."""
    for number in range(COPIES):
        shutil.copytree(demo / "photos", target / "photos" / f"Disk {number + 1}")
        for path in (target / "photos" / f"Disk {number + 1}").rglob("*.*"):
            if path.is_file():
                path.write_bytes(path.read_bytes() + bytes([number]))


def make_dataset(workspace: Path) -> None:
    """Enrich the sample library with a tiny model, and damage a few patch files."""
    dino, t5 = save_tiny_dino(workspace / "dino"), save_tiny_t5(workspace / "t5")
    chosen = f'photos_dir = "photos"\ndino_model = "{dino}"\nt5_model = "{t5}"\n'
    (workspace / "pcc.toml").write_text(chosen)
    enrich = [*PCC, "dataset", "enrich", "--yes", "--pass-filter"]
    for passes in ("migrate,dimensions,embedding,caption,t5", "patches"):
        subprocess.run([*enrich, passes], cwd=workspace, capture_output=True, check=True)
    gone, short, *_ = sorted((workspace / "dinov3_patches").glob("*.npy"))
    gone.unlink()
    short.write_bytes(short.read_bytes()[:1000])


def make_findings(workspace: Path) -> None:
    """Write findings for a photo by hand, because every detector that could find them is large."""
    path = "2024/08 Zermatt/BURST_003.JPG"
    width, height = Image.open(workspace / "photos" / path).size
    things = [
        Thing((x0 * width, y0 * height, x1 * width, y1 * height), labels)
        for (x0, y0, x1, y1), labels in BALLOONS
    ]
    reason = "no text: at most 0.12 anywhere"
    ingested(workspace, looked_at(path, things, size=(width, height), not_read=reason))


# Files


def to_png(svg: Path) -> None:
    """Draw an SVG with Chromium, without the empty margin."""
    chromium = find("chromium")
    if chromium is None:
        sys.exit(f"the PNGs need Chromium: {install_line(['chromium'])}")
    png = svg.with_suffix(".png")
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                chromium,
                *CHROMIUM_FLAGS,
                f"--user-data-dir={profile}",
                "--window-size=1500,1200",
                f"--screenshot={png}",
                svg.resolve().as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=60,
        )
    image = Image.open(png).convert("RGB")
    margin = Image.new("RGB", image.size, image.getpixel((0, 0)))
    image.crop(ImageChops.difference(image, margin).getbbox()).save(png, optimize=True)


def main() -> None:
    """Draw every screenshot."""
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["XDG_CONFIG_HOME"] = os.environ["HOME"] = place
        for console, name in ((demo(folder), "demo"), (headless_run(folder), "headless")):
            svg = console.export_svg(title="pcc", unique_id=name)
            (target / f"{name}.svg").write_text(svg, "utf-8")
        cluster = [*PCC, "cluster", "--photos-dir", "photos"]
        subprocess.run(cluster, cwd=folder / "pcc-demo", capture_output=True, check=True)
        longer_library(folder / "pcc-demo", folder / "longer")
        make_dataset(folder / "pcc-demo")
        make_findings(folder / "pcc-demo")
        for take in (library, backend, review, findings, clusters, datasets, run):
            theme = "textual-light" if take is backend else "textual-dark"
            workspace = folder / ("longer" if take is run else "pcc-demo")
            svg = asyncio.run(photograph(workspace, take, theme))
            (target / f"{take.__name__}.svg").write_text(svg, "utf-8")
    for path in sorted(target.glob("*.svg")):
        to_png(path)


if __name__ == "__main__":
    main()
