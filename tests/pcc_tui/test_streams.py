"""Standard streams that are not UTF-8: escapes in the place of what they cannot show."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc
from tests.support.photos import noise_jpeg
from tests.support.pty_app import pty_app

NAME = "漢字.jpg"

PLAIN_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A locale without UTF-8, in which Python does not choose UTF-8 by itself."""

STREAMS = [{"PYTHONIOENCODING": name} for name in ("latin-1", "ascii", "cp1252")] + [PLAIN_C]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Return a folder with one photo, whose name no Latin-1 stream can show."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / NAME).write_bytes(noise_jpeg(1, (48, 32)))
    return tmp_path / "photos"


@pytest.mark.usefixtures("fresh_processes")
@pytest.mark.parametrize("environment", STREAMS)
def test_no_line_is_lost(
    environment: dict[str, str], library: Path, pcc: Pcc, pcc_process: Pcc
) -> None:
    pcc("run", "--backend", "mock", "--photos-dir", library)

    told = pcc_process("search", "mock", environment=environment).stdout
    missing = pcc_process("try", f"x{NAME}", "--photos-dir", library, environment=environment)
    document = pcc_process("search", "mock", "--json", environment=environment)
    plan = pcc_process("plan", "--photos-dir", library, "--json", environment=environment)

    assert r"\u6f22\u5b57" in told
    assert r"there is no x\u6f22\u5b57" in missing.stderr
    assert document.returncode == 0, document.stderr
    assert json.loads(document.stdout)[0]["rel_path"] == NAME
    assert plan.returncode == 0, plan.stderr
    assert json.loads(plan.stdout)["missing"] == 0  # a photo has one key in every locale


def test_progress_on_a_terminal_that_is_not_utf_8(library: Path, workspace: Path) -> None:
    command = [*PCC, "run", "--backend", "mock", "--mock-latency", "1"]
    environment = {**CLEAN_ENVIRONMENT, **PLAIN_C}
    with pty_app([*command, "--photos-dir", str(library)], workspace, environment) as app:
        app.wait_for("1 photo captioned")
        app.wait_for("captions.jsonl")

    assert app.written.isascii()


def test_the_app_keeps_its_shape_where_no_box_can_be_drawn(
    library: Path, workspace: Path, pcc: Pcc
) -> None:
    pcc("run", "--backend", "mock", "--photos-dir", library)
    command = [*PCC, "--photos-dir", str(library), "--images", "off"]
    environment = {**CLEAN_ENVIRONMENT, **PLAIN_C}
    with pty_app(command, workspace, environment) as app:
        app.wait_for("1 Library")
        app.type("4")
        app.wait_for("????")  # two columns for each of the two characters
        time.sleep(0.2)

    assert app.written.isascii()
    assert b"\\u" not in app.written
