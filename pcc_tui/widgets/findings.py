"""What was found in a photo, as a list with the numbers that are drawn over its picture."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from pcc_tui.widgets.overlay import colour_of
from pcc_tui.widgets.text import safe
from pipeline.ingest.cache.findings import Findings
from pipeline.ingest.cache.records import Detection, Text

MOST_LISTED = 200
"""Most objects listed, and most texts; the cache has all of them."""

MOST_LABELS = 6
LONGEST_LABEL = 60
LONGEST_TEXT = 300


class FindingsView(Static):
    """Lists objects with their labels, then texts, or says why there are none."""

    def say(self, sentence: str) -> None:
        """Show a sentence instead of a list."""
        self.update(safe(sentence, "dim"))

    def show(self, found: Findings | None, *, boxes: bool, texts: bool) -> None:
        """Show what was found in a photo.

        Args:
            found: What was found, None where no ingestion has looked at the photo.
            boxes: Whether to list objects.
            texts: Whether to list texts.
        """
        if found is None:
            self.say("Not looked at yet.")
            return
        lines: list[Content] = []
        if found.copied_from is not None:
            lines.append(safe(f"As in {found.copied_from}, the same file", "dim"))
        lines += [safe(error, "$error") for error in found.errors]
        if boxes and found.regions is not None:
            lines += _regions(found.regions)
        if texts and found.texts is not None:
            lines += _texts(found.texts, found.not_read)
        if found.missing:
            lines.append(safe(f"{found.missing:,} lines are not there, or not yet", "$warning"))
        if found.size is None and (found.regions or found.texts):
            lines.append(safe("The size of the photo is not known: nothing is drawn", "$warning"))
        self.update(Content("\n").join(lines))


def _regions(regions: list[Detection]) -> list[Content]:
    if not regions:
        return [safe("No objects found", "dim")]
    lines = [
        Content.assemble(
            ("■ ", colour_of(int(region.region_id[1:]))),
            (f"{region.region_id} ", "dim"),
            safe(_labels(region)),
        )
        for region in regions[:MOST_LISTED]
    ]
    return [*lines, *_rest(len(regions), "objects")]


def _labels(region: Detection) -> str:
    """Return the labels; labels of the labeller are set apart from labels of the detector."""
    by_source: dict[str, list[str]] = {}
    for one in region.labels[:MOST_LABELS]:
        named = f"{one.label[:LONGEST_LABEL]} {one.score:.2f}"
        by_source.setdefault(one.source, []).append(named)
    return " · ".join(map(", ".join, by_source.values())) or "unnamed"


def _texts(texts: list[Text], not_read: str | None) -> list[Content]:
    if not_read is not None:
        return [safe(f"Text not read: {not_read}", "dim")]
    if not texts:
        return [safe("No text found", "dim")]
    lines = [
        Content.assemble(
            "▒ ",
            (f"{line.text_id} ", "dim"),
            safe(line.text[:LONGEST_TEXT]),
            (f" {line.confidence:.2f}", "dim"),
        )
        for line in texts[:MOST_LISTED]
    ]
    return [*lines, *_rest(len(texts), "texts")]


def _rest(count: int, what: str) -> list[Content]:
    return [safe(f"and {count - MOST_LISTED:,} more {what}", "dim")] if count > MOST_LISTED else []
