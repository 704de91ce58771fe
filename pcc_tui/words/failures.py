"""What went wrong, in a line for people: failures of the system have a path and a way out."""

from __future__ import annotations

import errno
import os

from journal import split_path, what_failed
from pipeline.photos.errors import CorruptImageError, StorageError

NO_THREAD = "can't start new thread"
"""What Python says where there is no room for the stack of another thread."""

LONGEST_BUG = 300
"""Characters of an error that nobody expected; its log has all of it."""


def failure_words(error: Exception) -> str:
    """Return an expected error as one line."""
    if isinstance(error, FileNotFoundError) and error.filename is None:
        return "the current directory is not there any longer; go to another, then start again"
    if isinstance(error, OSError):
        return what_failed(error)
    if isinstance(error, CorruptImageError):
        again = "; try again once the storage answers" if isinstance(error, StorageError) else ""
        return f"{split_path(error.path)[0]} cannot be decoded: {error}{again}"
    if isinstance(error, MemoryError):
        from pipeline.photos.memory import memory_limit

        hint = memory_limit().hint or "; end other programs, or give less to do at a time"
        return f"there is not enough memory{hint}"
    return str(error)


def as_failure(error: Exception) -> Exception:
    """Return the failure of the system behind an error that Python tells otherwise.

    `Path.resolve` of Python 3.11 and 3.12 raises RuntimeError where links lead in a circle, and
    a thread whose stack finds no room is a RuntimeError, too.
    """
    if isinstance(error, RuntimeError) and str(error) == NO_THREAD:
        return MemoryError(NO_THREAD)
    _, is_circle, path = str(error).partition("Symlink loop from ")
    if isinstance(error, RuntimeError) and is_circle:
        return OSError(errno.ELOOP, os.strerror(errno.ELOOP), path.strip("'"))
    return error


def bug_words(error: Exception, kept: str | None) -> str:
    """Return an error that nobody expected as one line.

    Args:
        error: The error.
        kept: Path of the file that has its traceback, None where no file could be written.
    """
    more = f"{kept} has more" if kept else "and its traceback could be written nowhere"
    what = f"{type(error).__name__}: {error}"[:LONGEST_BUG]
    return f"unexpected {what}; this is a bug, {more}"
