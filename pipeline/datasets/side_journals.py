"""Results on their way into a dataset: kept as they come, merged by a rewrite, then let go.

They stand in `NAME.jsonl.enriching/`, one journal for each kind. What could not
be made stays there, so that a broken photo is not tried again and again.
"""

from __future__ import annotations

from collections.abc import Container
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from journal import (
    CaptionRecord,
    Follower,
    Index,
    Seal,
    Status,
    WriterLock,
    atomic_rewrite,
    read_record,
    seal,
)

Kind = TypeVar("Kind", bound=msgspec.Struct)


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
    embedding: msgspec.Raw = msgspec.Raw(b"")


def _group(head: _Head) -> tuple[Status, bool]:
    """Return how the attempt ended, and whether it made an embedding."""
    return head.status, bool(head.embedding)


class SideJournal(Generic[Kind]):
    """The results of one kind that wait to be merged.

    Args:
        path: The journal; it need not exist.
        kind: Type of its records.
    """

    def __init__(self, path: Path, kind: type[Kind]) -> None:
        self.path = path
        self.kind = kind
        self._index: Index[tuple[Status, bool]] = Index(Follower(path, _Head), _group)
        self.refresh()

    def refresh(self) -> None:
        """Take in what was written since."""
        self._index.refresh()

    def made(self, key: str, *, embedding: bool = False) -> bool:
        """Tell whether there is a result for an image; if asked, one with an embedding."""
        group = self._index.group(key)
        return group is not None and group[0] == "success" and (group[1] or not embedding)

    def gave_up(self, key: str, path: Path) -> bool:
        """Tell whether an image was found broken, and its file has not changed since."""
        if self._index.group(key) != ("error_corrupt", False):
            return False
        record, _ = read_record(self.path, self._index.offset(key), _Attempt)
        try:
            changed_at = path.stat().st_mtime
        except OSError:
            return True
        return changed_at <= datetime.fromisoformat(record.at).timestamp()

    def read(self, key: str) -> Kind | None:
        """Return the result for an image, None where there is none that can be trusted."""
        if not self.made(key):
            return None
        record, sealed = read_record(self.path, self._index.offset(key), self.kind)
        return None if sealed is Seal.BROKEN else record

    def failed(self, key: str) -> bool:
        """Tell whether an attempt at an image ended without a result."""
        group = self._index.group(key)
        return group is not None and group[0] != "success"

    def settle(self, merged: Container[str], *, embeddings: bool = True) -> None:
        """Keep only what is not merged: failures, and results for images that left the dataset.

        Args:
            merged: The images of the dataset.
            embeddings: Whether records with an embedding have been merged, too.
        """
        kept: list[bytes] = []
        for key in self._index:
            status, embedding = self._index.group(key) or ("success", False)
            if status == "success" and key in merged and (embeddings or not embedding):
                continue
            record, _ = read_record(self.path, self._index.offset(key), self.kind)
            kept.append(seal(msgspec.json.encode(record)))
        if not kept:
            self.path.unlink(missing_ok=True)
            return
        with atomic_rewrite(self.path) as file:
            file.writelines(kept)


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

    def features(self, *, anew: bool) -> SideJournal[FeatureRecord]:
        """Return the features; those made because they were asked for anew stand apart."""
        return SideJournal(self._path("features", anew=anew), FeatureRecord)

    def captions(self, *, anew: bool) -> SideJournal[CaptionRecord]:
        """Return the captions; those made because they were asked for anew stand apart."""
        return SideJournal(self._path("captions", anew=anew), CaptionRecord)

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
