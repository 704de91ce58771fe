"""Which photos are another file than the one that was captioned.

A record tells the digest of the file it is about. Reading every file again would take hours,
so a small file beside the journal remembers size and times of each photo, and only a photo
whose size or times differ is read. What is remembered only saves time: where it is lost, the
time of the record is compared with the times of the file.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec

from journal import (
    UNREADABLE,
    CaptionRecord,
    RecordUnreadable,
    atomic_rewrite,
    read_record,
    read_whole,
    scan,
)
from pipeline.photos.file_digest import file_digest

NOT_CHANGED = -1

_NS = 1_000_000_000


class KnownState(NamedTuple):
    """The state of a file when it was last looked at.

    Attributes:
        size: Size in bytes.
        mtime_ns: Time of the last change of the content, in nanoseconds since 1970.
        ctime_ns: Time of the last change of the content or of the permissions.
        changed_since: Byte offset of the record that is about another file, `NOT_CHANGED`
            where the last record is about this file.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    changed_since: int = NOT_CHANGED


class FileStates:
    """Compares photos on disk with the records of a journal.

    Args:
        journal: The captions journal.
        photos_dir: The photos directory.
        captioned_too: Whether captioned photos are looked at, and not only broken ones. That
            asks the file system for each photo of a library.
    """

    def __init__(self, journal: Path, photos_dir: Path, *, captioned_too: bool = True) -> None:
        self.captioned_too = captioned_too
        self._journal = journal
        self._root = os.fspath(photos_dir)
        self._path = journal.with_name(f"{journal.stem}.files")
        self._seen: dict[str, KnownState] = {}
        self._first_at: int | None = None

    @cached_property
    def _known(self) -> dict[str, KnownState]:
        try:
            return msgspec.msgpack.decode(read_whole(self._path), type=dict[str, KnownState])
        except (OSError, *UNREADABLE):
            return {}  # whatever it is, it is not what was remembered

    def note(self, path: str, key: str) -> None:
        """Remember the state of a photo that has no record yet.

        Args:
            path: Relative path as the system spells it.
            key: The name under which the journal knows the photo.
        """
        state = self._state(path)
        if state is not None:
            self._seen[key] = state

    def is_changed(self, path: str, key: str, status: str, offset: int) -> bool:
        """Tell whether a photo is another file than the one that its last record is about.

        Args:
            path: Relative path as the system spells it.
            key: The name under which the journal knows the photo.
            status: Status of the last record.
            offset: Byte offset of the last record in the journal.
        """
        state = self._state(path)
        if state is None:
            return False
        known = self._known.get(key)
        if known is None:
            changed_since = self._judge_by_time(state, path, offset)
        elif known[:2] == state[:2] and known.changed_since == NOT_CHANGED:
            may_be_readable = known.ctime_ns != state.ctime_ns and status == "error_corrupt"
            changed_since = offset if may_be_readable else NOT_CHANGED
        elif known[:2] == state[:2] and known.changed_since == offset:
            changed_since = offset
        else:
            changed_since = self._judge_by_content(path, offset, known[:2] == state[:2])
        self._seen[key] = state._replace(changed_since=changed_since)
        return changed_since != NOT_CHANGED

    def save(self) -> None:
        """Remember the states of all photos that were looked at."""
        if all(self._known.get(key) == state for key, state in self._seen.items()):
            return
        merged = {**self._known, **self._seen}
        data = msgspec.msgpack.encode(merged)
        with atomic_rewrite(self._path, needed=len(data)) as file:
            file.write(data)

    def _state(self, path: str) -> KnownState | None:
        try:
            status = os.stat(f"{self._root}/{path}")
        except OSError:
            return None
        return KnownState(status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def _judge_by_time(self, state: KnownState, path: str, offset: int) -> int:
        """Judge a file that was never looked at: one older than its record is the file of then."""
        newest = max(state.mtime_ns, state.ctime_ns)
        if self._first_at is None:
            self._first_at = _first_time(self._journal)
        if newest <= self._first_at:
            return NOT_CHANGED
        record = self._record(offset)
        if record is None or record.at is None:
            return NOT_CHANGED
        is_corrupt = record.status == "error_corrupt"
        changed_at = newest if is_corrupt else state.mtime_ns
        if changed_at <= _time(record.at):
            return NOT_CHANGED
        return self._judge_by_content(path, offset, was_corrupt_then=False)

    def _judge_by_content(self, path: str, offset: int, was_corrupt_then: bool) -> int:
        record = self._record(offset)
        if record is None:
            return NOT_CHANGED
        if record.digest is None:
            is_other = record.status == "error_corrupt" and not was_corrupt_then
            return offset if is_other else NOT_CHANGED
        digest = file_digest(f"{self._root}/{path}")
        return offset if digest not in (record.digest, None) else NOT_CHANGED

    def _record(self, offset: int) -> CaptionRecord | None:
        try:
            return read_record(self._journal, offset, CaptionRecord)[0]
        except (RecordUnreadable, OSError):
            return None


def _first_time(journal: Path) -> int:
    """Return the time of the first record of a journal, in nanoseconds since 1970.

    A journal whose first record has no time comes from elsewhere and tells nothing of files.
    """
    record = next((record for _, record in scan(journal, CaptionRecord)), None)
    return sys.maxsize if record is None or record.at is None else _time(record.at)


def _time(at: str) -> int:
    """Return a moment of RFC 3339 in nanoseconds since 1970; the whole second counts."""
    try:
        return int((datetime.fromisoformat(at).timestamp() + 1) * _NS)
    except ValueError:
        return 0
