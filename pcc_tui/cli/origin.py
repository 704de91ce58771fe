"""Which command is running and what it was told, so that what it prints can be pasted.

Every command passes through `takes_groups`, which leaves the options here; what is printed is
completed in `output.say` with what this module makes of them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from pcc_tui.errors import SettingsError
from pcc_tui.settings import load_settings
from pcc_tui.words.commands import NO_QUEUE, NO_SERVER, Origin
from pipeline.captions.last_captioner import is_plain
from pipeline.ingest.cache.asked import read_asked
from pipeline.jobs.log import LOG_NAME

ARGUMENTS = {
    ("demo", "directory"): "--workspace",
    ("dataset verify", "file"): "--output-jsonl",
    ("dataset shards", "dataset"): "--output-jsonl",
    ("ingest import", "cache"): "--cache",
}
"""Arguments that other commands of the family know as an option."""


class _Told:
    """What the running command was told."""

    def __init__(self, command: str = "", given: Mapping[str, tuple[str, ...]] | None = None):
        self.command = command
        self.given = dict(given or {})
        self.origin: Origin | None = None

    @property
    def workspace(self) -> Path:
        """The workspace that was named, else the current directory."""
        return Path(self.given.get("--workspace", (".",))[0]).expanduser()


_told = _Told()


def begin(context: typer.Context | None) -> None:
    """Note which command runs and which options stand on its line; None forgets it."""
    global _told
    if context is None:
        _told = _Told()
        return
    names = context.command_path.split()[1:]
    command = " ".join(names)
    given = {}
    for parameter in context.command.params:
        name = str(parameter.name)
        source = context.get_parameter_source(name)
        is_typed = source is not None and source.name == "COMMANDLINE"
        if not is_typed and (command, name) != ("demo", "directory"):
            continue
        option = ARGUMENTS.get((command, name), parameter.opts[0])
        values = _values(context.params[name])
        if option.startswith("--") and values is not None:
            given[option] = values
    _told = _Told(command, given)


def origin() -> Origin:
    """Return where printed sentences come from."""
    if _told.origin is None:
        _told.origin = _make_origin(_told)
    return _told.origin


def log_of_command() -> Path | None:
    """Return the log of the workspace of the running command, None where no job has made one.

    A command that only reads makes no file in a workspace.
    """
    log = _told.workspace / LOG_NAME
    return log if log.is_file() else None


def look_again() -> None:
    """Have the origin made anew: the run that just ended is now who captioned last."""
    _told.origin = None


def _make_origin(told: _Told) -> Origin:
    given = dict(told.given)
    workspace = told.workspace
    if workspace.resolve() == Path.cwd():
        given.pop("--workspace", None)
    if not all(map(is_plain, given.get("--base-url", ()))):
        given["--base-url"] = (NO_SERVER,)  # may hold a password or a key, which nobody may read
    _mind_the_queue(given)
    try:
        journals = [Path(journal).expanduser() for journal in given.get("--captions-jsonl", ())]
        settings = load_settings(workspace, journal=journals[0] if journals else None)
    except SettingsError:
        return Origin(told.command, given, has_photos="--photos-dir" in given)
    if told.command == "demo" and settings.photos_dir is None:
        given.setdefault("--photos-dir", (str(workspace / "photos"),))
    photos = settings.photos_dir
    if "--photos-dir" in given:
        photos = Path(given["--photos-dir"][0]).expanduser()
        configured = settings.photos_dir
        same = configured is not None and photos.resolve() == configured.resolve()
        if same or not photos.is_dir():
            del given["--photos-dir"]
    has_photos = photos is not None and photos.is_dir()
    cache = Path(given["--cache"][0]).expanduser() if "--cache" in given else workspace / "cache"
    ingestion = read_asked(cache, workspace, settings.photos_dir)
    return Origin(told.command, given, settings.recalled_options(), ingestion, has_photos)


def _mind_the_queue(given: dict[str, tuple[str, ...]]) -> None:
    """Leave out a queue that the next command finds by itself, and any password."""
    queue = given.get("--queue", ("",))[0]
    if queue == (os.environ.get("PCC_QUEUE") or "sqlite"):
        del given["--queue"]
    elif "@" in queue:
        given["--queue"] = (NO_QUEUE,)


def _values(value: Any) -> tuple[str, ...] | None:
    """Return the values of an option as they were typed, None for a flag that is off."""
    if isinstance(value, bool):
        return () if value else None
    if isinstance(value, list | tuple):
        return tuple(map(_text, value))
    return (_text(value),)


def _text(value: Any) -> str:
    return os.fspath(value) if isinstance(value, Path) else str(value)
