"""`pcc run` stopped, killed, out of disk, out of luck."""

from __future__ import annotations

import fcntl
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from journal import CaptionRecord, scan
from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc
from tests.support.programs import as_root_of_its_own, with_fault
from tests.support.runs import (
    ROOT,
    records,
    start,
    wait_for_records,
    wait_for_snapshot,
    wait_until_working,
)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_interrupt_and_resume_without_duplicates(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, number: int, code: int
) -> None:
    folder = photos(30)
    running = start(
        workspace, "run", "--backend", "mock", "--mock-latency", "0.05", "--photos-dir", folder
    )
    wait_for_records(workspace, 10)
    running.send_signal(number)
    stdout, stderr = running.communicate(timeout=20)

    assert running.returncode == code, stderr
    first = len(records(workspace))
    assert 10 <= first < 30
    assert f"{30 - first} photos remain" in stdout
    assert pcc("run", "--backend", "mock", "--photos-dir", folder).returncode == 0
    assert Counter(record.rel_path for record in records(workspace)) == Counter(
        f"IMG_{number:05d}.jpg" for number in range(30)
    )


def test_second_interrupt_stops_at_once(photos: Callable[..., Path], workspace: Path) -> None:
    running = start(
        workspace, "run", "--backend", "mock", "--mock-latency", "600", "--photos-dir", photos(5)
    )
    wait_until_working(workspace)
    running.send_signal(signal.SIGINT)
    wait_for_snapshot(workspace, lambda shot: shot["state"] == "stopping")
    assert running.poll() is None
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=20)

    assert running.returncode == 130
    assert records(workspace) == []


