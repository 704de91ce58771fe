"""Replacing a whole file, so that the old file or the new file is there at any instant."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path

from journal.disk import NO_SPACE, free_bytes, sync_directory
from journal.errors import DiskFull
from journal.failures import named

_LEFTOVER = re.compile(r"\.(.+)\.(\d+)\.tmp", re.DOTALL)


@contextmanager
def atomic_rewrite(path: Path, needed: int = 0) -> Iterator[BufferedWriter]:
    """Yield a file that takes the place of `path` when the block ends without an error.

    The permissions of an existing file are kept; a new one is readable by its
    owner alone.

    Args:
        path: The file to replace or create.
        needed: Bytes about to be written, checked against the free space first.

    Raises:
        DiskFull: there is no room; the old file is untouched.
    """
    directory = path.parent
    if needed > free_bytes(directory):
        raise DiskFull(path, needed, free_bytes(directory))
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o600
    temporary = directory / f".{path.name}.{os.getpid()}.tmp"
    temporary.unlink(missing_ok=True)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with named(path), open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            yield file
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno in NO_SPACE:
            raise DiskFull(path, needed, free_bytes(directory)) from error
        raise
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(directory)


def clear_leftovers(directory: Path, name: str | None = None) -> None:
    """Remove temporary files that killed processes left.

    Args:
        directory: The directory with the files.
        name: Name of the file that was to be replaced, None for any.
    """
    with os.scandir(directory) as entries:
        left = [found for entry in entries if (found := _LEFTOVER.fullmatch(entry.name))]
    for found in left:
        if name in (None, found[1]) and not _is_alive(int(found[2])):
            (directory / found[0]).unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # the process of another user
        return True
    return True
