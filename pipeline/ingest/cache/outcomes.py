"""What a cache has an outcome for: photo by photo, stage by stage."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import NamedTuple

import msgspec

from journal import Follower, Malformed, Status, collector_off, record_key
from pipeline.ingest.cache.counting import PhotoOutcomes
from pipeline.ingest.cache.records import StageName


class _Head(msgspec.Struct, gc=False):
    """What is remembered of an outcome."""

    rel_path: str = msgspec.field(name="image_id")
    stage: StageName
    status: Status
    raw_path: str | None = None
    digest: str | None = None
    lines: int = 0
    found: int = 0
    version: str = ""
    item_hash: str | None = msgspec.field(default=None, name="work")
    error: str | None = None
    copied_from: str | None = None


class StageEnd(NamedTuple):
    """How a stage ended for a photo; the fields are those of the photo's outcome."""

    stage: StageName
    status: Status
    item_hash: str | None
    lines: int
    digest: str | None
    copied_from: str | None
    found: int = 0
    version: str = ""
    error: str | None = None


_NONE: PhotoOutcomes[StageEnd] = PhotoOutcomes()


class Outcomes:
    """The outcomes that count for each photo. It follows a journal that grows.

    Any thread may refresh and ask.

    Args:
        path: `outcomes.jsonl` of a cache; it need not exist.

    Attributes:
        digests: Content hash of each photo as it was last looked at, by key.
    """

    def __init__(self, path: Path) -> None:
        self.digests: dict[str, str | None] = {}
        self._photos: dict[str, PhotoOutcomes[StageEnd]] = {}
        self._follower = Follower(path, _Head)
        self._reading = threading.Lock()

    @property
    def malformed(self) -> Malformed:
        """What was passed over while reading."""
        return self._follower.malformed

    def refresh(self) -> list[tuple[str, StageEnd]]:
        """Take in what was written since, and return it: key and outcome, in order."""
        with self._reading, collector_off():
            return [self._take(head) for _, head in self._follower.poll(self._forget)]

    def _take(self, head: _Head) -> tuple[str, StageEnd]:
        key = sys.intern(record_key(head.rel_path, head.raw_path))
        digest = self.digests.get(key)
        if digest is None or digest != head.digest:
            digest = self.digests[key] = head.digest
        ended = StageEnd(
            stage=head.stage,
            status=head.status,
            item_hash=head.item_hash,
            lines=head.lines,
            digest=digest,
            copied_from=head.copied_from,
            found=head.found,
            version=sys.intern(head.version),
            error=head.error,
        )
        self._photos[key] = self.photo(key).followed_by(ended)
        return key, ended

    def _forget(self) -> None:
        """Begin anew: the file was replaced."""
        self._photos.clear()
        self.digests.clear()

    def photo(self, key: str) -> PhotoOutcomes[StageEnd]:
        """Return the outcomes that count for a photo, one for each stage."""
        return self._photos.get(key, _NONE)

    def of(self, key: str, stage: StageName) -> StageEnd | None:
        """Return how a stage ended for a photo, None if the photo has not been through it."""
        return self.photo(key).of(stage)

    def stage(self, stage: StageName) -> list[tuple[str, StageEnd]]:
        """Return the photos that have been through a stage."""
        with self._reading:
            photos = ((key, outcomes.of(stage)) for key, outcomes in self._photos.items())
            return [(key, ended) for key, ended in photos if ended is not None]
