"""`caption.log` as `docs/contracts.md` describes it: for programs, and for the morning after."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.captions.stage import CaptionStage
from pipeline.jobs import events
from tests.conftest import Pcc
from tests.support.runs import ROOT, start, wait_until_working

ALWAYS = {"asctime", "levelname", "event", "rel_path", "error"}

SLOW = ("--backend", "mock", "--mock-latency", "0.2", "--max-workers", "1")


def lines(workspace: Path) -> list[dict[str, Any]]:
    """Return the lines of the log."""
    return list(map(json.loads, (workspace / "caption.log").read_text().splitlines()))


def documented() -> dict[str, set[str]]:
    """Return the keys that the documentation gives each event besides those of every line."""
    text = (ROOT / "docs" / "contracts.md").read_text()
    section = text.partition("## The log of a job")[2].partition("\n## ")[0]
    table = section.partition("| event |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1:4] for line in table.splitlines()[2:]]
    return {
        event: set(re.findall(r"`(\w+)`", keys))
        for names, _, keys in rows
        for event in re.findall(r"`(\w+)`", names)
    }


def test_lines_have_the_keys_that_the_documentation_gives_them(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "PROGRESS_SECONDS", 0.05)
    folder = photos(3)
    (folder / "broken.jpg").write_bytes(b"broken")
    pcc("run", *SLOW, "--photos-dir", folder)
    found, described = lines(workspace), documented()

    assert [found[0]["event"], found[-1]["event"]] == ["start", "end"]
    seen = [line for line in found if line["event"] == "progress"]
    assert len(seen) > 3
    assert seen[-1]["attempted"] == seen[-1]["total"] == 4
    for line in found:
        keys = ALWAYS | described[line["event"]]
        assert keys <= set(line)
        if line["event"] not in ("start", "end"):  # these tell more of some jobs
            assert keys == set(line)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["asctime"])
    (failed,) = (line for line in found if line["event"] == "error_corrupt")
    assert (failed["rel_path"], failed["levelname"]) == ("broken.jpg", "WARNING")
    assert failed["error"]


def test_documentation_names_every_status_a_photo_can_fail_with() -> None:
    assert {"error_corrupt", "error_api", "error_model", "pause", "resume"} <= documented().keys()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_end_names_the_signal(
    photos: Callable[..., Path], workspace: Path, number: signal.Signals
) -> None:
    running = start(workspace, "run", *SLOW, "--photos-dir", photos(30))
    wait_until_working(workspace)
    running.send_signal(number)
    running.communicate(timeout=30)

    assert running.returncode == 128 + number
    assert ends(workspace) == [("stopped", number.name)]


def ends(workspace: Path) -> list[tuple[str, str | None]]:
    """Return how each job of a workspace ended, and who ended it."""
    return [(line["how"], line["by"]) for line in lines(workspace) if line["event"] == "end"]


def test_end_tells_a_restart_from_the_end_of_all(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    common = ("run", "--backend", "mock", "--photos-dir", photos(3), "--restart-every", "2")
    assert [pcc(*common).returncode for _ in range(2)] == [2, 0]

    assert ends(workspace) == [("restart", "--restart-every"), ("done", None)]


def test_end_names_the_error(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CaptionStage, "usage", lambda self, record: 1 / 0)
    done = pcc("run", "--backend", "mock", "--photos-dir", photos(3))
    failed, _, ended = lines(workspace)[-3:]

    assert done.returncode == 1
    assert ends(workspace) == [("failed", "ZeroDivisionError")]
    assert ended["error"] == failed["error"] == "ZeroDivisionError: division by zero"
    assert "Traceback" in failed["traceback"]
