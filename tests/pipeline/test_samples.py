"""The sample library: the same each time, and as odd as a real one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from backends.base import PictureSpec
from pipeline.photos.errors import CorruptImageError
from pipeline.photos.images import load_photo
from pipeline.photos.photo import LoadedPhoto
from pipeline.photos.walk import walk_photos
from pipeline.samples.library import make_library


def digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_library_is_the_same_each_time_and_has_every_oddity(tmp_path: Path) -> None:
    count = make_library(tmp_path / "one")
    make_library(tmp_path / "two")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")

    paths = walk_photos(tmp_path / "one").paths
    loaded: dict[str, LoadedPhoto] = {}
    broken: dict[str, str] = {}
    for path in paths:
        try:
            loaded[path] = load_photo(tmp_path / "one" / path, PictureSpec(256))
        except CorruptImageError as error:
            broken[path] = error.cause

    assert len(paths) == count >= 40
    assert sorted(broken) == ["From phone/cut off.jpg", "From phone/never arrived.jpg"]
    facts = [photo.facts for photo in loaded.values()]
    assert {one.format for one in facts} >= {"JPEG", "HEIF", "PNG", "WEBP"}
    assert len({one.taken[:10] for one in facts if one.taken}) >= 8
    assert len({(one.latitude, one.longitude) for one in facts if one.latitude}) == 5
    assert any(one.width > 2 * one.height for one in facts)
    assert sum(one.screenshot for one in facts) == 2
    assert len(loaded) - len({photo.digest for photo in loaded.values()}) == 2
    assert any(one.height > one.width and not one.screenshot for one in facts)


def test_library_that_is_there_is_left_alone(tmp_path: Path) -> None:
    make_library(tmp_path / "one")
    (tmp_path / "one" / "mine.txt").write_text("mine")
    make_library(tmp_path / "one")

    assert (tmp_path / "one" / "mine.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
