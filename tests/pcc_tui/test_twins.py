"""The headless twins of what the app does: try, edit, and a retry of listed photos."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Pcc
from tests.support.api_server import ApiServer
from tests.support.apps import caption, failure, write_records
from tests.support.photos import make_photos
from tests.support.protocols import OPENAI
from tests.support.runs import records


def test_try_captions_one_photo_and_writes_nothing(
    pcc: Pcc, workspace: Path, tmp_path: Path
) -> None:
    make_photos(tmp_path / "photos", 3)
    done = pcc("try", "IMG_00001.jpg", "--json", "--photos-dir", tmp_path / "photos")
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert answer["rel_path"] == "IMG_00001.jpg"
    assert answer["caption"].startswith("Photo in landscape format")
    assert list(workspace.iterdir()) == []
    first = pcc("try", "--photos-dir", tmp_path / "photos")
    assert "IMG_00000.jpg: Photo in landscape format" in first.stdout


def test_try_with_a_server(pcc: Pcc, server: ApiServer, tmp_path: Path) -> None:
    make_photos(tmp_path / "photos", 1)
    server.script = lambda request: OPENAI.good("two dogs")
    arguments = ["--backend", "openai", "--base-url", server.url, "--model", "m"]
    done = pcc("try", "--json", *arguments, "--photos-dir", tmp_path / "photos")
    assert json.loads(done.stdout)["caption"] == "two dogs"
    assert len(server.requests) == 1


def test_try_says_what_is_wrong(pcc: Pcc, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    empty = pcc("try", "--photos-dir", photos)
    assert (empty.returncode, "no photos" in empty.stderr) == (64, True)
    absent = pcc("try", "b.jpg", "--photos-dir", photos)
    assert (absent.returncode, "there is no b.jpg" in absent.stderr) == (64, True)
    (photos / "a.jpg").write_bytes(b"broken")
    broken = pcc("try", "--photos-dir", photos)
    assert (broken.returncode, broken.stderr.count("\n")) == (1, 1)
    make_photos(photos, 1)
    refused = pcc("try", "IMG_00000.jpg", "--backend", "openai", "--photos-dir", photos)
    assert (refused.returncode, "OPENAI_API_KEY" in refused.stderr) == (64, True)


def test_edit_and_take_back(pcc: Pcc, workspace: Path) -> None:
    write_records(workspace, caption(0), caption(1))
    done = pcc("edit", "IMG_00001.jpg", "--caption", "mine", "--json")
    assert json.loads(done.stdout) == {
        "kind": "edit",
        "rel_path": "IMG_00001.jpg",
        "caption": "mine",
    }
    assert pcc("edit", "IMG_00001.jpg", "--take-back").returncode == 0
    lines = [json.loads(line) for line in (workspace / "edits.jsonl").read_text().splitlines()]
    assert [line["caption"] for line in lines] == ["mine", None]


def test_edit_refuses_what_makes_no_sense(pcc: Pcc, workspace: Path) -> None:
    write_records(workspace, caption(0))
    for arguments in (
        ["IMG_00009.jpg", "--caption", "x"],
        ["IMG_00000.jpg"],
        ["IMG_00000.jpg", "--caption", ""],
        ["IMG_00000.jpg", "--caption", "x", "--take-back"],
    ):
        assert pcc("edit", *arguments).returncode == 64
    assert not (workspace / "edits.jsonl").exists()


def test_a_list_is_retried_and_nothing_else(pcc: Pcc, workspace: Path, tmp_path: Path) -> None:
    names = ["a b.jpg", "comma,name.jpg", "new\nline.jpg", "cafe\u0301.jpg", "other.jpg"]
    photos = tmp_path / "photos"
    for number, name in enumerate(make_photos(photos, len(names))):
        (photos / name).rename(photos / names[number])
    raw = bytes(photos) + b"/caf\xe9.jpg"
    Path(raw.decode("utf-8", "surrogateescape")).write_bytes((photos / "a b.jpg").read_bytes())
    (tmp_path / "list").write_bytes(
        b"\0".join([b"a b.jpg", b"new\nline.jpg", "caf\u00e9.jpg".encode(), b"caf\xe9.jpg"])
    )
    done = pcc("run", "--photos-dir", photos, "--retry-list", tmp_path / "list", "--json")
    assert json.loads(done.stdout)["attempted"] == 4
    again = pcc("run", "--photos-dir", photos, "--retry-list", tmp_path / "list", "--json")
    assert json.loads(again.stdout)["attempted"] == 4
    assert {record.rel_path for record in records(workspace)} == {
        "a b.jpg",
        "new\nline.jpg",
        "caf\u00e9.jpg",
        "caf\ufffd.jpg",
    }


def test_a_list_by_lines_names_what_is_not_there(pcc: Pcc, workspace: Path, tmp_path: Path) -> None:
    make_photos(tmp_path / "photos", 3)
    write_records(workspace, failure(1))
    (tmp_path / "list").write_text("IMG_00001.jpg\r\nabsent.jpg\n\n")
    done = pcc("run", "--photos-dir", tmp_path / "photos", "--retry-list", tmp_path / "list")
    assert "1 of the listed photos are not in the photos directory" in done.stdout
    assert [record.rel_path for record in records(workspace)] == ["IMG_00001.jpg"] * 2
    missing = pcc("run", "--photos-dir", tmp_path / "photos", "--retry-list", tmp_path / "none")
    assert missing.returncode == 64


def test_a_listed_retry_in_a_loop_needs_a_run_id(pcc: Pcc, tmp_path: Path) -> None:
    make_photos(tmp_path / "photos", 3)
    (tmp_path / "list").write_text("IMG_00001.jpg\n")
    arguments = ["--photos-dir", tmp_path / "photos", "--retry-list", tmp_path / "list"]
    assert pcc("run", *arguments, "--restart-every", "1").returncode == 64
