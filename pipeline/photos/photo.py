"""A photo on its way through a job: first a name, then a picture with facts.

This module holds only plain data, so that importing it is fast.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from backends.base import Facts, Picture
from journal import record_key, split_path, system_path
from pipeline.photos.spelling import spelling_of


class Photo(msgspec.Struct, frozen=True):
    """One image file under the photos directory.

    Attributes:
        path: Relative path as the system spells it (`os.fsdecode`).
        key: The name under which every journal knows the photo.
    """

    path: str
    key: str

    @classmethod
    def at(cls, path: str) -> Photo:
        """Return the photo at a relative path."""
        return cls(path, photo_key(path))


class LoadedPhoto(msgspec.Struct, frozen=True):
    """A photo that has been read and decoded.

    Attributes:
        picture: The upright picture, as RGB or JPEG, without metadata.
        facts: Capture time, place, camera and the like, as the file states them.
        digest: `blake3:` and the hash of the file's bytes.
        phash: Perceptual hash of the picture, 16 hexadecimal digits.
    """

    picture: Picture
    facts: Facts
    digest: str
    phash: str


def photo_key(path: str) -> str:
    """Return the journal key of a relative path as the system spells it."""
    return path if path.isascii() else record_key(*split_path(path))


def find_file(photos_dir: Path, rel_path: str, raw_path: str | None) -> Path:
    """Return the path of the file of a record, in the Unicode form that the file system uses.

    Args:
        photos_dir: The photos directory.
        rel_path: Relative POSIX path in NFC.
        raw_path: Base64 of the path's bytes where they are not UTF-8.

    Returns:
        A path inside the photos directory; the file need not exist.

    Raises:
        ValueError: the record names a place outside the photos directory, or none at all.
    """
    spelt = system_path(rel_path, raw_path)
    if spelt.startswith("/") or ".." in spelt.split("/") or "\0" in spelt:
        raise ValueError(f"{rel_path} is outside the photos directory")
    return photos_dir / (spelling_of(photos_dir, spelt) or spelt)
