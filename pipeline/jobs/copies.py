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
    """Knows which content has been seen, and which photos wait for the record of their twin.

    Args:
        journal: The journal whose records may be copied, None where no photo serves for
            another.
        known: Hash of a digest to byte offset of a record that may be copied, from
            earlier runs with the same backend, model and prompt.
    """

    def __init__(self, journal: Path | None = None, known: dict[int, int] | None = None) -> None:
        self._journal = journal
        self._known = {} if known is None else known
        self._failed: dict[int, int] = {}
        self._waiting: dict[int, list[Photo]] = {}

    def record_of(self, digest: str, stage: Stage[R]) -> R | None:
        """Return the record to copy, None where there is none yet, or none that may be copied.

        Args:
            digest: Content hash of a file.
            stage: The stage whose records the journal holds.
        """
        key = hash(digest)
        offset = self._known.get(key, self._failed.get(key))
        if offset is None or self._journal is None:
            return None
        try:
            record, seal = read_record(self._journal, offset, stage.record_type)
        except (RecordUnreadable, OSError):
            return None
        fits = seal is not Seal.BROKEN and stage.may_copy(record, digest)
        return record if fits else None

    def forget_failures(self) -> None:
        """Let content that failed in this job be worked on again."""
        self._failed.clear()

    def is_first(self, digest: str, photo: Photo) -> bool:
        """Take in a photo: True if the photo is to be worked on, False if it waits for its twin."""
        if self._journal is None:
            return True
        waiting = self._waiting.setdefault(hash(digest), [])
        is_first = not waiting
        waiting.append(photo)
        return is_first

    def release(self, digest: str, status: Status, offset: int) -> list[Photo]:
        """Note how the first photo of some content ended; return the photos that waited for it.

        The waiting photos share the outcome, and so do photos that come later in this job:
        asking again for the same bytes would cost the same and tell the same.

        Args:
            digest: Content hash of the photo that was worked on.
            status: How the work on that photo ended.
            offset: Byte offset of its record.
        """
        key = hash(digest)
        outcomes = self._known if status == "success" else self._failed
        outcomes[key] = offset
        return self._waiting.pop(key, [])[1:]
