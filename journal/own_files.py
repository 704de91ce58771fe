"""Everything that is written passes here, so that nothing of somebody else's is ever written over.

Three rules hold for every path. Nothing is written inside a protected directory, which is how a
command names its photos. Nothing is written through a link, since a workspace may come from a
stick, and a link in it may lead anywhere. Nothing is written into a file of another kind.

Protection is a rule of the whole process, as the umask is: a command says once where the photos
are, and no later step can forget it. `tests/test_own_files.py` finds any other way to write.
"""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import stat
import tempfile
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from journal.errors import ForbiddenPlace, NotOurs
from journal.file_kinds import FileKind
from journal.foreign_files import kind_of_entry

OWNER_ONLY = 0o600
DIRECTORY_MODE = 0o700

_protected: dict[str, Path] = {}
"""Protected directories as they are named in errors, by resolved path."""

_found_outside: set[str] = set()
"""Directories that were found to be outside every protected one, as they were written."""


def protect(directory: Path) -> None:
    """Have this process never write inside a directory again."""
    _protected[os.path.realpath(directory)] = directory
    _found_outside.clear()


def require_outside(path: Path) -> None:
    """Make sure that a path may be written to.

    Raises:
        ForbiddenPlace: the path lies inside a protected directory.
    """
    # `..` stays as it is: above what a link leads to, which is not where the link stands.
    parent = os.fspath((path if path.name == ".." else path.parent).absolute())
    if parent not in _found_outside:
        _refuse_inside(path, os.path.realpath(parent))
        _found_outside.add(parent)
    if path.is_dir():  # perhaps the photos directory itself, under whatever name
        _refuse_inside(path, os.path.realpath(path))


def _refuse_inside(path: Path, resolved: str) -> None:
    for protected, named in _protected.items():
        places = (Path(resolved), *Path(resolved).parents)
        if any(_is_directory(place, Path(protected)) for place in places):
            raise ForbiddenPlace(path, named)


def _is_directory(place: Path, protected: Path) -> bool:
    """Tell whether a path is a directory, perhaps by a mount or in another case of letters."""
    if place == protected:
        return True
    with suppress(OSError):
        return place.samefile(protected)
    return False


def open_own(path: Path, flags: int, kind: FileKind | None = None) -> int:
    """Open a file of ours for writing, and return its descriptor.

    Args:
        path: The file; with `O_CREAT` made if absent, readable by its owner alone.
        flags: As for `os.open`.
        kind: What the file must be if it holds anything, None where only the place matters.

    Raises:
        ForbiddenPlace: the path lies inside a protected directory.
        NotOurs: a link, no regular file, or a file of another kind stands there.
    """
    require_outside(path)
    safe = flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(path, safe & ~os.O_TRUNC, OWNER_ONLY)
    except OSError:
        _refuse_entry(path)
        raise
    try:
        _require_ours(path, descriptor, kind)
        if flags & os.O_TRUNC:
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require_ours(path: Path, descriptor: int, kind: FileKind | None) -> None:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise NotOurs(path, f"is {kind_of_entry(found.st_mode)}")
    if kind is not None:
        _require_kind(path, kind)
    elif found.st_nlink > 1:
        raise NotOurs(path, "has a second name elsewhere (a hard link)")


def _refuse_entry(path: Path) -> None:
    """Say what stands at a path, where that is anything but a regular file."""
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise NotOurs(path, f"is {kind_of_entry(mode)}")


def _require_kind(path: Path, kind: FileKind) -> None:
    """Make sure that a file is of a kind, is empty, or is not there.

    Raises:
        NotOurs: a link, no regular file, or a file of another kind stands there.
    """
    _refuse_entry(path)
    try:
        file = FileIO(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
    except FileNotFoundError:
        return
    with file:
        if os.fstat(file.fileno()).st_size and not kind.recognises(file):
            raise NotOurs(path, f"is not {kind.name}")


def require_own_place(path: Path, kind: FileKind | None = None) -> None:
    """Make sure that a file may be made or replaced at a path.

    Raises:
        ForbiddenPlace: the path lies inside a protected directory.
        NotOurs: a link, no regular file, or a file of another kind stands there.
    """
    require_outside(path)
    _refuse_entry(path)
    if kind is not None:
        _require_kind(path, kind)


def make_directory(path: Path, below: Path | None = None, *, exist_ok: bool = True) -> None:
    """Make a directory that its owner alone may read, and what is missing above it.

    Args:
        path: The directory.
        below: A directory above that the user named; nothing below that directory is a link.
        exist_ok: Whether the directory may be there.

    Raises:
        ForbiddenPlace: the path lies inside a protected directory.
        NotOurs: a link or a file stands there.
        FileExistsError: the directory is there, and may not be.
    """
    require_outside(path)
    steps = [] if below is None else path.relative_to(below).parents
    for place in (path, *(below / step for step in steps[:-1] if below is not None)):
        if os.path.lexists(place) and not stat.S_ISDIR(mode := place.lstat().st_mode):
            raise NotOurs(place, f"is {kind_of_entry(mode)}, where a directory belongs")
    path.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=exist_ok)


