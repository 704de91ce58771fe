"""Replacing a whole file, so that the old file or the new file is there at any instant."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter
from pathlib import Path

from journal.disk import NO_SPACE, free_bytes, sync_directory
from journal.errors import DiskFull
from journal.failures import named
from journal.file_kinds import FileKind
from journal.foreign_files import open_regular
from journal.own_files import move, open_own, remove, require_own_place

_LEFTOVER = re.compile(r"\.(.+)\.\d+\.tmp", re.DOTALL)


@contextmanager
def atomic_rewrite(
    path: Path, needed: int = 0, kind: FileKind | None = None
) -> Iterator[BufferedWriter]:
    """Yield a file that takes the place of `path` when the block ends without an error.

    The permissions of an existing file are kept; a new one is readable by its
    owner alone.

    Args:
        path: The file to replace or create.
        needed: Bytes about to be written, checked against the free space first.
        kind: What a file that is replaced must be, None for a name that only we use.

    Raises:
        DiskFull: there is no room; the old file is untouched.
        FileRefused: the path is inside the photos directory, or what stands there is not ours.
    """
    require_own_place(path, kind)
    directory = path.parent
    if needed > free_bytes(directory):
        raise DiskFull(path, needed, free_bytes(directory))
    temporary = directory / f".{path.name}.{os.getpid()}.tmp"
    remove(temporary)
    try:
        descriptor = open_own(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with named(path), open(descriptor, "wb") as file:
            with suppress(OSError):  # without locks, nothing tells a leftover from this one
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            _take_mode(descriptor, path)
            try:
                yield file
                file.flush()
            except OSError:
                needed = max(needed, file.tell())  # at least: the rest was never offered
                raise
            os.fsync(descriptor)
            move(temporary, path, kind)
    except OSError as error:
        remove(temporary)
        if error.errno in NO_SPACE:
            raise DiskFull(path, needed, free_bytes(directory)) from error
        raise
    except BaseException:
        remove(temporary)
        raise
    sync_directory(directory)


def make_own_copy(path: Path) -> None:
    """Put a copy in the place of a file that has a second name, as after a backup by `cp -al`.

    What is written later leaves the file as it is under its other name.

    Raises:
        DiskFull: there is no room for the copy.
        FileRefused: the path is inside the photos directory.
    """
    with suppress(FileNotFoundError):
        found = path.lstat()
        if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
            with open_regular(path) as old, atomic_rewrite(path, found.st_size) as copy:
                shutil.copyfileobj(old, copy)


def _take_mode(descriptor: int, path: Path) -> None:
    """Give a new file the permissions of the file it replaces, where the file system has any."""
    with suppress(FileNotFoundError, PermissionError):
        os.fchmod(descriptor, path.stat().st_mode & 0o7777)


def clear_leftovers(directory: Path, name: str | None = None) -> None:
    """Remove temporary files that killed processes left.

    A process locks its temporary file, and the lock dies with the process.

    Args:
        directory: The directory with the files.
        name: Name of the file that was to be replaced, None for any.
    """
    with os.scandir(directory) as entries:
        left = [found for entry in entries if (found := _LEFTOVER.fullmatch(entry.name))]
    for found in left:
        if name in (None, found[1]):
            _remove_if_left(directory / found[0])


def _remove_if_left(temporary: Path) -> None:
    with suppress(OSError):  # held by its process, gone meanwhile, or on a disk without locks
        descriptor = os.open(temporary, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(temporary)
        finally:
            os.close(descriptor)
