"""Runs of `pcc` in separate processes, and the files that the runs write."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from journal import CaptionRecord, scan
from tests.conftest import CLEAN_ENVIRONMENT, PCC
from tests.support.in_process import run_in_process

ROOT = Path(__file__).parents[2]


def records(workspace: Path) -> list[CaptionRecord]:
    """Return every record of a workspace, in order."""
    return [record for _, record in scan(workspace / "captions.jsonl", CaptionRecord)]


def start(workspace: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start `pcc` and return at once."""
    return subprocess.Popen(
        [*PCC, *map(str, arguments)],
        cwd=workspace,
        env=CLEAN_ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_records(workspace: Path, count: int) -> None:
    """Wait until a journal holds `count` records."""
    journal = workspace / "captions.jsonl"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if journal.exists() and journal.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.01)
    pytest.fail(f"no {count} records in time")


def wait_until_working(workspace: Path) -> None:
    """Wait until a job of this workspace is working on a photo."""
    wait_for_snapshot(workspace, lambda shot: bool(shot["current"]))


def wait_for_snapshot(workspace: Path, condition: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until a snapshot of the running job fulfils a condition."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        arguments = ("watch", "--once", "--json")
        shown = run_in_process(arguments, workspace, CLEAN_ENVIRONMENT)
        assert not shown.returncode, shown.stderr
        if shown.stdout and condition(json.loads(shown.stdout)):
            return
        time.sleep(0.01)
    pytest.fail("no such snapshot in time")
