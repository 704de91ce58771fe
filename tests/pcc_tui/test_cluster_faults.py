"""embed and cluster interrupted, killed, locked out."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from journal import WriterLock, seal
from pipeline.embeddings.store import store_of
from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc
from tests.support.apps import write_records
from tests.support.clusters import (
    SUBJECTS,
    document,
    leaf_by_photo,
    photo_names,
    record,
    subject_records,
)
from tests.support.programs import with_fault
from tests.support.runs import start, wait_for_snapshot, wait_until_working

BATCH = 2048
"""Captions that `tfidf` embeds at once, and that come to disk together."""

MANY = 4 * BATCH + 100


def write_many(workspace: Path) -> None:
    """Write a journal that takes `tfidf` five batches."""
    line = '{"rel_path":"%05d.jpg","caption":"number%d of a set","status":"success"}'
    lines = (seal((line % (number, number % 3000)).encode()) for number in range(MANY))
    (workspace / "captions.jsonl").write_bytes(b"".join(lines))


@contextmanager
def held_while_fitting(workspace: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a clustering with MiniLM and hold it where it fits; its process goes with it."""
    running = start(workspace, "cluster", "--embedder", "minilm")
    try:
        fitting = fit_worker(running.pid)
        fitting.suspend()
        wait_for_vectors(workspace, 180)
        wait_for_snapshot(workspace, lambda shot: shot["stage"] == "cluster")
        yield running
        with suppress(psutil.NoSuchProcess):
            fitting.resume()
            fitting.wait(60)
    finally:
        running.kill()
        running.communicate()


def fit_worker(pid: int) -> psutil.Process:
    """Return the fitting process of a clustering, as soon as there is one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for child in psutil.Process(pid).children():
            with suppress(psutil.NoSuchProcess):
                if "pipeline.clusters.fit_worker" in child.cmdline():
                    return child
        time.sleep(0.01)
    pytest.fail("no fitting process in time")


def wait_for_vectors(workspace: Path, count: int) -> None:
    """Wait until MiniLM is loaded and has embedded so many captions."""
    deadline = time.monotonic() + 120
    while len(store_of(workspace, "minilm").held) < count:
        assert time.monotonic() < deadline, "no such vectors in time"
        time.sleep(0.1)


def run_with_fault(workspace: Path, inject: str, path: str, *command: str) -> int:
    """Run `pcc` under strace with a fault at one system call on one file."""
    done = subprocess.run(
        [*with_fault(inject, workspace / path), *PCC, *command],
        cwd=workspace,
        env=CLEAN_ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode


@pytest.mark.parametrize(("name", "code"), [("INT", 130), ("TERM", 143), ("KILL", -signal.SIGKILL)])
def test_what_was_embedded_is_kept(pcc: Pcc, workspace: Path, name: str, code: int) -> None:
    write_many(workspace)
    inject = f"fdatasync:signal={name}:when=3"
    ended = run_with_fault(
        workspace, inject, "embeddings/tfidf/keys.jsonl", "embed", "--embedder", "tfidf"
    )
    assert ended in (code, 128 - code)
    held = len(store_of(workspace, "tfidf").held)
    assert 0 < held <= MANY
    again = document(pcc("embed", "--embedder", "tfidf", "--json"))
    assert (again["captions"], again["embedded"]) == (MANY, MANY - held)


def test_interrupted_and_killed_while_fitting_then_to_the_end(pcc: Pcc, clustered: Path) -> None:
    """Slow, some 30 s of computing: MiniLM and UMAP, as most people run them."""
    before = (clustered / "clusters.jsonl").read_bytes()
    (clustered / "pcc.toml").unlink()
    more = [
        record(f"more{n}/{made.rel_path}", f"{prefix} {made.caption}", made.taken)
        for n, prefix in enumerate(("A photo of:", "In the picture:"))
        for made in subject_records()
    ]
    write_records(clustered, *more)
    for number in (signal.SIGINT, signal.SIGKILL):
        with held_while_fitting(clustered) as running:
            running.send_signal(number)
            stdout, stderr = running.communicate(timeout=60)
        assert running.returncode == (130 if number == signal.SIGINT else -number), stderr
        assert "Traceback" not in stderr
        assert (clustered / "clusters.jsonl").read_bytes() == before
        assert len(store_of(clustered, "minilm").held) == 180
        if number == signal.SIGINT:
            assert "the same command goes on" in stdout
    report = document(pcc("cluster", "--embedder", "minilm", "--json", timeout=180))

    assert (report["photos"], report["embedded"], report["no_caption"]) == (180, 0, 0)
    subject_of = {name: subject for subject in SUBJECTS for name in photo_names(subject)}
    clusters: dict[str | None, Counter[str]] = defaultdict(Counter)
    for path, cluster in leaf_by_photo(clustered).items():
        clusters[cluster][subject_of[path[path.index("2021") :]]] += 1
    clusters.pop(None, None)
    assert len(clusters) >= len(SUBJECTS)
    right = sum(found.most_common(1)[0][1] for found in clusters.values())
    assert right >= 0.9 * sum(found.total() for found in clusters.values())


def test_another_process_that_embeds_is_named(pcc: Pcc, clustered: Path) -> None:
    keys = clustered / "embeddings" / "tfidf" / "keys.jsonl"
    lock = WriterLock(keys, "pcc embed elsewhere", None)
    for command in ("embed", "cluster"):
        done = pcc(command)
        assert (done.returncode, done.stdout) == (73, "")
        assert "pcc embed elsewhere" in done.stderr
    lock.release()
    assert pcc("embed").returncode == 0


def test_while_a_job_runs_another_waits(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    write_records(workspace, record("a.jpg", "A boat."))
    running = start(
        *(workspace, "run", "--backend", "mock", "--mock-latency", "600"),
        *("--photos-dir", photos(2)),
    )
    try:
        wait_until_working(workspace)
        for command in ("embed", "cluster"):
            done = pcc(command, "--embedder", "tfidf")
            assert done.returncode == 73, done.stdout + done.stderr
            assert "run" in done.stderr
        assert pcc("search", "boat").returncode == 0  # looking is free
    finally:
        running.kill()
        running.communicate()
    assert pcc("cluster", "--embedder", "tfidf").returncode == 0
