"""The records of a cache, one a line: regions, texts, and the outcome of each stage."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from journal import Status, journal_kind, record_key, seal

StageName = Literal["detect", "label", "ocr"]

STAGES: tuple[StageName, ...] = get_args(StageName)

_NUMBER = re.compile(r"0|[1-9][0-9]{0,6}", re.ASCII)

NO_TEXT = "gate"
"""Source of a record that says why a photo was not read."""


class RegionLabel(msgspec.Struct, gc=False):
    """What a region may be.

    Attributes:
        label: The name of the thing.
        score: From 0 to 1; scores of different sources cannot be compared.
        source: The stage that gave the label.
    """

    label: str
    score: float
    source: StageName = "detect"


class _Record(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """What all records have: `image_id` first on the line, and `raw_path` where needed.

    Attributes:
        rel_path: `image_id`: POSIX path below the photos directory, in Unicode NFC.
        raw_path: Base64 of the path's bytes, only where they are not UTF-8.
        item_hash: On the line it is called `work`: 16 hexadecimal digits that name the item
            of the queue which this answers. Readers ignore lines whose hash differs from that of
            the outcome; see `counting`.
    """

    if TYPE_CHECKING:  # each record declares these, since inherited fields would be written last
        rel_path: str
        raw_path: str | None = None
        item_hash: str | None = None

    @property
    def key(self) -> str:
        """The name every journal knows the photo by."""
        return record_key(self.rel_path, self.raw_path)


class _About(msgspec.Struct):
    """What every line of a cache holds at least."""

    image_id: str


FOUND = journal_kind("a journal of a cache", _About)


class Detection(_Record, kw_only=True):
    """An object in a photo: a line of `detections.jsonl`.

    Attributes:
        region_id: Name of the region within the photo: `r0`, `r1` and so on, the best first.
        bbox: x0, y0, x1, y1 in pixels of the upright photo.
        labels: What the region may be: labels of the labeller, if one looked, then those of the
            detector; of each the likeliest first.
        caption: The caption that the photo had when it was looked at, None without one.
        detector_version: The detector, and where a labeller named the region, that one too.
    """

    rel_path: str = msgspec.field(name="image_id")
    region_id: str
    bbox: tuple[float, float, float, float]
    labels: list[RegionLabel]
    caption: str | None
    detector_version: str
    raw_path: str | None = None
    item_hash: str | None = msgspec.field(default=None, name="work")

    def identity(self) -> tuple[str, str]:
        """Return what identifies the region; of two lines with one identity the last counts."""
        return self.key, self.region_id

    @property
    def number(self) -> int | None:
        """N of `rN`, None for a name that no outcome counts."""
        return number_of(self.region_id, "r")


class Text(_Record, kw_only=True):
    """A line of text in a photo, or why it was not read: a line of `ocr.jsonl`.

    Attributes:
        text_id: Name of the text within the photo: `t0`, `t1` and so on, in reading order.
        text: What the line says; empty where nothing was read.
        confidence: From 0 to 1; for a photo that was not read, the confidence of the gate.
        language: BCP 47 code as far as the script tells, None where it does not.
        source: The engine with its models, or `gate`.
        region_id: The smallest region around the text, where the same item found both.
        quad: Corners, clockwise from the top left of the text, in pixels of the upright photo.
        skipped: Why the photo was not read, None where it was.
    """

    rel_path: str = msgspec.field(name="image_id")
    text_id: str
    text: str
    confidence: float
    language: str | None
    source: str
    raw_path: str | None = None
    item_hash: str | None = msgspec.field(default=None, name="work")
    region_id: str | None = None
    quad: list[tuple[float, float]] | None = None
    skipped: str | None = None

    def identity(self) -> tuple[str, str]:
        """Return what identifies the text; of two lines with one identity the last counts."""
        return self.key, self.text_id

    @property
    def number(self) -> int | None:
        """N of `tN`, None for a name that no outcome counts."""
        return number_of(self.text_id, "t")


class Outcome(_Record, kw_only=True):
    """How a stage ended for a photo: a line of `outcomes.jsonl`.

    A photo has been through a stage when this line is there. It is written after the lines
    of the other files, and decides which of them count; see `counting`.

    Attributes:
        stage: The stage.
        status: How the stage ended.
        at: When the stage ended, UTC, RFC 3339.
        digest: Content hash of the file, None where the file could not be read.
        lines: Number N of regions `r0` to `r(N-1)`, or of texts `t0` to `t(N-1)`.
        found: Number of regions, or of texts that say something.
        version: The models, their revisions, and what they were asked.
        width: Width of the upright photo, in pixels.
        height: Height of the upright photo, in pixels.
        error: `Type: message`, at most 500 characters.
        copied_from: `image_id` of the identical file that was looked at instead.
        worker: Name of the worker.
    """

    rel_path: str = msgspec.field(name="image_id")
    stage: StageName
    status: Status
    at: str
    raw_path: str | None = None
    digest: str | None = None
    lines: int = 0
    found: int = 0
    version: str = ""
    width: int | None = None
    height: int | None = None
    item_hash: str | None = msgspec.field(default=None, name="work")
    error: str | None = None
    copied_from: str | None = None
    worker: str | None = None

    def identity(self) -> tuple[str, str]:
        """Return what identifies the outcome; of two lines with one identity the last counts."""
        return self.key, self.stage


class StageEnd(msgspec.Struct, gc=False):
    """How a stage ended for a photo: what is remembered of an `Outcome`."""

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


class Embedding(_Record, kw_only=True):
    """The row of `embeddings/regions.f32` that belongs to a region: a line of `regions.jsonl`."""

    rel_path: str = msgspec.field(name="image_id")
    region_id: str
    row: int
    raw_path: str | None = None
    item_hash: str | None = msgspec.field(default=None, name="work")

    def identity(self) -> tuple[str, str]:
        """Return what identifies the row; of two lines with one identity the last counts."""
        return self.key, self.region_id

    @property
    def number(self) -> int | None:
        """N of `rN`, None for a name that no outcome counts."""
        return number_of(self.region_id, "r")


RECORD_TYPES: tuple[type[_Record], ...] = (Detection, Text, Outcome, Embedding)


def number_of(name: str, letter: Literal["r", "t"]) -> int | None:
    """Return N of a region `rN` or a text `tN`, None for any other name."""
    number = name.removeprefix(letter)
    return int(number) if number != name and _NUMBER.fullmatch(number) else None


def sealed_lines(records: Iterable[_Record]) -> bytes:
    """Return records as lines of their file."""
    encode = msgspec.json.Encoder().encode
    return b"".join([seal(encode(record)) for record in records])
