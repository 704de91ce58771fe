"""`pcc synth` as its users run it."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from pipeline.synth.staging import publish
from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc
from tests.support.pty_app import PtyApp, pty_app
from tests.support.runs import start, wait_for_snapshot

QUESTION = "Proceed with generation? (y/n)"
CHECKED_SET = ["metadata.json", "test.npz", "train.npz", "val.npz", "validation_report.png"]
SLOWLY = ["--num-images", "4000000", "--chunk-size", "100", "--yes"]
"""So many small chunks that it takes many seconds on any machine."""


def generate(number: int | str, *more: str | Path) -> list[str | Path]:
    return ["synth", "generate", "--num-images", str(number), *more]


def left_in(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


@contextmanager
def on_terminal(workspace: Path, *arguments: str | Path) -> Iterator[PtyApp]:
    with pty_app([*PCC, *map(str, arguments)], workspace, CLEAN_ENVIRONMENT) as app:
        yield app


@pytest.fixture
def under_way(workspace: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a generation that takes many seconds, and wait until it is at work."""
    process = start(workspace, "synth", "generate", *SLOWLY, "--output-dir", "sets/mine")
    wait_for_snapshot(workspace, lambda shot: shot["state"] == "running")
    yield process
    process.kill()
    process.communicate()


def test_a_set_is_made_where_the_next_name_is_free(pcc: Pcc, workspace: Path) -> None:
    first, second = pcc(*generate(100, "--yes")), pcc(*generate(100, "--yes"))

    assert (first.returncode, first.stderr) == (0, "")
    today = date.fromisoformat(left_in(workspace / "datasets")[0][:10])
    assert abs((date.today() - today).days) <= 1
    assert left_in(workspace / "datasets") == [f"{today}-v1", f"{today}-v2"]
    made = workspace / "datasets" / f"{today}-v1"
    assert left_in(made) == CHECKED_SET
    assert str(made) in first.stdout
    assert str(made) not in second.stdout
    for line in (
        r"Images:    100 \(80 train, 10 val, 10 test\), seed 42",
        r"Memory:    about \d+(\.\d)? MB",
        r"Disk:      [\d.]+ kB, [\d.,]+ .B are free",
        r"Directory: /",
    ):
        assert re.search(line, first.stdout)
    assert QUESTION not in first.stdout


def test_json_is_one_document(pcc: Pcc, workspace: Path) -> None:
    done = pcc(*generate(15, "--yes", "--json", "--output-dir", "set", "--seed", "7"))
    report = json.loads(done.stdout)

    assert report.pop("seconds") > 0
    assert report.pop("rate") > 0
    checked = report.pop("validation")
    assert (checked["kind"], checked["valid"], checked["num_images"]) == (
        "synth-validate",
        True,
        15,
    )
    assert report == {
        "kind": "synth-generate",
        "ending": "done",
        "directory": str(workspace / "set"),
        "num_images": 15,
        "seed": 7,
        "counts": {"train": 12, "val": 1, "test": 2},
        "total_bytes": 3840,
    }
    assert "Images:" in done.stderr
    logged = (workspace / "caption.log").read_text().splitlines()
    assert [json.loads(line)["event"] for line in logged] == ["start", "progress", "end"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--num-images", "0"],
        ["--num-images", "-3"],
        ["--num-images", "many"],
        ["--num-images", "1.5"],
        ["--num-images", ""],
        ["--num-images", "9", "--seed", "-1"],
        ["--num-images", "9", "--seed", str(2**64)],
        ["--num-images", "9", "--seed", "x"],
        ["--num-images", "9", "--workers", "0"],
        ["--num-images", "9", "--workers", "9999"],
        ["--num-images", "9", "--chunk-size", "0"],
        ["--num-images", "9", "--chunk-size", "-1"],
        ["--num-images", "9", "--output-dir", "file/below"],
        ["--num-images", "9", "--output-dir", "file"],
        ["--num-images", "9", "--output-dir", "empty"],
        ["--num-images", "9", "--output-dir", "link"],
        ["--num-images", "9", "--output-dir", ""],
    ],
)
def test_a_wrong_argument_is_told_in_one_line(
    pcc: Pcc, workspace: Path, arguments: list[str]
) -> None:
    (workspace / "file").touch()
    (workspace / "empty").mkdir()
    (workspace / "link").symlink_to("nowhere")
    done = pcc("synth", "generate", "--yes", *arguments)

    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr.startswith("pcc: ")
    assert done.stderr.count("\n") == 1
    assert "bug" not in done.stderr
    assert left_in(workspace) == ["empty", "file", "link"]


