"""Records on their way to disk, the photos behind them, and which of those failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

from journal import Committed, JournalError, Status
from pipeline.photos.photo import Photo

R = TypeVar("R")
R_contra = TypeVar("R_contra", contravariant=True)

RETRIABLE: frozenset[Status] = frozenset({"error_api", "error_model"})
"""What may be put to work again; a broken file stays broken."""


class Appender(Protocol[R_contra]):
    """Where a job puts its records: a JournalWriter, or something that fronts several."""

    def append(self, record: R_contra) -> None:
        """Hand over a record."""

    def flush(self) -> None:
        """Bring what was appended to disk, and acknowledge it."""

    def close(self) -> None:
        """Flush, and give the journal back."""


OpenJournal = Callable[
    [Callable[[Committed[R]], None], Callable[[JournalError], None]], Appender[R]
]
"""Opens the journal of a job, given what to call on each commit and on a failure."""


class Pending(NamedTuple):
    """What is known of a record besides what it says.

    Attributes:
        record: Held, so that no other object gets its id meanwhile.
        photo: The photo it is about.
        is_copy: Whether it was copied from the record of an identical file.
    """

    record: object
    photo: Photo
    is_copy: bool


class PendingRecords(Generic[R]):
    """Remembers the photo of each record until that is on disk."""

    def __init__(self) -> None:
        self._entries: dict[int, Pending] = {}
        self._failed: list[tuple[Photo, Status]] = []
        self._retried: dict[str, Status] = {}

    def enter(self, record: R, photo: Photo, *, is_copy: bool) -> None:
        """Note a record that goes to the journal."""
        self._entries[id(record)] = Pending(record, photo, is_copy)

    def settle(self, record: R, status: Status) -> tuple[Pending, Status | None]:
        """Take out a record that is on disk; return it with the outcome it replaces, if any."""
        entry = self._entries.pop(id(record))
        if status in RETRIABLE:
            self._failed.append((entry.photo, status))
        return entry, self._retried.pop(entry.photo.path, None)

    def take_failed(self) -> list[Photo]:
        """Return the photos that failed and may be tried again, each once."""
        failed, self._failed = self._failed, []
        self._retried.update({photo.path: status for photo, status in failed})
        return [photo for photo, _ in failed]
