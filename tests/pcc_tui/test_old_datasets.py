"""Datasets that another program wrote: their images are found, and nothing is made beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from journal import seal
from tests.conftest import Pcc
from tests.support.api_server import ApiServer
from tests.support.photos import make_photos

IMAGES = 5


@pytest.fixture
def approved(workspace: Path) -> Path:
    """Return a directory of images below the workspace, which is the current directory."""
    make_photos(workspace / "data" / "approved", IMAGES)
    return workspace / "data" / "approved"


def names(count: int = IMAGES) -> list[str]:
    return [f"IMG_{number:05d}.jpg" for number in range(count)]


def write(dataset: Path, *paths: str, **fields: object) -> None:
    dataset.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps({"image_path": path, **fields}) for path in paths)
    dataset.write_text("".join(f"{line}\n" for line in lines))


def read(dataset: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in dataset.read_text().splitlines()]


PLACES = {
    "the current directory": ("dataset.jsonl", "data/approved/"),
    "the directory of the dataset": ("data/sets/old.jsonl", "../approved/"),
    "beside the dataset": ("data/old.jsonl", "approved/"),
    "the input directory": ("dataset.jsonl", ""),
    "the input directory by a detour": ("dataset.jsonl", "./data/sets/../approved/"),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_command_finds_an_image_from_each_place(
    pcc: Pcc, workspace: Path, approved: Path, place: str
) -> None:
    file, prefix = PLACES[place]
    dataset = workspace / file
    (workspace / "data" / "sets").mkdir()
    write(dataset, *(prefix + name for name in names()), kept="as it is")
    where = ("--input-dir", "data/approved", "--workspace", ".")
    done = pcc(
        *("dataset", "enrich", *where, "--output-jsonl", dataset, "--json"),
        *("--pass-filter", "migrate,dimensions"),
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)

    assert (report["new"], report["enriched"], report["missing"]) == (0, IMAGES, [])
    assert [record["image_path"] for record in read(dataset)] == [prefix + n for n in names()]
    assert all(record["width"] and record["kept"] == "as it is" for record in read(dataset))
    assert read(dataset)[0]["image_id"] == "IMG_00000"
    checked = pcc("dataset", "verify", dataset, *where, "--json")
    assert json.loads(checked.stdout)["missing_images"] == 0
    packed = pcc("dataset", "shards", dataset, *where, "--out", workspace / "shards", "--json")
    assert json.loads(packed.stdout)["samples"] == IMAGES


def test_where_most_images_are_missing_nothing_is_made_without_a_yes(
    pcc: Pcc, workspace: Path, approved: Path
) -> None:
    dataset = workspace / "dataset.jsonl"
    write(dataset, *(f"elsewhere/{name}" for name in names(3)), "IMG_00000.jpg")
    before = dataset.read_bytes()
    enrich = ("dataset", "enrich", "--input-dir", approved, "--pass-filter", "dimensions")
    done = pcc(*enrich)

    assert done.returncode == 64
    assert "3 of 4 records miss their image, such as elsewhere/IMG_00000.jpg" in done.stdout
    assert "--input-dir" in done.stderr
    assert dataset.read_bytes() == before
    assert pcc(*enrich, "--yes").returncode == 0
    assert len(read(dataset)) == 8


def test_where_few_images_are_missing_nobody_is_asked(
    pcc: Pcc, workspace: Path, approved: Path
) -> None:
    write(workspace / "dataset.jsonl", *names(), "gone.jpg")

    assert (
        pcc("dataset", "enrich", "--input-dir", approved, "--pass-filter", "dimensions").returncode
        == 0
    )


# Captions


def test_captions_asked_for_need_a_backend_that_somebody_named(
    pcc: Pcc, workspace: Path, approved: Path
) -> None:
    pcc("run", "--backend", "mock", "--photos-dir", approved, "--limit", "1")
    enrich = ("dataset", "enrich", "--photos-dir", approved, "--pass-filter", "caption")
    done = pcc(*enrich)

    assert done.returncode == 64
    assert "4 images have no caption in the captions journal" in done.stderr
    assert "--backend" in done.stderr
    assert not (workspace / "dataset.jsonl").exists()
    (workspace / "pcc.toml").write_text('backend = "mock"\n')
    assert pcc(*enrich).returncode == 0
    assert all(record["caption"] for record in read(workspace / "dataset.jsonl"))


def test_captions_of_the_journal_need_no_backend(pcc: Pcc, workspace: Path, approved: Path) -> None:
    pcc("run", "--backend", "mock", "--photos-dir", approved)
    done = pcc("dataset", "enrich", "--photos-dir", approved, "--pass-filter", "caption")

    assert done.returncode == 0, done.stderr
    assert f"caption: {IMAGES} taken from the captions journal" in done.stdout


def test_without_a_backend_the_caption_pass_is_left_out_and_named(
    pcc: Pcc, workspace: Path, approved: Path
) -> None:
    caption = seal(b'{"rel_path":"IMG_00000.jpg","caption":"of the journal","status":"success"}')
    (workspace / "captions.jsonl").write_bytes(caption)
    passes = ("--pass-filter", "migrate,dimensions,embedding,caption,t5", "--dry-run")
    planned = pcc("dataset", "enrich", "--photos-dir", approved, *passes)

    assert "caption is left out: 4 images have no caption" in planned.stdout
    told = json.loads(pcc("dataset", "enrich", "--photos-dir", approved, *passes, "--json").stdout)
    assert (told["uncaptioned"], told["to_do"]["caption"]) == (4, 0)


def test_what_was_bought_is_said_with_its_cost(
    pcc: Pcc, workspace: Path, approved: Path, server: ApiServer
) -> None:
    done = pcc(
        *("dataset", "enrich", "--input-dir", approved, "--pass-filter", "migrate,caption"),
        *("--backend", "openai", "--model", "gpt-4o-mini", "--base-url", server.url),
    )

    assert f"caption: {IMAGES} bought from openai for $0.0" in done.stdout
