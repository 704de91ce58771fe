"""`pcc run` as its users run it: in processes, over real files."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backends.base import PictureSpec
from journal import CaptionRecord, scan
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import StorageError
from pipeline.photos.photo import LoadedPhoto
from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc
from tests.support.photos import noise_jpeg
from tests.support.runs import (
    ROOT,
    records,
    start,
    wait_until_working,
)


def test_twenty_mock_photos(photos: Callable[..., Path], pcc: Pcc, workspace: Path) -> None:
    done = pcc("run", "--backend", "mock", "--photos-dir", photos(20))

    assert done.returncode == 0, done.stderr
    assert "Skipping 0 already processed (0 success, 0 errors)" in done.stdout
    assert "20 photos" in done.stdout
    found = records(workspace)
    assert sorted(record.rel_path for record in found) == [f"IMG_{n:05d}.jpg" for n in range(20)]
    assert found[0].caption == f"a mock caption for {found[0].rel_path}"


def test_photos_that_the_storage_did_not_deliver_are_told_at_the_end(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = DecoderPool.decode

    async def fail(pool: DecoderPool, path: str, spec: PictureSpec | None = None) -> LoadedPhoto:
        if path == "IMG_00001.jpg":
            raise StorageError(path, "OSError: Input/output error")
        return await whole(pool, path, spec)

    monkeypatch.setattr(DecoderPool, "decode", fail)
    done = pcc("run", "--backend", "mock", "--photos-dir", photos(3))

    assert done.returncode == 0, done.stderr
    assert len(records(workspace)) == 2
    assert (
        "note: photos that could not be read: 1, the last IMG_00001.jpg "
        "(OSError: Input/output error); the next run tries again" in done.stdout
    )
    events = [json.loads(line) for line in (workspace / "caption.log").read_text().splitlines()]
    [unread] = [event for event in events if event["event"] == "unread"]
    assert (unread["rel_path"], unread["error"]) == (
        "IMG_00001.jpg",
        "OSError: Input/output error",
    )


def test_second_run_has_nothing_to_do(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(5)
    pcc("run", "--backend", "mock", "--photos-dir", folder)
    before = (workspace / "captions.jsonl").read_bytes()
    again = pcc("run", "--backend", "mock", "--photos-dir", folder)

    assert again.returncode == 0
    assert "Skipping 5 already processed (5 success, 0 errors)" in again.stdout
    assert (workspace / "captions.jsonl").read_bytes() == before


def test_restart_every_with_the_loop_runs_to_the_end(
    photos: Callable[..., Path], workspace: Path
) -> None:
    done = run_loop(
        *(workspace, "--backend", "mock", "--photos-dir", photos(25), "--restart-every", "10")
    )

    assert done.returncode == 0, done.stderr
    assert len(records(workspace)) == 25
    assert (workspace.parent / "starts").read_text().count("started") == 3


def run_loop(workspace: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the loop script; each start of `pcc` leaves a line in `starts`."""
    launcher = workspace.parent / "launcher"
    note = f"echo started >> {workspace.parent}/starts"
    launcher.write_text(f'#!/bin/sh\n{note}\nexec {" ".join(PCC)} "$@"\n')
    launcher.chmod(0o755)
    return subprocess.run(
        [ROOT / "run_loop.sh", *map(str, arguments)],
        cwd=workspace,
        env={**CLEAN_ENVIRONMENT, "PCC": str(launcher)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "model"),
    [
        (["mock"], None),
        (["mock", "of-mine"], "of-mine"),
        (["mock", "--model", "of-mine"], "of-mine"),
        (["--backend", "mock", "--model", "of-mine"], "of-mine"),
    ],
)
def test_the_loop_takes_backend_and_model_as_words_too(
    photos: Callable[..., Path], workspace: Path, words: list[str], model: str | None
) -> None:
    done = run_loop(workspace, *words, "--photos-dir", photos(3), "--restart-every", "2")

    assert done.returncode == 0, done.stderr
    assert {(record.backend, record.model) for record in records(workspace)} == {("mock", model)}
    assert (workspace.parent / "starts").read_text().count("started") == 2


