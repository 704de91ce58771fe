"""One writer at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from journal import CAPTIONS, JournalLocked, WriterLock

HOLD = """
import sys, time
from pathlib import Path
from journal import WriterLock
lock = WriterLock(Path(sys.argv[1]), "a first writer", None)
print("held", flush=True)
sys.stdin.read()
"""


def test_second_writer_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "j"
    lock = WriterLock(path, "pcc run in here", None)

    with pytest.raises(JournalLocked, match=f"process {os.getpid()} .*pcc run in here"):
        WriterLock(path, "another", None)
    lock.release()
    WriterLock(path, "another", None).release()


def test_a_second_name_leads_to_the_same_lock(tmp_path: Path) -> None:
    path, other = tmp_path / "j", tmp_path / "other"
    path.touch()
    other.hardlink_to(path)
    lock = WriterLock(path, "first", CAPTIONS)

    with pytest.raises(JournalLocked):
        WriterLock(other, "second", CAPTIONS)
    lock.release()


def test_lock_dies_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(JournalLocked, match=f"process {holder.pid}"):
            WriterLock(path, "second", None)
        holder.kill()
        holder.wait()

    WriterLock(path, "second", None).release()
