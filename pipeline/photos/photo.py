"""A photo as it travels: first a name, then a picture with facts. Plain data, quick to import."""

from __future__ import annotations

import msgspec

from backends.base import Facts, Picture
from journal import record_key, split_path


class Photo(msgspec.Struct, frozen=True):
    """One image file under the photos directory.

    Attributes:
        path: Relative path as the system spells it (`os.fsdecode`).
        key: The name every journal knows it by.
    """

    path: str
    key: str

    @classmethod
    def at(cls, path: str) -> Photo:
        """Return the photo at a relative path."""
        return cls(path, photo_key(path))


class LoadedPhoto(msgspec.Struct, frozen=True):
    """A photo, read once.

    Attributes:
        picture: Upright, RGB or JPEG, without metadata.
        facts: What the file tells.
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
