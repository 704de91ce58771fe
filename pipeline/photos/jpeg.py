"""JPEG files by their segments, as ITU-T T.81 numbers them in table B.1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

SOI, EOI, SOS, APP0, APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xEE
FRAMES = frozenset({*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)})
"""Headers that tell size and components of the picture."""

JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"

_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""A marker in coded data: neither a stuffed byte, nor a fill byte, nor a restart."""


class Segment(NamedTuple):
    """A segment of a JPEG file.

    Attributes:
        marker: Its number.
        content: What follows marker and length.
        scan: The coded pixels that follow a segment of the kind `SOS`, else empty.
    """

    marker: int
    content: bytes
    scan: bytes = b""


def read_segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments of a JPEG file between its start and its end.

    Raises:
        ValueError: the file is no JPEG, is damaged, or is cut short.
    """
    if not data.startswith(JPEG_START):
        raise ValueError("this is no JPEG")
    position = len(JPEG_START)
    while True:
        position = _behind_fill_bytes(data, position)
        marker = data[position - 1]
        if marker == EOI:
            return
        length = int.from_bytes(data[position : position + 2])
        end = position + length
        if marker < 0xC0 or 0xD0 <= marker <= SOI or length < 2 or end > len(data):
            raise ValueError("the JPEG is damaged")
        content, scan_start = data[position + 2 : end], end
        if marker == SOS:
            found = _SCAN_END.search(data, end)
            if found is None:
                raise ValueError("the JPEG is cut short")
            end = found.start()
        yield Segment(marker, content, data[scan_start:end])
        position = end


def _behind_fill_bytes(data: bytes, position: int) -> int:
    """Return where a marker ends."""
    start = position
    while data[position : position + 1] == b"\xff":
        position += 1
    if not start < position < len(data):
        raise ValueError("the JPEG is damaged")
    return position + 1
