"""What a cache knows of one photo, while workers may still add to the cache."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from pipeline.ingest.cache.counting import PhotoOutcomes, counted, source_of, what_counts
from pipeline.ingest.cache.lines import Lines
from pipeline.ingest.cache.records import Detection, Outcome, Text
from pipeline.ingest.cache.store import Cache

C = TypeVar("C", Detection, Text)

MOST_LINES = 10_000
"""Lines of one photo that are shown at most; no outcome of ours counts so many."""


class Findings(msgspec.Struct):
    """What was found in a photo.

    Attributes:
        size: Width and height of the upright photo in pixels, None where they are not known.
        regions: The objects in the photo, the best first; None where nobody looked for any.
        texts: The lines of text in reading order, None where nobody looked for any.
        not_read: Why the text was not read, None where it was.
        errors: `stage: error` of each stage that failed.
        copied_from: `image_id` of the identical file that was looked at instead.
        missing: Lines that the outcomes count and that are not there, or not read yet.
    """

    size: tuple[int, int] | None = None
    regions: list[Detection] | None = None
    texts: list[Text] | None = None
    not_read: str | None = None
    errors: list[str] = []
    copied_from: str | None = None
    missing: int = 0


class FindingsIndex:
    """Finds what a cache knows of a photo. One thread refreshes; others may ask meanwhile.

    Args:
        directory: Directory of the cache.
    """

    def __init__(self, directory: Path) -> None:
        cache = Cache(directory)
        self._outcomes = Lines(cache.outcomes_path, Outcome)
        self._regions = Lines(cache.detections, Detection)
        self._texts = Lines(cache.texts, Text)

    def refresh(self) -> bool:
        """Take in what was written since the last call; tell whether there are new outcomes."""
        # An outcome is written last, so the lines that it counts are there when it is read.
        news = self._outcomes.refresh()
        self._regions.refresh()
        self._texts.refresh()
        return bool(news)

    def of(self, key: str) -> Findings | None:
        """Return what was found in a photo, None if nobody has looked at it."""
        outcomes = self._outcomes_of(key)
        if not any(outcomes):
            return None
        found = Findings()
        for outcome in outcomes:
            if outcome is not None and outcome.status != "success":
                found.errors.append(f"{outcome.stage}: {outcome.error or outcome.status}")
        if outcomes.regions is not None:
            found.regions = self._take(key, outcomes.regions, self._regions, found)
        if outcomes.texts is not None:
            lines = self._take(key, outcomes.texts, self._texts, found)
            if lines is not None:
                found.texts = [line for line in lines if line.skipped is None]
                found.not_read = next((line.skipped for line in lines if line.skipped), None)
        return found

    def _outcomes_of(self, key: str) -> PhotoOutcomes[Outcome]:
        return what_counts(self._outcomes.of(key))

    def _take(self, key: str, outcome: Outcome, lines: Lines[C], found: Findings) -> list[C] | None:
        """Return the lines that an outcome tells of, None if they are of another file by now."""
        found.copied_from = found.copied_from or outcome.copied_from
        source = source_of(key, outcome, self._outcomes_of)
        if source is None:
            found.missing += outcome.lines
            return None
        original = source.outcome
        if original.width and original.height:
            found.size = original.width, original.height
        counting = counted(lines.of(source.key), original)[:MOST_LINES]
        found.missing += min(original.lines, MOST_LINES) - len(counting)
        return counting
