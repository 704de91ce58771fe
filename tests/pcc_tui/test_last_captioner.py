"""Who captioned last goes on, and `basic` replaces nobody's caption."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from journal import seal
from pipeline.captions.last_captioner import keep_captioner, last_captioner
from tests.conftest import Pcc
from tests.support.api_server import ApiServer
from tests.support.protocols import OPENAI
from tests.support.runs import records

KEY = {"OPENAI_API_KEY": "sk-test-1234567890abcdef"}


def write(workspace: Path, *lines: str) -> None:
    data = b"".join(seal(f'{{"caption":"c","status":"success",{line}}}'.encode()) for line in lines)
    (workspace / "captions.jsonl").write_bytes(data)


def test_a_run_that_names_no_backend_goes_on_with_the_last(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, server: ApiServer
) -> None:
    folder = photos(4)
    server.script = lambda request: (
        OPENAI.error(400, "no") if request.number == 2 else OPENAI.good()
    )
    named = ["--backend", "openai", "--base-url", server.url, "--model", "m1"]
    pcc("run", *named, "--photos-dir", folder, "--limit", "3", "--max-workers", "1")
    done = pcc("run", "--photos-dir", folder, "--retry-status", "error_api")

    assert "1 to retry, 1 missing" in done.stdout
    assert f"by openai / m1 at {server.url}, which captioned here last" in done.stdout
    made = records(workspace)
    assert [(record.backend, record.model) for record in made] == [("openai", "m1")] * 5
    assert len({record.rel_path for record in made if record.status == "success"}) == 4


def test_settings_and_flags_win_over_who_captioned_last(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(2)
    pcc("run", "--backend", "mock", "--photos-dir", folder, "--limit", "1")
    (workspace / "pcc.toml").write_text('backend = "basic"\n')
    done = pcc("run", "--photos-dir", folder)

    assert "by basic (run" in done.stdout
    assert [record.backend for record in records(workspace)] == ["mock", "basic"]


def test_a_few_photos_given_to_another_backend_change_nothing_for_the_rest(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(3)
    pcc("run", "--backend", "mock", "--photos-dir", folder, "--limit", "1")
    listed = workspace / "list"
    listed.write_text("IMG_00001.jpg\n")
    pcc("run", "--backend", "basic", "--photos-dir", folder, "--retry-list", listed)
    pcc("run", "--photos-dir", folder)

    assert [record.backend for record in records(workspace)] == ["mock", "basic", "mock"]


@pytest.mark.parametrize(
    "flags",
    [["--retry-stale"], ["--retry-backend", "openai"], ["--retry-status", "success"]],
    ids=" ".join,
)
def test_basic_leaves_the_captions_of_others(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, flags: list[str]
) -> None:
    folder = photos(3)
    write(
        workspace,
        '"rel_path":"IMG_00000.jpg","backend":"openai","model":"m"',
        '"rel_path":"IMG_00001.jpg","backend":"openai","model":"m"',
    )
    done = pcc("run", "--backend", "basic", "--photos-dir", folder, *flags)
    assert "2 captions by other backends stay" in done.stdout
    assert [record.rel_path for record in records(workspace)[2:]] == ["IMG_00002.jpg"]

    pcc("run", "--backend", "basic", "--photos-dir", folder, "--force")
    assert len(records(workspace)) == 6


def test_a_journal_of_three_fields_is_not_stale(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(2)
    write(workspace, '"rel_path":"IMG_00000.jpg"', '"rel_path":"IMG_00001.jpg"')
    plan = pcc("plan", "--backend", "mock", "--photos-dir", folder, "--retry-stale", "--json")

    found = json.loads(plan.stdout)
    assert (found["stale"], found["to_do"]) == (0, 0)


def test_no_photo_goes_to_a_server_that_nobody_named(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(2)
    write(workspace, '"rel_path":"IMG_00000.jpg","backend":"openai","model":"m1"')
    done = pcc("run", "--photos-dir", folder, environment=KEY)

    assert done.returncode == 64
    assert "openai / m1" in done.stderr
    assert "--base-url" in done.stderr
    assert len(records(workspace)) == 1
    assert json.loads(pcc("plan", "--photos-dir", folder, "--json").stdout)["stale"] == 1


@pytest.mark.parametrize("url", ["https://me:secret@host/v1", "https://host/v1?key=secret"])
def test_an_address_that_may_hold_a_secret_is_not_kept(workspace: Path, url: str) -> None:
    keep_captioner(workspace, "openai", "m1", url)
    last = last_captioner(workspace, workspace / "captions.jsonl")

    assert last is not None
    assert (last.base_url, last.server_known) == (None, False)
    assert "secret" not in (workspace / "captioner.json").read_text()


def test_the_end_of_a_journal_tells_who_captioned_last(workspace: Path) -> None:
    write(workspace, '"rel_path":"a","backend":"mock","model":"m"', '"rel_path":"b"')
    with open(workspace / "captions.jsonl", "ab") as file:
        file.write(b'{"torn')
    last = last_captioner(workspace, workspace / "captions.jsonl")

    assert last is not None
    assert (last.backend, last.model, last.server_known) == ("mock", "m", True)
