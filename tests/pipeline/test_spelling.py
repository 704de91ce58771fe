"""Names in any Unicode form: from a key to the file, and which of two files counts."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path
from unicodedata import normalize

import pytest

from pipeline.ingest.queue.base import Item, Leased
from pipeline.ingest.vision.results import LeasedPhoto
from pipeline.photos.photo import find_file, photo_key
from pipeline.photos.spelling import spelling_of, spellings_of
from pipeline.photos.walk import walk_photos

COMPOSED, DECOMPOSED = "\u00e9", "e\u0301"
FORMS = {
    "composed": COMPOSED * 2,
    "decomposed": DECOMPOSED * 2,
    "mixed": COMPOSED + DECOMPOSED,
    "mixed otherwise": DECOMPOSED + COMPOSED,
}
NEITHER = ("\u212b.jpg", "\uf900.jpg", "\u1112\u1161\u11ab.jpg")
"""Signs that no normal form keeps, and Korean letter by letter."""


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.parametrize(("folder", "name"), product(FORMS, FORMS))
def test_a_file_is_found_by_its_key_whatever_each_folder_does(
    tmp_path: Path, folder: str, name: str
) -> None:
    path = f"{FORMS[folder]}/plain/{FORMS[name]}.jpg"
    touch(tmp_path, path)

    assert spelling_of(tmp_path, photo_key(path)) == path
    assert find_file(tmp_path, photo_key(path), None) == tmp_path / path
    for other in FORMS.values():
        assert spelling_of(tmp_path, f"{other}/plain/{other}.jpg") == path
        whole = f"{tmp_path}/{other}/plain/{other}.jpg"
        assert spelling_of("/elsewhere", whole) == f"{tmp_path}/{path}"


@pytest.mark.parametrize("name", NEITHER)
def test_names_in_no_normal_form_are_found(tmp_path: Path, name: str) -> None:
    touch(tmp_path, name)

    assert photo_key(name) != name
    assert find_file(tmp_path, photo_key(name), None) == tmp_path / name


def test_names_that_are_not_utf8_are_found_by_their_bytes(tmp_path: Path) -> None:
    touch(tmp_path, os.fsdecode(b"caf\xe9.jpg"))

    assert find_file(tmp_path, "caf\ufffd.jpg", "Y2Fm6S5qcGc=").exists()


def test_what_is_not_there_is_where_it_would_be(tmp_path: Path) -> None:
    touch(tmp_path, f"{DECOMPOSED}.jpg/a.jpg", "b.jpg")
    for name in (f"{COMPOSED}.jpg", f"{COMPOSED}/a.jpg", "c.jpg", f"b.jpg/{COMPOSED}", "a\0b"):
        assert spelling_of(tmp_path, name) is None
    assert find_file(tmp_path, f"{COMPOSED}.png", None) == tmp_path / f"{COMPOSED}.png"


def test_a_file_that_comes_later_is_found(tmp_path: Path) -> None:
    for number in range(20):
        name = f"{DECOMPOSED}{number}.jpg"
        assert spelling_of(tmp_path, photo_key(name)) is None
        touch(tmp_path, name)
        assert spelling_of(tmp_path, photo_key(name)) == name


def test_of_two_files_of_one_key_the_same_one_counts_everywhere(tmp_path: Path) -> None:
    """Folders of all forms with files of all forms: the walk lists what the key leads to."""
    paths = [f"{folder}/{name}.jpg" for folder in FORMS.values() for name in FORMS.values()]
    while paths:
        for path in paths:
            touch(tmp_path, path)
        walked = walk_photos(tmp_path)
        [counts] = walked.paths

        assert counts == spelling_of(tmp_path, photo_key(counts))
        assert sorted(spellings_of(tmp_path, counts)) == sorted(paths)
        assert len(walked.warnings) == (len(paths) > 1)
        paths.remove(counts)
        (tmp_path / counts).unlink()


def test_files_that_do_not_count_are_counted_and_named(tmp_path: Path) -> None:
    touch(tmp_path, "e.jpg", f"{COMPOSED}/1.jpg", f"{COMPOSED}/2.jpg")
    touch(tmp_path, f"{DECOMPOSED}/1.jpg", f"{DECOMPOSED}/3.jpg")
    walked = walk_photos(tmp_path)

    assert {photo_key(path) for path in walked.paths} == {
        "e.jpg",
        *(f"{COMPOSED}/{number}.jpg" for number in (1, 2, 3)),
    }
    [warning] = walked.warnings
    assert warning.startswith("1 file is passed over")
    assert f"{COMPOSED}/1.jpg" in warning


def test_folders_that_lead_back_to_themselves_are_looked_into_once(tmp_path: Path) -> None:
    touch(tmp_path, f"{COMPOSED}.jpg")
    for name in (COMPOSED, DECOMPOSED):
        (tmp_path / name).symlink_to(tmp_path)
    deep = f"{COMPOSED}/" * 300

    assert spelling_of(tmp_path, f"{deep}gone.jpg") is None


def test_an_item_of_a_queue_is_spelt_as_here_and_leads_nowhere_else(tmp_path: Path) -> None:
    touch(tmp_path, f"photos/{DECOMPOSED}.jpg", "secret.jpg")

    def photo(name: str) -> LeasedPhoto:
        return LeasedPhoto.of(Leased(Item("k", name, None, "", ()), 1, ""), tmp_path / "photos")

    assert photo(f"{COMPOSED}.jpg").path == f"{DECOMPOSED}.jpg"
    assert photo(f"{COMPOSED}.jpg").key == f"{COMPOSED}.jpg"
    for name in ("../secret.jpg", f"{tmp_path}/secret.jpg"):
        with pytest.raises(ValueError, match="outside"):
            photo(name)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_glob_finds_names_in_every_form(tmp_path: Path, form: str) -> None:
    touch(tmp_path, f"{COMPOSED}1.jpg", f"{DECOMPOSED}2.jpg", "e3.jpg")
    glob = normalize(form, COMPOSED) + "*"  # type: ignore[arg-type]

    assert len(walk_photos(tmp_path, include=(glob,)).paths) == 2
    assert len(walk_photos(tmp_path, exclude=(glob,)).paths) == 1
