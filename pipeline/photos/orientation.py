"""Which way up a picture is: the one answer for facts, sizes, crops and files made anew."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from PIL import Image

from pipeline.photos.geometry import Size

ORIENTATION = 0x0112
"""The tag of EXIF 2.32."""

TURNED_BY_DECODER = ("HEIF", "TIFF")
"""Formats whose decoders turn the picture upright, and leave an orientation behind that is done.

A HEIF and an AVIF say themselves which way up they are; what EXIF or XMP data in them say is not
to be followed (ISO/IEC 23008-12, annex A). Of an AVIF, Pillow puts it into the EXIF data.
"""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation to the turn that makes the picture upright."""

SIDES: dict[Image.Transpose | None, tuple[int, int, int, int]] = {
    None: (0, 1, 2, 3),
    Image.Transpose.FLIP_LEFT_RIGHT: (2, 1, 0, 3),
    Image.Transpose.ROTATE_180: (2, 3, 0, 1),
    Image.Transpose.FLIP_TOP_BOTTOM: (0, 3, 2, 1),
    Image.Transpose.TRANSPOSE: (1, 0, 3, 2),
    Image.Transpose.ROTATE_270: (1, 2, 3, 0),
    Image.Transpose.TRANSVERSE: (3, 2, 1, 0),
    Image.Transpose.ROTATE_90: (3, 0, 1, 2),
}
"""Which side of the upright picture each stored side becomes: 0 left, 1 top, 2 right, 3 bottom."""

QUARTER_TURNS = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)

_XMP_ORIENTATION = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])\b")


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """Return the turn that makes an opened image upright, None if the image is upright already.

    EXIF data win over XMP, as in every program that reads both.
    """
    if image.format in TURNED_BY_DECODER:
        return None
    told = _told_by_exif(image)
    if told is None and image.format != "AVIF":
        found = _XMP_ORIENTATION.search(image.info.get("xmp", b""))
        told = int(found[1]) if found else None
    return TURNS.get(told or 1)


def upright_size(image: Image.Image) -> Size:
    """Return width and height of an opened image in pixels, as they are once it is upright."""
    width, height = image.size
    return (height, width) if turn_of(image) in QUARTER_TURNS else (width, height)


def _told_by_exif(image: Image.Image) -> int | None:
    """Return the orientation of EXIF data, whichever type of number they say it in."""
    with suppress(Exception):
        image.getexif()  # which keeps what it read before the data broke off
    try:
        value: Any = image.getexif()[ORIENTATION]
        return int(value[0] if isinstance(value, (tuple, bytes)) else value)
    except Exception:
        # Pillow's parser raises many types of error: struct.error, SyntaxError, KeyError.
        return None
