"""A photo on the command line: by its path in the photos, or as the shell completes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Pcc
from tests.support.photos import make_photos
from tests.support.runs import records

NAME = "IMG_00000.jpg"
KEY = f"2024/{NAME}"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a library beside the workspace, with a photo in a folder of the year, and a link."""
    make_photos(tmp_path / "photos" / "2024", 1)
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    return tmp_path / "photos"


@pytest.fixture(params=["{key}", "./{key}", "../photos/{key}", "{whole}", "../link/{key}"])
def named(request: pytest.FixtureRequest, photos: Path) -> str:
    """Return a way to name the photo, from a workspace beside the library."""
    text: str = request.param.format(key=KEY, whole=photos / KEY)
    return text


@pytest.mark.parametrize("place", ["photos", "link"])
def test_a_photo_to_try(pcc: Pcc, photos: Path, named: str, place: str) -> None:
    tried = pcc("try", named, "--photos-dir", photos.parent / place, "--backend", "mock", "--json")

    assert json.loads(tried.stdout)["rel_path"] == KEY


def test_a_photo_to_compare(pcc: Pcc, photos: Path, named: str) -> None:
    done = pcc("compare", named, KEY, "--with", "mock", "--photos-dir", photos, "--json")

    [column] = json.loads(done.stdout)
    assert [trial["rel_path"] for trial in column["trials"]] == [KEY]


def test_a_photo_to_edit_and_one_in_a_list(
    pcc: Pcc, workspace: Path, photos: Path, named: str
) -> None:
    place = ("--photos-dir", photos)
    (workspace / "list").write_text(f"{named}\n")
    assert pcc("run", *place, "--backend", "mock", "--retry-list", "list").returncode == 0
    assert [record.rel_path for record in records(workspace)] == [KEY]

    edited = pcc("edit", named, *place, "--caption", "mine", "--json")
    assert json.loads(edited.stdout)["rel_path"] == KEY


def test_where_both_lead_to_a_photo_its_path_in_the_photos_counts(
    pcc: Pcc, workspace: Path, tmp_path: Path
) -> None:
    make_photos(tmp_path, 1)
    make_photos(workspace, 1)
    place = ("--photos-dir", tmp_path, "--backend", "mock", "--json")

    assert json.loads(pcc("try", NAME, *place).stdout)["rel_path"] == NAME
    inside = pcc("try", f"./workspace/{NAME}", *place)
    assert json.loads(inside.stdout)["rel_path"] == f"workspace/{NAME}"


def test_a_photo_that_is_elsewhere_or_nowhere_is_told_as_that(
    pcc: Pcc, workspace: Path, photos: Path
) -> None:
    make_photos(workspace, 1)
    for named in (NAME, str(workspace / NAME)):
        outside = pcc("try", named, "--photos-dir", photos)
        assert (outside.returncode, outside.stderr.count("\n")) == (64, 1)
        assert f"{named} is outside the photos directory" in outside.stderr
    for named in ("gone.jpg", "../photos/gone.jpg", "/gone.jpg", "../photos/2024", "a\0b"):
        gone = pcc("try", named, "--photos-dir", photos)
        assert (gone.returncode, gone.stderr.count("\n")) == (64, 1)
        assert "from the current directory" in gone.stderr