def named_directory(path: Path) -> Path:
    """Return a path that the user named, behind the link where the path is one to a directory.

    Users may name what they like; what is made inside such a directory passes no further link.
    """
    return path.resolve() if os.path.islink(path) and path.is_dir() else path  # noqa: PTH114


def temporary_directory(beside: Path | None = None, prefix: str = "pcc-") -> Path:
    """Return a new directory that its owner alone may read, in a directory or among the system's.

    Raises:
        ForbiddenPlace: the directory would be inside a protected one.
    """
    if beside is not None:
        require_outside(beside / prefix)
    return Path(tempfile.mkdtemp(prefix=prefix, dir=beside))


def remove(path: Path) -> None:
    """Remove a file or a link of ours, never what a link leads to; an absent one is no error.

    Raises:
        ForbiddenPlace: the path lies inside a protected directory.
    """
    require_outside(path)
    path.unlink(missing_ok=True)


def remove_directory(path: Path, *, with_content: bool = False) -> None:
    """Remove a directory of ours if it is empty, or with all it holds; a failure is no error."""
    require_outside(path / "content")
    if with_content:
        shutil.rmtree(path, ignore_errors=True)  # follows no link
        return
    with suppress(OSError):
        path.rmdir()


def move(source: Path, target: Path, kind: FileKind | None = None) -> None:
    """Give a file or a directory of ours another name; a file of ours there is replaced.

    Args:
        source: What is moved.
        target: The new name, on the same file system.
        kind: What a file that is replaced must be, None where only the place matters.

    Raises:
        ForbiddenPlace: one of the two lies inside a protected directory.
        NotOurs: a link, no regular file, or a file of another kind stands there.
    """
    require_outside(source)
    if source.is_dir():
        require_outside(target)
    else:
        require_own_place(target, kind)
    source.replace(target)


def give_second_name(path: Path, name: Path) -> None:
    """Give a file of ours a second name (a hard link), so that the first can be replaced.

    Raises:
        ForbiddenPlace: the name lies inside a protected directory.
        FileExistsError: the name is taken.
        OSError: the file system has no hard links.
    """
    require_outside(name)
    os.link(path, name)


def bound_socket(path: Path) -> socket.socket:
    """Return a Unix socket at a path, which its owner alone may connect to.

    Raises:
        ForbiddenPlace: the path lies inside a protected directory.
        OSError: something stands there, or the path is too long for a socket.
    """
    require_outside(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(os.fspath(path))
        with suppress(PermissionError):  # a file system without modes
            path.chmod(OWNER_ONLY)
    except BaseException:
        bound.close()
        raise
    return bound


def open_database(path: Path, kind: FileKind, **options: Any) -> sqlite3.Connection:
    """Open an SQLite database of ours, made if absent, which its owner alone may read.

    Args:
        path: The database. SQLite keeps further files beside it.
        kind: What the file must be if it holds anything.
        options: As for `sqlite3.connect`.

    Raises:
        ForbiddenPlace: the path lies inside a protected directory.
        NotOurs: a link, no regular file, or a file of another kind stands there.
        sqlite3.Error: the database cannot be opened.
    """
    for companion in database_files(path)[1:]:
        require_own_place(companion)
    os.close(open_own(path, os.O_RDWR | os.O_CREAT, kind))
    connection: sqlite3.Connection = sqlite3.connect(path.absolute(), **options)
    return connection


def database_files(path: Path) -> list[Path]:
    """Return the files of an SQLite database: the database first, then what may stand beside it."""
    return [Path(f"{path}{ending}") for ending in ("", "-wal", "-shm", "-journal")]
