"""Pixels of any mode as RGB in sRGB, opaque, with 8 bits a channel."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from math import isfinite
from typing import cast

from PIL import Image, ImageChops, ImageCms

from pipeline.photos.tiff import grey_of

_WHITES = ((1.0, 16.0), (255.0, 300.0), (65535.0, 70000.0))
"""Numbers that stand for white in grey pictures, and what nearly no float is above then.

A float may be brighter than white, as a lamp is in a picture of high dynamic range.
"""

_SHARE_ABOVE = 0.01

_SRGB_LEVELS = 2
"""By how many of 255 levels a profile may differ from sRGB that is taken for sRGB."""

_SMALL_PROFILE = 1 << 16

_GREY_OF_16_BITS = "LA;16B"
"""What Pillow decodes as three equal colours, for which a profile of greys would not count."""


def to_eight_bits(image: Image.Image) -> Image.Image:
    """Return the image in a mode with 8 bits a channel that can be resized smoothly."""
    if any(tile.args == _GREY_OF_16_BITS for tile in getattr(image, "tile", ())):
        return image.convert("LA")
    if image.mode in ("LA", "RGBA", "CMYK") or (image.mode in ("L", "RGB") and not _has_key(image)):
        image.load()
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _wide_to_grey(image)
    if image.mode in ("1", "L", "P", "RGB"):
        if _has_key(image):
            return image.convert("LA" if image.mode in ("1", "L") else "RGBA")
        return image.convert("L" if image.mode == "1" else "RGB")
    return image.convert("RGBA" if image.mode in ("PA", "La", "RGBa") else "RGB")


def is_opaque(image: Image.Image) -> bool:
    """Tell whether every pixel of a decoded image is opaque."""
    if image.mode not in ("PA", "LA", "RGBA") and not _has_key(image):
        return True
    return image.convert("RGBA").getchannel("A").getextrema()[0] == 255


def _has_key(image: Image.Image) -> bool:
    """Tell whether one colour, or some of a palette, stand for transparent."""
    return "transparency" in image.info


def _wide_to_grey(image: Image.Image) -> Image.Image:
    """Return numbers of more than 8 bits as grey levels; what is below black is black."""
    most, inverted = grey_of(image)
    numbers = image.convert("F")
    scale = 255 / _white_of(numbers, most)
    grey = numbers.point(lambda number: number * scale + 0.5).convert("L")
    return ImageChops.invert(grey) if inverted else grey


def _white_of(numbers: Image.Image, most: float) -> float:
    """Return the number that stands for white: programs keep 8 bits in 16, and 16 in 32."""
    is_float = not isfinite(most)
    for white, reach in _WHITES:
        if white >= most:
            return most
        above = _count_from(numbers, reach if is_float else white + 0.5)
        if above <= (_SHARE_ABOVE * numbers.width * numbers.height if is_float else 0):
            return white
    highest = cast("tuple[float, float]", numbers.getextrema())[1]
    return highest if isfinite(highest) else _WHITES[-1][0]


def _count_from(numbers: Image.Image, limit: float) -> int:
    """Return how many pixels have a number of at least a limit; what is no number has none."""
    scale = 255 / limit
    return numbers.point(lambda number: number * scale + 0.0).convert("L").histogram()[255]


def flatten(image: Image.Image) -> Image.Image:
    """Return the image with transparency filled in white; grey and CMYK stay, for a profile."""
    if image.mode not in ("LA", "RGBA"):
        return image
    colours = image.convert("RGBA")
    white = Image.new("RGBA", colours.size, "white")
    opaque = Image.alpha_composite(white, colours).convert("RGB")
    return opaque.getchannel("R") if image.mode == "LA" else opaque


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the image as RGB in the sRGB colour space; a broken profile is ignored."""
    source = foreign_profile(profile) if image.mode in ("RGB", "L", "CMYK") else None
    if source is not None:
        try:
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            return converted or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return image.convert("RGB")


def foreign_profile(profile: bytes | None) -> ImageCms.ImageCmsProfile | None:
    """Return a colour profile to convert from, None if the profile is absent, broken or sRGB."""
    if not profile:
        return None
    try:
        is_srgb = _is_known_srgb if len(profile) <= _SMALL_PROFILE else _is_srgb
        return None if is_srgb(profile) else ImageCms.ImageCmsProfile(BytesIO(profile))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _is_srgb(profile: bytes) -> bool:
    """Tell whether colours stay as they are under a profile; its name tells nothing.

    A profile of linear light may be called sRGB, and sRGB may be called anything.
    """
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    if source.profile.xcolor_space.strip() != "RGB":
        return False
    colours = _colours()
    target = ImageCms.createProfile("sRGB")
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    converted = ImageCms.profileToProfile(colours, source, target, intent)
    extremes = ImageChops.difference(colours, cast("Image.Image", converted)).getextrema()
    return max(most for _, most in cast("tuple[tuple[int, int], ...]", extremes)) <= _SRGB_LEVELS


_is_known_srgb = lru_cache(64)(_is_srgb)
"""A library has few profiles, and nearly every photo has one of them."""


def _colours() -> Image.Image:
    """Return a picture of colours all over RGB: a cube of them, and all greys."""
    steps = range(0, 256, 51)
    cube = [bytes((red, green, blue)) for red in steps for green in steps for blue in steps]
    data = b"".join(cube) + b"".join(bytes((level,) * 3) for level in range(256))
    return Image.frombytes("RGB", (len(data) // 3, 1), data)
