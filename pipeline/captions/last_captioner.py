"""Who captioned a workspace last, so that a run that names no backend goes on with the same one.

A record names backend and model, and never the server: an address may hold what is nobody's
business. So each run leaves a small file in the workspace. Where there is none, as with a journal
from another machine, the last record tells backend and model, and the server has to be named
before a photo leaves the machine.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from backends.errors import SetupError
from backends.registry import CAPTIONERS, backend_class
from journal import UNREADABLE, CaptionRecord, atomic_rewrite, open_regular, read_whole
from pipeline.captions.plan import LEAST

NAME = "captioner.json"

TAIL_BYTES = 1 << 16
"""How much of the journal's end is searched for a record that names its backend."""


class LastCaptioner(msgspec.Struct, frozen=True):
    """What captioned last.

    Attributes:
        backend: Name of the backend.
        model: Model id as it was asked for, None for the backend's own.
        base_url: The server that was named, None for the vendor's.
        server_known: Whether `base_url` tells the server; False where the journal alone tells
            of the backend, or the address held a password.
    """

    backend: str
    model: str | None = None
    base_url: str | None = None
    server_known: bool = True


def keep_captioner(workspace: Path, backend: str, model: str | None, base_url: str | None) -> None:
    """Write down who captions; an address that may hold a password or a key is left out.

    The default need not be written down: the journal tells of it, and a workspace that never
    saw another backend has no further file.
    """
    if backend == LEAST and not was_kept(workspace):
        return
    plain = base_url is None or is_plain(base_url)
    captioner = LastCaptioner(backend, model, base_url if plain else None, plain)
    if captioner == _read(workspace / NAME):
        return
    data = msgspec.json.format(msgspec.json.encode(captioner)) + b"\n"
    with atomic_rewrite(workspace / NAME, needed=len(data)) as file:
        file.write(data)


def last_captioner(workspace: Path, journal: Path) -> LastCaptioner | None:
    """Return who captioned last, None where nobody did or nobody knows.

    Args:
        workspace: The directory of the workspace.
        journal: The captions journal, which need not exist.
    """
    return _read(workspace / NAME) or _of_last_record(journal)


def is_plain(base_url: str) -> bool:
    """Tell whether an address can hold neither a password nor a key, and may be shown and kept."""
    try:
        parts = urlsplit(base_url)
    except ValueError:
        return False
    return "@" not in base_url and not parts.query and not parts.fragment


def was_kept(workspace: Path) -> bool:
    """Tell whether a run has written down who captions."""
    return _read(workspace / NAME) is not None


def _read(path: Path) -> LastCaptioner | None:
    """Return what the file says; one that cannot be read says nothing, and the next run mends it.

    Whoever can write here can send photos anywhere, by `pcc.toml` as well as by this file.
    """
    try:
        return msgspec.json.decode(read_whole(path), type=LastCaptioner)
    except (OSError, *UNREADABLE):
        return None


def _of_last_record(journal: Path) -> LastCaptioner | None:
    for line in reversed(_tail(journal).splitlines()):
        try:
            record = msgspec.json.decode(line, type=CaptionRecord)
        except UNREADABLE:
            continue
        if record.status == "success" and record.backend and record.backend in CAPTIONERS:
            return LastCaptioner(
                record.backend, record.model, server_known=not _may_be_remote(record.backend)
            )
    return None


def _tail(journal: Path) -> bytes:
    try:
        with open_regular(journal) as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            return file.read()
    except OSError:
        return b""


def _may_be_remote(backend: str) -> bool:
    """Tell whether a backend may send photos to a server, without importing one of ours."""
    built_in = CAPTIONERS.built_in.get(backend)
    if built_in is not None:
        return built_in.extra == "api"
    try:
        return not backend_class(backend).local
    except SetupError:
        return True
