"""Image files that hold only pixels: metadata is cut out, the coded pixels stay as they are.

Removed are EXIF with place and thumbnail, XMP, IPTC, comments, profiles, times,
further pictures in the same file, and whatever follows the end of the image, such as
the video of a motion photo.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from backends.base import Picture, PictureSpec
from pipeline.photos.jpeg import APP0, APP14, JPEG_END, JPEG_START, SOS, Segment, read_segments
from pipeline.photos.png import END, HEAD_BYTES, PIXELS, PNG_END, PNG_START, find_chunks

if TYPE_CHECKING:
    from PIL import Image

EXPORT = PictureSpec(max_edge=1 << 16, encoding="export")
AS_IT_IS = PictureSpec(max_edge=1 << 16, encoding="file")

QUALITY = 95
LONGEST_JPEG_SIDE = 65_500
"""The limit of libjpeg in pixels (JPEG_MAX_DIMENSION)."""

TABLES_AND_FRAMES = frozenset({*range(0xC0, 0xC8), *range(0xC9, 0xD0), *range(0xDB, 0xE0)})
"""Frame headers, Huffman and quantization tables, arithmetic conditioning, restart
intervals: everything a decoder needs, beside the scans."""

JFIF = b"JFIF\0"
JFIF_BYTES = 12
"""Identifier, version and pixel density; the size of a thumbnail and the thumbnail follow."""
ADOBE = b"Adobe"
ADOBE_BYTES = 12

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
    try:
        kept = [part for segment in read_segments(data) for part in _kept_of(segment)]
    except ValueError:
        return None
    return b"".join([JPEG_START, *kept, JPEG_END])


def _kept_of(segment: Segment) -> Iterator[bytes]:
    """Yield the part of a segment that is kept, with marker and length; nothing of metadata."""
    marker, content, scan = segment
    if marker == APP0 and content.startswith(JFIF):
        content = content[:JFIF_BYTES].ljust(JFIF_BYTES, b"\0") + b"\0\0"  # no thumbnail
    elif marker == APP14 and content.startswith(ADOBE):
        content = content[:ADOBE_BYTES]
    elif marker != SOS and marker not in TABLES_AND_FRAMES:
        return
    yield bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2) + content
    yield scan


def _cut_png(data: bytes) -> bytes | None:
    file = BytesIO(data)
    kept = [PNG_START]
    for chunk in find_chunks(file):
        if chunk.end > len(data):
            return None
        if chunk.kind == END:
            return b"".join([*kept, PNG_END])
        is_sound = chunk.kind == PIXELS or chunk.read(file) is not None
        if chunk.kind in PNG_CHUNKS and is_sound:
            kept.append(data[chunk.start - HEAD_BYTES : chunk.end])
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
