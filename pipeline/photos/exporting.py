"""Image files that hold only pixels: metadata is cut out, the coded pixels stay as they are.

Removed are EXIF with place and thumbnail, XMP, IPTC, comments, profiles, times,
further pictures in the same file, and whatever follows the end of the image, such as
the video of a motion photo.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING

from backends.base import Picture, PictureSpec

if TYPE_CHECKING:
    from PIL import Image

EXPORT = PictureSpec(max_edge=1 << 16, encoding="export")
AS_IT_IS = PictureSpec(max_edge=1 << 16, encoding="file")

QUALITY = 95
LONGEST_JPEG_SIDE = 65_500
"""The limit of libjpeg in pixels (JPEG_MAX_DIMENSION)."""

# Markers of ITU-T T.81, table B.1.
SOI, EOI, SOS, APP0, APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xEE
TABLES_AND_FRAMES = frozenset({*range(0xC0, 0xC8), *range(0xC9, 0xD0), *range(0xDB, 0xE0)})
"""Frame headers, Huffman and quantization tables, arithmetic conditioning, restart
intervals: everything a decoder needs, beside the scans."""

JFIF = b"JFIF\0"
JFIF_BYTES = 12
"""Identifier, version and pixel density; the size of a thumbnail and the thumbnail follow."""
ADOBE = b"Adobe"
ADOBE_BYTES = 12

_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""A marker in coded data: neither a stuffed byte, nor a fill byte, nor a restart."""

PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
PNG_CHUNKS = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs"}
)
"""The critical chunks, and the ancillary chunks that say how pixels are to be shown."""


def cut_metadata(data: bytes, image_format: str) -> bytes | None:
    """Return a JPEG or PNG file without metadata; its coded pixels are not touched.

    Args:
        data: The file.
        image_format: Pillow's name of its format.

    Returns:
        The smaller file. None for another format, and for a file that is damaged or cut short.
    """
    if image_format in ("JPEG", "MPO"):
        return _cut_jpeg(data)
    return _cut_png(data) if image_format == "PNG" else None


def _cut_jpeg(data: bytes) -> bytes | None:
    if not data.startswith(b"\xff\xd8"):
        return None
    kept, position = [data[:2]], 2
    while True:
        position = _behind_fill_bytes(data, position)
        if position < 0:
            return None
        marker = data[position - 1]
        if marker == EOI:
            return b"".join([*kept, b"\xff\xd9"])
        length = int.from_bytes(data[position : position + 2])
        end = position + length
        if marker < 0xC0 or 0xD0 <= marker <= SOI or length < 2 or end > len(data):
            return None
        segment = data[position + 2 : end]
        if marker == SOS:
            found = _SCAN_END.search(data, end)
            if found is None:
                return None
            end = found.start()
            kept.append(b"\xff\xda" + data[position:end])
        else:
            kept.append(_kept_segment(marker, segment))
        position = end


def _behind_fill_bytes(data: bytes, position: int) -> int:
    """Return where a marker ends, -1 where none begins."""
    start = position
    while data[position : position + 1] == b"\xff":
        position += 1
    return position + 1 if start < position < len(data) else -1


def _kept_segment(marker: int, segment: bytes) -> bytes:
    """Return the part of a segment that is kept, with marker and length; empty for metadata."""
    if marker == APP0 and segment.startswith(JFIF):
        segment = segment[:JFIF_BYTES].ljust(JFIF_BYTES, b"\0") + b"\0\0"  # no thumbnail
    elif marker == APP14 and segment.startswith(ADOBE):
        segment = segment[:ADOBE_BYTES]
    elif marker not in TABLES_AND_FRAMES:
        return b""
    return bytes((0xFF, marker)) + (len(segment) + 2).to_bytes(2) + segment


def _cut_png(data: bytes) -> bytes | None:
    if not data.startswith(PNG_START):
        return None
    kept, position = [PNG_START], len(PNG_START)
    while position + 12 <= len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4])
        kind = data[position + 4 : position + 8]
        if end > len(data):
            return None
        if kind == b"IEND":
            return b"".join([*kept, PNG_END])
        if kind in PNG_CHUNKS:
            kept.append(data[position:end])
        position = end
    return None


def encode_export(image: Image.Image) -> Picture:
    """Return an RGB image as a JPEG of high quality, whose colours have the full resolution.

    An image with a side that is too long for a JPEG becomes a PNG.
    """
    image.info.clear()
    buffer = BytesIO()
    if max(image.size) > LONGEST_JPEG_SIDE:
        image.save(buffer, "PNG")
        return Picture(image.width, image.height, "png", buffer.getvalue())
    image.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return Picture(image.width, image.height, "jpeg", buffer.getvalue())
