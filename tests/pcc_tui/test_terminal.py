"""The app end to end in a real terminal: tmux."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from journal import EditRecord, scan
from tests.conftest import CLEAN_ENVIRONMENT, PCC
from tests.support.apps import caption, failure, write_records
from tests.support.photos import make_photos
from tests.support.runs import records, start, wait_for_records
from tests.support.terminal import Terminal, terminal

Open = Callable[..., Terminal]


@pytest.fixture
def opened(workspace: Path, tmp_path: Path) -> Iterator[Open]:
    """Open the app in a terminal of its own, with arguments after `pcc`."""
    own = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with ExitStack() as stack:

        def make(*arguments: str | Path, size: tuple[int, int] = (100, 30)) -> Terminal:
            command = [*PCC, *map(str, arguments)]
            window: AbstractContextManager[Terminal] = terminal(
                command, workspace, {**CLEAN_ENVIRONMENT, **own}, size
            )
            return stack.enter_context(window)

        yield make


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Return a folder of 40 photos."""
    make_photos(tmp_path / "photos", 40)
    return tmp_path / "photos"


def slow(workspace: Path, library: Path) -> None:
    """Choose a backend that takes its time, so that a job can be met on its way."""
    settings = f'photos_dir = "{library}"\nbackend = "mock"\nmax_workers = 1\n'
    (workspace / "pcc.toml").write_text(settings)


def start_slow(workspace: Path) -> subprocess.Popen[str]:
    """Start a job of 40 photos at five a second."""
    job = start(workspace, "run", "--mock-latency", "0.2")
    wait_for_records(workspace, 1)
    return job


def gone(window: Terminal) -> None:
    """Make sure that the app is gone and the terminal is as it was."""
    screen = window.wait_for("EXIT=")
    assert "1 Library" not in screen
    modes = window.tmux("display-message", "-p", "#{alternate_on} #{mouse_any_flag}")
    assert modes.split() == ["0", "0"]


def test_first_run_to_the_last_photo(workspace: Path, library: Path, opened: Open) -> None:
    window = opened()
    window.wait_for("Welcome to pcc", "Where are the photos?")
    window.type(str(library))
    window.wait_for("40 photos")
    window.press("Enter")
    window.wait_for("Caption 40 photos with basic")
    window.press("Enter")
    window.wait_for("The job is over", "40 photos in")
    window.press("4")
    window.wait_for("1 of 40", "Photo in landscape format", "▀")
    window.press("q")
    gone(window)
    assert "EXIT=0" in window.screen()
    assert len(records(workspace)) == 40


def test_pause_resume_stop_and_go_on(workspace: Path, library: Path, opened: Open) -> None:
    slow(workspace, library)
    with start_slow(workspace) as job:
        window = opened()
        window.wait_for("Watch the running job")
        window.press("3")
        window.wait_for("running", "of 40")
        window.press("Space")
        window.wait_for("paused")
        held = len(records(workspace))
        window.press("Space")
        window.wait_for("running")
        wait_for_records(workspace, held + 2)
        window.press("s")
        window.wait_for("The job is over")
        assert job.wait(10) == 130
        job.communicate()
    done = len(records(workspace))
    assert held < done < 40
    window.press("r")
    wait_for_records(workspace, 40)
    window.wait_for("100%", "The job is over", f"{40 - done} photos in")
    paths = [record.rel_path for record in records(workspace)]
    assert sorted(paths) == sorted(set(paths))
    assert len(paths) == 40


def test_quit_keeps_the_job_and_the_next_app_shows_it(
    workspace: Path, library: Path, opened: Open
) -> None:
    slow(workspace, library)
    with start_slow(workspace) as job:
        first = opened()
        first.wait_for("Watch the running job")
        first.press("q")
        first.wait_for("A job is running", "Keep it running")
        first.press("Enter")
        gone(first)
        assert "The job goes on" in first.screen()
        second = opened()
        second.wait_for("Watch the running job")
        second.press("Enter")
        second.wait_for("mock, run", "a mock caption")
        second.press("q")
        second.wait_for("A job is running")
        second.press("s")
        gone(second)
        assert job.wait(10) == 130
        job.communicate()
    assert len(records(workspace)) < 40


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_job_of_the_app_outlives_it(
    workspace: Path, library: Path, opened: Open, number: signal.Signals
) -> None:
    slow(workspace, library)
    make_photos(library, 300)
    window = opened()
    window.wait_for("Caption 300 photos")
    window.press("Enter")
    wait_for_records(workspace, 1)
    os.kill(window.pid(), number)
    assert len(records(workspace)) < 300
    screen = window.wait_for("EXIT=")
    assert f"EXIT={128 + number}" in screen
    if number is not signal.SIGKILL:
        gone(window)
        assert "Traceback" not in screen
    wait_for_records(workspace, 300)


def test_a_dropped_line_ends_the_app_and_not_the_job(
    workspace: Path, library: Path, opened: Open
) -> None:
    slow(workspace, library)
    with start_slow(workspace) as job:
        window = opened()
        window.wait_for("Watch the running job")
        window.press("3")
        window.wait_for("of 40")
        app = window.pid()
        window.close()  # the terminal is gone, as when SSH drops
        deadline = time.monotonic() + 10
        while Path(f"/proc/{app}").exists():
            assert time.monotonic() < deadline, "the app hangs without its terminal"
            time.sleep(0.05)
        assert job.poll() is None
        wait_for_records(workspace, len(records(workspace)) + 2)
        again = opened()
        again.wait_for("Watch the running job")
        job.terminate()
        job.communicate(timeout=20)


