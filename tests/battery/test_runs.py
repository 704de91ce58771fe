"""Long batteries over whole runs: `make battery`."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.table import tree_mb
from journal import CaptionRecord, scan
from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc
from tests.support.api_server import ApiServer, Reply
from tests.support.photos import make_photos, noise_jpeg
from tests.support.protocols import OPENAI
from tests.support.runs import records

pytestmark = pytest.mark.battery


def start(workspace: Path, *arguments: str | Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*PCC, "run", *map(str, arguments)],
        cwd=workspace,
        env=CLEAN_ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def reported(workspace: Path) -> int:
    """Return how many photos the running job has reported as done, as `pcc watch` sees it."""
    done = subprocess.run(
        [*PCC, "watch", "--once", "--json"],
        cwd=workspace,
        env=CLEAN_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(json.loads(done.stdout)["attempted"]) if done.stdout else 0


def test_two_hundred_kills_of_a_run_at_random(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(400)
    rng = random.Random(7)
    known: list[CaptionRecord] = []
    for _ in range(200):
        running = start(
            workspace, "--backend", "mock", "--mock-latency", "0.02", "--photos-dir", folder
        )
        time.sleep(rng.uniform(0.1, 0.7))
        running.kill()
        running.wait()
        found = records(workspace)
        assert found[: len(known)] == known, "an earlier record changed"
        known = found
    assert pcc("run", "--backend", "mock", "--photos-dir", folder).returncode == 0
    counted = Counter(record.rel_path for record in records(workspace))
    assert counted.keys() == {path.name for path in folder.iterdir()}
    assert set(counted.values()) == {1}
    assert pcc("journal", "check").returncode == 0


def test_what_was_reported_before_a_kill_is_there(
    photos: Callable[..., Path], workspace: Path
) -> None:
    folder = photos(300)
    for _ in range(15):
        before = len(records(workspace))
        running = start(
            workspace, "--backend", "mock", "--mock-latency", "0.01", "--photos-dir", folder
        )
        time.sleep(0.6)
        done = reported(workspace)
        running.kill()
        running.wait()
        assert len(records(workspace)) >= before + done


def test_killed_api_run_sends_at_most_what_was_in_flight_again(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, server: ApiServer
) -> None:
    folder, workers = photos(200), 8
    server.latency = 0.05
    common = ["--backend", "openai", "--base-url", server.url, "--photos-dir", str(folder)]
    common += ["--max-workers", str(workers), "--model", "gpt-4o-mini"]
    kills = 5
    for _ in range(kills):
        running = start(workspace, *common)
        sent = len(server.captions)
        while len(server.captions) < sent + 30:
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert pcc("run", *common).returncode == 0

    counted = Counter(record.rel_path for record in records(workspace))
    assert len(counted) == 200
    assert set(counted.values()) == {1}
    # In flight, or answered within the 50 ms before the sync that would have kept them.
    assert len(server.captions) - 200 <= kills * 2 * workers


def test_faults_cost_no_blank_and_the_rerun_sends_exactly_the_failed(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, server: ApiServer
) -> None:
    faults = [
        Reply(429, headers={"retry-after": "0"}),
        OPENAI.error(500, "oops"),
        Reply(raw=b""),
        Reply(body="garbage"),
        OPENAI.empty(),
        OPENAI.error(400, "bad picture"),
    ]
    rng = random.Random(3)
    server.script = lambda request: rng.choice(faults) if rng.random() < 0.4 else OPENAI.good()
    common = ["run", "--backend", "openai", "--base-url", server.url, "--model", "gpt-4o-mini"]
    common += ["--photos-dir", str(photos(200)), "--max-workers", "8"]
    assert pcc(*common, timeout=300).returncode == 0
    first = {record.rel_path: record for record in records(workspace)}
    failed = [record for record in first.values() if record.status != "success"]

    assert len(first) == 200
    assert failed
    assert all(record.caption for record in first.values() if record.status == "success")
    assert all(record.error for record in failed)
    before = len(server.captions)
    server.script = lambda request: OPENAI.good()
    pcc(*common, "--retry-status", "error_api")
    assert len(server.captions) - before == len(failed)
    assert {record.status for record in {r.rel_path: r for r in records(workspace)}.values()} == {
        "success"
    }


def test_a_hundred_thousand_photos_in_flat_memory(tmp_path: Path, workspace: Path) -> None:
    folder, count = tmp_path / "photos", 100_000
    data = noise_jpeg(1, (64, 48))
    for number in range(count):
        if number % 1000 == 0:
            (folder / f"{number // 1000:03d}").mkdir(parents=True)
        path = folder / f"{number // 1000:03d}" / f"{number:06d}.jpg"
        path.write_bytes(data + number.to_bytes(4, "big"))  # no two alike
    running = start(workspace, "--backend", "mock", "--photos-dir", folder)
    sizes = []
    while running.poll() is None:
        sizes.append(tree_mb(running.pid))
        time.sleep(0.5)

    assert running.returncode == 0
    assert sum(1 for _ in scan(workspace / "captions.jsonl", CaptionRecord)) == count
    third = len(sizes) // 3
    assert max(sizes) < 400
    assert max(sizes[-third:]) < 1.25 * max(sizes[third : 2 * third])


def test_hostile_library_is_worked_through(tmp_path: Path, pcc: Pcc, workspace: Path) -> None:
    folder = tmp_path / "photos"
    make_photos(folder, 50)
    rng = random.Random(11)
    for number in range(500):
        data = bytearray(noise_jpeg(number, (160, 120)))
        for _ in range(rng.randint(1, 60)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (folder / f"fuzzed{number}.{rng.choice(['jpg', 'png', 'heic', 'tif'])}").write_bytes(data)
    done = pcc("run", "--photos-dir", folder, timeout=300)

    assert done.returncode == 0, done.stderr
    assert len({record.rel_path for record in records(workspace)}) == 550
