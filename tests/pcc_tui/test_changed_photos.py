"""Photos that become other files under their names: replaced, completed, renamed, unreadable."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Pcc
from tests.support.photos import noise_jpeg
from tests.support.runs import records

YEAR = 365 * 24 * 3600


def plan(pcc: Pcc, folder: Path, *more: str) -> dict[str, int]:
    done = pcc("plan", "--backend", "mock", "--photos-dir", folder, "--json", *more)
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


def run(pcc: Pcc, folder: Path, *more: str) -> str:
    done = pcc("run", "--backend", "mock", "--photos-dir", folder, *more)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def replace(path: Path, seed: int, mtime: float | None = None) -> None:
    """Put another picture in a photo's place."""
    path.write_bytes(noise_jpeg(seed, (80, 60)))
    if mtime is not None:
        os.utime(path, (mtime, mtime))


@pytest.mark.parametrize("mtime", [None, 1e9], ids=["newer", "older than the first"])
def test_a_replaced_photo_is_stale_until_it_is_captioned_anew(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, mtime: float | None
) -> None:
    folder = photos(3)
    run(pcc, folder)
    assert plan(pcc, folder)["changed"] == 0

    replace(folder / "IMG_00001.jpg", 7, mtime)
    assert plan(pcc, folder)["changed"] == 1
    assert plan(pcc, folder)["to_do"] == 0
    assert plan(pcc, folder, "--retry-stale")["to_do"] == 1
    run(pcc, folder, "--limit", "0")  # what is remembered of the files does not hide the change
    assert plan(pcc, folder)["changed"] == 1

    run(pcc, folder, "--retry-stale")
    assert plan(pcc, folder)["changed"] == 0
    assert [record.rel_path for record in records(workspace)][3:] == ["IMG_00001.jpg"]


def test_a_touched_photo_is_the_same(photos: Callable[..., Path], pcc: Pcc) -> None:
    folder = photos(2)
    run(pcc, folder)
    for path in folder.iterdir():
        os.utime(path, (path.stat().st_mtime + YEAR, path.stat().st_mtime + YEAR))

    assert plan(pcc, folder)["changed"] == 0
    run(pcc, folder)
    assert plan(pcc, folder, "--retry-stale")["to_do"] == 0


def test_without_memory_the_time_of_the_record_decides(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(3)
    run(pcc, folder)
    (workspace / "captions.files").unlink()
    now = (folder / "IMG_00001.jpg").stat().st_mtime
    replace(folder / "IMG_00001.jpg", 7, now + 100)
    os.utime(folder / "IMG_00002.jpg", (now + 100, now + 100))

    assert plan(pcc, folder)["changed"] == 1


@pytest.mark.parametrize("damage", [b"", b"\xc1", b"\x81\xa1a\x93\x01\x02\x03"])
def test_a_damaged_memory_is_no_memory(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, damage: bytes
) -> None:
    folder = photos(2)
    run(pcc, folder)
    (workspace / "captions.files").write_bytes(damage)
    assert plan(pcc, folder)["changed"] == 0
    run(pcc, folder)
    assert plan(pcc, folder)["changed"] == 0


def test_a_half_copied_photo_is_captioned_once_it_is_whole_and_no_sooner(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(2)
    whole = (folder / "IMG_00001.jpg").read_bytes()
    (folder / "IMG_00001.jpg").write_bytes(whole[:200])
    run(pcc, folder)
    run(pcc, folder)
    assert {record.status for record in records(workspace)} == {"success", "error_corrupt"}

    (folder / "IMG_00001.jpg").write_bytes(whole[:300])
    run(pcc, folder)
    run(pcc, folder)
    assert [record.status for record in records(workspace)][2:] == ["error_corrupt"]

    (folder / "IMG_00001.jpg").write_bytes(whole)
    assert plan(pcc, folder, "--retry-status", "error_api", "--retry-only")["to_do"] == 0
    run(pcc, folder)
    run(pcc, folder)
    assert [record.status for record in records(workspace)][3:] == ["success"]


def test_a_broken_photo_whose_permissions_changed_is_tried_once_more(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(1)
    (folder / "IMG_00000.jpg").write_bytes(b"broken")
    run(pcc, folder)
    (folder / "IMG_00000.jpg").chmod(0o640)  # it may not have been readable before
    run(pcc, folder)
    run(pcc, folder)
    assert [record.status for record in records(workspace)] == ["error_corrupt"] * 2


def test_a_journal_that_says_little_is_believed(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(1)
    (workspace / "captions.jsonl").write_text(
        '{"rel_path":"IMG_00000.jpg","caption":"A dog.","status":"success"}\n'
    )
    assert plan(pcc, folder)["changed"] == 0
    run(pcc, folder)
    assert plan(pcc, folder)["changed"] == 0


def test_the_report_does_not_show_the_caption_of_the_photo_before(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(3)
    run(pcc, folder)
    captions = {record.rel_path: record.caption or "" for record in records(workspace)}
    replace(folder / "IMG_00001.jpg", 7)
    done = pcc("report", "--photos-dir", folder, "--format", "csv")
    assert done.returncode == 0, done.stderr
    table = (workspace / "cluster_export.csv").read_text()

    assert captions["IMG_00000.jpg"] in table
    assert captions["IMG_00001.jpg"] not in table


def test_a_dataset_does_not_take_the_caption_of_the_photo_before(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(2)
    run(pcc, folder)
    captions = {record.rel_path: record.caption for record in records(workspace)}
    replace(folder / "IMG_00001.jpg", 7)
    done = pcc(
        *("dataset", "enrich", "--input-dir", folder, "--pass-filter", "caption"),
        *("--backend", "basic", "--captions-jsonl", "captions.jsonl", "--yes"),
    )
    assert done.returncode == 0, done.stderr
    [dataset] = workspace.glob("*dataset*.jsonl")
    rows = [json.loads(line) for line in dataset.read_text().splitlines()]
    written = {row["image_path"]: row["caption"] for row in rows}

    assert written["IMG_00000.jpg"] == captions["IMG_00000.jpg"]
    assert written["IMG_00001.jpg"] != captions["IMG_00001.jpg"]


def test_an_edit_follows_a_renamed_folder(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(2, name="photos/one")
    root = folder.parent
    run(pcc, root)
    assert pcc("edit", "one/IMG_00000.jpg", "--caption", "Anna in Lisbon").returncode == 0
    shutil.move(folder, root / "two")

    said = run(pcc, root)
    edits = [json.loads(line) for line in (workspace / "edits.jsonl").read_text().splitlines()]
    assert [edit["rel_path"] for edit in edits] == ["one/IMG_00000.jpg", "two/IMG_00000.jpg"]
    assert edits[1]["caption"] == "Anna in Lisbon"
    assert "captions written by hand that followed a renamed photo: 1" in said

    run(pcc, root)
    assert len((workspace / "edits.jsonl").read_text().splitlines()) == 2


def test_an_edit_stays_with_a_photo_that_was_copied(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(1)
    run(pcc, folder)
    assert pcc("edit", "IMG_00000.jpg", "--caption", "Anna in Lisbon").returncode == 0
    shutil.copy(folder / "IMG_00000.jpg", folder / "copy.jpg")

    run(pcc, folder)
    assert len((workspace / "edits.jsonl").read_text().splitlines()) == 1
