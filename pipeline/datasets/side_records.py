"""Records of the side journals: what was made of an image, or why it was not."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from journal import Status


def now() -> str:
    """Return this moment, UTC, RFC 3339, to the millisecond: files change within a second."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class SizeRecord(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Width and height of an image in pixels, upright, or why they are not known."""

    rel_path: str
    status: Status
    at: str
    raw_path: str | None = None
    width: int | None = None
    height: int | None = None
    error: str | None = None


class FeatureRecord(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What DINO made of an image.

    Attributes:
        embedding: The pooled feature, where it was asked for.
        patches: Shape of the patch file, where one was written.
    """

    rel_path: str
    status: Status
    at: str
    model: str
    raw_path: str | None = None
    embedding: list[float] | None = None
    patches: tuple[int, int] | None = None
    error: str | None = None
