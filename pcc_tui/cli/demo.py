"""`pcc demo`: a sample library, captioned, to see what pcc does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from journal import CaptionRecord, make_directory, scan
from pcc_tui.cli.full_screen import is_terminal, open_app
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import (
    CaptioningOptions,
    PaceOptions,
    SelectionOptions,
    SiteOptions,
)
from pcc_tui.cli.output import narration, say
from pcc_tui.cli.run import carry_out
from pcc_tui.cli.run_request import request_of
from pcc_tui.settings import load_settings, save_choices

SHOWN_CAPTIONS = 5


@takes_groups
def demo(
    directory: Annotated[Path, typer.Argument(help="Where the demo goes.", metavar="[DIR]")] = Path(
        "pcc-demo"
    ),
    photos_dir: Annotated[
        Optional[Path], typer.Option(help="Caption a folder of your own instead.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Answer questions with yes.")] = False,
) -> int:
    """Draw a sample library and caption it; with --photos-dir, caption a folder of your own."""
    make_directory(directory)
    if is_terminal() and not json:
        return _open_demo(directory, photos_dir)
    site = SiteOptions(
        directory, photos_dir or _sample_library(directory, json=json), json=json, yes=yes
    )
    captioning = CaptioningOptions(backend="basic")
    request = request_of(site, captioning, SelectionOptions(), PaceOptions())
    code = carry_out(request, site, captioning)
    if not json:
        _show_some(site.journal)
    return code


def _open_demo(directory: Path, photos_dir: Path | None) -> int:
    """Open the app on the demo with a job running."""
    photos = (photos_dir or _sample_library(directory, json=False)).resolve()
    if not load_settings(directory).choices.photos_dir:
        save_choices(directory, {"photos_dir": str(photos)})
    return open_app(directory, photos, caption_at_once=True)


def _sample_library(directory: Path, *, json: bool) -> Path:
    from pipeline.samples.library import make_library

    photos = directory / "photos"
    if not photos.is_dir():
        say("Drawing the sample library …", to=narration(json))
    count = make_library(photos)
    say(f"Sample library: {count} files in {photos}", to=narration(json))
    return photos


def _show_some(journal: Path) -> None:
    """Print a few captions from all over the library, and what went wrong."""
    last = {record.rel_path: record for _, record in scan(journal, CaptionRecord)}
    captioned = [record for _, record in sorted(last.items()) if record.status == "success"]
    step = max(1, len(captioned) // SHOWN_CAPTIONS)
    say("")
    for record in captioned[::step][:SHOWN_CAPTIONS]:
        say(f"{record.rel_path}: {record.caption}")
    for record in last.values():
        if record.status != "success":
            say(f"{record.rel_path}: {record.status}, {record.error}")
