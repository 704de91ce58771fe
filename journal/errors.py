"""Errors of the journal package.

JournalError
├── JournalLocked       another process writes this journal
├── JournalLost         the file was changed, replaced or removed under its writer
├── JournalWriteFailed  a write or a sync failed; nothing more is acknowledged
│   └── DiskFull        there is no room for what had to be written
├── LocksMissing        the file system has no locks
├── RecordUnreadable    no valid record stands at the offset asked for
└── FileRefused         a file or a place that must not be used
    ├── ForbiddenPlace  inside the photos directory
    ├── NotOurs         a link, no regular file, or a file of another kind
    └── TooLarge        more bytes than such a file ever has
"""

from __future__ import annotations

from pathlib import Path


class JournalError(Exception):
    """Base of everything this package raises on purpose."""


class JournalLocked(JournalError):
    """Raised when another process holds the writer's lock."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is being written by {holder}; stop it, or wait for it to end")
        self.path = path
        self.holder = holder


class JournalLost(JournalError):
    """Raised when the path no longer names the file the writer holds, as the writer left it."""

    def __init__(self, path: Path, how: str = "renamed, replaced or removed") -> None:
        super().__init__(
            f"{path} was {how} by another program while it was being written; "
            "put it back, then start again"
        )


class LocksMissing(JournalError):
    """Raised when a file system cannot lock files, so that two processes could write one."""

    def __init__(self, path: Path, cause: OSError) -> None:
        super().__init__(
            f"{path} cannot be locked ({cause.strerror}): its file system has no locks, and two "
            "runs could write there at once; work on another file system, such as a local disk"
        )


class JournalWriteFailed(JournalError):
    """Raised when a write or a sync fails.

    After a failed sync the kernel may have dropped the data, so the journal is
    never synced again through the same descriptor.
    """

    def __init__(self, path: Path, cause: OSError) -> None:
        super().__init__(
            f"could not write {path}: {cause.strerror or cause}; "
            "every photo reported as done is safe; check the disk, then start again"
        )


class DiskFull(JournalWriteFailed):
    """Raised when the file system has no room left."""

    def __init__(self, path: Path, needed: int, free: int) -> None:
        JournalError.__init__(
            self,
            f"disk full: {path}{f' needed {needed:,} bytes and' if needed else ';'} "
            f"{free:,} {'' if needed else 'bytes '}are free; "
            "what was written before is untouched; free some space, then start again",
        )


class RecordUnreadable(JournalError):
    """Raised when the line at an offset does not hold a valid record."""


class FileRefused(JournalError):
    """Base of errors about a file or a place that must not be used."""


class ForbiddenPlace(FileRefused):
    """Raised when something would be written inside the photos directory."""

    def __init__(self, path: Path, photos: Path) -> None:
        is_itself = path.exists() and path.samefile(photos)
        where = "the photos directory" if is_itself else f"inside the photos directory {photos}"
        super().__init__(
            f"{path} is {where}, where pcc writes nothing; "
            "name a place outside the photos, a workspace with --workspace DIR"
        )


class NotOurs(FileRefused):
    """Raised when a link, no regular file, or a file of another kind stands at a path.

    Args:
        path: The path.
        what: What stands there, as in "is a link".
    """

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path} {what}, and is left as it is: move it away, or name another path")


class TooLarge(FileRefused):
    """Raised when a file has more bytes than a file of its kind ever has."""

    def __init__(self, path: Path, most: int) -> None:
        super().__init__(
            f"{path} has more than {most:,} bytes, too many for such a file; move it away"
        )
