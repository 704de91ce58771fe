"""What the file itself tells about a photo: capture time, place, camera, screenshot."""

from __future__ import annotations

import re
import warnings
from datetime import datetime
from typing import TYPE_CHECKING

from backends.base import Facts
from pipeline.photos.orientation import upright_size

if TYPE_CHECKING:
    from PIL import Image

# Tags of EXIF 2.32.
MAKE, MODEL, DATE_TIME, EXIF_IFD, GPS_IFD = 0x010F, 0x0110, 0x0132, 0x8769, 0x8825
DATE_TIME_ORIGINAL, DATE_TIME_DIGITIZED, USER_COMMENT = 0x9003, 0x9004, 0x9286
OFFSET_TIME, OFFSET_TIME_ORIGINAL, OFFSET_TIME_DIGITIZED = 0x9010, 0x9011, 0x9012
LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE = 1, 2, 3, 4

MOST_HOURS_OFF = 14

_OFFSET = re.compile(r"[+-](\d\d):(\d\d)", re.ASCII)
_SCREENSHOT_NAME = re.compile(r"screen[ _-]?shot|bildschirmfoto|captura|schermata", re.IGNORECASE)

Tags = dict[int, object]


def read_facts(image: Image.Image, name: str) -> Facts:
    """Return what an opened, not yet decoded image tells.

    Broken or hostile EXIF data loses the facts in that data, and never fails the photo.

    Args:
        image: As `Image.open` returned it.
        name: The file name, which may say that this is a screenshot.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exif = image.getexif()
            main, detail, gps = dict(exif), exif.get_ifd(EXIF_IFD), exif.get_ifd(GPS_IFD)
    except Exception:
        # Pillow's parser raises many types of error: struct.error, SyntaxError, KeyError.
        main, detail, gps = {}, {}, {}
    width, height = upright_size(image)
    camera = _camera(main)
    latitude, longitude = _place(gps)
    return Facts(
        width=width,
        height=height,
        format=image.format or "",
        taken=_taken(main, detail),
        latitude=latitude,
        longitude=longitude,
        camera=camera,
        screenshot=_is_screenshot(image, name, camera, detail),
    )


def _taken(main: Tags, detail: Tags) -> str | None:
    """Return the first capture time that is a real date, as ISO 8601."""
    for time, offset in (
        (detail.get(DATE_TIME_ORIGINAL), detail.get(OFFSET_TIME_ORIGINAL)),
        (detail.get(DATE_TIME_DIGITIZED), detail.get(OFFSET_TIME_DIGITIZED)),
        (main.get(DATE_TIME), detail.get(OFFSET_TIME)),
    ):
        try:
            moment = datetime.strptime(_text(time)[:19], "%Y:%m:%d %H:%M:%S")
        except ValueError:
            continue
        return moment.isoformat() + _zone(offset)
    return None


def _zone(offset: object) -> str:
    """Return an offset such as `+02:00`; empty for an offset that is used nowhere on earth."""
    found = _OFFSET.fullmatch(_text(offset))
    return found[0] if found and int(found[1]) <= MOST_HOURS_OFF and int(found[2]) < 60 else ""


def _camera(main: Tags) -> str | None:
    make, model = _text(main.get(MAKE)), _text(main.get(MODEL))
    if make and model.lower().startswith(make.split()[0].lower()):
        make = ""
    return f"{make} {model}".strip()[:80] or None


def _place(gps: Tags) -> tuple[float | None, float | None]:
    """Return latitude and longitude in degrees; both None if one is absent or impossible."""
    latitude = _degrees(gps.get(LATITUDE), gps.get(LATITUDE_REF), "S", 90)
    longitude = _degrees(gps.get(LONGITUDE), gps.get(LONGITUDE_REF), "W", 180)
    if latitude is None or longitude is None or latitude == longitude == 0:
        return None, None
    return latitude, longitude


def _degrees(value: object, reference: object, negative: str, most: float) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    angle = degrees + minutes / 60 + seconds / 3600
    if not 0 <= angle <= most:
        return None
    return -angle if _text(reference).upper().startswith(negative) else angle


def _is_screenshot(image: Image.Image, name: str, camera: str | None, detail: Tags) -> bool:
    comment = detail.get(USER_COMMENT)
    if isinstance(comment, bytes) and b"Screenshot" in comment:
        return True
    return camera is None and _SCREENSHOT_NAME.search(name) is not None


def _text(value: object) -> str:
    """Return the text of a tag without padding; empty for a value that is not text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.replace("\0", " ").strip() if isinstance(value, str) else ""
