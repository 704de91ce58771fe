"""JPEGs that lack nothing but the marker at their end, as some cameras and downloads leave them."""

from __future__ import annotations

from io import BytesIO

from blake3 import blake3
from PIL import Image

from pipeline.photos.jpeg import FRAMES, JPEG_END, JPEG_START, SOS, read_segments

COEFFICIENTS = 64
"""Numbers of a block of pixels, for each component."""

_RESTARTS = [bytes((0xFF, 0xD0 + number)) for number in range(8)]
_MORE = [
    noise + b"".join(restart + noise for restart in _RESTARTS)
    for noise in (b"\x9a\x53\xc6\x0e" * 4, b"\x35\xb8\x6d\x47" * 4, b"\xe1\x2c\x5a\x9b" * 4)
]
"""What a decoder takes for pixels where some are missing, and passes over where none are."""


def with_its_end(data: bytes) -> bytes | None:
    """Return a JPEG that lacks only its end, with its end; None for any other file.

    A decoder fills in whatever pixels are missing before the end, and says nothing. So the file
    is decoded again, with something in front of the end that changes the picture only where pixels
    are missing. Sound files never need that.
    """
    if not data.startswith(JPEG_START) or data.endswith(JPEG_END):
        return None
    body = data.removesuffix(JPEG_END[:1])
    ended = body + JPEG_END
    if not _has_all_scans(ended):
        return None
    pixels = _digest_of_pixels(ended)
    if pixels is None or any(pixels != _digest_of_pixels(body + more + JPEG_END) for more in _MORE):
        return None
    return ended


def _has_all_scans(data: bytes) -> bool:
    """Tell whether every coefficient of every component is there to its last bit.

    A progressive JPEG refines the picture from scan to scan, and may break off between two.
    """
    missing = {(0, 0)}  # until a frame says what there is to be
    try:
        for marker, content, _ in read_segments(data):
            if marker in FRAMES:
                names = content[6 : 6 + 3 * content[5] : 3]
                missing = {(name, at) for name in names for at in range(COEFFICIENTS)}
            elif marker == SOS:
                count = content[0]
                first, last, bits = content[1 + 2 * count : 4 + 2 * count]
                names = content[1 : 1 + 2 * count : 2]
                if bits & 0x0F == 0:
                    missing -= {(name, at) for name in names for at in range(first, last + 1)}
    except (ValueError, IndexError):
        return False
    return not missing


def _digest_of_pixels(data: bytes) -> bytes | None:
    try:
        with Image.open(BytesIO(data), formats=("JPEG",)) as image:
            return blake3(image.tobytes()).digest()
    except Exception:  # damage of any kind; the caller knows of the file's first error
        return None
