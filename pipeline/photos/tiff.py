"""Grey TIFFs with more than 8 bits, as scanners, microscopes and programs for maps write them.

Pillow knows some of them, and reads others wrongly: numbers of 32 bits without a sign above the
half, and packed files in the order of bytes that is not the machine's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from PIL import Image

TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

# Tags of TIFF 6.0, and two of their values.
BITS, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
MIN_IS_WHITE, MIN_IS_BLACK = 0, 1

_RAW_MODES = {
    (SIGNED, 8): ("F;8S", "F;8S"),
    (UNSIGNED, 16): ("I;16", "I;16B"),
    (SIGNED, 16): ("F;16S", "F;16BS"),
    (UNSIGNED, 32): ("F;32", "F;32B"),
    (SIGNED, 32): ("F;32S", "F;32BS"),
    (FLOAT, 32): ("F;32F", "F;32BF"),
    (FLOAT, 64): ("F;64F", "F;64BF"),
}
"""Kind of number and bits to Pillow's names for it, the low byte first and the high byte first."""


class Grey(NamedTuple):
    """What the numbers of a grey picture mean.

    Attributes:
        most: The largest number that there is, infinite for floats.
        inverted: Whether the largest number is black.
    """

    most: float
    inverted: bool


@cache
def know_all_greys() -> None:
    """Have Pillow open every kind of grey picture that it can unpack."""
    from PIL import TiffImagePlugin

    for (kind, bits), raw_modes in _RAW_MODES.items():
        for order, raw_mode in zip((b"II", b"MM"), raw_modes, strict=True):
            mode = raw_mode if bits == 16 and kind == UNSIGNED else "F"
            for photometric in (MIN_IS_WHITE, MIN_IS_BLACK):
                key = (order, photometric, (kind,), 1, (bits,), ())
                TiffImagePlugin.OPEN_INFO[key] = (mode, raw_mode)


def prepare_tiff(image: Image.Image) -> None:
    """Mend what Pillow is about to do with an opened TIFF.

    Its decoder turns the picture by XMP data too, but the size it tells before is not turned.
    The decoder of packed files gives numbers in the order of the machine, whatever the file's.
    """
    image.info.pop("xmp", None)
    image.tile = [  # type: ignore[attr-defined]
        tile._replace(args=(_native(tile.args[0]), *tile.args[1:]))
        if tile.codec_name == "libtiff" and image.mode == "F"
        else tile
        for tile in image.tile  # type: ignore[attr-defined]
    ]


def _native(raw_mode: str) -> str:
    return re.sub(r"(\d\d)B?(S|F|)$", r"\1N\2", raw_mode)


def grey_of(image: Image.Image) -> Grey:
    """Return what the numbers of an opened grey picture mean; a PNG has 16 bits."""
    tags: Mapping[int, Any] = getattr(image, "tag_v2", {})
    bits, kind = _first(tags.get(BITS, 16)), _first(tags.get(SAMPLE_FORMAT, UNSIGNED))
    most = float("inf") if kind == FLOAT else 2.0 ** (bits - (kind == SIGNED)) - 1
    return Grey(most, tags.get(PHOTOMETRIC) == MIN_IS_WHITE)


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, tuple) else value)
