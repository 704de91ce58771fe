"""Where the socket of a job lies: in a directory of its own, which is locked while the job lives.

The lock dies with the job, so a directory without a lock is litter of a killed job, and whoever
starts next removes it. The address of a socket may come from a `run.json` of somebody else. Such
an address is that of a socket of ours only if it has the form that is made here, and the directory
belongs to us and is open to nobody else; everything else is neither connected to nor removed.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from journal import (
    FileRefused,
    ForbiddenPlace,
    LocksMissing,
    remove,
    remove_directory,
    require_outside,
    take_lock,
    temporary_directory,
)

PREFIX = "pcc-job-"
NAME = "control.sock"

LONGEST_ADDRESS = 100
"""Bytes; Linux takes 107, other systems 103."""

_DIRECTORY = re.compile(re.escape(PREFIX) + "[a-z0-9_]{8}")


@contextmanager
def socket_directory() -> Iterator[Path]:
    """Yield a new directory for the socket of this process, and remove the directory at the end.

    Litter of killed jobs beside that directory is removed as well.

    Raises:
        ForbiddenPlace: every place for such a directory is inside the photos directory.
    """
    above = _place_for_sockets()
    remove_leftovers(above)
    folder, descriptor = _made_and_locked(above)
    try:
        yield folder
    finally:
        with suppress(OSError):
            remove(folder / NAME)
        remove_directory(folder)
        os.close(descriptor)


def _place_for_sockets() -> Path:
    """Return the first of the temporary directories whose path suits a socket."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 - only ever with mkdtemp
        address = os.fsencode(Path(place, f"{PREFIX}12345678", NAME))
        try:
            address.decode()
            require_outside(Path(place, PREFIX))
        except (UnicodeDecodeError, ForbiddenPlace) as error:
            refused = error
        else:
            if len(address) <= LONGEST_ADDRESS:
                return Path(place)
    raise refused


def _made_and_locked(above: Path) -> tuple[Path, int]:
    """Return a new directory, and the descriptor that holds its lock."""
    while True:
        folder = temporary_directory(above, PREFIX)
        with suppress(FileNotFoundError):  # a job that starts as well took the directory for litter
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            if _is_locked(descriptor, folder):
                return folder, descriptor
            os.close(descriptor)


def _is_locked(descriptor: int, folder: Path) -> bool:
    """Lock a new directory; tell whether that succeeded, and the directory is still there."""
    try:
        return take_lock(descriptor, folder) and folder.exists()
    except LocksMissing:  # then nobody can take the directory for litter
        return True


def remove_leftovers(above: Path) -> None:
    """Remove the directories that killed jobs of ours left in a directory."""
    with suppress(OSError), os.scandir(above) as entries:
        for name in [entry.name for entry in entries if _DIRECTORY.fullmatch(entry.name)]:
            remove_if_left(above / name)


def remove_if_left(folder: Path) -> None:
    """Remove a directory for a socket, if it is one of ours and no job has its lock."""
    if not _DIRECTORY.fullmatch(folder.name):
        return
    with suppress(OSError, LocksMissing, FileRefused):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if _is_ours_alone(os.fstat(descriptor)) and take_lock(descriptor, folder):
                with suppress(FileNotFoundError):
                    if _is_our_socket(folder / NAME):
                        remove(folder / NAME)
                remove_directory(folder)
        finally:
            os.close(descriptor)


def is_ours(address: Path) -> bool:
    """Tell whether an address is that of a socket of ours.

    Raises:
        FileNotFoundError: nothing is there any more.
        OSError: the address cannot be looked at.
    """
    folder = address.parent
    return (
        address.is_absolute()
        and address.name == NAME
        and _DIRECTORY.fullmatch(folder.name) is not None
        and _is_ours_alone(folder.lstat())
        and _is_our_socket(address)
    )


def _is_ours_alone(found: os.stat_result) -> bool:
    owned = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return owned and not found.st_mode & 0o077


def _is_our_socket(path: Path) -> bool:
    found = path.lstat()
    return stat.S_ISSOCK(found.st_mode) and found.st_uid == os.geteuid()