def test_the_largest_seed_and_an_empty_split_are_fine(pcc: Pcc) -> None:
    made = pcc(*generate(1, "--yes", "--seed", str(2**64 - 1), "--output-dir", "set"))
    checked = pcc("synth", "validate", "set")

    assert (made.returncode, checked.returncode) == (0, 0)
    assert "train: 0 images" in checked.stdout


def test_without_a_terminal_a_yes_is_needed(pcc: Pcc, workspace: Path) -> None:
    done = pcc(*generate(10))

    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == "pcc: there is no terminal to ask on; give --yes to generate at once\n"
    assert left_in(workspace) == []


@pytest.mark.parametrize("answer", ["y", "YES", "what?\ny"])
def test_yes_on_a_terminal_makes_the_set(workspace: Path, answer: str) -> None:
    with on_terminal(workspace, *generate(500, "--output-dir", "set")) as app:
        app.wait_for(QUESTION)
        assert "Directory:" in app.text()
        assert not (workspace / "set").exists()
        app.type(f"{answer}\r")
        assert app.process.wait(30) == 0
    assert app.text().count(QUESTION) == 1 + answer.count("\n")
    assert left_in(workspace / "set") == CHECKED_SET


@pytest.mark.parametrize(("key", "code"), [("n\r", 0), ("No\r", 0), ("\x04", 64)])
def test_any_other_answer_writes_nothing(workspace: Path, key: str, code: int) -> None:
    with on_terminal(workspace, *generate(500, "--output-dir", "new/set")) as app:
        app.wait_for(QUESTION)
        app.type(key)
        assert app.process.wait(30) == code
    assert left_in(workspace) == []
    assert "Traceback" not in app.text()


def test_ctrl_c_at_the_question_writes_nothing(workspace: Path) -> None:
    with on_terminal(workspace, *generate(500, "--output-dir", "new/set")) as app:
        app.wait_for(QUESTION)
        app.process.send_signal(signal.SIGINT)
        assert app.process.wait(30) == 130
    assert left_in(workspace) == []
    assert "Traceback" not in app.text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing(
    workspace: Path, under_way: subprocess.Popen[str], number: signal.Signals
) -> None:
    assert any(".partial-" in name for name in left_in(workspace / "sets"))
    under_way.send_signal(number)
    told, _ = under_way.communicate(timeout=30)

    assert under_way.returncode == 128 + number
    assert "Stopped; nothing is left of the set" in told
    assert left_in(workspace / "sets") == []


def test_a_kill_leaves_what_is_no_dataset(
    workspace: Path, pcc: Pcc, under_way: subprocess.Popen[str]
) -> None:
    under_way.kill()
    under_way.wait(30)
    [left] = left_in(workspace / "sets")

    assert left.startswith(".mine.partial-")
    assert left_in(workspace / "sets" / left) == ["train.npz"]
    again = pcc(*generate(10, "--yes", "--output-dir", "sets/mine"))
    assert again.returncode == 0
    assert f"{left} is what a killed run left; delete it" in again.stdout
    assert pcc("synth", "validate", "sets/mine").returncode == 0


def test_it_can_be_paused_resumed_and_stopped_from_elsewhere(
    workspace: Path, pcc: Pcc, under_way: subprocess.Popen[str]
) -> None:
    pcc("watch", "--pause")
    wait_for_snapshot(workspace, lambda shot: shot["state"] == "paused")
    busy = pcc(*generate(10, "--yes"))
    assert busy.returncode == 73
    pcc("watch", "--resume")
    wait_for_snapshot(workspace, lambda shot: shot["state"] == "running")
    pcc("watch", "--stop")
    under_way.communicate(timeout=30)

    assert under_way.returncode == 130
    assert left_in(workspace / "sets") == []


