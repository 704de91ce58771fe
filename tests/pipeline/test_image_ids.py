"""Ids of images: short where they can be, told apart where they must."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from pipeline.datasets.image_ids import LONGEST_ID, assign_ids, is_file_name
from tests.support.datasets import place_images, record, surveyed, write_dataset


def ids_of(paths: Sequence[str], taken: set[str] | None = None) -> dict[str, str]:
    """Return the id of each path."""
    return dict(zip(paths, assign_ids(paths, set() if taken is None else taken), strict=True))


def test_an_id_is_the_path_without_its_suffix() -> None:
    assert ids_of(["a.jpg", "sub/b.tar.png", "sub/deep/c", "dot.d/e.jpg", ".hidden.jpg"]) == {
        "a.jpg": "a",
        "sub/b.tar.png": "sub__b.tar",
        "sub/deep/c": "sub__deep__c",
        "dot.d/e.jpg": "dot.d__e",
        ".hidden.jpg": ".hidden",
    }


def test_the_suffix_is_kept_where_two_would_be_equal() -> None:
    assert ids_of(["a.jpg", "a.png", "b.jpg", "sub/a.jpg"]) == {
        "a.jpg": "a.jpg",
        "a.png": "a.png",
        "b.jpg": "b",
        "sub/a.jpg": "sub__a",
    }


def test_an_id_that_is_taken_is_not_given_again() -> None:
    taken = {"a"}
    assert ids_of(["a.png", "b.png"], taken) == {"a.png": "a.png", "b.png": "b"}
    assert taken == {"a", "a.png", "b"}


def test_a_hash_is_the_last_resort() -> None:
    found = ids_of(["x/a.jpg", "x__a.jpg"])

    assert found["x/a.jpg"] == "x__a.jpg"
    assert found["x__a.jpg"].startswith("x__a.jpg-")
    assert ids_of(["a.jpg"], {"a", "a.jpg"})["a.jpg"].startswith("a.jpg-")


def test_even_a_hash_that_is_taken_is_not_given_again() -> None:
    taken = {"a", "a.jpg"}
    taken |= set(ids_of(["a.jpg"], set(taken)).values())
    (found,) = assign_ids(["a.jpg"], set(taken))

    assert found not in taken


LONG = "x" * 300

HOSTILE = [
    "a\nb.jpg",
    "a\tb.jpg",
    "caf\udce9.jpg",
    "caf\udcea.jpg",
    "caf\ufffd.jpg",
    f"{LONG}.jpg",
    f"{LONG}.png",
    f"{LONG}y.jpg",
    f"{'d/' * 200}a.jpg",
    f"{'é' * 120}.jpg",
    "😀" * 60,
    "/etc/passwd.jpg",
    "etc/passwd.jpg",
    "-rf.jpg",
    "~.jpg",
    "con.jpg",
    "..jpg",
    "...jpg",
    " .jpg",
    "'\"<>|&;$(x).jpg",
]


def assert_sound(ids: Sequence[str]) -> None:
    """Make sure that ids differ, can name files, and can be written as JSON."""
    assert len(set(ids)) == len(ids)
    for image_id in ids:
        assert is_file_name(image_id), image_id


def test_hostile_paths_have_ids_that_differ_and_can_name_files() -> None:
    assert_sound(assign_ids(HOSTILE, set()))


@pytest.mark.parametrize("path", ["", "..", "a\0b.jpg", "."])
def test_what_is_no_path_has_an_id_that_can_name_a_file(path: str) -> None:
    assert_sound(assign_ids([path], set()))


@pytest.mark.parametrize("seed", range(5))
def test_random_paths_have_ids_that_differ(seed: int) -> None:
    rng = Random(seed)
    parts = ("a", "b", "__", "/", ".jpg", ".png", ".", "-", "é", "\udce9", "\ufffd")
    paths = {"a" + "".join(rng.choices(parts, k=rng.randrange(1, 7))) for _ in range(2000)}
    assert_sound(assign_ids(sorted(paths, key=os.fsencode), set()))


def test_ids_depend_on_the_paths_alone() -> None:
    assert ids_of(HOSTILE) == ids_of(HOSTILE)
    assert ids_of(["a.jpg", "a.png"]) == ids_of(["a.png", "a.jpg"])


@pytest.mark.parametrize(
    ("image_id", "expected"),
    [
        ("a", True),
        ("a.jpg", True),
        ("...", True),
        ("é" * 100, True),
        ("x" * LONGEST_ID, True),
        ("x" * 252, False),
        ("é" * 126, False),
        ("", False),
        (".", False),
        ("..", False),
        ("a/b", False),
        ("../a", False),
        ("/etc/passwd", False),
        ("a\0b", False),
    ],
)
def test_what_can_name_a_file(image_id: str, expected: bool) -> None:
    assert is_file_name(image_id) is expected


def test_every_id_that_can_name_a_file_does(tmp_path: Path) -> None:
    for image_id in ("...", "-rf", "a\nb", "x" * LONGEST_ID, "é" * 100, "%s", " "):
        assert is_file_name(image_id)
        (tmp_path / f"{image_id}.npy").touch()


def test_new_images_get_ids_that_no_record_has(tmp_path: Path) -> None:
    images = place_images(tmp_path / "images", "a.jpg", "a.png", "b.jpg")
    dataset = write_dataset(tmp_path / "d.jsonl", record("a.jpg"), record("c.jpg", image_id="b"))

    found = {entry.path: entry.image_id for entry in surveyed(dataset, images).new}
    assert found == {"a.png": "a.png", "b.jpg": "b.jpg"}


def test_ids_of_others_stay_whatever_they_are(tmp_path: Path) -> None:
    images = place_images(tmp_path / "images", "a.jpg", "b.jpg")
    hostile = record("a.jpg", image_id="../../etc/passwd")
    dataset = write_dataset(tmp_path / "d.jsonl", hostile, record("b.jpg", image_id=...))

    entries = surveyed(dataset, images, "migrate").all_entries()
    assert [(entry.path, entry.image_id) for entry in entries] == [("b.jpg", "b")]
