"""Records on their way to disk: counted, and shared with identical photos, once they are there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from backends.errors import CallError
from journal import RETRYABLE, Committed, JournalError, Status
from pipeline.jobs.copies import Copies
from pipeline.jobs.errors import describe
from pipeline.jobs.progress import Progress
from pipeline.jobs.stage import FailedAttempt, Stage
from pipeline.photos.photo import LoadedPhoto, Photo

R = TypeVar("R", bound=msgspec.Struct)
R_contra = TypeVar("R_contra", contravariant=True)

log = logging.getLogger("pcc.job")


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
    """What is known of a record besides what the record says.

    Attributes:
        record: The record. Held here, so that no other object gets its id meanwhile.
        photo: The photo that the record is about.
        is_copy: Whether the record was copied from that of an identical file.
    """

    record: object
    photo: Photo
    is_copy: bool


class PendingRecords(Generic[R]):
    """Takes the records of a job, and reports each once the journal has synced it.

    A record is found again by its `id`: records are mutable and equal records may be
    under way at once.

    Args:
        stage: Makes the records.
        copies: Knows which photos wait for the record of an identical one.
        progress: Where to count.
        on_settled: Told how many photos got their record.
        on_failure: Told of a journal that takes no more.
    """

    def __init__(
        self,
        stage: Stage[R],
        copies: Copies,
        progress: Progress,
        on_settled: Callable[[int], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._stage = stage
        self._copies = copies
        self._progress = progress
        self._on_settled = on_settled
        self._on_failure = on_failure
        self._journal: Appender[R] | None = None
        self._pending: dict[int, Pending] = {}
        self._failed: list[tuple[Photo, Status]] = []
        self._retried: dict[str, Status] = {}

    def write_to(self, journal: Appender[R]) -> None:
        """Name the journal, before the first record."""
        self._journal = journal

    def keep(self, record: R, photo: Photo, *, is_copy: bool = False) -> None:
        """Hand a record to the journal."""
        assert self._journal is not None
        self._pending[id(record)] = Pending(record, photo, is_copy)
        try:
            self._journal.append(record)
        except JournalError as error:
            self._on_failure(error)

    def keep_failure(
        self,
        photo: Photo,
        error: Exception,
        status: Status,
        loaded: LoadedPhoto | None = None,
        seconds: float | None = None,
    ) -> R:
        """Hand the record of a failed attempt to the journal, and return the record.

        Args:
            photo: The photo.
            error: Why there is no result.
            status: What the failure counts as.
            loaded: The decoded photo, None where decoding failed.
            seconds: Time the stage took, None where the stage was never asked.
        """
        cost = error.cost_usd if isinstance(error, CallError) else None
        failure = FailedAttempt(photo, loaded, status, describe(error), seconds, cost)
        record = self._stage.failed(failure)
        self.keep(record, photo)
        return record

    def committed(self, committed: Committed[R]) -> None:
        """Report records that are on disk, and serve the photos that waited for them."""
        usages = [self._stage.usage(record) for _, record in committed]
        self._progress.add(usages)
        for (offset, record), usage in zip(committed, usages, strict=True):
            pending = self._pending.pop(id(record))
            if (replaced := self._retried.pop(pending.photo.path, None)) is not None:
                self._progress.take_back(replaced)
            if usage.status in RETRYABLE:
                self._failed.append((pending.photo, usage.status))
            if usage.status != "success":
                log.warning(usage.status, {"rel_path": usage.rel_path, "error": usage.text})
            digest = self._stage.digest(record)
            if digest is not None and not pending.is_copy:
                for photo in self._copies.release(digest, usage.status, offset):
                    self.keep(self._stage.copied(record, photo), photo, is_copy=True)
        self._on_settled(len(committed))

    def take_failed(self) -> list[Photo]:
        """Return the photos that failed and may be tried again, each once."""
        failed, self._failed = self._failed, []
        self._retried.update({photo.path: status for photo, status in failed})
        self._copies.forget_failures()
        return [photo for photo, _ in failed]
