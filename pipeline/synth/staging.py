"""A dataset appears as a whole: it grows in a hidden directory and gets its name at the end."""

from __future__ import annotations

import errno
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from itertools import count
from pathlib import Path

from journal import make_directory, move, remove_directory, sync_directory, temporary_directory
from pipeline.synth.errors import DatasetExists

FOLDER = "datasets"
HIDDEN = re.compile(r"\..+\.partial-\d+-\w+")
TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)


def free_names(workspace: Path, day: date) -> Iterator[Path]:
    """Yield the directories `datasets/YYYY-MM-DD-vN` that are not there, the lowest N first."""
    for number in count(1):
        path = workspace / FOLDER / f"{day.isoformat()}-v{number}"
        if not os.path.lexists(path):
            yield path


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """Yield a hidden directory beside `target` to write in; it is gone when the block ends.

    The name of the directory ends in `.partial-PID-RANDOM`, and the directory is locked as long
    as this process lives. So what a kill leaves behind is no dataset, and `leftovers` finds it.
    """
    make_directory(target.parent)
    prefix = f".{target.name}.partial-{os.getpid()}-"
    folder = temporary_directory(target.parent, prefix)
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a file system without locks: `leftovers` finds nothing there
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        remove_directory(folder, with_content=True)
        os.close(lock)


def publish(folder: Path, targets: Iterator[Path]) -> Path:
    """Give a complete directory the first name that is free, and return it.

    Args:
        folder: What `staging` yielded; every file in it is on disk.
        targets: The names to try, beside it.

    Raises:
        DatasetExists: all names are taken.
    """
    sync_directory(folder)
    target = folder
    for target in targets:
        if _renamed(folder, target):
            sync_directory(target.parent)
            return target
    raise DatasetExists(target)


def _renamed(folder: Path, target: Path) -> bool:
    if os.path.lexists(target):
        return False
    try:
        move(folder, target)  # onto anything but an empty directory this fails
    except OSError as error:
        if error.errno in TAKEN:
            return False
        raise
    return True


def leftovers(parent: Path) -> list[Path]:
    """Return hidden directories of runs that were killed; nobody holds them any more."""
    with suppress(OSError):
        names = sorted(name for name in os.listdir(parent) if HIDDEN.fullmatch(name))
        return [parent / name for name in names if _is_abandoned(parent / name)]
    return []


def _is_abandoned(folder: Path) -> bool:
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
