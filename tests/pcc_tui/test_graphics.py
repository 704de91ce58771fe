"""How pictures are drawn, and that finding out never asks where it must not."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from pcc_tui.graphics import choose_protocol, image_widget
from tests.conftest import CLEAN_ENVIRONMENT, PCC
from tests.support.apps import caption, write_records
from tests.support.photos import make_photos
from tests.support.programs import needed
from tests.support.pty_app import pty_app

SCRIPT = "from pcc_tui.graphics import *; p = choose_protocol('auto'); image_widget(p); print(p)"


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux,1,0"}, "halfcell"),
        ({"TERM": "foot", "STY": "1.pts"}, "halfcell"),
        ({"TERM": "xterm"}, "halfcell"),
    ],
)
def test_the_protocol_fits_the_terminal(environment: dict[str, str], protocol: str) -> None:
    assert choose_protocol("auto", environment) == protocol


def test_a_forced_protocol_wins() -> None:
    for wanted in ("kitty", "sixel", "halfcell"):
        assert choose_protocol(wanted, {"TMUX": "1"}) == wanted
        assert image_widget(wanted) is not None
    assert image_widget("off") is None


def in_terminal(size: tuple[int, int], answer: bytes = b"") -> str:
    """Return what the choice is on a pseudo-terminal of a size that answers so."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm", COLUMNS="", LINES="")
        for name in ("TMUX", "STY", "ZELLIJ"):
            os.environ.pop(name, None)
        subprocess.run(["stty", "cols", str(size[0]), "rows", str(size[1])], check=False)
        os.execv(sys.executable, [sys.executable, "-c", SCRIPT])
    shown = b""
    while True:
        try:
            data = os.read(terminal, 1000)
        except OSError:
            break
        if not data:
            break
        shown += data
        if b"\x1b[c" in data and answer:
            os.write(terminal, answer)
    os.waitpid(process, 0)
    os.close(terminal)
    return shown.decode("utf-8", "replace").strip().splitlines()[-1]


def test_a_terminal_of_no_size_is_not_asked() -> None:
    assert in_terminal((0, 0)).endswith("halfcell")


def test_a_terminal_that_does_not_answer_gets_half_cells() -> None:
    assert in_terminal((80, 24)).endswith("halfcell")


def test_a_terminal_that_says_sixel_gets_it() -> None:
    assert in_terminal((80, 24), b"\x1b[?62;4c").endswith("sixel")


def test_a_background_job_is_not_stopped_by_the_question(tmp_path: Path) -> None:
    script = f'set -m; {sys.executable} -c "{SCRIPT}" > {tmp_path / "out"} & wait'
    subprocess.run([needed("bash"), "-c", script], timeout=30, check=True, stdin=subprocess.DEVNULL)
    assert (tmp_path / "out").read_text().strip() == "halfcell"


@pytest.mark.parametrize(
    ("protocol", "sign"), [("kitty", b"\x1b_G"), ("sixel", b"\x1bP"), ("halfcell", "▀".encode())]
)
def test_pictures_are_drawn_by_each_protocol(
    workspace: Path, tmp_path: Path, protocol: str, sign: bytes
) -> None:
    make_photos(tmp_path / "photos", 3, (320, 240))
    write_records(workspace, *map(caption, range(3)))
    own = {"XDG_CONFIG_HOME": str(tmp_path / "c"), "XDG_CACHE_HOME": str(tmp_path / "k")}
    command = [*PCC, "--photos-dir", str(tmp_path / "photos"), "--images", protocol]
    with pty_app(command, workspace, {**CLEAN_ENVIRONMENT, **own}) as app:
        app.wait_for("1 Library")
        app.type("4")
        app.wait_for("of 3")
        app.wait_for_bytes(sign)
        app.type("jj")
        app.wait_for("3 of 3")
        app.settle()
    assert b"Traceback" not in app.written
    assert app.process.returncode == 128 + 15


def test_bytes_that_are_no_text_are_passed_over(workspace: Path, tmp_path: Path) -> None:
    write_records(workspace, *map(caption, range(3)))
    (tmp_path / "photos").mkdir()
    own = {"XDG_CONFIG_HOME": str(tmp_path / "c"), "XDG_CACHE_HOME": str(tmp_path / "k")}
    command = [*PCC, "--photos-dir", str(tmp_path / "photos"), "--images", "off"]
    with pty_app(command, workspace, {**CLEAN_ENVIRONMENT, **own}) as app:
        app.wait_for("1 Library")
        app.send(b"\xff\xe9x")
        app.settle()
        app.type("4")
        app.wait_for("of 3")
    assert app.process.returncode == 128 + 15


def test_no_pictures_if_none_are_wanted(workspace: Path, tmp_path: Path) -> None:
    make_photos(tmp_path / "photos", 1)
    write_records(workspace, caption(0))
    own = {"XDG_CONFIG_HOME": str(tmp_path / "c"), "XDG_CACHE_HOME": str(tmp_path / "k")}
    command = [*PCC, "--photos-dir", str(tmp_path / "photos"), "--images", "off"]
    with pty_app(command, workspace, {**CLEAN_ENVIRONMENT, **own}) as app:
        app.wait_for("1 Library")
        app.type("4")
        app.wait_for("a caption")
        app.settle()
    assert not (tmp_path / "k").exists()
    assert "▀" not in app.text()