def test_a_terminal_that_is_gone_ends_the_app_without_a_signal(
    workspace: Path, library: Path
) -> None:
    slow(workspace, library)
    master, slave = pty.openpty()
    app = subprocess.Popen(  # in a session that the terminal does not belong to
        PCC,
        cwd=workspace,
        env={**CLEAN_ENVIRONMENT, "TERM": "xterm-256color", "XDG_CONFIG_HOME": str(workspace)},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    shown = b""
    while b"Library" not in shown:
        shown += os.read(master, 1 << 16)
    os.close(master)

    assert app.wait(20) == 128 + signal.SIGHUP


def test_resizing_in_a_storm(workspace: Path, library: Path, opened: Open) -> None:
    slow(workspace, library)
    with start_slow(workspace) as job:
        window = opened(size=(120, 40))
        window.wait_for("Watch the running job")
        for screen in "3421":
            window.press(screen)
            for columns, lines in ((80, 24), (20, 5), (200, 60), (1, 1), (79, 23), (120, 40)) * 3:
                window.resize(columns, lines)
        window.press("3")
        window.wait_for("1 Library", "space Pause/resume")
        job.terminate()
        job.communicate(timeout=20)
        window.wait_for("The job is over")
        window.press("q")
        gone(window)


def test_detach_and_attach(workspace: Path, library: Path, opened: Open) -> None:
    slow(workspace, library)
    with start_slow(workspace) as job:
        window = opened()
        window.wait_for("Watch the running job")
        window.press("3")
        window.wait_for("of 40")
        for _ in range(3):
            with subprocess.Popen(
                ["tmux", "-L", window.socket, "-C", "attach"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
            ) as client:
                client.communicate(b"detach\n", timeout=20)
        window.wait_for("of 40", "running")
        job.terminate()
        job.communicate(timeout=20)


def test_retry_edit_and_undo(workspace: Path, library: Path, opened: Open) -> None:
    write_records(workspace, *map(caption, range(38)), failure(38), failure(39, "CallError: busy"))
    window = opened("--photos-dir", library)
    window.wait_for("Retry 2 failed photos")
    window.press("4")
    window.wait_for("1 of 40")
    window.press("n", "n")
    window.wait_for("CallError: busy")
    window.press("r")
    window.wait_for("The job is over")
    assert [record.rel_path for record in records(workspace)[40:]] == ["IMG_00039.jpg"]
    window.press("4")
    window.wait_for("40 of 40")
    window.press("g")
    window.wait_for("1 of 40", "a caption")
    window.press("e")
    window.wait_for("Save (f2)")
    window.type(" of mine")
    window.press("F2")
    window.wait_for("a caption of mine", "✎", "the machine's: a caption")
    window.press("u")
    window.wait_for("1 of 40")
    deadline = time.monotonic() + 10
    while "of mine" in window.screen():
        assert time.monotonic() < deadline
    edits = [edit.caption for _, edit in scan(workspace / "edits.jsonl", EditRecord)]
    assert edits == ["a caption of mine", None]


def test_a_burst_of_keys_goes_where_it_was_meant(
    workspace: Path, library: Path, opened: Open
) -> None:
    write_records(workspace, *(caption(n, f"photo {'erna' * (n % 2)} {n}") for n in range(40)))
    window = opened("--photos-dir", library)
    window.wait_for("1 Library")
    window.press("4")
    window.wait_for("1 of 40")
    window.press("/", *"erna", "Enter")  # r would retry, e edit, n seek, a show all
    window.wait_for("erna", "1 of 20 found in 40", "photo erna 1")
    window.press("j", "e", *" burst", "F2")
    window.wait_for("photo erna 3 burst", "the machine's: photo erna 3", "2 of 20")
    assert len(records(workspace)) == 40


def test_the_demo_opens_on_a_running_job(workspace: Path, opened: Open) -> None:
    window = opened("demo", "somewhere")
    window.wait_for("3 Run", "41 photos in", "39 success, 2 error_corrupt", seconds=90)
    window.press("1")
    window.wait_for("photos found", "2024", "Sort the photos into clusters")
    window.press("q")
    gone(window)


def test_a_terminal_that_cannot_gets_the_help(workspace: Path, library: Path, opened: Open) -> None:
    command = ["env", "TERM=dumb", *PCC]
    with terminal(command, workspace, CLEAN_ENVIRONMENT) as window:
        window.wait_for("EXIT=0")
        assert "Usage: pcc" in window.tmux("capture-pane", "-p", "-S", "-100")


def test_wrong_settings_are_a_line(workspace: Path, opened: Open) -> None:
    (workspace / "pcc.toml").write_text("bakcend = 'mock'\n")
    window = opened()
    screen = window.wait_for("EXIT=64")
    assert "did you mean 'backend'" in " ".join(screen.split())


def test_a_million_records_are_there_at_once_and_in_full(
    workspace: Path, tmp_path: Path, opened: Open
) -> None:
    (tmp_path / "photos").mkdir()
    line = '{"rel_path":"%07d.jpg","caption":"c","status":"success"}\n'
    with (workspace / "captions.jsonl").open("w") as file:
        file.writelines(line % number for number in range(1_000_000))
    window = opened("--photos-dir", tmp_path / "photos")
    window.wait_for("1 Library")
    window.press("4")
    window.wait_for("0000000.jpg", "0000001.jpg")
    window.wait_for("of 1,000,000")
    window.press("G")
    window.wait_for("1,000,000 of 1,000,000", "0999999.jpg")
    status = Path(f"/proc/{window.pid()}/status").read_text()
    peak = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
    assert peak < 300_000  # kB
