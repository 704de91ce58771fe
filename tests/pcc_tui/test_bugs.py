"""What nobody expected: told as a bug, with a file that has more, and only where it is one."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from journal import DiskFull
from pcc_tui.cli import stats
from pipeline.captions.stage import CaptionStage
from pipeline.jobs import log
from pipeline.jobs.log import log_to
from tests.conftest import Pcc


def place_of_traceback(said: str) -> Path:
    found = re.search(r"this is a bug, (\S+) has more", said)
    assert found is not None, said
    return Path(found[1])


def break_stats(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(journal: Path) -> None:
        raise error

    monkeypatch.setattr(stats, "read_stats", broken)


def test_a_command_that_logs_nothing_keeps_its_traceback_aside(
    pcc: Pcc, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_stats(monkeypatch, ZeroDivisionError("odd"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    done = pcc("stats")

    assert done.returncode == 1
    assert "unexpected ZeroDivisionError: odd" in done.stderr
    place = place_of_traceback(done.stderr)
    assert "Traceback" in place.read_text()
    assert place.is_relative_to(tmp_path)
    assert not any(workspace.iterdir())


def test_a_job_logs_its_bug_once(
    pcc: Pcc, photos: Callable[..., Path], workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(stage: CaptionStage, record: object) -> None:
        raise ZeroDivisionError("odd")

    monkeypatch.setattr(CaptionStage, "usage", broken)

    done = pcc("run", "--backend", "mock", "--photos-dir", photos(2))

    events = [json.loads(line) for line in (workspace / "caption.log").read_text().splitlines()]
    assert place_of_traceback(done.stderr) == workspace / "caption.log"
    assert [event["event"] for event in events].count("failed") == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied", "/x"), "/x: Permission denied; "),
        (OSError(30, "Read-only file system", "/x"), "/x: Read-only file system; "),
        (OSError(24, "Too many open files", "/x"), "/x: Too many open files; raise the limit"),
        (RuntimeError("Symlink loop from '/x'"), "/x: Too many levels of symbolic links; "),
        (FileNotFoundError(2, "No such file or directory"), "the current directory is not there"),
        (MemoryError(), "there is not enough memory; "),
    ],
)
def test_what_the_system_refuses_is_no_bug(
    pcc: Pcc, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    break_stats(monkeypatch, error)

    done = pcc("stats")

    assert done.returncode == 1
    assert words in done.stderr
    assert "bug" not in done.stderr
    assert "[Errno" not in done.stderr


def test_a_full_log_does_not_hide_what_ended_the_job(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = DiskFull(workspace / "captions.jsonl", 10, 0)
    monkeypatch.setattr(log, "open_own", lambda path, flags: os.open("/dev/full", os.O_WRONLY))

    with pytest.raises(DiskFull), log_to(workspace / "x.log"):  # noqa: PT012 - the log is open
        logging.getLogger("pcc.test").info("start")
        raise full