def test_kill_and_resume_loses_nothing(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(40)
    for count in (5, 15, 25):
        running = start(
            workspace, "run", "--backend", "mock", "--mock-latency", "0.02", "--photos-dir", folder
        )
        wait_for_records(workspace, count)
        running.kill()
        running.communicate()
    assert pcc("run", "--backend", "mock", "--photos-dir", folder).returncode == 0
    assert len({record.rel_path for record in records(workspace)}) == 40
    assert pcc("journal", "check").returncode == 0


def test_full_disk_stops_with_a_clear_line_and_the_next_run_completes(
    photos: Callable[..., Path], tmp_path: Path
) -> None:
    """A real file system of 1 MB, in a mount namespace of our own."""
    folder, small = photos(40), tmp_path / "small"
    small.mkdir()
    script = f"""
        mount -t tmpfs -o size=1m none {small}
        head -c 1044480 /dev/zero > {small}/ballast
        {" ".join(PCC)} run --backend mock --workspace {small} --photos-dir {folder}
        echo "first $?"
        cp {small}/captions.jsonl {tmp_path}/before 2>/dev/null
        rm {small}/ballast
        {" ".join(PCC)} run --backend mock --workspace {small} --photos-dir {folder}
        echo "second $?"
        cp {small}/captions.jsonl {tmp_path}/after
    """
    done = subprocess.run(
        as_root_of_its_own(script),
        env=CLEAN_ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "first 1" in done.stdout, done.stderr
    assert "disk full" in done.stderr
    assert "Traceback" not in done.stderr
    assert "second 0" in done.stdout
    found = [record.rel_path for _, record in scan(tmp_path / "after", CaptionRecord)]
    assert sorted(set(found)) == sorted(path.name for path in folder.iterdir())
    assert (tmp_path / "after").read_bytes().startswith((tmp_path / "before").read_bytes())


def run_with_fault(workspace: Path, folder: Path, inject: str) -> subprocess.CompletedProcess[str]:
    """Run the captioner under strace, with a fault at one system call on the journal."""
    strace = with_fault(inject, workspace / "captions.jsonl")
    run = [*PCC, "run", "--backend", "mock", "--photos-dir", str(folder)]
    return subprocess.run(
        [*strace, *run, "--mock-latency", "0.03", "--json"],
        cwd=workspace,
        env=CLEAN_ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_kill_at_every_write_and_sync_of_a_run(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, call: str
) -> None:
    folder = photos(10)
    kills = 0
    for occurrence in range(1, 5):
        before = records(workspace) if (workspace / "captions.jsonl").exists() else []
        killed = run_with_fault(workspace, folder, f"{call}:signal=KILL:when={occurrence}")
        kills += killed.returncode in (-signal.SIGKILL, 137)
        assert records(workspace)[: len(before)] == before
    assert kills >= 3
    assert pcc("run", "--backend", "mock", "--photos-dir", folder).returncode == 0
    assert {record.rel_path for record in records(workspace)} == {
        path.name for path in folder.iterdir()
    }
    assert pcc("journal", "check").returncode == 0


def test_failed_sync_stops_the_run_and_says_so(
    photos: Callable[..., Path], workspace: Path
) -> None:
    done = run_with_fault(workspace, photos(10), "fdatasync:error=EIO:when=2+")

    assert done.returncode == 1
    assert "could not write" in done.stderr
    assert "Traceback" not in done.stderr


def test_nohup_is_respected(photos: Callable[..., Path], workspace: Path) -> None:
    run = [*PCC, "run", "--backend", "mock", "--mock-latency", "0.05", "--photos-dir"]
    with subprocess.Popen(
        ["nohup", *run, str(photos(20))],
        cwd=workspace,
        env=CLEAN_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        wait_for_records(workspace, 3)
        running.send_signal(signal.SIGHUP)
        assert running.wait(timeout=30) == 0
    assert len(records(workspace)) == 20


def test_output_to_a_closed_pipe_loses_nothing(
    photos: Callable[..., Path], workspace: Path
) -> None:
    script = f'{" ".join(PCC)} run --backend mock --photos-dir "{photos(5)}" | true'
    subprocess.run(
        ["sh", "-c", script], cwd=workspace, env=CLEAN_ENVIRONMENT, check=True, timeout=30
    )

    assert len(records(workspace)) == 5


def test_a_bug_is_one_line_on_the_terminal_and_a_traceback_in_the_log(
    photos: Callable[..., Path], workspace: Path
) -> None:
    broken = (
        "from pipeline.captions.stage import CaptionStage\n"
        "from pcc_tui.cli.main import main\n"
        "CaptionStage.usage = lambda self, record: 1 / 0\n"
        "main()\n"
    )
    done = subprocess.run(
        [PCC[0], "-c", broken, "run", "--backend", "mock", "--photos-dir", str(photos(3))],
        cwd=workspace,
        env={**CLEAN_ENVIRONMENT, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "unexpected ZeroDivisionError" in done.stderr
    assert "ZeroDivisionError" in (workspace / "caption.log").read_text()


@pytest.mark.parametrize("module", ["typer", "pcc_tui.cli.stats"])
def test_interrupt_while_the_program_loads_prints_no_traceback(module: str) -> None:
    interrupted = (
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from pcc_tui.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [PCC[0], "-c", interrupted, "stats"],
        cwd=ROOT,
        env=CLEAN_ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (done.returncode, done.stderr) == (130, "")


def test_what_killed_jobs_left_half_written_is_removed_by_the_next(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    left = [
        directory / f".{name}.4194304.tmp"
        for directory, name in (
            *((workspace, "run.json"), (workspace, "captions.jsonl")),
            (elsewhere, "c.jsonl"),
        )
    ]
    for path in left:
        path.write_bytes(b"half")
    in_use, mine = workspace / ".labels.jsonl.7.tmp", workspace / "notes.tmp"
    mine.touch()
    with in_use.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        journal = ("--captions-jsonl", elsewhere / "c.jsonl")
        done = pcc("run", "--backend", "mock", "--photos-dir", photos(1), *journal)
    assert done.returncode == 0, done.stderr
    assert [path for path in left if path.exists()] == []
    assert in_use.exists()
    assert mine.exists()
