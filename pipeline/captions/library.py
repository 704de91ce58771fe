"""The photos of a library: those in the journal together with those on disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from backends.keys import scrub
from journal import Status, record_key, scan, split_path, system_path
from pipeline.captions.edits import read_edits
from pipeline.captions.file_states import FileStates
from pipeline.photos.photo import photo_key


class LibraryPhoto(msgspec.Struct, gc=False):
    """One photo of a library.

    Attributes:
        key: The name under which every journal knows the photo.
        rel_path: The relative path in a form that people can read.
        raw_path: Base64 of the path's bytes, only where they are not UTF-8.
        status: How the last attempt to caption the photo ended, None without an attempt.
        caption: The caption that counts: the edit, else the caption of a success.
        taken: Capture time as the file tells it, ISO 8601.
    """

    key: str
    rel_path: str
    raw_path: str | None = None
    status: Status | None = None
    caption: str | None = None
    taken: str | None = None

    @property
    def path(self) -> str:
        """The relative path of the photo as the system spells the path."""
        try:
            return system_path(self.rel_path, self.raw_path)
        except ValueError:  # not a record that we wrote; there is no such file
            return self.rel_path


class _Told(msgspec.Struct, gc=False):
    """The fields of a caption record that the library needs."""

    rel_path: str
    status: Status
    caption: str | None = None
    raw_path: str | None = None
    taken: str | None = None


def read_library(
    journal: Path, paths: Iterable[str] = (), photos_dir: Path | None = None
) -> list[LibraryPhoto]:
    """Return the photos of a journal and those on disk, each once, ordered by path.

    Args:
        journal: The captions journal, which need not exist.
        paths: Photos on disk, as the walk found them.
        photos_dir: The photos directory, None to believe that no file was replaced. The
            caption of a file that was replaced is not that of the new file.
    """
    photos: dict[str, LibraryPhoto] = {}
    offsets: dict[str, int] = {}
    for offset, told in scan(journal, _Told):
        key = record_key(told.rel_path, told.raw_path)
        offsets[key] = offset
        caption = scrub(told.caption) if told.caption and told.status == "success" else None
        photos[key] = LibraryPhoto(
            key, told.rel_path, told.raw_path, told.status, caption or None, told.taken
        )
    states = None if photos_dir is None else FileStates(journal, photos_dir)
    for path in paths:
        key = photo_key(path)
        known = photos.get(key)
        if known is None:
            photos[key] = LibraryPhoto(key, *split_path(path))
        elif (
            known.caption is not None
            and states is not None
            and states.is_changed(path, key, "success", offsets[key])
        ):
            known.caption = known.status = None
    for key, text in read_edits(journal).texts.items():
        if key in photos:
            photos[key].caption = scrub(text) or None
    return sorted(photos.values(), key=lambda photo: (photo.rel_path, photo.key))