def test_a_third_word_is_refused_by_the_loop(workspace: Path) -> None:
    done = run_loop(workspace, "mock", "of-mine", "photos")

    assert done.returncode == 64
    assert "photos" in done.stderr


def test_restarting_every_0_photos_is_never(photos: Callable[..., Path], workspace: Path) -> None:
    done = run_loop(workspace, "mock", "--photos-dir", photos(3), "--restart-every", "0", "--force")

    assert done.returncode == 0, done.stderr
    assert len(records(workspace)) == 3
    assert (workspace.parent / "starts").read_text().count("started") == 1


def test_a_stop_that_was_asked_for_ends_the_loop(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    with ThreadPoolExecutor() as pool:
        arguments = ("--photos-dir", photos(30), "--mock-latency", "0.2", "--max-workers", "1")
        looping = pool.submit(run_loop, workspace, "mock", *arguments, "--restart-every", "20")
        wait_until_working(workspace)
        pcc("watch", "--stop")
        done = looping.result()

    assert done.returncode == 130, done.stderr
    assert len(records(workspace)) < 20
    assert (workspace.parent / "starts").read_text().count("started") == 1


def test_usage_error_stops_the_loop(workspace: Path) -> None:
    done = run_loop(workspace, "--no-such-flag")

    assert done.returncode == 64
    assert "--no-such-flag" in done.stderr
    assert (workspace.parent / "starts").read_text().count("started") == 1


@pytest.mark.parametrize("flags", [["--force"], ["--retry-status", "success"]])
def test_loops_of_redoing_end_under_one_run_id(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, flags: list[str]
) -> None:
    common = ["run", "--backend", "mock", "--photos-dir", photos(7)]
    pcc(*common)
    codes = list[int]()
    while not codes or codes[-1] == 2:
        codes.append(pcc(*common, *flags, "--restart-every", "3", "--run-id", "again").returncode)
        assert len(codes) < 9

    assert codes == [2, 2, 0]
    assert Counter(record.run == "again" for record in records(workspace)) == {True: 7, False: 7}


def test_restarting_a_redo_without_an_id_is_refused(photos: Callable[..., Path], pcc: Pcc) -> None:
    done = pcc("run", "--photos-dir", photos(1), "--force", "--restart-every", "3")

    assert done.returncode == 64
    assert "--run-id" in done.stderr


USAGE_ERRORS = {
    "unknown flag": ["run", "--nonsense"],
    "unknown command": ["rum"],
    "no photos directory": ["run"],
    "missing photos directory": ["run", "--photos-dir", "/no/such/folder"],
    "unknown backend": ["run", "--photos-dir", ".", "--backend", "opnai"],
    "bad number": ["run", "--photos-dir", ".", "--limit", "many"],
    "negative number": ["run", "--photos-dir", ".", "--max-workers", "0"],
    "unknown status": ["run", "--photos-dir", ".", "--retry-status", "error_apy"],
    "a dry run in a loop": ["run", "--photos-dir", ".", "--dry-run", "--restart-every", "3"],
    "empty run id": ["run", "--photos-dir", ".", "--run-id", ""],
    "no number": ["run", "--photos-dir", ".", "--budget", "nan"],
    "too many workers": ["run", "--photos-dir", ".", "--max-workers", "100000000"],
    "no text": ["run", "--photos-dir", ".", "--prompt", "\udcff"],
    "a directory as journal": ["run", "--photos-dir", ".", "--captions-jsonl", "/tmp"],
    "bad detail": ["run", "--photos-dir", ".", "--detail", "medium"],
    "no journal": ["journal", "check"],
}


@pytest.mark.parametrize("arguments", USAGE_ERRORS.values(), ids=USAGE_ERRORS)
def test_usage_errors_exit_with_64_and_one_line(pcc: Pcc, arguments: list[str]) -> None:
    done = pcc(*arguments)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]

    assert done.returncode == 64
    assert [line[:5] for line in lines] == ["pcc: "]
    assert done.stdout == ""


