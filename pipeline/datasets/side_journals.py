"""Results on their way into a dataset: kept as they come, merged by a rewrite, then removed.

The results stand in `NAME.jsonl.enriching/`, one journal for each producer. Failures stay there,
so that a broken photo is not tried again at each run.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Generic, NamedTuple, TypeVar

import msgspec

from journal import (
    Follower,
    Index,
    RecordUnreadable,
    Status,
    WriterLock,
    atomic_rewrite,
    journal_kind,
    make_directory,
    open_regular,
    read_line,
    read_record,
    remove,
    remove_directory,
)

Kind = TypeVar("Kind", bound=msgspec.Struct)

SECOND = 1.0
"""Caption records tell the time of an attempt to the second."""

TRANSIENT = ("TimeoutError", "DecoderDied", "MemoryError", "PermissionError")
"""Beginnings of errors that say nothing of the file itself."""

PLUG_IN = "plug-in"
"""A word in the error of a format that can be read once something is installed."""


class SideHead(msgspec.Struct, gc=False):
    """What is read of every record of a side journal: how an attempt ended, and who made it."""

    rel_path: str
    status: Status
    raw_path: str | None = None
    backend: str | None = None
    model: str | None = None
    prompt: str | None = None

    @property
    def wrote_file(self) -> bool:
        """Whether the attempt wrote a file beside its record."""
        return False


RESULTS = journal_kind("a journal of an enrichment", SideHead)


class Attempted(NamedTuple):
    """How an attempt ended, who made it, and whether it wrote a file beside its record."""

    status: Status
    backend: str | None
    model: str | None
    prompt: str | None
    wrote_file: bool


def _group(head: SideHead) -> Attempted:
    return Attempted(head.status, head.backend, head.model, head.prompt, head.wrote_file)


class _Attempt(msgspec.Struct):
    at: str
    error: str | None = None


class SideJournal(Generic[Kind]):
    """The results of one kind that wait to be merged.

    Args:
        path: The journal; it need not exist.
        kind: Type of the records.
        counts: Tells whether a result is what would be made now, and not another model's.

    Attributes:
        head_type: What is read of every record.
    """

    head_type: ClassVar[type[SideHead]] = SideHead

    def __init__(
        self,
        path: Path,
        kind: type[Kind],
        counts: Callable[[Attempted], bool] = lambda attempted: True,
    ) -> None:
        self.path = path
        self.kind = kind
        self._counts = counts
        self._index: Index[Attempted] = Index(Follower(path, self.head_type), _group)
        self.refresh()

    def refresh(self) -> None:
        """Take in what was written since."""
        self._index.refresh()

    def _last_attempt(self, key: str) -> Attempted | None:
        attempted = self._index.group(key)
        return attempted if attempted is not None and self._counts(attempted) else None

    def made(self, key: str) -> bool:
        """Tell whether there is a result for an image."""
        attempted = self._last_attempt(key)
        return attempted is not None and attempted.status == "success"

    def attempted(self, key: str) -> bool:
        """Tell whether there was an attempt at an image, however it ended."""
        return self._last_attempt(key) is not None

    def failed(self, key: str) -> bool:
        """Tell whether the last attempt at an image ended without a result."""
        attempted = self._last_attempt(key)
        return attempted is not None and attempted.status != "success"

    def gave_up(self, key: str, path: Path) -> bool:
        """Tell whether an image was found broken, and its file has not changed since."""
        attempted = self._last_attempt(key)
        if attempted is None or attempted.status != "error_corrupt":
            return False
        try:
            record, _ = read_record(self.path, self._index.offset(key), _Attempt)
            attempted_at = datetime.fromisoformat(record.at).timestamp()
        except (RecordUnreadable, ValueError):
            return False
        error = record.error or ""
        if error.startswith(TRANSIENT) or PLUG_IN in error:
            return False
        try:
            changed_at = path.stat().st_ctime  # a copy brings st_mtime along
        except OSError:
            return True
        return changed_at <= attempted_at + (0.0 if "." in record.at else SECOND)

    def read(self, key: str) -> Kind | None:
        """Return the result for an image, None where there is none.

        A record counts even if its checksum does not match: it is paid for.
        """
        return self._read(self._index.offset(key)) if self.made(key) else None

    def _read(self, offset: int) -> Kind | None:
        try:
            return read_record(self.path, offset, self.kind)[0]
        except RecordUnreadable:
            return None

    def settle(self, merged: Container[str]) -> None:
        """Keep only what is not merged; where that is everything, nothing is written.

        Args:
            merged: The images of the dataset, whose results are in it.
        """
        self._keep(self._unmerged(merged))

    def _keep(self, kept: set[int]) -> None:
        """Keep only the records at some byte offsets."""
        if not kept:
            remove(self.path)
        elif kept != self._standing():
            with open_regular(self.path) as old, atomic_rewrite(self.path) as file:
                file.writelines(read_line(old, offset) + b"\n" for offset in sorted(kept))

    def has_merged(self, merged: Container[str]) -> bool:
        """Tell whether there is anything that `settle` would remove."""
        return self._unmerged(merged) != self._standing()

    def _standing(self) -> set[int]:
        """Return the offsets of all results that stand: no later one took their place."""
        return self._index.offsets()

    def _unmerged(self, merged: Container[str]) -> set[int]:
        """Return the offsets of failures, and of results for images that left the dataset."""
        return {
            self._index.offset(key)
            for key in self._index
            if (attempted := self._index.group(key)) is not None
            and (attempted.status != "success" or key not in merged)
        }


class SideJournals:
    """All results that wait to be merged into one dataset.

    Args:
        dataset: The dataset.
    """

    def __init__(self, dataset: Path) -> None:
        self.directory = dataset.with_name(dataset.name + ".enriching")
        self._name = dataset.name

    def path(self, name: str, *, anew: bool) -> Path:
        """Return where the journal of a name is; results that `--redo` asks for stand apart."""
        return self.directory / f"{name}{'.anew' if anew else ''}.jsonl"

    def lock(self) -> WriterLock:
        """Lock the dataset against other enrichments.

        Raises:
            JournalLocked: another process enriches the dataset.
        """
        make_directory(self.directory)
        return WriterLock(self.directory / self._name, "pcc dataset enrich", kind=None)

    def leave(self, lock: WriterLock) -> None:
        """Give the lock back; nothing stays behind where nothing waits."""
        with suppress(OSError):
            remove(lock.path)
        lock.release()
        remove_directory(self.directory)  # unless something waits there
