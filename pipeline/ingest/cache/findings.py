"""What a cache knows of a photo that one looks at, while workers may still add to it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from journal import record_key
from pipeline.ingest.cache.lines import Lines, counted
from pipeline.ingest.cache.records import Detection, Outcome, Text
from pipeline.ingest.cache.store import Cache

MOST_LINES = 10_000
"""Of one photo that are read; no outcome of ours counts so many."""


class Findings(msgspec.Struct):
    """What was found in a photo.

    Attributes:
        size: Width and height of the upright photo in pixels, None where that is not known.
        regions: Its objects, None where nobody looked for any; the best first.
        texts: What is written in it, None where nobody looked; in reading order.
        not_read: Why its text was not read, None where it was.
        errors: `stage: error` of each stage that failed.
        copied_from: `image_id` of the identical file that was looked at in its place.
        missing: Lines that its outcomes count and that are not there, or not read yet.
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
        directory: The cache.
    """

    def __init__(self, directory: Path) -> None:
        cache = Cache(directory)
        self._outcomes = Lines(cache.outcomes_path, Outcome)
        self._regions = Lines(cache.detections, Detection)
        self._texts = Lines(cache.texts, Text)

    def refresh(self) -> bool:
        """Take in what was written since; tell whether photos have new outcomes."""
        # An outcome is written last: whatever those read here count is there by now.
        news = self._outcomes.refresh()
        self._regions.refresh()
        self._texts.refresh()
        return bool(news)

    def of(self, key: str) -> Findings | None:
        """Return what was found in a photo, None if it has not been looked at."""
        outcomes = self._last_outcomes(key)
        if not outcomes:
            return None
        found = Findings()
        newest: dict[bool, Outcome] = {}
        for outcome in outcomes:
            labelled = newest.get(False)
            if outcome.stage == "detect" and labelled and labelled.work != outcome.work:
                del newest[False]  # of regions that are there no more
            if outcome.status == "success":
                newest[outcome.stage == "ocr"] = outcome
            else:
                found.errors.append(f"{outcome.stage}: {outcome.error or outcome.status}")
        for outcome in newest.values():
            self._take(outcome, found)
        return found

    def _last_outcomes(self, key: str) -> list[Outcome]:
        """Return the outcomes of a photo, oldest first, one a stage."""
        last: dict[str, Outcome] = {}
        for outcome in self._outcomes.of(key):
            last.pop(outcome.stage, None)
            last[outcome.stage] = outcome
        return [*last.values()]

    def _take(self, outcome: Outcome, found: Findings) -> None:
        """Add what a stage found."""
        looked_at = self._original(outcome)
        found.copied_from = outcome.copied_from
        if looked_at is None:
            found.missing += outcome.lines
            return
        count = min(looked_at.lines, MOST_LINES)
        if looked_at.width and looked_at.height:
            found.size = looked_at.width, looked_at.height
        if outcome.stage == "ocr":
            lines = counted(self._texts, looked_at.key, looked_at.work, count)
            found.not_read = next((line.skipped for line in lines if line.skipped), None)
            found.texts = [line for line in lines if line.skipped is None]
            found.missing += count - len(lines)
        else:
            found.regions = counted(self._regions, looked_at.key, looked_at.work, count)
            found.missing += count - len(found.regions)

    def _original(self, outcome: Outcome) -> Outcome | None:
        """Return whose lines an outcome counts, None if those are of another file by now."""
        if outcome.copied_from is None:
            return outcome
        found = None
        for original in self._last_outcomes(record_key(outcome.copied_from, None)):
            alike = (original.stage == "ocr") == (outcome.stage == "ocr")
            same = alike and original.digest == outcome.digest
            if same and original.status == "success" and original.copied_from is None:
                found = original  # the newest counts, be it the detector's or the labeller's
        return found
