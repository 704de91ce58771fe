"""What the last ingestion of a cache was told, so that a hint of how to go on is whole.

`pcc ingest status` and `pcc ingest import` know the cache alone: neither the photos, nor the
stages, nor who reads. A run that had to guess these would look for everything with other models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from journal import atomic_rewrite, read_whole

Asked = Mapping[str, tuple[str, ...]]
"""Values by option; several for an option given again, none for a flag."""

NAME = "asked.json"


def keep_asked(cache: Path, asked: Asked) -> None:
    """Write down what an ingestion was told; paths are absolute."""
    if asked == read_asked(cache):
        return
    # ASCII, since a path need not be UTF-8.
    data = json.dumps(dict(asked), indent=2).encode() + b"\n"
    with atomic_rewrite(cache / NAME, needed=len(data)) as file:
        file.write(data)


def read_asked(cache: Path, workspace: Path | None = None, photos_dir: Path | None = None) -> Asked:
    """Return what the last ingestion was told, nothing where nobody knows.

    Args:
        cache: The directory of the cache, which need not exist.
        workspace: Where the next command works if nobody says otherwise.
        photos_dir: The photos directory that is configured there. Neither is named again.
    """
    try:
        found = json.loads(read_whole(cache / NAME))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    asked = {
        name: tuple(values)
        for name, values in found.items()
        if name.startswith("--") and isinstance(values, list) and _are_words(values)
    }
    if workspace is not None and asked.get("--workspace") == (str(workspace.resolve()),):
        del asked["--workspace"]
        if photos_dir is not None and asked.get("--photos-dir") == (str(photos_dir.resolve()),):
            del asked["--photos-dir"]
    return asked


def _are_words(values: list[object]) -> bool:
    return all(isinstance(value, str) and "\0" not in value for value in values)
