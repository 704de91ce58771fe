"""What went wrong, in a line for people: failures of the system have a path and a way out."""

from __future__ import annotations

from journal import what_failed

LONGEST_BUG = 300
"""Characters of an error that nobody expected; its log has all of it."""


def failure_words(error: Exception) -> str:
    """Return an expected error as one line."""
    if isinstance(error, OSError):
        return what_failed(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory; end other programs, or give less to do at a time"
    return str(error)


def bug_words(error: Exception, kept: str | None) -> str:
    """Return an error that nobody expected as one line.

    Args:
        error: The error.
        kept: Path of the file that has its traceback, None where no file could be written.
    """
    more = f"{kept} has more" if kept else "and its traceback could be written nowhere"
    what = f"{type(error).__name__}: {error}"[:LONGEST_BUG]
    return f"unexpected {what}; this is a bug, {more}"
