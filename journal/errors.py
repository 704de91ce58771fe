"""Errors of the journal package.

JournalError
├── JournalLocked       another process writes this journal
├── JournalLost         the file was replaced or removed under its writer
├── JournalWriteFailed  a write or a sync failed; nothing more is acknowledged
│   └── DiskFull        there is no room for what had to be written
└── RecordUnreadable    no valid record stands at the offset asked for
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
    """Raised when the path no longer names the file the writer holds."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was renamed, replaced or removed while it was being written; "
            "put it back, then start again"
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
