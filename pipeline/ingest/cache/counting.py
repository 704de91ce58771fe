"""Which lines of a cache count: the one rule, asked by everyone who reads a cache.

A cache is written by workers that may be killed, and photos are looked at again, so its
files hold lines that are out of date or were never finished. What counts is this:

1. Of each stage, the last outcome of a photo counts. An outcome of `detect` voids an
   earlier outcome of `label` that is of another item: the regions it named are gone.
2. The regions of a photo are those of its outcome of `label`, or else of `detect`; its texts
   are those of its outcome of `ocr`. Only a success has any.
3. A line counts if it carries the item hash of that outcome, and if the number in its name,
   such as 2 in `r2` or `t2`, is less than the `lines` of that outcome. Of several such lines
   with one name the last counts.
4. A copy has no lines of its own: it has those of the original that it names, as long as
   both have the same digest. The original may have become a copy of a third photo since.

An import asks this module, too, and points each copy in its tables at the photo that has the
lines, so that no view need know the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from journal import record_key

if TYPE_CHECKING:
    from pipeline.ingest.cache.records import Detection, Outcome, StageEnd, StageName, Text


E = TypeVar("E", bound="StageEnd | Outcome")
L = TypeVar("L", "Detection", "Text")


class PhotoOutcomes(NamedTuple, Generic[E]):
    """The outcomes of one photo that count, one for each stage that the photo has been through."""

    detect: E | None = None
    label: E | None = None
    ocr: E | None = None

    def of(self, stage: StageName) -> E | None:
        """Return the outcome of a stage."""
        if stage == "ocr":
            return self.ocr
        return self.label if stage == "label" else self.detect

    def followed_by(self, outcome: E) -> PhotoOutcomes[E]:
        """Return what counts after one more outcome, in the order of the lines."""
        if outcome.stage == "ocr":
            return PhotoOutcomes(self.detect, self.label, outcome)
        if outcome.stage == "label":
            return PhotoOutcomes(self.detect, outcome, self.ocr)
        is_void = self.label is not None and self.label.item_hash != outcome.item_hash
        return PhotoOutcomes(outcome, None if is_void else self.label, self.ocr)

    @property
    def regions(self) -> E | None:
        """The outcome that tells which regions there are, None without any."""
        return _success(self.label) or _success(self.detect)

    @property
    def texts(self) -> E | None:
        """The outcome that tells which texts there are, None without any."""
        return _success(self.ocr)


def _success(outcome: E | None) -> E | None:
    return outcome if outcome is not None and outcome.status == "success" else None


def what_counts(outcomes: Iterable[E]) -> PhotoOutcomes[E]:
    """Return which outcomes of a photo count, given all of them in the order of their lines."""
    found: PhotoOutcomes[E] = PhotoOutcomes()
    for outcome in outcomes:
        found = found.followed_by(outcome)
    return found


class LineSource(NamedTuple, Generic[E]):
    """Where the lines of a photo stand.

    Attributes:
        key: The key of the photo itself, or of the original of a copy.
        outcome: The outcome of that photo that counts the lines.
    """

    key: str
    outcome: E


def source_of(
    key: str, outcome: E, outcomes_of: Callable[[str], PhotoOutcomes[E]]
) -> LineSource[E] | None:
    """Return where the lines stand that an outcome tells of.

    Args:
        key: The photo.
        outcome: An outcome of the photo that counts.
        outcomes_of: Returns what counts for a photo, by its key.

    Returns:
        The photo itself, or its original; None if the original is another picture by now.
    """
    is_of_texts = outcome.stage == "ocr"
    visited = {key}
    while outcome.copied_from is not None:
        key = record_key(outcome.copied_from)
        outcomes = outcomes_of(key)
        original = outcomes.texts if is_of_texts else outcomes.regions
        if original is None or original.digest != outcome.digest or key in visited:
            return None
        visited.add(key)
        outcome = original
    return LineSource(key, outcome)


def counts(outcome: StageEnd | Outcome | None, item_hash: str | None, number: int | None) -> bool:
    """Tell whether a line about a photo counts.

    Args:
        outcome: The outcome of that very photo, None if there is none.
        item_hash: The item hash of the line.
        number: N of the name `rN` or `tN` in the line, None for another name.
    """
    if outcome is None or outcome.copied_from is not None or number is None:
        return False
    return item_hash == outcome.item_hash and number < outcome.lines


def counted(lines: Iterable[L], outcome: StageEnd | Outcome) -> list[L]:
    """Return the lines about a photo that count, in the order of their numbers."""
    last = {line.number: line for line in lines if counts(outcome, line.item_hash, line.number)}
    return sorted(last.values(), key=lambda line: line.number or 0)
