"""Records of the side journals: what was made of an image, or why nothing was."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from journal import Status


def now() -> str:
    """Return this moment, UTC, RFC 3339, to the millisecond: files change within a second."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class SideRecord(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The outcome of one attempt at one image; a pass adds the fields of its result.

    Attributes:
        rel_path: POSIX path below the input directory, in Unicode NFC.
        status: How the attempt ended.
        at: When the attempt ended, UTC, RFC 3339.
        raw_path: Base64 of the path's bytes, only where they are not UTF-8.
        error: `Type: message`, None after a success.
    """

    rel_path: str
    status: Status
    at: str
    raw_path: str | None = None
    error: str | None = None

    def in_words(self) -> str:
        """Return the result in some words, for whoever watches."""
        return ""


class SizeRecord(SideRecord, kw_only=True):
    """The size of an image.

    Attributes:
        width: Width in pixels, upright.
        height: Height in pixels, upright.
    """

    width: int | None = None
    height: int | None = None

    def in_words(self) -> str:
        """Return the size in words."""
        return f"{self.width} x {self.height}"


class FeatureRecord(SideRecord, kw_only=True):
    """What DINO made of an image.

    Attributes:
        model: The model, and its revision where one is named.
        embedding: The pooled feature, where it was asked for.
        patches: Shape of the patch file, where one was written.
    """

    model: str
    embedding: list[float] | None = None
    patches: tuple[int, int] | None = None

    def in_words(self) -> str:
        """Return in words what was made."""
        made = []
        if self.embedding is not None:
            made.append(f"an embedding of {len(self.embedding):,}")
        if self.patches is not None:
            made.append(f"{self.patches[0]:,} patches of {self.patches[1]:,}")
        return " and ".join(made)
