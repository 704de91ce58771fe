"""SIGKILL at every write and sync: what was acknowledged is there, nothing is invented."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from journal import CaptionRecord, RecordHead, check, scan
from tests.support.programs import with_fault

WRITER = [sys.executable, "-m", "tests.support.acknowledging_writer"]
COUNT, BATCH = 12, 3


def run_and_check(path: Path, command: list[str], acknowledged: set[str]) -> int:
    """Run a writer that may be killed, and compare its word with the file; return its status."""
    before = path.read_bytes() if path.exists() else b""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    acknowledged.update(done.stdout.splitlines())
    found = {head.rel_path for _, head in scan(path, RecordHead)} if path.exists() else set()

    assert acknowledged <= found
    assert all(0 <= int(name.partition("-")[2]) < COUNT for name in found)
    assert not path.exists() or path.read_bytes().startswith(before)
    return done.returncode


@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_kill_at_every_journal_write_and_sync(tmp_path: Path, call: str) -> None:
    path, acknowledged = tmp_path / "j", set[str]()
    killed = 0
    for occurrence in range(1, 8):
        strace = with_fault(f"{call}:signal=KILL:when={occurrence}", path)
        command = [*strace, *WRITER, str(path), str(COUNT), str(BATCH)]
        killed += run_and_check(path, command, acknowledged) != 0

    assert killed >= COUNT // BATCH
    assert run_and_check(path, [*WRITER, str(path), str(COUNT), str(BATCH)], acknowledged) == 0
    assert check(path, CaptionRecord).damaged == 0


@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_io_error_at_every_write_and_sync_acknowledges_nothing_after_it(
    tmp_path: Path, call: str
) -> None:
    path, acknowledged = tmp_path / "j", set[str]()
    for occurrence in range(1, 5):
        strace = with_fault(f"{call}:error=EIO:when={occurrence}+", path)
        command = [*strace, *WRITER, str(path), str(COUNT), str(BATCH)]
        assert run_and_check(path, command, acknowledged) != 0


@pytest.mark.battery
def test_two_hundred_kills_at_random(tmp_path: Path) -> None:
    path, acknowledged, rng = tmp_path / "j", set[str](), Random(1)
    for _ in range(200):
        seconds = f"{rng.uniform(0.02, 0.25):.3f}"
        command = ["timeout", "-s", "KILL", seconds, *WRITER, str(path), str(COUNT), "1"]
        run_and_check(path, command, acknowledged)
    run_and_check(path, [*WRITER, str(path), str(COUNT), "1"], acknowledged)

    assert len(acknowledged) > COUNT
    assert check(path, CaptionRecord).damaged == 0
