"""A library for browsing: every photo by position; a record is read only when it is needed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

from journal import (
    CaptionRecord,
    Follower,
    Index,
    RecordUnreadable,
    Seal,
    SpreadDict,
    Status,
    read_record,
    record_key,
    scan,
    system_path,
)
from pipeline.captions.edits import Edits
from pipeline.captions.plan import Made
from pipeline.captions.query import Query

STEP = 20_000
"""Records read at once; between two steps the reading thread may do other work."""


class _Browsed(msgspec.Struct, gc=False):
    """The fields of a record that browsing needs."""

    rel_path: str
    status: Status
    raw_path: str | None = None
    backend: str | None = None
    model: str | None = None
    prompt: str | None = None
    taken: str | None = None


class _Searched(msgspec.Struct, gc=False):
    """The fields of a record that a search for words needs."""

    rel_path: str
    raw_path: str | None = None
    caption: str | None = None
    error: str | None = None


def _made(head: _Browsed) -> Made:
    month = _month(head.taken[:7]) if head.taken else None
    return Made(head.status, head.backend, head.model, head.prompt, month)


class CatalogueEntry(msgspec.Struct, frozen=True):
    """A photo of the library, read from the journal.

    Attributes:
        record: The last record of the photo.
        seal: Whether the checksum of the record is right.
        edit: The caption written by hand, None if there is none.
    """

    record: CaptionRecord
    seal: Seal
    edit: str | None

    @property
    def caption(self) -> str | None:
        """The caption that counts: the edit if there is one, else the caption of the record."""
        return self.record.caption if self.edit is None else self.edit


class Catalogue:
    """The photos of a journal, in the order in which they first got a record.

    The catalogue grows while a run writes. One thread refreshes and selects; `keys`,
    `made` and `entry` may be used from another thread at the same time.

    Args:
        journal: The captions journal.

    Attributes:
        edits: Captions written by hand.
        index: Group and byte offset of the last record of each key.
    """

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.edits = Edits(journal)
        self._entries = SpreadDict()
        self.index: Index[Made] = Index(Follower(journal, _Browsed), _made, self._entries)
        self._seen = (0, 0, 0)

    @property
    def keys(self) -> Sequence[str]:
        """The journal key of each photo, in order; new keys are only added at the end."""
        return self._entries.order

    def refresh(self) -> bool:
        """Read at most 20,000 new records; tell whether all records have been read."""
        return self.index.refresh(STEP)

    def changed(self) -> bool:
        """Tell whether the journal or the edits changed since the last call."""
        try:
            status = os.stat(self.journal)
            seen = (status.st_ino, status.st_size, status.st_mtime_ns)
        except OSError:
            seen = (0, 0, 0)
        journal_changed, self._seen = seen != self._seen, seen
        return self.edits.refresh() or journal_changed

    def made(self, key: str) -> Made | None:
        """Return status, maker and month of a photo, None for an unknown photo."""
        return self.index.group(key)

    def entry(self, key: str) -> CatalogueEntry | None:
        """Read the record of a photo; None if the record cannot be read or is no longer there."""
        try:
            record, seal = read_record(self.journal, self.index.offset(key), CaptionRecord)
        except (KeyError, OSError, RecordUnreadable):
            return None
        if record_key(record.rel_path, record.raw_path) != key:
            return None  # the file was replaced; the next refresh reads the new file
        return CatalogueEntry(record, seal, self.edits.texts.get(key))

    def select(self, query: Query, marked: frozenset[str] = frozenset()) -> Iterator[list[str]]:
        """Yield the keys that a query finds, in lists, in the order of `keys`.

        A list may be empty, so that the caller can stop a long search.
        """
        found = self.index.keys_in(query.admits)
        if query.marked:
            found = filter(marked.__contains__, found)
        if query.edited:
            found = filter(self.edits.texts.__contains__, found)
        if not query.words:
            yield list(found)
            return
        yield from self._search(query, list(found))

    def _search(self, query: Query, keys: list[str]) -> Iterator[list[str]]:
        """Read the journal once and yield the keys whose texts hold the words."""
        wanted, edits, index = set(keys), self.edits.texts, self.index
        found: set[str] = set()
        for number, (offset, record) in enumerate(scan(self.journal, _Searched), 1):
            if number % STEP == 0:
                yield []
            key = record_key(record.rel_path, record.raw_path)
            if key not in wanted or not index.stands_at(key, offset):
                continue
            if query.finds(record.rel_path, edits.get(key, record.caption), record.error):
                found.add(key)
        yield [key for key in keys if key in found]


def readable_path(key: str) -> str:
    """Return a journal key as a path that people can read."""
    return key_bytes(key).decode("utf-8", "replace")


def key_bytes(key: str) -> bytes:
    """Return the bytes of the path that a journal key stands for."""
    try:
        path = system_path(key, key[1:] if key.startswith("\0") else None)
    except ValueError:
        path = key  # not a key that we made; the key is shown unchanged
    return path.encode("utf-8", "surrogateescape")


@lru_cache(4096)
def _month(start: str) -> str | None:
    """Return the month at the start of a capture time, None for any other text."""
    return start if re.fullmatch(r"\d{4}-\d{2}", start, re.ASCII) else None
