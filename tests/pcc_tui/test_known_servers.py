"""A server that only a file of the workspace names gets nothing before somebody agreed."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from pcc_tui.dialogs.confirm import ConfirmDialog
from tests.conftest import Pcc
from tests.support.api_server import ApiServer
from tests.support.apps import make_app, running, shown, until


@pytest.fixture
def stranger(pcc: Pcc, photos: Callable[..., Path], tmp_path: Path) -> Pcc:
    """Run `pcc` on a machine with a key, on which nobody has ever named a server."""
    environment = {
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "OPENAI_API_KEY": "sk-test-0123456789abcdef",
        "PHOTOS_DIR": str(photos(2)),
    }
    return partial(pcc, environment=environment)


@pytest.fixture
def copied(workspace: Path, server: ApiServer) -> None:
    """Have the settings of the workspace name a server."""
    text = f'backend = "openai"\nmodel = "gpt-5-nano"\nbase_url = "{server.url}"\n'
    (workspace / "pcc.toml").write_text(text)


@pytest.mark.parametrize("words", [("run",), ("try",), ("estimate", "--pilot", "2")])
@pytest.mark.usefixtures("copied")
def test_nothing_is_sent_before_somebody_agreed(
    stranger: Pcc, server: ApiServer, words: tuple[str, ...]
) -> None:
    told = stranger(*words)

    assert told.returncode == 64
    assert server.requests == []
    assert "photos and OPENAI_API_KEY" in told.stderr
    assert "--base-url" in told.stderr


@pytest.mark.usefixtures("copied")
def test_an_answer_is_remembered_on_this_machine(stranger: Pcc, server: ApiServer) -> None:
    first, second = stranger("run", "--yes", "--limit", "1"), stranger("run")

    assert (first.returncode, second.returncode) == (0, 0)
    assert "names the server" in first.stdout
    assert "names the server" not in second.stdout
    assert len(server.requests) == 2


def test_a_server_named_by_a_flag_is_meant(stranger: Pcc, server: ApiServer) -> None:
    named = ("--backend", "openai", "--model", "gpt-5-nano", "--base-url", server.url)
    first = stranger("run", *named, "--limit", "1")
    recalled = stranger("run")  # by captioner.json

    assert (first.returncode, recalled.returncode) == (0, 0)
    assert len(server.requests) == 2


@pytest.mark.usefixtures("copied")
def test_plan_and_doctor_name_the_server(stranger: Pcc, server: ApiServer) -> None:
    plan, doctor = stranger("plan"), stranger("doctor", "--json")

    assert server.url in plan.stdout
    found = [each for each in json.loads(doctor.stdout) if each["topic"] == "server"]
    assert "asks before photos go there" in found[0]["text"]
    assert server.requests == []


@pytest.mark.parametrize("key", ["t", "r"])
@pytest.mark.usefixtures("copied")
async def test_a_field_that_the_file_filled_names_no_server(
    photos: Callable[..., Path], workspace: Path, server: ApiServer, key: str
) -> None:
    app = make_app(workspace, photos(1))
    async with running(app, (120, 40)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: server.url in shown(app.screen))
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        assert "names the server" in shown(app.screen)
        await pilot.press("n")
        await until(pilot, lambda: not isinstance(app.screen, ConfirmDialog))
    assert server.requests == []
