"""Photos that somebody names on a command line.

A photo is named by its path in the photos directory, which is what every command prints, or as a
shell completes it: by a path from the current directory, or from the root. Where both lead to a
photo, the path in the photos directory counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.output import fail
from pipeline.photos.photo import photo_key
from pipeline.photos.spelling import spelling_of


def photo_at(photos_dir: Path, named: str) -> str:
    """Return the path of a photo in the photos directory, as the system spells it.

    Ends with a usage error where there is no such photo.
    """
    completed = _as_completed(photos_dir, named)
    paths = (spelling_of(photos_dir, path) for path in (*_as_key(named), *completed))
    spelt = next((path for path in paths if path and (photos_dir / path).is_file()), None)
    if spelt is None:
        if os.path.lexists(named) and not completed:
            fail(f"{named} is outside the photos directory {photos_dir}", ExitCode.USAGE)
        fail(
            f"there is no {named} in {photos_dir}; name a photo by its path in there, or by one "
            "from the current directory that leads in there",
            ExitCode.USAGE,
        )
    return spelt


def key_of(photos_dir: Path | None, named: str, is_known: Callable[[str], bool]) -> str:
    """Return the key of a photo that need not be on this machine.

    Args:
        photos_dir: The photos directory, None where there is none.
        named: What somebody named.
        is_known: Tells whether there is a photo of a key.
    """
    completed = () if photos_dir is None else _as_completed(photos_dir, named)
    keys = [photo_key(path) for path in (*_as_key(named), *completed)]
    return next(filter(is_known, keys), keys[0] if keys else photo_key(named))


def is_there(photos_dir: Path) -> Callable[[str], bool]:
    """Return a function that tells whether there is a file of a key in the photos directory."""

    def tell(key: str) -> bool:
        return key.startswith("\0") or spelling_of(photos_dir, key) is not None

    return tell


def _as_key(named: str) -> list[str]:
    """Return what is named, taken for a path in the photos directory, unless it leads out."""
    path = os.path.normpath(named)
    return [] if path.startswith("/") or path.split("/")[0] == ".." else [path]


def _as_completed(photos_dir: Path, named: str) -> list[str]:
    """Return what is named, taken for a path from the current directory, if it leads in there.

    Either path may go through links. A photo that is a link stays that photo.
    """
    whole = os.path.abspath(named)
    folder, name = os.path.split(whole)
    roots = os.path.abspath(photos_dir), os.path.realpath(photos_dir)
    return [
        spelt.removeprefix(root)
        for root in (os.path.join(root, "") for root in roots)
        for spelt in (whole, os.path.join(os.path.realpath(folder), name))
        if spelt.startswith(root)
    ]
