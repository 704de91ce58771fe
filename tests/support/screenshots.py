"""`make screenshots`: what a user sees, from a real demo and a real job, as SVG.

`python -m tests.support.screenshots DIRECTORY`
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pcc_tui.cli.live import picture_of
from pipeline.jobs.control import ControlClient
from pipeline.jobs.errors import NoJob
from pipeline.jobs.progress import Snapshot

PCC = [sys.executable, "-P", "-m", "pcc_tui"]
WIDTH = 100


def terminal() -> Console:
    """Return a console that remembers what it prints."""
    return Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)


def demo(folder: Path) -> Console:
    """Print what `pcc demo` prints, ten seconds after a stranger cloned the project."""
    done = subprocess.run([*PCC, "demo"], cwd=folder, capture_output=True, text=True, check=True)
    console = terminal()
    console.print(Text("$ pcc demo", style="bold"))
    console.print(Text(done.stdout.replace(f"{folder}/", "")))
    return console


async def snapshot_of_a_job(workspace: Path) -> Snapshot:
    """Return the state of a running job on its way."""
    while True:
        try:
            async with ControlClient.connected(workspace) as client:
                async for message in client.messages():
                    if message.snapshot is not None and message.snapshot.attempted >= 8:
                        return message.snapshot
        except NoJob:
            await asyncio.sleep(0.005)


def run(folder: Path) -> Console:
    """Print what `pcc run` shows while it runs."""
    arguments = ["--photos-dir", "pcc-demo/photos", "--workspace", "run", "--backend", "basic"]
    with subprocess.Popen([*PCC, "run", *arguments], cwd=folder, stdout=subprocess.DEVNULL):
        shot = asyncio.run(snapshot_of_a_job(folder / "run"))
    console = terminal()
    console.print(Text("$ pcc run --photos-dir ~/Photos", style="bold"))
    console.print(picture_of(shot))
    return console


def main() -> None:
    """Draw every screenshot."""
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        for take in (demo, run):
            svg = take(Path(folder)).export_svg(title="pcc", unique_id=take.__name__)
            (target / f"{take.__name__}.svg").write_text(svg, "utf-8")


if __name__ == "__main__":
    main()
