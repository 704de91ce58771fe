"""The buckets that pictures are cropped to."""

from __future__ import annotations

import re
from functools import lru_cache

from pipeline.photos.geometry import Size, nearest_aspect

BUCKETS: tuple[Size, ...] = (
    (1024, 1024),
    (1216, 832),
    (832, 1216),
    (1280, 768),
    (768, 1280),
    (1344, 704),
    (704, 1344),
)
"""Width and height in pixels: seven of SDXL's training sizes, each of about a megapixel
(Podell et al. 2023, appendix I)."""

LEAST_SIDE, MOST_PIXELS = 64, 1 << 22
"""Limits of a bucket that is not ours. One with four times the area of our seven is a mistake,
or an attack."""

_NAME = re.compile(r"([1-9]\d{1,3})x([1-9]\d{1,3})", re.ASCII)


@lru_cache(maxsize=4096)  # a camera has few sizes
def bucket_of(size: Size) -> Size:
    """Return the bucket nearest in aspect ratio to an upright picture."""
    return nearest_aspect(size, BUCKETS)


def bucket_name(bucket: Size) -> str:
    """Return a bucket as records name it, such as `1216x832`."""
    return f"{bucket[0]}x{bucket[1]}"


def parse_bucket(name: str) -> Size | None:
    """Return width and height of a bucket by its name, also of one that is not ours."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    width, height = int(found[1]), int(found[2])
    fits = min(width, height) >= LEAST_SIDE and width * height <= MOST_PIXELS
    return (width, height) if fits else None
