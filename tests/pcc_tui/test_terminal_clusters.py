"""The Clusters screen in a real terminal: tmux."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CLEAN_ENVIRONMENT, PCC
from tests.support.clusters import photo_name, title_by_photo
from tests.support.terminal import Terminal, terminal


@pytest.fixture
def window(clustered: Path, sixty_photos: Path, tmp_path: Path) -> Iterator[Terminal]:
    """Open the app on sixty photos in clusters."""
    own = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [*PCC, "--photos-dir", str(sixty_photos)]
    with terminal(command, clustered, {**CLEAN_ENVIRONMENT, **own}) as opened:
        yield opened


def gone(window: Terminal) -> None:
    """Make sure that the app is gone and the terminal is as it was."""
    screen = window.wait_for("EXIT=0")
    assert "1 Library" not in screen
    assert "Traceback" not in screen


def test_browse_search_jump_and_quit(window: Terminal) -> None:
    window.wait_for("1 Library")
    window.press("5")
    window.wait_for("▸ dog, bone, leash", "10 photos", "▀")
    window.press("/", *"terrier", "Enter")
    window.wait_for("▾ dog, bone, leash", "1 of 6 found")
    window.press("Left", "Left", "/", "C-u")
    window.wait_for("▸ dog, bone, leash", "2 clusters", "/ words in captions")
    window.press(*"vendor", "Space", *"basket", "Space", *"fruit", "Enter")
    window.wait_for("1 of 1 found", "chunk 2 of 2", "The fruit, the vendor")
    window.press("n")
    window.wait_for("1 of 1 found")
    window.press("/", "Space", *"glass")
    window.wait_for("nothing found")
    window.press("C-u")
    window.wait_for("/ words in captions")
    window.press(*"glacier", "Enter")
    window.wait_for("1 of 6 found", "glacier")
    window.press("n")
    window.wait_for("2 of 6 found")
    window.resize(80, 24)
    window.wait_for("2 of 6 found", "Search")
    window.press("q")
    gone(window)


def test_a_killed_app_loses_no_change_by_hand(window: Terminal, clustered: Path) -> None:
    window.wait_for("1 Library")
    window.press("5")
    window.wait_for("▸ dog, bone, leash")
    before = title_by_photo(clustered)
    window.press("/", *"surfers", "Enter")
    window.wait_for("1 of 6 found", "surfers")
    window.press("r")
    window.wait_for("Title of")
    window.press("C-u")
    window.wait_for("Title, then Enter")
    window.press(*"Kept", "Enter")
    window.wait_for("named")
    os.kill(window.pid(), signal.SIGKILL)
    window.wait_for("EXIT=137")
    after = title_by_photo(clustered)
    changed = {path for path in after if after[path] != before[path]}
    assert {after[path] for path in changed} == {"Kept"}
    assert len(changed) == 10
    assert photo_name("dog", 0) not in changed
