"""What a cache has an outcome for: photo by photo, stage by stage."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import NamedTuple

import msgspec

from journal import Follower, Malformed, Status, collector_off, record_key
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
    work: str | None = None
    error: str | None = None
    copied_from: str | None = None


class StageEnd(NamedTuple):
    """How a stage ended for a photo; the fields are those of its outcome."""

    stage: StageName
    status: Status
    version: str
    work: str | None
    lines: int
    found: int
    error: str | None
    copied_from: str | None
    digest: str | None


class Outcomes:
    """The last outcome of each stage for each photo. It follows a journal that grows.

    Any thread may refresh and ask.

    Args:
        path: `outcomes.jsonl` of a cache; it need not exist.

    Attributes:
        digests: Content hash of each photo as it was last looked at, by key.
    """

    def __init__(self, path: Path) -> None:
        self.digests: dict[str, str | None] = {}
        self._stages: dict[StageName, dict[str, StageEnd]] = {}
        self._follower = Follower(path, _Head)
        self._reading = threading.Lock()

    @property
    def malformed(self) -> Malformed:
        """What was passed over while reading."""
        return self._follower.malformed

    def refresh(self) -> list[tuple[str, StageEnd]]:
        """Take in what was written since, and return it: key and outcome, in order."""
        news = []
        with self._reading, collector_off():
            for _, head in self._follower.poll(self._forget):
                news.append(self._take(head))
        return news

    def _take(self, head: _Head) -> tuple[str, StageEnd]:
        key = sys.intern(record_key(head.rel_path, head.raw_path))
        digest = self.digests.get(key)
        if digest is None or digest != head.digest:
            digest = self.digests[key] = head.digest
        version = sys.intern(head.version)
        ended = StageEnd(
            stage=head.stage,
            status=head.status,
            version=version,
            work=head.work,
            lines=head.lines,
            found=head.found,
            error=head.error,
            copied_from=head.copied_from,
            digest=digest,
        )
        self._stages.setdefault(head.stage, {})[key] = ended
        if head.stage == "detect":
            self._void_label(key, ended)
        return key, ended

    def _void_label(self, key: str, detected: StageEnd) -> None:
        """Forget the labels of regions that are there no more."""
        labelled = self.of(key, "label")
        if labelled is not None and labelled.work != detected.work:
            del self._stages["label"][key]

    def _forget(self) -> None:
        """Begin anew: the file was replaced."""
        self._stages.clear()
        self.digests.clear()

    def of(self, key: str, stage: StageName) -> StageEnd | None:
        """Return how a stage ended for a photo, None if it has not been through it."""
        return self._stages.get(stage, {}).get(key)

    def regions(self, key: str) -> StageEnd | None:
        """Return the outcome whose work the regions of a photo are; None where there are none.

        It is the labeller's, or else the detector's.
        """
        for stage in ("label", "detect"):
            ended = self.of(key, stage)
            if ended is not None and ended.status == "success":
                return ended
        return None

    def stage(self, stage: StageName) -> list[tuple[str, StageEnd]]:
        """Return the photos that have been through a stage."""
        with self._reading:
            return list(self._stages.get(stage, {}).items())
