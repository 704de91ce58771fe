"""What a file tells about itself."""

from __future__ import annotations

import warnings
from io import BytesIO

import pytest
from PIL import Image

from backends.base import Facts
from pipeline.photos.facts import read_facts


def facts_of(exif: Image.Exif, name: str = "x.jpg") -> Facts:
    buffer = BytesIO()
    Image.new("RGB", (40, 30)).save(buffer, "JPEG", exif=exif)
    with Image.open(buffer) as image:
        return read_facts(image, name)


Tags = dict[int, object]


def exif_with(detail: Tags | None = None, gps: Tags | None = None, **main: object) -> Image.Exif:
    """Return EXIF with some tags set."""
    exif = Image.Exif()
    names = {"make": 0x010F, "model": 0x0110, "date": 0x0132}
    for name, value in main.items():
        exif[names[name]] = value
    exif.get_ifd(0x8769).update(detail or {})
    exif.get_ifd(0x8825).update(gps or {})
    return exif


def test_capture_time_beats_the_time_of_a_later_edit() -> None:
    exif = exif_with({0x9003: "2020:05:06 07:08:09"}, date="2024:01:01 00:00:00")
    assert facts_of(exif).taken == "2020-05-06T07:08:09"


def test_no_zone_is_invented_and_a_given_one_kept() -> None:
    exif = exif_with({0x9003: "2020:05:06 07:08:09", 0x9011: "+02:00"})
    assert facts_of(exif).taken == "2020-05-06T07:08:09+02:00"


@pytest.mark.parametrize("zone", ["+99:99", "+24:00", "Z", "+2:00", "+02:60"])
def test_impossible_zones_are_left_out(zone: str) -> None:
    exif = exif_with({0x9003: "2020:05:06 07:08:09", 0x9011: zone})
    assert facts_of(exif).taken == "2020-05-06T07:08:09"


@pytest.mark.parametrize("time", ["0000:00:00 00:00:00", "2020:13:40 99:99:99", "", "yesterday"])
def test_impossible_times_are_none(time: str) -> None:
    assert facts_of(exif_with({0x9003: time})).taken is None


@pytest.mark.parametrize(
    ("gps", "place"),
    [
        ({1: "N", 2: (43.0, 28.0, 2.814), 3: "E", 4: (11.0, 53.0, 6.456)}, (43.467448, 11.885127)),
        ({1: "S", 2: (33.0, 55.0, 29.64), 3: "W", 4: (18.0, 25.0, 26.76)}, (-33.9249, -18.4241)),
        ({1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}, (None, None)),
        ({1: "N", 2: (143.0, 0.0, 0.0), 3: "E", 4: (11.0, 0.0, 0.0)}, (None, None)),
        ({1: "N", 2: (43.0, 0.0, 0.0)}, (None, None)),
    ],
)
def test_places(gps: dict[int, object], place: tuple[float | None, float | None]) -> None:
    facts = facts_of(exif_with(gps=gps))
    assert (facts.latitude, facts.longitude) == (
        place if place[0] is None else pytest.approx(place, abs=1e-5)
    )


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS R6", "Canon EOS R6"),
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("Apple", "iPhone 13", "Apple iPhone 13"),
        ("", "", None),
        ("Maker\0\0\0", "", "Maker"),
        ("\x0c", "X", "X"),
    ],
)
def test_cameras(make: str, model: str, camera: str | None) -> None:
    assert facts_of(exif_with(make=make, model=model)).camera == camera


def test_screenshots_are_known_by_name_or_comment() -> None:
    assert facts_of(Image.Exif(), "Screenshot_2024.png").screenshot
    assert facts_of(exif_with({0x9286: b"ASCII\0\0\0Screenshot"})).screenshot
    assert not facts_of(exif_with(model="Pixel"), "Screenshot.jpg").screenshot
    assert not facts_of(Image.Exif()).screenshot


def test_hostile_exif_costs_the_facts_not_the_photo() -> None:
    buffer = BytesIO()
    hostile = b"Exif\0\0II*\0" + b"\xff" * 99
    Image.new("RGB", (40, 30)).save(buffer, "JPEG", exif=hostile)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, from before we are asked
        with Image.open(buffer) as image:
            facts = read_facts(image, "x.jpg")
    assert (facts.width, facts.taken) == (40, None)
