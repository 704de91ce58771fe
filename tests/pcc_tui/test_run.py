"""`pcc run` as its users run it: in processes, over real files, with real signals."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from journal import CaptionRecord, scan
from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc
from tests.support.openai_server import OpenAIServer, Reply, completion, error, good
from tests.support.photos import noise_jpeg

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
    """Wait until a journal holds so many records."""
    journal = workspace / "captions.jsonl"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if journal.exists() and journal.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.01)
    pytest.fail(f"no {count} records in time")


def test_twenty_mock_photos(photos: Callable[..., Path], pcc: Pcc, workspace: Path) -> None:
    done = pcc("run", "--backend", "mock", "--photos-dir", photos(20))

    assert done.returncode == 0, done.stderr
    assert "Skipping 0 already processed (0 success, 0 errors)" in done.stdout
    assert "20 photos" in done.stdout
    found = records(workspace)
    assert sorted(record.rel_path for record in found) == [f"IMG_{n:05d}.jpg" for n in range(20)]
    assert found[0].caption == f"a mock caption for {found[0].rel_path}"


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
    time.sleep(0.5)
    assert running.poll() is None
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=20)

    assert running.returncode == 130
    assert records(workspace) == []


def wait_until_working(workspace: Path) -> None:
    """Wait until a job of this workspace has a photo in hand."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        shown = subprocess.run(
            [*PCC, "watch", "--once", "--json"],
            cwd=workspace,
            env=CLEAN_ENVIRONMENT,
            capture_output=True,
            text=True,
            check=True,
        )
        if shown.stdout and json.loads(shown.stdout)["current"]:
            return
    pytest.fail("no photo in hand in time")


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


