"""Pictures of four coloured quarters, and the sentence that is true of each picture.

All four colours differ, so each way to turn or mirror a picture gives another sentence.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import NamedTuple

from PIL import Image

COLOURS = {
    "red": (205, 30, 35),
    "green": (30, 150, 50),
    "blue": (30, 60, 215),
    "yellow": (240, 220, 40),
    "white": (240, 240, 240),
    "black": (15, 15, 15),
}
JITTER = 15  # largest deviation of each channel, of 255
CROSSING = (0.4, 0.6)

ORIENTATION = 0x0112  # Exif's tag
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""The turn with which an upright picture is stored under an Exif orientation."""


class Quarters(NamedTuple):
    """The colours of a picture's quarters, by the names in `COLOURS`."""

    top_left: str
    top_right: str
    bottom_left: str
    bottom_right: str

    @property
    def sentence(self) -> str:
        """The sentence that is true of the picture."""
        places = (f"{name.replace('_', ' ')} {colour}" for name, colour in self._asdict().items())
        return ", ".join(places).capitalize() + "."


def random_quarters(rng: Random) -> Quarters:
    """Return four different colours."""
    return Quarters(*rng.sample(sorted(COLOURS), 4))


def draw(quarters: Quarters, size: tuple[int, int], rng: Random | None = None) -> Image.Image:
    """Return an RGB picture with the given width and height in pixels.

    With a `rng`, the colours deviate a little, and the quarters do not meet in the centre.
    """
    width, height = size
    across, down = (rng.uniform(*CROSSING), rng.uniform(*CROSSING)) if rng else (0.5, 0.5)
    middle = (round(width * across), round(height * down))
    corners = ((0, 0), (middle[0], 0), (0, middle[1]), middle)
    picture = Image.new("RGB", size)
    for name, corner in zip(quarters, corners, strict=True):
        red, green, blue = (level + _shift(rng) for level in COLOURS[name])
        picture.paste((red, green, blue), (*corner, width, height))
    return picture


def _shift(rng: Random | None) -> int:
    return rng.randint(-JITTER, JITTER) if rng else 0


def write_photo(
    path: Path,
    quarters: Quarters,
    size: tuple[int, int],
    orientation: int = 1,
    rng: Random | None = None,
) -> None:
    """Write a drawn picture in the format of the path's suffix.

    Args:
        path: Path of the file. With `.heic` the orientation must be 1.
        quarters: The colours of the quarters of the upright picture.
        size: Width and height in pixels, upright.
        orientation: Exif orientation, 1 to 8; the stored pixels are turned accordingly.
        rng: Random numbers for the variations of `draw`.
    """
    if path.suffix == ".heic":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    picture = draw(quarters, size, rng)
    exif = Image.Exif()
    if orientation in STORED:
        picture = picture.transpose(STORED[orientation])
        exif[ORIENTATION] = orientation
    picture.save(path, quality=85, exif=exif)
