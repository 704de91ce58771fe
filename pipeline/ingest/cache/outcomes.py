"""What a cache has an outcome for: photo by photo, stage by stage."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from journal import Follower, Malformed, collector_off, record_key
from pipeline.ingest.cache.counting import PhotoOutcomes
from pipeline.ingest.cache.records import StageEnd, StageName

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
        self._follower = Follower(path, StageEnd)
        self._reading = threading.Lock()

    @property
    def malformed(self) -> Malformed:
        """What was passed over while reading."""
        return self._follower.malformed

    def refresh(self) -> list[tuple[str, StageEnd]]:
        """Take in what was written since the last call; return it in order, key and outcome."""
        with self._reading, collector_off():
            return [self._take(ended) for _, ended in self._follower.poll(self._forget)]

    def _take(self, ended: StageEnd) -> tuple[str, StageEnd]:
        key = sys.intern(record_key(ended.rel_path, ended.raw_path))
        if ended.raw_path is None:
            ended.rel_path = key  # equal strings of all outcomes share one object
        ended.version = sys.intern(ended.version)
        digest = self.digests.get(key)
        if digest is None or digest != ended.digest:
            self.digests[key] = ended.digest
        else:
            ended.digest = digest
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
