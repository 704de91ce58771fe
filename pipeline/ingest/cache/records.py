"""The records of a cache, one a line: regions, texts, and how each stage ended for each photo."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from journal import Status, record_key, seal

StageName = Literal["detect", "label", "ocr"]

STAGES: tuple[StageName, ...] = get_args(StageName)

_NUMBER = re.compile(r"0|[1-9][0-9]{0,6}", re.ASCII)

NO_TEXT = "gate"
"""Source of a record that says why a photo was not read."""


class RegionLabel(msgspec.Struct, gc=False):
    """What a region may be.

    Attributes:
        label: The name.
        score: From 0 to 1; those of different sources are not to be compared.
        source: The stage that gave it.
    """

    label: str
    score: float
    source: StageName = "detect"


class _Record(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """What all records have: `image_id` first on the line, and `raw_path` where it is needed.

    Attributes:
        rel_path: `image_id`: POSIX path below the photos directory, in Unicode NFC.
        raw_path: Base64 of the path's bytes, only where they are not UTF-8.
        item_hash: `work`: hash of the item of the queue that this answers. See `counting`.
    """

    if TYPE_CHECKING:  # each declares its own, since inherited fields would be written last
        rel_path: str
        raw_path: str | None = None
        item_hash: str | None = None

    @property
    def key(self) -> str:
        """The name every journal knows the photo by."""
        return record_key(self.rel_path, self.raw_path)


class Detection(_Record, kw_only=True):
    """An object in a photo: a line of `detections.jsonl`.

    Attributes:
        region_id: Names the region within its photo: `r0`, `r1` and so on, the best first.
        bbox: x0, y0, x1, y1 in pixels of the upright photo.
        labels: What it is: the labeller's first, if it looked, then the detector's; of each
            the likeliest first.
        caption: The photo's caption when it was looked at, None without one.
        detector_version: Who found it, and where a labeller named it, that one too.
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
        """Return what no other region has; of two lines with one identity the last counts."""
        return self.key, self.region_id

    @property
    def number(self) -> int | None:
        """N of `rN`, None for a name that no outcome counts."""
        return number_of(self.region_id, "r")


class Text(_Record, kw_only=True):
    """A line of text in a photo, or why it was not read: a line of `ocr.jsonl`.

    Attributes:
        text_id: Names the line within its photo: `t0`, `t1` and so on, in reading order.
        text: What it says; empty where nothing was read.
        confidence: From 0 to 1; of a photo that was not read, the gate's.
        language: BCP 47 code as far as the script tells, None where it does not.
        source: The engine with its models, or `gate`.
        region_id: The smallest region that the text lies in, where the same work found both.
        quad: Its corners, clockwise from its own top left, in pixels of the upright photo.
        skipped: Why the photo was not read.
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
        """Return what no other text has; of two lines with one identity the last counts."""
        return self.key, self.text_id

    @property
    def number(self) -> int | None:
        """N of `tN`, None for a name that no outcome counts."""
        return number_of(self.text_id, "t")


class Outcome(_Record, kw_only=True):
    """How a stage ended for a photo: a line of `outcomes.jsonl`.

    A photo has been through a stage when this line is there. Of its lines in the other
    files only those count that are of the same work, and that the outcome counts.

    Attributes:
        stage: Which one.
        status: How it ended.
        at: When, UTC, RFC 3339.
        digest: Content hash of the file, None where it could not be read.
        lines: Regions or texts it gave: `r0` to `r(N-1)`, or `t0` to `t(N-1)`.
        found: How many of these are regions, or texts that say something.
        version: Whose work it is: models, their revisions, and what they were asked.
        width: Of the upright photo, in pixels.
        height: Of the upright photo, in pixels.
        error: `Type: message`, at most 500 characters.
        copied_from: `image_id` of the identical file that was looked at.
        worker: Who did it.
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
        """Return what no other outcome has; of two lines with one identity the last counts."""
        return self.key, self.stage


class Embedding(_Record, kw_only=True):
    """Which row of `embeddings/regions.f32` is of which region: a line of `regions.jsonl`."""

    rel_path: str = msgspec.field(name="image_id")
    region_id: str
    row: int
    raw_path: str | None = None
    item_hash: str | None = msgspec.field(default=None, name="work")

    def identity(self) -> tuple[str, str]:
        """Return what no other row has; of two lines with one identity the last counts."""
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
