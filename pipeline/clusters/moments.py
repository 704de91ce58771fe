"""When a photo was taken: by its EXIF data, by its name, or by the time of its file."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

from pipeline.captions.library import LibraryPhoto
from pipeline.photos.photo import find_file

_IN_A_NAME = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d\d?(?!\d))"
    r"(?:[-_. T]*([01]\d|2[0-3])[-_.:h]?([0-5]\d)[-_.:m]?([0-5]\d))?",
    re.ASCII,
)
"""A date, and perhaps a time, in the forms in which cameras and phones write file names."""


def dated(photo: LibraryPhoto) -> str | None:
    """Return the capture time as ISO 8601 without a zone: from EXIF, else from the name."""
    if photo.taken:
        try:
            return datetime.fromisoformat(photo.taken).replace(tzinfo=None).isoformat()
        except ValueError:
            pass
    found = _IN_A_NAME.search(photo.rel_path.rpartition("/")[2])
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, second).isoformat()
    except ValueError:  # the 31st of June
        return None


def moments(photos: list[LibraryPhoto], photos_dir: Path | None) -> Callable[[int], float | None]:
    """Return a function that returns when the photo at a place in the library was taken.

    The function returns seconds without a time zone, or None if the time is unknown, for
    example because only the journal is here. A file is read once, since a view is
    made anew after each change by hand.

    Args:
        photos: The library.
        photos_dir: The photos directory, None if the photos are not on this machine.
    """

    @cache
    def moment(place: int) -> float | None:
        photo = photos[place]
        told = dated(photo)
        if told is not None:
            return float(timegm(datetime.fromisoformat(told).timetuple()))
        if photos_dir is None:
            return None
        try:
            changed = find_file(photos_dir, photo.rel_path, photo.raw_path).stat().st_mtime
            return float(timegm(datetime.fromtimestamp(changed).timetuple()))
        except (OSError, OverflowError, ValueError):  # ValueError: no year has five digits
            return None

    return moment
