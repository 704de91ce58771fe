"""`pcc edit`: a caption written by hand, in a layer over the machine's caption."""

from __future__ import annotations

import os
from typing import Annotated, Optional

import typer

from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.named_photos import key_of
from pcc_tui.cli.options import SiteOptions, require_journal, require_text
from pcc_tui.cli.output import fail, print_json, say


@takes_groups
def edit(
    site: SiteOptions,
    photo: Annotated[str, typer.Argument(help="Path of the photo.")],
    caption: Annotated[Optional[str], typer.Option(help="The caption you give it.")] = None,
    take_back: Annotated[
        bool, typer.Option("--take-back", help="Let the machine's caption count again.")
    ] = False,
) -> int:
    """Write a caption by hand. It wins over the machine's, which stays in the journal."""
    from journal import load_index, split_path
    from pipeline.captions.catalogue import key_bytes
    from pipeline.captions.edits import Edits

    if (caption is None) is not take_back or caption == "":
        fail("give either --caption TEXT or --take-back", ExitCode.USAGE)
    require_text("--caption", caption or "")
    require_journal(site)
    known = load_index(site.journal)
    key = key_of(site.photos_dir or site.settings().photos_dir, photo, known.__contains__)
    if key not in known:
        fail(
            f"{site.journal} knows no photo {photo}; name a photo by its path in the photos "
            "directory, or by one that leads in there",
            ExitCode.USAGE,
        )
    edits = Edits(site.journal)
    rel_path, raw_path = split_path(os.fsdecode(key_bytes(key)))
    edits.write(rel_path, raw_path, caption)
    if site.json:
        print_json({"kind": "edit", "rel_path": rel_path, "caption": caption})
    else:
        say(f"{rel_path}: {caption or 'edit taken back'}")
    return ExitCode.OK
