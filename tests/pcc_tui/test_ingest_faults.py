"""`pcc ingest run` killed, stopped, without disk or server: nothing lost, nothing twice."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from journal import check
from pipeline.ingest.cache.records import Outcome
from tests.support.ingesting import (
    SCRIPTED,
    Ingest,
    command_line,
    tiny_png,
    wait_until,
    workers_of,
)
from tests.support.programs import as_root_of_its_own
from tests.support.redis_server import RedisServer
from tests.support.runs import wait_for_snapshot
from tests.support.scripted_ocr import DEADLY

ABANDON = shlex.join(
    [
        sys.executable,
        "-c",
        "import sqlite3, sys\n"
        "queue = sqlite3.connect(sys.argv[1] + '/queue.sqlite')\n"
        "with queue: queue.execute('UPDATE items SET expires = 0 WHERE expires IS NOT NULL')\n",
    ]
)
"""Lets the leases of a queue run out, as two minutes do."""


def finish(running: subprocess.Popen[str], code: int = 0) -> str:
    """Wait for a run to end, which has to have an exit code, and return what it told."""
    stdout, stderr = running.communicate(timeout=60)
    assert running.returncode == code, stderr
    assert "Traceback" not in stderr
    return stdout


def test_four_workers_killed_at_random_then_a_photo_that_kills(ingest: Ingest) -> None:
    ingest.draw(60)
    running = ingest.start("run", *SCRIPTED, "--workers", "4", "--json", SCRIPTED_SECONDS="0.03")
    rng = Random(4)
    killed: set[int] = set()
    while len(killed) < 4:
        wait_until(lambda: ingest.count() > 10 * len(killed), "it goes on")
        wait_until(lambda: set(workers_of(running.pid)) - killed, "somebody works")
        victim = rng.choice(sorted(set(workers_of(running.pid)) - killed))
        os.kill(victim, signal.SIGKILL)
        killed.add(victim)
    assert json.loads(finish(running))["by_status"] == {"success": 60}
    ingest.assert_each_once(cut_short=True)
    assert ingest.counts().done == 60

    ingest.draw(20, first=60)
    tiny_png(ingest.photos / "p00070x.png", 1000, DEADLY)
    report = ingest.report("run", *SCRIPTED, "--workers", "2")
    assert report["by_status"] == {"success": 20, "error_model": 1}
    assert report["parked"] == 1
    ingest.assert_each_once(cut_short=True)
    (parked,) = ingest.report("status")["parked"]
    assert parked["image_id"] == "p00070x.png"
    assert "given up after 3 attempts: the last worker" in parked["reason"]
    queue = ingest.counts()
    assert (queue.waiting, queue.leased, queue.done, queue.parked) == (0, 0, 80, 1)
    assert log(ingest).count("worker died") == 4 + 3


@pytest.mark.parametrize("name", ["outcomes.jsonl", "ocr.jsonl"])
def test_killed_between_the_cache_and_the_queue(ingest: Ingest, tmp_path: Path, name: str) -> None:
    """Two workers die when they sync; what they wrote of outcomes counts, and only once."""
    ingest.draw(24)
    for number in range(2):
        (tmp_path / f"fuse-{number}").touch()
    (tmp_path / "engine" / "sitecustomize.py").write_text(
        "import os, pathlib, sys\n"
        "sync = os.fdatasync\n"
        "def deadly(descriptor):\n"
        f"    if os.readlink(f'/proc/self/fd/{{descriptor}}').endswith({name!r}):\n"
        f"        for fuse in pathlib.Path({str(tmp_path)!r}).glob('fuse-*'):\n"
        "            fuse.unlink()\n"
        "            os.kill(os.getpid(), 9)\n"
        "    sync(descriptor)\n"
        "if 'pipeline.ingest.workers.worker' in sys.orig_argv:\n"
        "    os.fdatasync = deadly\n"
    )
    report = ingest.report("run", *SCRIPTED)
    assert report["by_status"] == {"success": 24}
    assert log(ingest).count("worker died") == 2
    ingest.assert_each_once(cut_short=name == "ocr.jsonl")
    assert ingest.counts().done == 24


@pytest.mark.parametrize("lasting", [True, False], ids=["with its data", "without"])
def test_redis_killed_in_the_middle(ingest: Ingest, lasting: bool) -> None:
    ingest.draw(40)
    with RedisServer("secret", lasting=lasting) as server:
        given = (*SCRIPTED, "--workers", "2", "--queue", server.url)
        running = ingest.start("run", *given, "--json", SCRIPTED_SECONDS="0.05")
        wait_until(lambda: ingest.count() >= 8, "it works")
        ingest("pause", "--queue", server.url)
        assert ingest.report("status", "--queue", server.url)["queue"]["paused"]
        server.restart()
        assert ingest.report("status", "--queue", server.url)["queue"]["paused"] is lasting
        ingest("resume", "--queue", server.url)
        report = json.loads(finish(running))
        assert report["by_status"] == {"success": 40}
        assert report["remaining"] == 0
        queue = ingest.counts(server.url)
        assert (queue.waiting, queue.leased) == (0, 0)
    ingest.assert_each_once()
    assert "secret" not in (ingest.cache / "ingest.log").read_text()


def test_workers_of_a_killed_run_end_and_give_back_what_they_hold(ingest: Ingest) -> None:
    ingest.draw(60)
    running = ingest.start("run", *SCRIPTED, "--workers", "2", SCRIPTED_SECONDS="0.05")
    wait_until(lambda: ingest.count() >= 8, "it works")
    workers = workers_of(running.pid)
    os.kill(workers[0], signal.SIGSTOP)
    running.kill()
    running.communicate()
    assert len(workers) == 2
    wait_until(lambda: not any(map(command_line, workers)), "its workers end")

    queue = ingest.counts()
    assert queue.leased == 0
    assert queue.done == ingest.count() < 60
    assert ingest.report("run", *SCRIPTED)["by_status"] == {"success": queue.waiting}
    ingest.assert_each_once()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_by_a_signal(ingest: Ingest, number: int, code: int) -> None:
    ingest.draw(60)
    running = ingest.start("run", *SCRIPTED, "--workers", "2", SCRIPTED_SECONDS="0.05")
    wait_until(lambda: ingest.count() >= 8, "it works")
    workers = workers_of(running.pid)
    running.send_signal(number)
    told = finish(running, code)

    assert not any(map(command_line, workers))
    queue = ingest.counts()
    assert queue.leased == 0
    assert queue.done == ingest.count() < 60
    assert f"{60 - queue.done} photos are left" in told
    assert ingest.report("run", *SCRIPTED)["by_status"] == {"success": 60 - queue.done}
    ingest.assert_each_once()


def test_second_signal_gives_up_what_is_in_flight(ingest: Ingest) -> None:
    """Each picture takes ten minutes."""
    ingest.draw(8)
    running = ingest.start("run", *SCRIPTED, SCRIPTED_SECONDS="600")
    wait_until(lambda: ingest.cache.exists() and "worker starts" in log(ingest), "it starts")
    wait_for_snapshot(ingest.workspace, lambda shot: bool(shot["current"]))
    (worker,) = workers_of(running.pid)
    running.send_signal(signal.SIGINT)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 0.5, "the first is for what is in flight")
    assert running.poll() is None
    running.send_signal(signal.SIGINT)
    told = finish(running, 130)

    assert "8 photos are left" in told
    assert not command_line(worker)
    assert ingest.count() == 0
    assert "died" not in log(ingest), "nobody had to be killed"
    queue = ingest.counts()
    assert (queue.waiting, queue.leased) == (8, 0)


def log(ingest: Ingest) -> str:
    """Return what a run noted."""
    path = ingest.cache / "ingest.log"
    return path.read_text() if path.exists() else ""


def test_workers_that_die_at_once_end_the_run(ingest: Ingest, tmp_path: Path) -> None:
    ingest.draw(2)
    (tmp_path / "engine" / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if 'pipeline.ingest.workers.worker' in sys.orig_argv:\n"
        "    sys.stderr.write('no luck today')\n"
        "    sys.stderr.flush()\n"
        "    os._exit(3)\n"
    )
    done = ingest("run", *SCRIPTED, "--workers", "3", code=1)
    assert "workers died and nothing got done; the last of no luck today" in done.stderr
    assert done.stderr.count("\n") == 1
    (tmp_path / "engine" / "sitecustomize.py").unlink()
    assert ingest.report("run", *SCRIPTED)["by_status"] == {"success": 2}


def test_full_disk_stops_the_run_and_the_next_completes(ingest: Ingest, tmp_path: Path) -> None:
    """A real file system, in a mount namespace of our own."""
    ingest.draw(40)
    small = tmp_path / "small"
    small.mkdir()
    run = shlex.join(ingest.command("run", *SCRIPTED, "--cache", str(small)))
    script = f"""
        mount -t tmpfs -o size=1m none {small}
        SCRIPTED_SECONDS=0.05 {run} & running=$!
        while ! grep -qs success {small}/outcomes.jsonl && kill -0 $running; do
            sleep 0.02
        done
        head -c 1048576 /dev/zero > {small}/ballast 2>/dev/null
        wait $running
        echo "first $?"
        cp {small}/outcomes.jsonl {tmp_path}/before
        rm {small}/ballast
        {ABANDON} {small}
        {run}
        echo "second $?"
        mkdir {ingest.cache} && cp -r {small}/. {ingest.cache}
    """
    done = subprocess.run(
        as_root_of_its_own(script),
        cwd=ingest.workspace,
        env=ingest.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "first 1" in done.stdout, (done.stdout, done.stderr)
    assert "full" in done.stderr
    assert "Traceback" not in done.stderr
    assert "second 0" in done.stdout, done.stderr
    before = (tmp_path / "before").read_bytes()
    assert before.count(b"\n") < 40
    assert (ingest.cache / "outcomes.jsonl").read_bytes().startswith(before)
    assert check(tmp_path / "before", Outcome).damaged == 0
    ingest.assert_each_once(cut_short=True)
