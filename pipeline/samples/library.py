"""Writing the sample library to disk, with the names, dates and oddities of a real library."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from PIL import Image

from journal import make_directory, move, open_own, remove_directory, temporary_directory
from pipeline.samples.scenes import SCENES, chat_screenshot, map_screenshot

LANDSCAPE, PORTRAIT, PANORAMA, PHONE = (1200, 900), (900, 1200), (3000, 750), (720, 1440)

PHOTO_QUALITY = 88
HEIC_QUALITY = 60

OnProgress = Callable[[int, int], None]


class Trip(msgspec.Struct, frozen=True):
    """A trip: folder, first morning, coordinates in degrees, camera, and scenes in order."""

    folder: str
    start: datetime
    latitude: float
    longitude: float
    camera: tuple[str, str]
    scenes: tuple[str, ...]
    suffix: str = ".JPG"


TRIPS = (
    Trip(
        "2024/06 Lisbon",
        datetime(2024, 6, 14, 9, 12),
        38.7077,
        -9.1366,
        ("Apple", "iPhone 13 Pro"),
        ("harbour", "beach", "beach", "dinner", "city_night", "harbour", "lake"),
        ".HEIC",
    ),
    Trip(
        "2024/08 Zermatt",
        datetime(2024, 8, 10, 7, 40),
        46.0207,
        7.7491,
        ("Canon", "Canon EOS R6"),
        ("mountains", "meadow", "lake", "mountains", "balloons", "meadow", "dinner"),
    ),
    Trip(
        "2024/12 Tokyo",
        datetime(2024, 12, 30, 16, 5),
        35.6595,
        139.7005,
        ("Google", "Pixel 8"),
        ("city_night", "dinner", "city_night", "fireworks", "fireworks", "snow"),
    ),
    Trip(
        "2025/02 Cape Town",
        datetime(2025, 2, 3, 10, 30),
        -33.9249,
        18.4241,
        ("FUJIFILM", "X-T5"),
        ("beach", "mountains", "desert", "harbour", "lake"),
    ),
    Trip(
        "2025/10 Kyoto",
        datetime(2025, 10, 27, 8, 20),
        35.0116,
        135.7681,
        ("Apple", "iPhone 16"),
        ("forest", "forest", "lake", "dinner"),
    ),
)

ORIENTATIONS = {"2024/08 Zermatt": (1, 6, 1, 3, 1, 8, 1)}
"""EXIF orientations of the photos; the pixels are stored turned, as cameras store them."""

_STORED_TURN = {
    1: None,
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}

File = tuple[str, Callable[[], bytes]]


def make_library(directory: Path, progress: OnProgress = lambda done, total: None) -> int:
    """Draw the sample library into a directory, unless the directory exists already.

    The directory appears completely or not at all.

    Args:
        directory: The directory to make, whose parent exists.
        progress: Called with the number of files done and the number of all files.

    Returns:
        The number of files.
    """
    files = list(_files())
    if directory.is_dir():
        return len(files)
    drawing = temporary_directory(directory.parent, ".drawing-")
    try:
        root = drawing / "photos"
        for number, (name, content) in enumerate(files):
            progress(number, len(files))
            target = root / name
            make_directory(target.parent)
            _write(target, content())
        move(root, directory)
    finally:
        remove_directory(drawing, with_content=True)
    progress(len(files), len(files))
    return len(files)


def make_kinds(directory: Path) -> list[str]:
    """Draw five kinds of photo into a directory that exists; return their file names."""
    kinds: dict[str, Callable[[], bytes]] = {
        "landscape.jpg": lambda: _photo_bytes(TRIPS[1], 0),
        "people.heic": lambda: _photo_bytes(TRIPS[0], 3),
        "night.jpg": lambda: _photo_bytes(TRIPS[2], 0),
        "portrait.jpg": lambda: _photo_bytes(TRIPS[1], 1),
        "screenshot.png": lambda: _png(chat_screenshot(Random(5), PHONE)),
    }
    for name, content in kinds.items():
        _write(directory / name, content())
    return list(kinds)


def _write(path: Path, data: bytes) -> None:
    with open(open_own(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.write(data)


def _files() -> Iterator[File]:
    for trip in TRIPS:
        yield from _trip(trip)
    zermatt, tokyo = TRIPS[1], TRIPS[2]
    yield from _burst(zermatt)
    panorama = SCENES["mountains"](Random(77), PANORAMA)
    moment = zermatt.start + timedelta(days=1, hours=4)
    yield f"{zermatt.folder}/PANO_0001.jpg", lambda: _jpeg(panorama, _exif(zermatt, moment))
    yield (
        "Screenshots/Screenshot_20240811-074512.png",
        lambda: _png(chat_screenshot(Random(5), PHONE)),
    )
    yield (
        "Screenshots/Screenshot_20240614-183020.png",
        lambda: _png(map_screenshot(Random(6), PHONE)),
    )
    first = _photo_bytes(tokyo, 0)
    yield "From phone/IMG_0001 (1).JPG", lambda: first
    yield "From phone/copy of a copy.jpg", lambda: first
    yield "Fête d'été 🎉.webp", lambda: _webp(SCENES["balloons"](Random(9), LANDSCAPE))
    yield "From phone/cut off.jpg", lambda: first[: len(first) // 3]
    yield "From phone/never arrived.jpg", lambda: b""


def _trip(trip: Trip) -> Iterator[File]:
    for number in range(len(trip.scenes)):
        name = f"{trip.folder}/IMG_{number + 1:04d}{trip.suffix}"
        yield name, lambda number=number: _photo_bytes(trip, number)  # type: ignore[misc]


def _burst(trip: Trip) -> Iterator[File]:
    """Yield four shots of one scene, a second and a few pixels apart."""
    wide = SCENES["balloons"](Random(31), (LANDSCAPE[0] + 30, LANDSCAPE[1]))
    moment = trip.start + timedelta(days=2, minutes=20)
    for shot in range(4):
        frame = wide.crop((shot * 10, 0, shot * 10 + LANDSCAPE[0], LANDSCAPE[1]))
        exif = _exif(trip, moment + timedelta(seconds=shot))
        yield f"{trip.folder}/BURST_{shot + 1:03d}.JPG", lambda f=frame, e=exif: _jpeg(f, e)  # type: ignore[misc]


def _photo_bytes(trip: Trip, number: int) -> bytes:
    rng = Random(f"{trip.folder} {number}")
    orientation = ORIENTATIONS.get(trip.folder, (1,) * len(trip.scenes))[number]
    upright = SCENES[trip.scenes[number]](rng, PORTRAIT if orientation in (6, 8) else LANDSCAPE)
    turn = _STORED_TURN[orientation]
    stored = upright if turn is None else upright.transpose(turn)
    moment = trip.start + timedelta(
        days=number // 3, hours=number % 3 * 3.5, minutes=rng.randrange(50)
    )
    exif = _exif(trip, moment, orientation)
    return _heic(stored, exif) if trip.suffix == ".HEIC" else _jpeg(stored, exif)


def _exif(trip: Trip, moment: datetime, orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = trip.camera
    exif[0x0112] = orientation
    exif[0x0132] = f"{moment:%Y:%m:%d %H:%M:%S}"
    exif.get_ifd(0x8769)[0x9003] = f"{moment:%Y:%m:%d %H:%M:%S}"
    exif.get_ifd(0x8825).update(
        {
            1: "N" if trip.latitude >= 0 else "S",
            2: _degrees(trip.latitude),
            3: "E" if trip.longitude >= 0 else "W",
            4: _degrees(trip.longitude),
        }
    )
    return exif


def _degrees(angle: float) -> tuple[float, float, float]:
    """Return degrees, minutes and seconds."""
    minutes = abs(angle) % 1 * 60
    return float(int(abs(angle))), float(int(minutes)), round(minutes % 1 * 60, 2)


def _jpeg(image: Image.Image, exif: Image.Exif) -> bytes:
    return _saved(image, "JPEG", quality=PHOTO_QUALITY, exif=exif)


def _heic(image: Image.Image, exif: Image.Exif) -> bytes:
    import pillow_heif

    pillow_heif.register_heif_opener()
    options = {"quality": HEIC_QUALITY, "enc_params": {"preset": "ultrafast"}}  # else seconds each
    return _saved(image, "HEIF", exif=exif.tobytes(), **options)


def _webp(image: Image.Image) -> bytes:
    return _saved(image, "WEBP", quality=80)


def _png(image: Image.Image) -> bytes:
    return _saved(image, "PNG")


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
