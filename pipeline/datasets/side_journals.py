"""Results on their way into a dataset: kept as they come, merged by a rewrite, then let go.

They stand in `NAME.jsonl.enriching/`, one journal for each kind. What could not
be made stays there, so that a broken photo is not tried again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from contextlib import suppress
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import msgspec

from journal import (
    CaptionRecord,
    Follower,
    Index,
    RecordUnreadable,
    Seal,
    Status,
    WriterLock,
    atomic_rewrite,
    read_line,
    read_record,
)
from pipeline.jobs.plan import Made, Maker

Kind = TypeVar("Kind", bound=msgspec.Struct)

SECOND = 1.0
"""Records tell the time of an attempt to the second."""


class SizeRecord(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Width and height of an image in pixels, upright, or why they are not known."""

    rel_path: str
    status: Status
    at: str
    raw_path: str | None = None
    width: int | None = None
    height: int | None = None
    error: str | None = None


class FeatureRecord(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What DINO made of an image.

    Attributes:
        embedding: The pooled feature, where it was asked for.
        patches: Shape of the patch file, where one was written.
    """

    rel_path: str
    status: Status
    at: str
    model: str
    raw_path: str | None = None
    embedding: list[float] | None = None
    patches: tuple[int, int] | None = None
    error: str | None = None


class _Attempt(msgspec.Struct):
    at: str


class _Head(msgspec.Struct, gc=False):
    rel_path: str
    status: Status
    raw_path: str | None = None
    backend: str | None = None
    model: str | None = None
    prompt: str | None = None
    embedding: msgspec.Raw = msgspec.Raw(b"")
    patches: msgspec.Raw = msgspec.Raw(b"")


class Outcome(NamedTuple):
    """How an attempt ended, by whose work, and what of it there is."""

    status: Status
    backend: str | None
    model: str | None
    prompt: str | None
    embedding: bool
    patches: bool


def _group(head: _Head) -> Outcome:
    made = (head.backend, head.model, head.prompt)
    return Outcome(head.status, *made, bool(head.embedding), bool(head.patches))


class SideJournal(Generic[Kind]):
    """The results of one kind that wait to be merged.

    Args:
        path: The journal; it need not exist.
        kind: Type of its records.
        counts: Tells whether a result is what would be made now, and not another model's.
    """

    def __init__(
        self,
        path: Path,
        kind: type[Kind],
        counts: Callable[[Outcome], bool] = lambda outcome: True,
    ) -> None:
        self.path = path
        self.kind = kind
        self._counts = counts
        self._index: Index[Outcome] = Index(Follower(path, _Head), _group)
        self.refresh()

    def refresh(self) -> None:
        """Take in what was written since."""
        self._index.refresh()

    def _outcome(self, key: str) -> Outcome | None:
        outcome = self._index.group(key)
        return outcome if outcome is not None and self._counts(outcome) else None

    def made(self, key: str, *, embedding: bool = False, patches: bool = False) -> bool:
        """Tell whether there is a result for an image, with what is asked for."""
        outcome = self._outcome(key)
        if outcome is None or outcome.status != "success":
            return False
        return (outcome.embedding or not embedding) and (outcome.patches or not patches)

    def gave_up(self, key: str, path: Path) -> bool:
        """Tell whether an image was found broken, and its file has not changed since."""
        outcome = self._outcome(key)
        if outcome is None or outcome.status != "error_corrupt":
            return False
        try:
            record, _ = read_record(self.path, self._index.offset(key), _Attempt)
            attempted_at = datetime.fromisoformat(record.at).timestamp()
        except (RecordUnreadable, ValueError):
            return False
        try:
            changed_at = path.stat().st_ctime  # what a copy brings along is the other one
        except OSError:
            return True
        return changed_at <= attempted_at + SECOND

    def read(self, key: str) -> Kind | None:
        """Return the result for an image, None where there is none that can be trusted."""
        if not self.made(key):
            return None
        try:
            record, sealed = read_record(self.path, self._index.offset(key), self.kind)
        except RecordUnreadable:
            return None
        return None if sealed is Seal.BROKEN else record

    def failed(self, key: str) -> bool:
        """Tell whether an attempt at an image ended without a result."""
        outcome = self._outcome(key)
        return outcome is not None and outcome.status != "success"

    def settle(self, merged: Container[str], *, embeddings: bool = True) -> None:
        """Keep only what is not merged: failures, and results for images that left the dataset.

        Args:
            merged: The images of the dataset.
            embeddings: Whether records with an embedding have been merged, too.
        """
        kept: list[int] = []
        for key in self._index:
            outcome = self._outcome(key)
            if outcome is None:
                continue  # of another model; what counts has been made since, or will be
            is_merged = outcome.status == "success" and key in merged
            if is_merged and (embeddings or not outcome.embedding):
                continue
            kept.append(self._index.offset(key))
        if not kept:
            self.path.unlink(missing_ok=True)
            return
        with FileIO(self.path, "rb") as old, atomic_rewrite(self.path) as file:
            file.writelines(read_line(old, offset) + b"\n" for offset in kept)


class SideJournals:
    """All results that wait to be merged into one dataset.

    Args:
        dataset: The dataset.
    """

    def __init__(self, dataset: Path) -> None:
        self.directory = dataset.with_name(dataset.name + ".enriching")

    def sizes(self) -> SideJournal[SizeRecord]:
        """Return the sizes."""
        return SideJournal(self.directory / "sizes.jsonl", SizeRecord)

    def features(self, model: str, *, anew: bool) -> SideJournal[FeatureRecord]:
        """Return the features of a model; those that were asked for anew stand apart."""
        path = self._path("features", anew=anew)
        return SideJournal(path, FeatureRecord, lambda outcome: outcome.model == model)

    def captions(self, maker: Maker | None) -> SideJournal[CaptionRecord]:
        """Return the captions; those that were asked for anew stand apart.

        Args:
            maker: Who makes them anew, so that no other's count; None if they are not.
        """
        path = self._path("captions", anew=maker is not None)
        if maker is None:
            return SideJournal(path, CaptionRecord)
        return SideJournal(path, CaptionRecord, lambda outcome: _is_by(outcome, maker))

    def _path(self, name: str, *, anew: bool) -> Path:
        return self.directory / f"{name}{'.anew' if anew else ''}.jsonl"

    def lock(self) -> WriterLock:
        """Lock the dataset against other enrichments.

        Raises:
            JournalLocked: another process enriches it.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return WriterLock(self.directory / "in-use", f"pcc dataset enrich, {self.directory}")

    def leave(self, lock: WriterLock) -> None:
        """Give the lock back; nothing stays behind where nothing waits."""
        with suppress(OSError):
            lock.path.unlink()
        lock.release()
        with suppress(OSError):  # something waits there
            self.directory.rmdir()


def _is_by(outcome: Outcome, maker: Maker) -> bool:
    return maker.made(Made(outcome.status, outcome.backend, outcome.model, outcome.prompt))
