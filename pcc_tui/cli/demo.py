"""`pcc demo`: a sample library, captioned, to see what pcc does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backends.base import Options
from pcc_tui.cli import options as shared
from pcc_tui.cli.output import narration, say
from pcc_tui.cli.run import carry_out
from pipeline.captions.request import RunRequest
from pipeline.jobs.plan import Selection

SHOWN_CAPTIONS = 5


def demo(
    directory: Annotated[Path, typer.Argument(help="Where the demo goes.", metavar="[DIR]")] = Path(
        "pcc-demo"
    ),
    photos_dir: shared.PhotosDir = None,
    json: shared.Json = False,
    yes: shared.Yes = False,
) -> int:
    """Draw a sample library and caption it; with --photos-dir, caption a folder of your own."""
    directory.mkdir(parents=True, exist_ok=True)
    stream = narration(json)
    if photos_dir is None:
        from pipeline.samples.library import make_library

        photos_dir = directory / "photos"
        if not photos_dir.is_dir():
            say("Drawing the sample library …", to=stream)
        count = make_library(photos_dir)
        say(f"Sample library: {count} files in {photos_dir}", to=stream)
    request = RunRequest(
        photos_dir=shared.existing_directory(photos_dir),
        workspace=directory,
        journal=directory / "captions.jsonl",
        backend="basic",
        options=Options(),
        selection=Selection(),
    )
    code = carry_out(request, json=json)
    if not json:
        _show_some(request.journal)
    return code


def _show_some(journal: Path) -> None:
    """Print a few captions from all over the library, and what went wrong."""
    from journal import CaptionRecord, scan

    last = {record.rel_path: record for _, record in scan(journal, CaptionRecord)}
    captioned = [record for _, record in sorted(last.items()) if record.status == "success"]
    step = max(1, len(captioned) // SHOWN_CAPTIONS)
    say("")
    for record in captioned[::step][:SHOWN_CAPTIONS]:
        say(f"{record.rel_path}: {record.caption}")
    for record in last.values():
        if record.status != "success":
            say(f"{record.rel_path}: {record.status}, {record.error}")
