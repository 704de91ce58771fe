"""What holds on every screen: keys, help, palette, themes, and errors as sentences."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
from textual.binding import Binding
from textual.command import CommandPalette
from textual.pilot import Pilot

from pcc_tui.app import PccApp
from pcc_tui.cli.full_screen import check_keys
from pcc_tui.errors import SettingsError
from pcc_tui.keys import OTHERS, bindings
from pcc_tui.preferences import Preferences, load_preferences, terminal_theme
from pcc_tui.screens.library import LibraryScreen
from pcc_tui.screens.review import ReviewScreen
from pcc_tui.widgets.photo_list import PhotoList, fit
from tests.support.apps import caption, make_app, running, shown, until, write_records


@pytest.fixture
def library(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty photos directory beside a journal of ten captions."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "photos").mkdir()
    write_records(workspace, *map(caption, range(10)))
    return tmp_path / "photos"


async def on(pilot: Pilot[int], kind: type) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind))


# Keys


def test_every_binding_has_an_id_of_its_own() -> None:
    ids = [binding.id for binding in bindings()]
    assert len(ids) == len(set(ids)) > 40
    for owner in (PccApp, *PccApp.MODES.values(), *OTHERS):
        for binding in cast(Any, owner).BINDINGS:
            assert isinstance(binding, Binding)
            assert binding.id or "focus" in binding.action


@pytest.mark.parametrize("mode", ["1", "2", "3", "4"])
async def test_the_help_shows_the_keys_of_the_screen(
    workspace: Path, library: Path, mode: str
) -> None:
    async with running(make_app(workspace, library), (120, 60)) as pilot:
        await pilot.press(mode, "question_mark")
        screen = cast(PccApp, pilot.app).screen
        for binding in type(screen).BINDINGS:
            if isinstance(binding, Binding) and binding.id and binding.id != "review.list":
                await until(pilot, lambda b=binding: b.description in shown(pilot.app.screen))  # type: ignore[misc]
        await pilot.press("f1")
        await until(pilot, lambda: not pilot.app.screen.query("HelpPanel"))


async def test_keys_can_be_remapped(workspace: Path, library: Path) -> None:
    app = make_app(workspace, library, keys={"app.review": "v", "list.down": "z,down"})
    async with running(app) as pilot:
        await pilot.press("v")
        await on(pilot, ReviewScreen)
        rows = pilot.app.screen.query_one(PhotoList)
        await until(pilot, lambda: len(rows.rows) == 10)
        await pilot.press("z")
        assert rows.cursor == 1
        await pilot.press("j")
        assert rows.cursor == 1


def test_a_misspelt_key_names_file_and_nearest_match() -> None:
    with pytest.raises(SettingsError, match=r"config\.toml.*'app\.reviews'.*'app\.review'"):
        check_keys(Preferences(keys={"app.reviews": "v"}))


async def test_the_palette_offers_what_has_a_key(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        await on(pilot, LibraryScreen)
        await pilot.press("ctrl+p")
        await on(pilot, CommandPalette)
        await pilot.press(*"review")
        await until(pilot, lambda: "Look at captions" in shown(pilot.app.screen))
        await pilot.press("enter")
        await on(pilot, ReviewScreen)


# Preferences


async def test_a_theme_that_was_chosen_is_kept(
    workspace: Path, library: Path, tmp_path: Path
) -> None:
    async with running(make_app(workspace, library)) as pilot:
        pilot.app.theme = "nord"
        await pilot.pause()
    kept = tmp_path / "config" / "pcc" / "config.toml"
    assert tomllib.loads(kept.read_text()) == {"theme": "nord"}
    assert kept.stat().st_mode & 0o077 == 0
    assert load_preferences(kept).theme_name({}) == "nord"


@pytest.mark.parametrize(
    ("environment", "theme"),
    [
        ({"TERM": "xterm-256color"}, "textual-dark"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "textual-dark"),
        ({"TERM": "xterm"}, "ansi-dark"),
        ({"TERM": "linux", "COLORFGBG": "0;15"}, "ansi-light"),
        ({"TERM": "xterm-256color", "COLORFGBG": "0;default;15"}, "textual-light"),
    ],
)
def test_the_theme_fits_the_terminal(environment: dict[str, str], theme: str) -> None:
    assert terminal_theme(environment) == theme


def test_statistics_come_slower_over_ssh() -> None:
    assert Preferences().refresh_rate({}) == 10
    assert Preferences().refresh_rate({"SSH_CONNECTION": "1 2 3 4"}) == 3
    assert Preferences(refresh=5).refresh_rate({"SSH_CONNECTION": "1 2 3 4"}) == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("them = 'nord'", "'them': did you mean 'theme'"),
        ("images = 'sixels'", "images"),
        ("refresh = 0", "refresh"),
        ("theme = ", "cannot be read"),
    ],
)
def test_wrong_preferences_name_file_and_key(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as raised:
        load_preferences(path)
    assert words in str(raised.value)
    assert str(path) in str(raised.value)


async def test_an_unknown_theme_is_said(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library, theme="nrod")) as pilot:
        await until(pilot, lambda: "no theme 'nrod'" in shown(pilot.app.screen))


# Errors


class Mishap(Exception):
    """An error nobody expects."""


async def test_an_error_in_a_worker_is_a_sentence(
    workspace: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*arguments: object) -> None:
        secret_local = "sk-canary-0123456789abcdef"
        raise Mishap(f"broken [/] \x1b[31m {secret_local}")

    monkeypatch.setattr(ReviewScreen, "_read_entry", fails)
    async with running(make_app(workspace, library)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "unexpected Mishap: broken [/]" in shown(pilot.app.screen))
        assert "canary" not in shown(pilot.app.screen)
        await pilot.press("1")
        await on(pilot, LibraryScreen)
    line = json.loads((workspace / "app.log").read_text().splitlines()[0])
    assert "Mishap" in line["traceback"]
    assert "canary" not in json.dumps(line)


async def test_an_error_in_a_screen_ends_with_a_sentence(
    workspace: Path,
    library: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(*arguments: object) -> None:
        secret_local = "sk-canary-0123456789abcdef"
        raise Mishap(f"broken {secret_local}")

    monkeypatch.setattr(ReviewScreen, "action_mark", fails)
    app = make_app(workspace, library)

    async def use() -> None:
        async with running(app) as pilot:
            await pilot.press("4")
            await on(pilot, ReviewScreen)
            await pilot.press("m")

    with pytest.raises(Mishap):
        await use()
    said = " ".join(capsys.readouterr().err.split())
    assert "pcc: the app failed, a running job goes on. unexpected Mishap: broken [key]" in said
    assert "Traceback" not in said
    assert "canary" not in said
    assert "Mishap" in (workspace / "app.log").read_text()


async def test_an_unmounted_photos_directory_is_a_sentence(workspace: Path, tmp_path: Path) -> None:
    async with running(make_app(workspace, tmp_path / "gone")) as pilot:
        await until(pilot, lambda: "Choose the photos directory" in shown(pilot.app.screen))
        assert "gone" in shown(pilot.app.screen)
        assert pilot.app.is_running


# The list


@pytest.mark.parametrize(
    ("text", "width", "shows"),
    [
        ("a.jpg", 8, "a.jpg   "),
        ("2024/holiday/a.jpg", 10, "…day/a.jpg"),
        ("写真.jpg", 8, "写真.jpg"),
        ("写真写真写真.jpg", 8, "…真.jpg "),
        ("a\nb\x1b[31m", 20, "a\\nb\\x1b[31m        "),
        ("x" * 100_000, 4, "…xxx"),
        ("anything", 0, ""),
    ],
)
def test_a_row_is_exactly_as_wide_as_the_list(text: str, width: int, shows: str) -> None:
    assert fit(text, width) == shows
