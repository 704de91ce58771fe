"""Results on their way into a dataset: kept as they come, merged by a rewrite, then let go.

They stand in `NAME.jsonl.enriching/`, one journal for each kind. What could not
be made stays there, so that a broken photo is not tried again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from contextlib import suppress
from datetime import datetime
from io import FileIO
from operator import attrgetter
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import msgspec

from journal import (
    CaptionRecord,
    Follower,
    Index,
    RecordUnreadable,
    Status,
    WriterLock,
    atomic_rewrite,
    read_line,
    read_record,
)
from pipeline.captions.plan import Made, Maker
from pipeline.datasets.side_records import FeatureRecord, SizeRecord

Kind = TypeVar("Kind", bound=msgspec.Struct)

SECOND = 1.0
"""Caption records tell the time of an attempt to the second."""


TRANSIENT = ("TimeoutError", "DecoderDied", "MemoryError", "PermissionError")
"""Beginnings of errors that say nothing of the file itself."""

PLUG_IN = "plug-in"
"""In the error of a format that can be read once something is installed."""


class _Attempt(msgspec.Struct):
    at: str
    error: str | None = None


class _Head(msgspec.Struct, gc=False):
    rel_path: str
    status: Status
    raw_path: str | None = None
    backend: str | None = None
    model: str | None = None
    prompt: str | None = None
    patches: msgspec.Raw = msgspec.Raw(b"")


class _HeadWithEmbedding(msgspec.Struct, gc=False):
    """A record without an embedding is none of these, and is passed over."""

    rel_path: str
    embedding: msgspec.Raw
    raw_path: str | None = None
    model: str | None = None


class Attempted(NamedTuple):
    """How an attempt ended, by whose work, and whether it wrote a patch file."""

    status: Status
    backend: str | None
    model: str | None
    prompt: str | None
    patches: bool


def _group(head: _Head) -> Attempted:
    return Attempted(head.status, head.backend, head.model, head.prompt, bool(head.patches))


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
        counts: Callable[[Attempted], bool] = lambda attempted: True,
    ) -> None:
        self.path = path
        self.kind = kind
        self._counts = counts
        self._index: Index[Attempted] = Index(Follower(path, _Head), _group)
        self.refresh()

    def refresh(self) -> None:
        """Take in what was written since."""
        self._index.refresh()

    def _attempted(self, key: str) -> Attempted | None:
        attempted = self._index.group(key)
        return attempted if attempted is not None and self._counts(attempted) else None

    def made(self, key: str) -> bool:
        """Tell whether there is a result for an image."""
        attempted = self._attempted(key)
        return attempted is not None and attempted.status == "success"

    def failed(self, key: str) -> bool:
        """Tell whether the last attempt at an image ended without a result."""
        attempted = self._attempted(key)
        return attempted is not None and attempted.status != "success"

    def gave_up(self, key: str, path: Path) -> bool:
        """Tell whether an image was found broken, and its file has not changed since."""
        attempted = self._attempted(key)
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
            changed_at = path.stat().st_ctime  # what a copy brings along is the other one
        except OSError:
            return True
        return changed_at <= attempted_at + (0.0 if "." in record.at else SECOND)

    def read(self, key: str) -> Kind | None:
        """Return the result for an image, None where there is none.

        One whose checksum does not match counts: it is paid for.
        """
        return self._read(self._index.offset(key)) if self.made(key) else None

    def _read(self, offset: int) -> Kind | None:
        try:
            return read_record(self.path, offset, self.kind)[0]
        except RecordUnreadable:
            return None

    def settle(self, merged: Container[str], *, embeddings: bool = True) -> None:
        """Keep only what is not merged; where that is everything, nothing is written.

        Args:
            merged: The images of the dataset, whose results are in it.
            embeddings: Whether their embeddings are, too.
        """
        kept = self._unmerged(merged, embeddings)
        if not kept:
            self.path.unlink(missing_ok=True)
        elif kept != self._standing():
            with FileIO(self.path, "rb") as old, atomic_rewrite(self.path) as file:
                file.writelines(read_line(old, offset) + b"\n" for offset in sorted(kept))

    def has_merged(self, merged: Container[str]) -> bool:
        """Tell whether there is anything that `settle` would remove."""
        return self._unmerged(merged, True) != self._standing()

    def _standing(self) -> set[int]:
        """Return the offsets of all results that stand: no later one took their place."""
        return self._index.offsets()

    def _unmerged(self, merged: Container[str], embeddings: bool) -> set[int]:
        """Return the offsets of failures, and of results for images that left the dataset."""
        return {
            self._index.offset(key)
            for key in self._index
            if (attempted := self._index.group(key)) is not None
            and (attempted.status != "success" or key not in merged)
        }


class FeatureJournal(SideJournal[FeatureRecord]):
    """What a DINO made, that waits to be merged.

    An embedding counts until it is merged, whatever came after it: another pass over the
    image may have made patches alone, or failed.

    Args:
        path: The journal; it need not exist.
        model: The DINO; what another made does not count.
    """

    def __init__(self, path: Path, model: str) -> None:
        self._model = model
        self._embeddings: Index[str | None] = Index(
            Follower(path, _HeadWithEmbedding), attrgetter("model")
        )
        super().__init__(path, FeatureRecord, lambda attempted: attempted.model == model)

    def refresh(self) -> None:
        """Take in what was written since."""
        super().refresh()
        self._embeddings.refresh()

    def has_embedding(self, key: str) -> bool:
        """Tell whether there is an embedding of an image."""
        return key in self._embeddings and self._embeddings.group(key) == self._model

    def has_patches(self, key: str) -> bool:
        """Tell whether the patch file of an image has been written."""
        attempted = self._attempted(key)
        return attempted is not None and attempted.patches

    def embedding(self, key: str) -> list[float] | None:
        """Return the embedding of an image, None where there is none."""
        if not self.has_embedding(key):
            return None
        record = self._read(self._embeddings.offset(key))
        return None if record is None else record.embedding

    def _standing(self) -> set[int]:
        return super()._standing() | self._embeddings.offsets()

    def _unmerged(self, merged: Container[str], embeddings: bool) -> set[int]:
        waiting = {
            self._embeddings.offset(key)
            for key in self._embeddings
            if not (embeddings and self.has_embedding(key) and key in merged)
        }
        return waiting | super()._unmerged(merged, embeddings)


class SideJournals:
    """All results that wait to be merged into one dataset.

    Args:
        dataset: The dataset.
    """

    def __init__(self, dataset: Path) -> None:
        self.directory = dataset.with_name(dataset.name + ".enriching")
        self._name = dataset.name

    def sizes(self) -> SideJournal[SizeRecord]:
        """Return the sizes."""
        return SideJournal(self.directory / "sizes.jsonl", SizeRecord)

    def features(self, model: str, *, anew: bool) -> FeatureJournal:
        """Return the features of a model; those that were asked for anew stand apart."""
        return FeatureJournal(self._path("features", anew=anew), model)

    def captions(self, maker: Maker | None) -> SideJournal[CaptionRecord]:
        """Return the captions; those that were asked for anew stand apart.

        Args:
            maker: Who makes them anew, so that no other's count; None if they are not.
        """
        path = self._path("captions", anew=maker is not None)
        if maker is None:
            return SideJournal(path, CaptionRecord)
        return SideJournal(path, CaptionRecord, lambda attempted: _is_by(attempted, maker))

    def _path(self, name: str, *, anew: bool) -> Path:
        return self.directory / f"{name}{'.anew' if anew else ''}.jsonl"

    def lock(self) -> WriterLock:
        """Lock the dataset against other enrichments.

        Raises:
            JournalLocked: another process enriches it.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return WriterLock(self.directory / self._name, "pcc dataset enrich")

    def leave(self, lock: WriterLock) -> None:
        """Give the lock back; nothing stays behind where nothing waits."""
        with suppress(OSError):
            lock.path.unlink()
        lock.release()
        with suppress(OSError):  # something waits there
            self.directory.rmdir()


def _is_by(attempted: Attempted, maker: Maker) -> bool:
    status, backend, model, prompt, _ = attempted
    return maker.made(Made(status, backend, model, prompt))