def test_error_rate_of_the_mock_makes_corrupt_records(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(60)
    pcc("run", "--backend", "mock", "--mock-error-rate", "0.3", "--photos-dir", folder)
    statuses = Counter(record.status for record in records(workspace))

    assert statuses.keys() == {"success", "error_corrupt"}
    assert 5 <= statuses["error_corrupt"] <= 35


def test_limit_counts_attempts(photos: Callable[..., Path], pcc: Pcc, workspace: Path) -> None:
    common = ["run", "--backend", "mock", "--photos-dir", photos(9), "--limit", "4"]
    pcc(*common, "--run-id", "r1")
    pcc(*common, "--run-id", "r1")
    assert len(records(workspace)) == 4

    pcc(*common, "--run-id", "r2")
    assert len(records(workspace)) == 8


def test_dry_run_calls_no_model_and_hides_no_photo(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(4)
    (folder / "broken.jpg").write_bytes(b"broken")
    done = pcc("run", "--dry-run", "--backend", "mock", "--photos-dir", folder)

    assert done.returncode == 0, done.stderr
    assert [record.status for record in records(workspace)] == ["error_corrupt"]
    beside = scan(workspace / "captions.dry-run.jsonl", CaptionRecord)
    assert [record.status for _, record in beside] == ["success"] * 4
    pcc("run", "--backend", "mock", "--photos-dir", folder)
    assert len({record.rel_path for record in records(workspace)}) == 5


def test_json_is_one_document_and_nothing_else(photos: Callable[..., Path], pcc: Pcc) -> None:
    done = pcc("run", "--backend", "mock", "--photos-dir", photos(3), "--json")
    report = json.loads(done.stdout)

    assert list(report) == [
        "kind",
        "run",
        "attempted",
        "by_status",
        "seconds",
        "rate",
        "tokens_in",
        "tokens_out",
        "cost_usd",
        "remaining",
    ]
    assert (report["attempted"], report["remaining"]) == (3, 0)
    assert "Skipping" in done.stderr


def test_second_run_on_a_journal_is_refused_and_the_holder_named(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(4)
    running = start(
        workspace, "run", "--backend", "mock", "--mock-latency", "600", "--photos-dir", folder
    )
    wait_until_working(workspace)
    refused = pcc("run", "--backend", "mock", "--photos-dir", folder)
    running.kill()
    running.communicate()

    assert refused.returncode == 73
    assert f"process {running.pid}" in refused.stderr
    assert pcc("run", "--backend", "mock", "--photos-dir", folder).returncode == 0


def test_files_are_private_and_the_photos_untouched(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(3)
    before = {path: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())}
    pcc("run", "--photos-dir", folder)

    assert {path: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())} == before
    made = {path.name for path in workspace.iterdir()}
    assert made == {"captions.jsonl", "captions.files", "caption.log", "prompts.json"}
    for path in workspace.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_log_is_json_lines_with_the_events_of_a_run(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(2)
    (folder / "broken.jpg").write_bytes(b"broken")
    pcc("run", "--backend", "mock", "--photos-dir", folder)
    lines = [json.loads(line) for line in (workspace / "caption.log").read_text().splitlines()]

    assert [line["event"] for line in lines] == ["start", "error_corrupt", "progress", "end"]
    assert lines[1]["rel_path"] == "broken.jpg"
    assert lines[3]["by_status"] == {"success": 2, "error_corrupt": 1}


def test_odd_names_are_captioned_once_each(pcc: Pcc, tmp_path: Path, workspace: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    names = [b"caf\xe9.jpg", "Ete\u0301 \u202egpj.jpg".encode(), b"new\nline.jpg", b"\x1b[31m.jpg"]
    for number, name in enumerate(names):
        (folder / os.fsdecode(name)).write_bytes(noise_jpeg(number, (32, 24)))
    done = pcc("run", "--backend", "mock", "--photos-dir", folder)
    again = pcc("run", "--backend", "mock", "--photos-dir", folder)

    assert done.returncode == 0
    assert "Skipping 4 already processed (4 success, 0 errors)" in again.stdout
    raw = [record for record in records(workspace) if record.raw_path]
    assert [(record.rel_path, record.raw_path) for record in raw] == [
        ("caf\ufffd.jpg", "Y2Fm6S5qcGc=")
    ]


def test_help_names_every_command(pcc: Pcc) -> None:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", pcc("--help").stdout)

    for command in ("run", "plan", "stats", "watch", "doctor", "demo", "journal"):
        assert re.search(rf"\b{command}\b", plain)
