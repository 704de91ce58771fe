"""`pcc try`: a caption of one photo, with nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from backends.base import Captioner
from backends.errors import CallError
from backends.registry import make_backend
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.named_photos import photo_at
from pcc_tui.cli.options import (
    CaptioningOptions,
    PaceOptions,
    SelectionOptions,
    SiteOptions,
)
from pcc_tui.cli.output import fail, narration, print_json, say, warn
from pcc_tui.cli.run_request import admits_server, request_of, require_server
from pcc_tui.words.figures import loading_words
from pipeline.captions.request import RunRequest

if TYPE_CHECKING:
    from pipeline.captions.trial import Trial

TELL_SECONDS = 0.5


@takes_groups
def try_photo(
    site: SiteOptions,
    captioning: CaptioningOptions,
    selection: SelectionOptions,
    pace: PaceOptions,
    photo: Annotated[
        Optional[str],
        typer.Argument(help="Path of a photo; the first one found, if not given."),
    ] = None,
) -> int:
    """Caption one photo and write nothing, to see what a backend and a prompt give."""
    import asyncio

    from pipeline.jobs.errors import describe

    request = request_of(site, captioning, selection, pace)
    require_server(request, *([] if photo is None else [photo]))
    stream = narration(site.json)
    if not admits_server(request.backend, request.options, captioning, yes=site.yes, stream=stream):
        return ExitCode.OK
    path = _first_photo(request) if photo is None else photo_at(request.photos_dir, photo)
    captioner = make_backend(request.backend, request.options)
    for notice in captioner.notices(request.options):
        warn(f"warning: {notice}")
    try:
        trial = asyncio.run(_try(captioner, request.photos_dir, path))
    except CallError as error:
        fail(describe(error), ExitCode.FAILED)
    if site.json:
        print_json(trial)
    else:
        cost = "" if trial.cost_usd is None else f", ${trial.cost_usd:.6f}"
        say(f"{trial.rel_path}: {trial.caption or trial.error}")
        say(f"{trial.seconds or 0:.2f} s{cost} with {request.backend}")
    return ExitCode.OK if trial.caption is not None else ExitCode.FAILED


async def _try(captioner: Captioner, photos_dir: Path, path: str) -> Trial:
    """Caption one photo, and tell meanwhile how far the backend has got with loading."""
    import asyncio

    from pipeline.captions.trial import caption_one

    trying = asyncio.create_task(caption_one(captioner, photos_dir, path))
    told = ""
    while not (await asyncio.wait([trying], timeout=TELL_SECONDS))[0]:
        words = loading_words(captioner.loading) if captioner.loading else told
        if words != told:
            told = words
            warn(f"loading: {words}")
    for remark in captioner.remarks:
        warn(f"note: {remark}")
    return await trying


def _first_photo(request: RunRequest) -> str:
    from pipeline.photos.walk import walk_photos

    paths = walk_photos(request.photos_dir, request.include, request.exclude).paths
    if not paths:
        fail(f"there are no photos in {request.photos_dir}", ExitCode.USAGE)
    return paths[0]
