"""A server that only a file of the workspace names gets nothing before somebody agreed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pcc_tui.dialogs.confirm import ConfirmDialog
from tests.conftest import Pcc
from tests.support.api_server import ApiServer
from tests.support.apps import make_app, running, shown, until

KEY = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def nobody_named_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Be a machine on which no server was ever named."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return {"XDG_STATE_HOME": str(tmp_path / "state"), "OPENAI_API_KEY": KEY}


@pytest.fixture
def copied(workspace: Path, server: ApiServer) -> Path:
    """Make a workspace whose settings name a server."""
    text = f'backend = "openai"\nmodel = "gpt-5-nano"\nbase_url = "{server.url}"\n'
    (workspace / "pcc.toml").write_text(text)
    return workspace


@pytest.mark.parametrize("words", [("run",), ("try",), ("estimate", "--pilot", "2")])
def test_nothing_is_sent_before_somebody_agreed(
    pcc: Pcc,
    photos: Callable[..., Path],
    copied: Path,
    server: ApiServer,
    nobody_named_a_server: dict[str, str],
    words: tuple[str, ...],
) -> None:
    told = pcc(*words, "--photos-dir", photos(2), environment=nobody_named_a_server)

    assert told.returncode == 64
    assert server.requests == []
    assert "photos and OPENAI_API_KEY" in told.stderr
    assert "--base-url" in told.stderr


def test_an_answer_is_remembered_on_this_machine(
    pcc: Pcc,
    photos: Callable[..., Path],
    copied: Path,
    server: ApiServer,
    nobody_named_a_server: dict[str, str],
) -> None:
    place = ("--photos-dir", str(photos(2)))
    first = pcc("run", "--yes", "--limit", "1", *place, environment=nobody_named_a_server)
    second = pcc("run", *place, environment=nobody_named_a_server)

    assert (first.returncode, second.returncode) == (0, 0)
    assert "names the server" in first.stdout
    assert "names the server" not in second.stdout
    assert len(server.requests) == 2


def test_a_server_named_by_a_flag_is_meant(
    pcc: Pcc,
    photos: Callable[..., Path],
    workspace: Path,
    server: ApiServer,
    nobody_named_a_server: dict[str, str],
) -> None:
    named = ("--backend", "openai", "--model", "gpt-5-nano", "--base-url", server.url)
    place = ("--photos-dir", str(photos(2)))
    first = pcc("run", *named, "--limit", "1", *place, environment=nobody_named_a_server)
    recalled = pcc("run", *place, environment=nobody_named_a_server)  # from captioner.json

    assert (first.returncode, recalled.returncode) == (0, 0)
    assert len(server.requests) == 2


def test_plan_and_doctor_name_the_server(
    pcc: Pcc,
    photos: Callable[..., Path],
    copied: Path,
    server: ApiServer,
    nobody_named_a_server: dict[str, str],
) -> None:
    place = ("--photos-dir", str(photos(1)))
    plan = pcc("plan", *place, environment=nobody_named_a_server)
    doctor = pcc("doctor", "--json", *place, environment=nobody_named_a_server)

    assert server.url in plan.stdout
    found = [each for each in json.loads(doctor.stdout) if each["topic"] == "server"]
    assert "asks before photos go there" in found[0]["text"]
    assert server.requests == []


@pytest.mark.parametrize("key", ["t", "r"])
async def test_a_field_that_the_file_filled_names_no_server(
    photos: Callable[..., Path], copied: Path, server: ApiServer, key: str
) -> None:
    app = make_app(copied, photos(1))
    async with running(app, (120, 40)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: server.url in shown(app.screen))
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        assert "names the server" in shown(app.screen)
        await pilot.press("n")
        await until(pilot, lambda: not isinstance(app.screen, ConfirmDialog))
    assert server.requests == []
