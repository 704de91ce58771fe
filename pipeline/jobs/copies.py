"""Files with the same bytes: the first is worked on, the others wait and copy its record."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from journal import RecordUnreadable, Seal, Status, read_record
from pipeline.jobs.stage import Stage
from pipeline.photos.photo import Photo

R = TypeVar("R", bound=msgspec.Struct)


class Copies:
    """Knows which content has been seen, and who waits for it.

    Args:
        known: Hash of a digest to byte offset of a record that may be copied, from
            earlier runs with the same backend, model and prompt. None where no
            photo serves for another.
    """

    def __init__(self, known: dict[int, int] | None) -> None:
        self._each_for_itself = known is None
        self._known = known or {}
        self._failed: dict[int, int] = {}
        self._waiting: dict[int, list[Photo]] = {}

    def record_of(self, digest: str, journal: Path, stage: Stage[R]) -> R | None:
        """Return the record to copy, None where there is none yet, or none that may be copied.

        Args:
            digest: Content hash of a file.
            journal: Where records stand.
            stage: Whose they are.
        """
        key = hash(digest)
        offset = self._known.get(key, self._failed.get(key))
        if offset is None or self._each_for_itself:
            return None
        try:
            record, seal = read_record(journal, offset, stage.record_type)
        except (RecordUnreadable, OSError):
            return None
        fits = seal is not Seal.BROKEN and stage.may_copy(record, digest)
        return record if fits else None

    def forget_failures(self) -> None:
        """Let content that failed in this job be worked on again."""
        self._failed.clear()

    def is_first(self, digest: str, photo: Photo) -> bool:
        """Take in a photo: True if it is to be worked on, False if it waits for its twin."""
        if self._each_for_itself:
            return True
        waiting = self._waiting.setdefault(hash(digest), [])
        is_first = not waiting
        waiting.append(photo)
        return is_first

    def settle(self, digest: str, status: Status, offset: int) -> list[Photo]:
        """Note how the first of its kind ended; return those that waited for it.

        They share its fate, and so do those that come later in this job: asking
        again for the same bytes would cost the same and tell the same.

        Args:
            digest: Content hash of the photo that was worked on.
            status: How that ended.
            offset: Where its record stands.
        """
        key = hash(digest)
        outcomes = self._known if status == "success" else self._failed
        outcomes[key] = offset
        return self._waiting.pop(key, [])[1:]
