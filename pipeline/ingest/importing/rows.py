"""Rows on their way into a database."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipeline.ingest.cache.counting import PhotoOutcomes

if TYPE_CHECKING:
    from backends.detectors.base import Box
    from pipeline.ingest.cache.records import Outcome, RegionLabel, StageEnd


class PhotoRow(NamedTuple):
    """What must be known of a photo when a line about it comes.

    Attributes:
        image: Row of the photo.
        width: Width of the photo in pixels, None where it is not known.
        height: Height of the photo in pixels, None where it is not known.
        outcomes: The outcomes that count.
    """

    image: int
    width: int | None = None
    height: int | None = None
    outcomes: PhotoOutcomes[StageEnd] = PhotoOutcomes()


class OutcomeRow(NamedTuple):
    """An outcome of a photo, with the number and the byte offset of its line."""

    image: int
    number: int
    offset: int
    outcome: Outcome


class RegionRow(NamedTuple):
    """A region of a photo."""

    image: int
    region_id: str
    bbox: Box
    labels: list[RegionLabel]
    caption: str | None
    version: str


class TextRow(NamedTuple):
    """A text of a photo; `region` is a row, `quad` is JSON."""

    image: int
    text_id: str
    region: int | None
    text: str
    confidence: float
    language: str | None
    source: str
    quad: str | None
    skipped: str | None


class EmbeddingRow(NamedTuple):
    """The vector of a region, little-endian float32."""

    region: int
    model: str
    dimensions: int
    vector: bytes