def test_missing_key_is_a_usage_error_before_any_photo(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    done = pcc("run", "--backend", "openai", "--photos-dir", photos(2))

    assert done.returncode == 64
    assert "OPENAI_API_KEY is not set" in done.stderr
    assert "Traceback" not in done.stderr
    assert records(workspace) == []


def test_error_rate_of_the_mock_makes_corrupt_records(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(60)
    pcc("run", "--backend", "mock", "--mock-error-rate", "0.3", "--photos-dir", folder)
    statuses = Counter(record.status for record in records(workspace))

    assert statuses.keys() == {"success", "error_corrupt"}
    assert 5 <= statuses["error_corrupt"] <= 35


def test_retry_status_redoes_exactly_the_failed(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, server: OpenAIServer
) -> None:
    common = ["run", "--backend", "openai", "--base-url", server.url, "--photos-dir", photos(6)]
    server.script = lambda request: error(400, "no") if request.number % 2 else good()
    pcc(*common, "--max-workers", "1")
    failed = {record.rel_path for record in records(workspace) if record.status == "error_api"}
    before = len(server.captions)
    server.script = lambda request: good()
    again = pcc(*common, "--retry-status", "error_api,error_model")

    assert again.returncode == 0
    assert len(failed) == len(server.captions) - before == 3
    assert {record.rel_path for record in records(workspace)[6:]} == failed


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
    assert made == {"captions.jsonl", "caption.log", "prompts.json"}
    for path in workspace.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_log_is_json_lines_with_the_events_of_a_run(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(2)
    (folder / "broken.jpg").write_bytes(b"broken")
    pcc("run", "--backend", "mock", "--photos-dir", folder)
    lines = [json.loads(line) for line in (workspace / "caption.log").read_text().splitlines()]

    assert [line["event"] for line in lines] == ["start", "skipped", "photo failed", "end"]
    assert lines[2]["photo"] == "broken.jpg"
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


CANARY_KEY = "canary-3f9a1c77-do-not-print"
"""A key that must not turn up anywhere."""


FAILURES: dict[str, Reply] = {
    "good": good(),
    "echoed in a caption": Reply(body=completion(f"a note that says {CANARY_KEY}")),
    "echoed in an error": error(400, f"bad request with Bearer {CANARY_KEY}"),
    "wrong key": error(401, f"Incorrect API key provided: {CANARY_KEY}"),
    "spent": error(429, f"no credit for {CANARY_KEY}", code="insufficient_quota"),
    "redirect": Reply(307, headers={"location": f"http://127.0.0.1:9/?key={CANARY_KEY}"}),
    "no JSON": Reply(body=f"<{CANARY_KEY}>"),
    "reset": Reply(raw=b""),
}


@pytest.mark.parametrize("reply", FAILURES.values(), ids=FAILURES)
def test_key_is_in_no_file_and_no_output(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, server: OpenAIServer, reply: Reply
) -> None:
    server.script = lambda request: reply if request.number != 1 else good()
    done = pcc(
        *("run", "--backend", "openai", "--base-url", server.url, "--photos-dir", photos(2)),
        *("--max-workers", "1"),
        environment={"OPENAI_API_KEY": CANARY_KEY},
    )

    assert server.requests[0].headers["authorization"] == f"Bearer {CANARY_KEY}"
    assert CANARY_KEY not in done.stdout + done.stderr
    for path in workspace.iterdir():
        assert CANARY_KEY.encode() not in path.read_bytes()


def test_wrong_key_stops_at_once_with_the_mending_line(
    photos: Callable[..., Path], pcc: Pcc, server: OpenAIServer
) -> None:
    server.script = lambda request: error(401, "Incorrect API key provided")
    done = pcc(
        *("run", "--backend", "openai", "--base-url", server.url, "--photos-dir", photos(20)),
        *("--max-workers", "2"),
        environment={"OPENAI_API_KEY": "sk-wrong-0123456789"},
    )

    assert done.returncode == 1
    assert "refuses the key" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(server.captions) <= 4


def test_budget_holds_across_restarts(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, server: OpenAIServer
) -> None:
    server.script = lambda request: Reply(body=completion(tokens=(1000, 100)))
    (workspace / "prices.toml").write_text("tiny = [100.0, 1000.0]  # $0.20 a photo\n")
    common = ["run", "--backend", "openai", "--base-url", server.url, "--model", "tiny"]
    common += ["--photos-dir", str(photos(30)), "--run-id", "r1", "--budget", "4.00"]
    codes = [pcc(*common, "--restart-every", "5").returncode for _ in range(4)]
    spent = sum(record.cost_usd or 0 for record in records(workspace))

    assert codes[:2] == [2, 2]
    assert codes[-1] == 3
    assert 2.0 <= spent <= 4.0
    assert len(server.captions) == len(records(workspace))


def test_budget_without_a_price_is_refused(
    photos: Callable[..., Path], pcc: Pcc, server: OpenAIServer
) -> None:
    done = pcc(
        *("run", "--backend", "openai", "--base-url", server.url, "--model", "unheard-of"),
        *("--photos-dir", photos(2), "--budget", "1"),
    )

    assert done.returncode == 64
    assert "prices.toml" in done.stderr
    assert server.captions == []


def test_what_the_server_gets_is_upright_and_holds_no_metadata(
    pcc: Pcc, tmp_path: Path, server: OpenAIServer
) -> None:
    from io import BytesIO

    from PIL import Image

    from tests.pipeline.test_images import CANARY, STORED, corners, quarters, with_metadata

    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "meta.jpg").write_bytes(with_metadata("JPEG"))
    for orientation, turn in STORED.items():
        stored = quarters((160, 120)) if turn is None else quarters((160, 120)).transpose(turn)
        exif = Image.Exif()
        exif[0x0112] = orientation
        exif[0x010E] = CANARY
        stored.save(folder / f"secret-name-{orientation}.jpg", exif=exif, comment=CANARY)
    done = pcc("run", "--backend", "openai", "--base-url", server.url, "--photos-dir", folder)

    assert done.returncode == 0, done.stderr
    assert len(server.captions) == 9
    for request in server.captions:
        assert CANARY.encode() not in request.body + request.picture
        assert b"secret-name" not in request.body
        with Image.open(BytesIO(request.picture)) as image:
            assert corners(image.convert("RGB")) == ["red", "green", "blue", "white"]


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
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script],
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
    journal = str(workspace / "captions.jsonl")
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", journal, "-e", inject]
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
        killed = run_with_fault(workspace, folder, f"inject={call}:signal=KILL:when={occurrence}")
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
    done = run_with_fault(workspace, photos(10), "inject=fdatasync:error=EIO:when=2+")

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


def test_help_names_every_command(pcc: Pcc) -> None:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", pcc("--help").stdout)

    for command in ("run", "plan", "stats", "watch", "doctor", "demo", "journal"):
        assert re.search(rf"\b{command}\b", plain)


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
