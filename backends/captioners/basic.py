"""`basic`: true sentences from what the file itself tells, with no model and no network.

The sentences name the time, the place, the camera, the light and the colours. They claim
nothing about what the picture shows.
"""

from __future__ import annotations

from collections import Counter
from colorsys import rgb_to_hsv
from datetime import datetime
from functools import cache
from math import cos, hypot, radians
from types import ModuleType
from typing import TYPE_CHECKING

from backends.base import Caption, Captioner, Facts, PhotoInput, PictureSpec
from backends.errors import PictureError

if TYPE_CHECKING:
    from PIL import Image

COLOUR_SHARE = 0.15
"""Share of the picture from which a colour is worth a word."""

MOST_COLOURS = 3

BRACKETS = str.maketrans("", "", "<>[]{}|◁▷\\")
"""Signs of control tokens, which would be taken out of the sentence; no camera has them."""

NEAR = 25.0
"""Kilometres within which a photo is near a town."""

SMALLEST_TOWN = 5_000
"""The fewest inhabitants of a place whose name says something to people elsewhere."""

DAYTIMES = (
    (5, "in the small hours"),
    (12, "on the morning"),
    (17, "on the afternoon"),
    (21, "on the evening"),
    (24, "on the night"),
)
"""Hour at which each part of the day ends."""

SEASONS = ("winter", "spring", "summer", "autumn")
TROPIC = 23.44
"""Latitude in degrees inside which the four seasons say little."""

HUES = (
    (0.035, "red"),
    (0.11, "orange"),
    (0.19, "yellow"),
    (0.42, "green"),
    (0.53, "turquoise"),
    (0.70, "blue"),
    (0.80, "purple"),
    (0.94, "pink"),
    (1.01, "red"),
)
"""Upper end of each named hue, from 0 to 1."""


class BasicCaptioner(Captioner):
    """Describes a photo by its facts and its colours."""

    name = "basic"
    local = True
    picture = PictureSpec(max_edge=256)

    def caption(self, photo: PhotoInput) -> Caption:
        """Return two short sentences: where and when the photo was taken, and how it looks."""
        facts = photo.facts
        if facts is None:
            raise PictureError("a photo came without its facts")
        image = photo.picture.image()
        looks = [*_light(image), *_sharpness(image)]
        return Caption(text=f"{_origin(facts)} {_sentence(looks, _colours(image))}")


def _origin(facts: Facts) -> str:
    kind = "Screenshot" if facts.screenshot else "Photo"
    parts = [f"{kind} in {_shape(facts)} format"]
    if facts.taken:
        parts.append(f"taken {_moment(facts)}")
    if facts.latitude is not None and facts.longitude is not None:
        parts.append(_place(facts.latitude, facts.longitude))
    if facts.camera and (camera := facts.camera.translate(BRACKETS).strip()):
        parts.append(f"camera {camera}")
    return ", ".join(parts) + "."


def _shape(facts: Facts) -> str:
    ratio = facts.width / facts.height
    if ratio >= 2:
        return "panorama"
    if 0.95 <= ratio <= 1.05:
        return "square"
    return "landscape" if ratio > 1 else "portrait"


def _moment(facts: Facts) -> str:
    moment = datetime.fromisoformat(facts.taken or "")
    daytime = next(words for end, words in DAYTIMES if moment.hour < end)
    season = _season(moment, facts.latitude)
    day = f"{daytime} of {moment:%A} {moment.day} {moment:%B %Y}"
    return f"{day} ({season})" if season else day


def _season(moment: datetime, latitude: float | None) -> str | None:
    """Return the meteorological season, None unless the file tells the half of the globe."""
    if latitude is None or abs(latitude) < TROPIC:
        return None
    quarter = moment.month % 12 // 3
    return SEASONS[quarter if latitude > 0 else (quarter + 2) % 4]


def _place(latitude: float, longitude: float) -> str:
    """Name the nearest town, or the place to a tenth of a degree (some ten kilometres)."""
    gazetteer = _gazetteer()
    if gazetteer is not None:
        town = gazetteer.get((latitude, longitude), min_population=SMALLEST_TOWN)
        if _kilometres(latitude, longitude, town["latitude"], town["longitude"]) <= NEAR:
            return f"near {town['city']}, {town['country']}"
    north = f"{abs(latitude):.1f}° {'N' if latitude >= 0 else 'S'}"
    east = f"{abs(longitude):.1f}° {'E' if longitude >= 0 else 'W'}"
    return f"near {north}, {east}"


def _kilometres(
    latitude: float, longitude: float, to_latitude: float, to_longitude: float
) -> float:
    """Return the distance of two near points, as on a plane: 111.2 km to a degree."""
    east = (to_longitude - longitude) * cos(radians(latitude))
    return 111.2 * hypot(to_latitude - latitude, east)


@cache
def _gazetteer() -> ModuleType | None:
    """Return the offline gazetteer of the extra `places` where it is installed."""
    try:
        import reverse_geocode
    except ImportError:
        return None
    module: ModuleType = reverse_geocode
    return module


def _light(image: Image.Image) -> list[str]:
    from PIL import ImageStat

    brightness = ImageStat.Stat(image.convert("L")).mean[0]
    if brightness < 50:
        return ["dark"]
    if brightness < 90:
        return ["dim"]
    return ["bright"] if brightness > 170 else []


def _sharpness(image: Image.Image) -> list[str]:
    """Judge by the spread of the Laplacian: at 256 px a focused photo is far above 12."""
    from PIL import ImageFilter, ImageStat

    laplacian = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=1, offset=128)
    spread = ImageStat.Stat(image.convert("L").filter(laplacian)).stddev[0]
    if spread > 12:
        return ["sharp"]
    return ["soft"] if 1 < spread < 4 else []  # below 1 there is nothing to be sharp


def _colours(image: Image.Image) -> list[str]:
    """Return the names of the main colours, the most frequent first."""
    pixels = image.resize((32, 32)).tobytes()
    names = Counter(_colour(*pixels[start : start + 3]) for start in range(0, len(pixels), 3))
    total = names.total()
    return [
        name for name, count in names.most_common(MOST_COLOURS) if count / total >= COLOUR_SHARE
    ]


def _colour(red: int, green: int, blue: int) -> str:
    hue, saturation, value = rgb_to_hsv(red / 255, green / 255, blue / 255)
    if value < 0.18:
        return "black"
    if saturation < 0.14:
        return "white" if value > 0.85 else "grey"
    name = next(name for end, name in HUES if hue < end)
    return (
        "brown"
        if name in ("orange", "red", "yellow") and value < 0.6 and saturation < 0.8
        else name
    )


def _sentence(looks: list[str], colours: list[str]) -> str:
    mainly = f"mainly {_and(colours)}" if colours else "of many colours"
    words = ", ".join([*looks, mainly])
    return f"{words[0].upper()}{words[1:]}."


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
