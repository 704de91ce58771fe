"""Finding the photos."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.photos.errors import PhotosDirMissing
from pipeline.photos.photo import Photo, photo_key
from pipeline.photos.walk import walk_photos


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_photos_by_extension_in_a_fixed_order(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "b/2.JPG",
        "b/1.heic",
        "a.PnG",
        "z.txt",
        "b/c/3.webp",
        "noextension",
        "jpg",
        ".png",
    )

    assert walk_photos(tmp_path).paths == ["a.PnG", "b/1.heic", "b/2.JPG", "b/c/3.webp"]


def test_what_is_no_photo_is_passed_over(tmp_path: Path) -> None:
    touch(
        tmp_path,
        ".thumbs/a.jpg",
        "@eaDir/b.jpg",
        "._c.jpg",
        ".IMG_1.HEIC.icloud",
        "d.mov",
        "folder.jpg/e.jpg",
    )

    assert walk_photos(tmp_path).paths == ["folder.jpg/e.jpg"]


def test_every_ending_of_a_jpeg_is_that_of_a_photo(tmp_path: Path) -> None:
    touch(tmp_path, "a.jfif", "b.JPE", "c.mpo", "d.jPg")

    assert walk_photos(tmp_path).paths == ["a.jfif", "b.JPE", "c.mpo", "d.jPg"]


def test_files_that_are_no_photos_are_counted_by_extension(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "a.MOV", "b/a.mov", "b/a.CR2", "b/README", "b/x.jpg_original")
    touch(tmp_path, ".DS_Store", "._a.jpg", "@eaDir/b.txt", ".hidden/c.txt", "b/raw.cr2/d.jpg")

    assert walk_photos(tmp_path).passed_over == {"mov": 2, "cr2": 1, "": 2}
    assert walk_photos(tmp_path, include=("*.mov",)).passed_over == {"cr2": 1, "": 2}


def test_include_restricts_and_brings_in_other_extensions(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b.mov", "2024/c.jpg", "2024/d.MOV", "2024/e.txt")

    assert walk_photos(tmp_path, include=("*.mov",)).paths == ["b.mov", "2024/d.MOV"]
    assert walk_photos(tmp_path, include=("2024/*",)).paths == ["2024/c.jpg"]
    assert walk_photos(tmp_path, include=("*.mov", "*.jpg"), exclude=("2024/*",)).paths == [
        "a.jpg",
        "b.mov",
    ]


def test_symlinks_are_followed_and_loops_are_not(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    touch(root, "sub/a.jpg")
    touch(tmp_path, "elsewhere/b.jpg")
    (root / "sub" / "up").symlink_to(root)
    (root / "sub" / "self").symlink_to(root / "sub")
    (root / "other").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "elsewhere")
    (root / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")

    assert walk_photos(root).paths == ["dangling.jpg", "other/b.jpg", "sub/a.jpg"]


def test_link_to_itself_is_a_photo_that_cannot_be_opened(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "sub/b.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "round").symlink_to(tmp_path / "round")

    assert walk_photos(tmp_path).paths == ["a.jpg", "loop.jpg", "sub/b.jpg"]


def test_two_links_that_lead_to_each_other_end(tmp_path: Path) -> None:
    touch(tmp_path, "x/a.jpg", "y/b.jpg", "photos/c.jpg")
    (tmp_path / "x" / "to-y").symlink_to(tmp_path / "y")
    (tmp_path / "y" / "to-x").symlink_to(tmp_path / "x")
    (tmp_path / "photos" / "start").symlink_to(tmp_path / "x")

    paths = walk_photos(tmp_path / "photos").paths
    assert {"c.jpg", "start/a.jpg", "start/to-y/b.jpg"} <= set(paths)
    assert len(paths) < 10


def test_unreadable_folder_is_reported_and_the_walk_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "locked/a.jpg", "b.jpg")
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).rstrip("/").endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)  # root may read what it likes
    walked = walk_photos(tmp_path)

    assert walked.paths == ["b.jpg"]
    assert walked.warnings == ["locked/ cannot be read: Permission denied"]


def test_missing_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PhotosDirMissing, match="nowhere"):
        walk_photos(tmp_path / "nowhere")


def test_names_that_are_not_utf8_keep_their_bytes(tmp_path: Path) -> None:
    raw = os.path.join(os.fsencode(tmp_path), b"caf\xe9.jpg")
    Path(os.fsdecode(raw)).touch()
    [path] = walk_photos(tmp_path).paths

    assert os.fsencode(path) == b"caf\xe9.jpg"
    assert Photo.at(path).key == "\0Y2Fm6S5qcGc="


def test_keys_are_nfc_whatever_the_disk_says(tmp_path: Path) -> None:
    touch(tmp_path, "Ete\u0301.jpg")
    [path] = walk_photos(tmp_path).paths

    assert photo_key(path) == "Et\u00e9.jpg"
    assert path == "Ete\u0301.jpg"
