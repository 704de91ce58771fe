"""plan, stats, journal, doctor, demo and watch, as their users run them."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from journal import CaptionRecord, scan, seal
from pipeline.captions.plan import Maker, read_history
from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc
from tests.support.runs import start, wait_for_records, wait_until_working


@pytest.fixture
def job(
    photos: Callable[..., Path], workspace: Path
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a mock run of thirty photos; it is killed at the end if it still runs."""
    running: list[subprocess.Popen[str]] = []

    def begin(latency: str = "0.05") -> subprocess.Popen[str]:
        arguments = ["run", "--backend", "mock", "--mock-latency", latency]
        running.append(start(workspace, *arguments, "--photos-dir", photos(30)))
        wait_until_working(workspace)
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def test_plan_tells_what_each_flag_would_do(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(6)
    lines = [
        b'{"rel_path":"IMG_00000.jpg","caption":"c","status":"success","backend":"gone"}',
        b'{"rel_path":"IMG_00001.jpg","caption":null,"status":"error_api"}',
        b'{"rel_path":"IMG_00002.jpg","caption":"c","status":"success","backend":"gone",'
        b'"copied_from":"x.jpg"}',
        b'{"rel_path":"IMG_00003.jpg","caption":"of another machine","status":"success"}',
    ]
    (workspace / "captions.jsonl").write_bytes(b"".join(map(seal, lines)))
    edit = b'{"rel_path":"IMG_00000.jpg","caption":"mine","at":"2026-11-20T00:00:00Z"}'
    (workspace / "edits.jsonl").write_bytes(seal(edit))

    for name in ("a.mov", "b.MOV", "c.xmp", "README"):
        (folder / name).touch()
    plan = ["plan", "--photos-dir", folder, "--backend", "mock"]
    assert "Passed over: 2 .mov, 1 without an extension, 1 .xmp" in pcc(*plan).stdout
    assert json.loads(pcc(*plan, "--json").stdout) == {
        "kind": "plan",
        "photos": 6,
        "missing": 2,
        "errored": {"error_api": 1},
        "stale": 2,
        "changed": 0,
        "edited": 1,
        "copies": 1,
        "to_do": 2,
        "passed_over": {"mov": 2, "xmp": 1, "": 1},
    }
    retry = pcc(*plan, "--json", "--retry-status", "error_api")
    alone = pcc(*plan, "--json", "--retry-status", "error_api", "--retry-only")
    stale = pcc(*plan, "--json", "--retry-stale")
    force = pcc(*plan, "--json", "--force")
    to_do = [json.loads(done.stdout)["to_do"] for done in (retry, alone, stale, force)]
    assert to_do == [3, 1, 3, 6]


def test_edited_photos_are_redone_by_force_alone(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(3)
    pcc("run", "--backend", "mock", "--photos-dir", folder)
    edit = b'{"rel_path":"IMG_00000.jpg","caption":"mine","at":"2026-11-20T00:00:00Z"}'
    (workspace / "edits.jsonl").write_bytes(seal(edit))
    pcc("run", "--backend", "mock", "--prompt", "p", "--photos-dir", folder, "--retry-stale")

    made = [record for _, record in scan(workspace / "captions.jsonl", CaptionRecord)]
    assert sorted(record.rel_path for record in made[3:]) == [
        "IMG_00001.jpg",
        "IMG_00002.jpg",
    ]


def test_stats_add_up(pcc: Pcc, workspace: Path) -> None:
    lines = [
        '"a","caption":null,"status":"error_api","tokens_in":5,"cost_usd":0.5,"seconds":3.0',
        '"a","caption":"c","status":"success","backend":"b","model":"m","tokens_in":7,'
        '"tokens_out":2,"cost_usd":0.25,"seconds":1.0,"at":"2026-01-02T00:00:00Z"',
        '"b","caption":"c","status":"success","backend":"b","at":"2026-01-01T00:00:00Z"',
    ]
    sealed = [seal(f'{{"rel_path":{line}}}'.encode()) for line in lines]
    plain = b'{"rel_path":"c","caption":"c","status":"success"}\n'
    torn = b'{"rel_path":"d","ca'
    (workspace / "captions.jsonl").write_bytes(b"".join([*sealed, plain, b"damage\n", torn]))

    assert json.loads(pcc("stats", "--json").stdout) == {
        "kind": "stats",
        "records": 3,
        "by_status": {"success": 3},
        "by_backend": {"b": 2},
        "by_model": {"m": 1},
        "first_at": "2026-01-01T00:00:00Z",
        "last_at": "2026-01-02T00:00:00Z",
        "tokens_in": 12,
        "tokens_out": 2,
        "cost_usd": 0.75,
        "seconds_mean": 2.0,
        "malformed": {"torn_tail": 1, "damaged": 1, "lines": [5]},
        "unverified": 1,
    }


HUGE = [
    '"tokens_in":99999999999999999999999999,"tokens_out":' + "9" * 4000,
    '"cost_usd":1e308,"seconds":1e308',
    '"cost_usd":1e308,"seconds":1e308,"tokens_in":-7',
    '"cost_usd":-1e300,"seconds":-5,"tokens_out":-3',
    '"cost_usd":1e999',
    '"cost_usd":NaN',
    '"tokens_in":' + "9" * 5000,
    '"tokens_in":3,"tokens_out":2,"cost_usd":0.5,"seconds":2.0',
]
"""Figures of records as another program may write them; only the last are possible."""


def test_figures_that_no_attempt_can_have_count_for_no_sum(pcc: Pcc, workspace: Path) -> None:
    start = '{"rel_path":"%d.jpg","caption":"c","status":"success","backend":"mock","run":"r",'
    lines = [(start % number + figures + "}").encode() for number, figures in enumerate(HUGE)]
    (workspace / "captions.jsonl").write_bytes(b"".join(map(seal, lines)))

    def no_constant(name: str) -> float:
        raise AssertionError(f"{name} is no JSON")

    stats = json.loads(pcc("stats", "--json").stdout, parse_constant=no_constant)
    told = pcc("stats")

    assert (stats["records"], stats["malformed"]["damaged"]) == (5, 3)
    assert (stats["tokens_in"], stats["tokens_out"], stats["cost_usd"]) == (3, 2, 0.5)
    assert stats["seconds_mean"] == 2.0
    assert told.returncode == 0


def test_a_cost_below_zero_buys_no_further_photos(workspace: Path) -> None:
    line = b'{"rel_path":"x.jpg","caption":"c","status":"success","run":"r","cost_usd":-1000000}'
    paid = b'{"rel_path":"y.jpg","caption":"c","status":"success","run":"r","cost_usd":2.5}'
    (workspace / "captions.jsonl").write_bytes(seal(line) + seal(paid))

    history = read_history(workspace / "captions.jsonl", "r", Maker("mock", None, "p"), ["a.jpg"])

    assert history.spent == 2.5


def test_stats_of_nothing(pcc: Pcc) -> None:
    assert json.loads(pcc("stats", "--json").stdout)["records"] == 0
    assert pcc("stats").returncode == 0


def test_check_finds_damage_and_repair_mends_it(pcc: Pcc, workspace: Path) -> None:
    good = seal(b'{"rel_path":"a","caption":"c","status":"success"}')
    (workspace / "captions.jsonl").write_bytes(good + b"damage\n" + good)
    found = pcc("journal", "check")
    assert found.returncode == 1
    assert f"line 2, byte {len(good)}" in found.stdout

    mended = json.loads(pcc("journal", "repair", "--json").stdout)
    assert (mended["kept"], mended["dropped"]) == (2, 1)
    assert Path(workspace, mended["backup"]).read_bytes() == good + b"damage\n" + good
    assert pcc("journal", "check").returncode == 0
    assert json.loads(pcc("journal", "compact", "--json").stdout)["kept"] == 1


def test_doctor_finds_out_whether_photos_can_be_listed(
    pcc: Pcc, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.scandir

    def refuse(path: object = ".") -> object:
        if str(path).endswith("private"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return whole(path)  # type: ignore[call-overload]

    (workspace / "private").mkdir()
    monkeypatch.setattr(os, "scandir", refuse)
    (line,) = [
        line
        for line in pcc("doctor", "--photos-dir", "private").stdout.splitlines()
        if " photos " in line
    ]
    assert line.startswith("wrong")
    assert "private cannot be read: Permission denied" in line


def test_doctor_tells_what_is_there_and_shows_no_key(pcc: Pcc, workspace: Path) -> None:
    (workspace / "config.env").write_text("OPENAI_API_KEY=canary-8812-secret\nOPENAI_KEY=x\n")
    (workspace / "config.env").chmod(0o644)
    done = pcc("doctor")

    assert done.returncode == 0
    assert "OPENAI_API_KEY is set" in done.stdout
    assert "ANTHROPIC_API_KEY is not set" in done.stdout
    assert "canary-8812" not in done.stdout + done.stderr
    assert "chmod 600" in done.stderr
    assert pcc("doctor", "--photos-dir", "/no/such/folder").returncode == 1


def test_demo_makes_a_library_and_captions_it(pcc: Pcc, workspace: Path) -> None:
    first = pcc("demo", "there", timeout=120)
    assert first.returncode == 0, first.stderr
    assert "41 photos" in first.stdout
    assert "error_corrupt" in first.stdout
    made = [record for _, record in scan(workspace / "there" / "captions.jsonl", CaptionRecord)]
    assert sum(record.status == "success" for record in made) == 39
    assert sum(record.copied_from is not None for record in made) == 2
    assert all(
        "Photo" in (record.caption or "Photo") for record in made if not record.error
    ) or any("Screenshot" in (record.caption or "") for record in made)

    again = pcc("demo", "there")
    assert "Skipping 41 already processed" in again.stdout


def test_demo_on_a_folder_of_ones_own(photos: Callable[..., Path], pcc: Pcc) -> None:
    done = pcc("demo", "there", "--photos-dir", photos(3))
    assert done.returncode == 0
    assert "3 photos" in done.stdout


def test_watch_follows_pauses_resumes_and_stops(
    job: Callable[..., subprocess.Popen[str]], pcc: Pcc, workspace: Path
) -> None:
    running = job("0.1")

    def snapshot() -> dict[str, object]:
        shown: dict[str, object] = json.loads(pcc("watch", "--once", "--json").stdout)
        return shown

    assert "pause" in pcc("watch", "--pause").stdout
    assert snapshot()["state"] == "paused"
    assert "resume" in pcc("watch", "--resume").stdout
    assert snapshot()["state"] == "running"
    assert "stop" in pcc("watch", "--stop").stdout
    stdout, stderr = running.communicate(timeout=20)

    assert running.returncode == 130, stderr
    assert "photos remain" in stdout
    log = list(map(json.loads, (workspace / "caption.log").read_text().splitlines()))
    assert [line["event"] for line in log] == ["start", "pause", "resume", "progress", "end"]
    assert (log[-1]["how"], log[-1]["by"]) == ("stopped", "watch")


def test_watch_shows_a_job_to_its_end(
    job: Callable[..., subprocess.Popen[str]], pcc: Pcc, workspace: Path
) -> None:
    job("0.1")
    done = pcc("watch", "--json")
    shots = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 0
    assert shots[-1]["attempted"] == 30
    assert shots[-1]["state"] == "finished"
    assert shots[0]["total"] == 30


def test_leaving_watch_leaves_the_job(
    job: Callable[..., subprocess.Popen[str]], workspace: Path
) -> None:
    running = job("0.05")
    watching = subprocess.Popen(
        [*PCC, "watch"], cwd=workspace, env=CLEAN_ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    assert watching.stdout is not None
    watching.stdout.readline()
    watching.send_signal(2)
    assert watching.wait(timeout=10) == 0
    watching.stdout.close()
    stdout, _ = running.communicate(timeout=20)

    assert running.returncode == 0
    assert "30 photos" in stdout


def test_watch_without_a_job(pcc: Pcc) -> None:
    assert pcc("watch").returncode == 0
    assert "no job runs" in pcc("watch").stderr
    assert pcc("watch", "--pause").returncode == 1


def test_killed_job_is_no_job(
    job: Callable[..., subprocess.Popen[str]], pcc: Pcc, workspace: Path
) -> None:
    running = job("0.05")
    wait_for_records(workspace, 2)
    running.kill()
    running.communicate()

    assert "was killed" in pcc("watch").stderr