def test_a_write_that_fails_half_way_leaves_nothing(workspace: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))

    done = subprocess.run(
        [*PCC, *map(str, generate(100_000, "--yes", "--output-dir", "sets/mine"))],
        cwd=workspace,
        env=CLEAN_ENVIRONMENT,
        capture_output=True,
        text=True,
        preexec_fn=limit,
        check=False,
    )
    assert done.returncode == 1
    assert re.fullmatch(r"pcc: sets/mine cannot be written: .*File too large; .+\n", done.stderr)
    assert left_in(workspace / "sets") == []


def test_too_little_room_is_told_before_anything_is_written(pcc: Pcc, workspace: Path) -> None:
    done = pcc(*generate(10**12, "--yes"))

    assert done.returncode == 1
    assert done.stderr.startswith("pcc: disk full")
    assert done.stderr.count("\n") == 1
    assert left_in(workspace) == []


def test_two_processes_that_race_for_a_directory_make_one_set(workspace: Path) -> None:
    arguments = generate(200_000, "--yes", "--output-dir", workspace / "set")
    racers = [start(workspace, *arguments, "--workspace", name) for name in ("a", "b", "c")]
    codes = [(racer.communicate(timeout=60), racer.returncode)[1] for racer in racers]

    assert sorted(codes) == [0, 64, 64]
    assert left_in(workspace) == ["a", "b", "c", "set"]
    assert left_in(workspace / "set") == CHECKED_SET


def test_a_set_is_checked_once_it_is_made(pcc: Pcc, workspace: Path) -> None:
    done = pcc(*generate(100, "--yes", "--output-dir", "set"))

    assert done.returncode == 0
    assert done.stdout.endswith(f"Report: {workspace}/set/validation_report.png\nValid\n")


def test_a_new_set_with_a_defect_fails(
    pcc: Pcc, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish_spoilt(folder: Path, targets: Iterator[Path]) -> Path:
        (folder / "val.npz").write_bytes(b"what a bad disk gives back")
        return publish(folder, targets)

    monkeypatch.setattr("pipeline.synth.step.publish", publish_spoilt)
    done = pcc(*generate(100, "--yes", "--output-dir", "set", "--json"))
    report = json.loads(done.stdout)

    assert done.returncode == 1
    assert report["directory"] == str(workspace / "set")
    assert not report["validation"]["valid"]


def test_the_check_can_be_left_out(pcc: Pcc, workspace: Path) -> None:
    done = pcc(*generate(100, "--yes", "--output-dir", "set", "--no-validate", "--json"))

    assert done.returncode == 0
    assert json.loads(done.stdout)["validation"] is None
    assert left_in(workspace / "set") == CHECKED_SET[:-1]


def test_validate_tells_and_draws(pcc: Pcc, workspace: Path) -> None:
    pcc(*generate(1000, "--yes", "--output-dir", "set"))
    good = pcc("synth", "validate", "set")
    (workspace / "set" / "val.npz").unlink()
    bad, listed = pcc("synth", "validate", "set"), pcc("synth", "validate", "set", "--json")

    assert good.returncode == 0
    assert good.stdout.splitlines()[0] == "train: 800 images, 80 to 80 of a class"
    assert good.stdout.endswith("Report: set/validation_report.png\nValid\n")
    assert bad.returncode == listed.returncode == 1
    assert bad.stdout.splitlines()[-3:] == [
        "defect: val.npz is missing",
        "Report: set/validation_report.png",
        "Not valid: 1 defect",
    ]
    document = json.loads(listed.stdout)
    assert document["defects"] == ["val.npz is missing"]
    assert document["valid"] is False


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_validate_needs_a_directory(pcc: Pcc, workspace: Path, name: str) -> None:
    (workspace / "file").touch()
    done = pcc("synth", "validate", name)

    assert done.returncode == 64
    assert done.stderr == f"pcc: there is no directory {name}\n"


def test_an_empty_directory_is_no_set(pcc: Pcc, workspace: Path) -> None:
    (workspace / "set").mkdir()
    done = pcc("synth", "validate", "set")

    assert done.returncode == 1
    assert "defect: metadata.json is missing" in done.stdout
