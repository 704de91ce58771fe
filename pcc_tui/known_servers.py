"""The servers that somebody on this machine has named, so that no file names one instead.

A workspace may be copied from a stick, and with it `pcc.toml` and `captioner.json`, which may
name a server. Photos and a key go to such a server only after somebody at this machine has named
it: by a flag, in the environment, in the app, or by answering a question, once.
"""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

import msgspec

from journal import JournalError, atomic_rewrite, make_directory, read_whole
from pcc_tui.locations import known_servers_path


def server_of(address: str | None) -> str | None:
    """Return the server in an address, such as `https://host:8000`, without any password.

    None stands for the vendor's own server, or for a name such as `ollama`, which is a server
    on this machine at its usual port.
    """
    if not address or "://" not in address:
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()


def is_known(address: str | None) -> bool:
    """Tell whether somebody on this machine has named the server of an address."""
    server = server_of(address)
    return server is None or server in _read()


def keep_server(address: str | None) -> None:
    """Remember the server of an address; where nothing can be written, nothing is remembered."""
    server, known = server_of(address), _read()
    if server is None or server in known:
        return
    data = msgspec.json.format(msgspec.json.encode(sorted({*known, server}))) + b"\n"
    path = known_servers_path()
    with suppress(OSError, JournalError):
        make_directory(path.parent)
        with atomic_rewrite(path, needed=len(data)) as file:
            file.write(data)


def _read() -> set[str]:
    try:
        return msgspec.json.decode(read_whole(known_servers_path()), type=set[str])
    except (OSError, JournalError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return set()


def server_question(backend: str, address: str, key: str | None) -> str:
    """Return what is asked before photos go to a server that only a file names.

    Args:
        backend: Name of the backend.
        address: The address that the file names.
        key: Name of the key that would go along, None without one.
    """
    along = f"photos and {key}" if key else "photos"
    return (
        f"A file of this workspace names the server: {backend} would send {along} to "
        f"{server_of(address)}. Is this server meant?"
    )
