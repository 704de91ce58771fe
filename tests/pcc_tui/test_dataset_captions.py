"""Captions that cost money on their way into a dataset: kills, signals, budgets, keys."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from tests.conftest import Pcc
from tests.support.api_server import ApiServer, Reply, Request
from tests.support.enriching import (
    ENRICH,
    MOCK,
    SLOW,
    by_path,
    grow_old,
    read_dataset,
    record,
    run_script,
    side_captions,
    wait_until,
    write_dataset,
)
from tests.support.protocols import CAPTION, OPENAI
from tests.support.runs import start, wait_for_snapshot

CANARY = "canary-0c4f2a77-do-not-print"
"""A key that must not turn up anywhere."""


@pytest.fixture
def folder(photos: Callable[..., Path]) -> Path:
    """Return a folder of twelve photos."""
    found = photos(12)
    grow_old(found)
    return found


def captioning(server: ApiServer, *more: str) -> list[str]:
    """Return the flags that caption by a server at a known price."""
    flags = ["--pass-filter", "migrate,caption", "--backend", "openai", "--model", "gpt-4o-mini"]
    return [*flags, "--base-url", server.url, "--max-workers", "2", *more]


def caption_of(request: Request) -> str:
    return f"A picture, {sha256(OPENAI.picture(request)).hexdigest()}."


def seen(server: ApiServer) -> Counter[str]:
    """Return how often a server saw each picture."""
    return Counter(map(caption_of, server.captions))


def named_by_picture(request: Request) -> Reply:
    """Caption a picture by its own digest."""
    return OPENAI.good(caption_of(request))


def test_seven_kills_while_captioning_pay_twice_for_nothing_but_what_was_in_flight(
    photos: Callable[..., Path], workspace: Path, pcc: Pcc
) -> None:
    folder, rng, allowed = photos(60), Random(5), Counter[str]()
    with ApiServer(OPENAI, named_by_picture, latency=0.05) as server:
        flags = captioning(server)
        for _ in range(7):
            running = start(workspace, *ENRICH, folder, *flags)
            goal = len(server.captions) + rng.randrange(2, 6)
            wait_until(lambda goal=goal: len(server.captions) >= goal)  # type: ignore[misc]
            time.sleep(rng.uniform(0, 0.1))
            running.kill()
            running.communicate()
            time.sleep(0.2)  # what it sent last is read by then
            allowed.update(seen(server).keys() - {one.caption for one in side_captions(workspace)})
        assert len(side_captions(workspace)) < 60
        done = pcc(*ENRICH, folder, *flags)

        assert done.returncode == 0, done.stderr
        counts = seen(server)
    assert all(count <= 1 + allowed[picture] for picture, count in counts.items())
    found = by_path(workspace / "dataset.jsonl")
    assert {one["caption"] for one in found.values()} == counts.keys()
    assert len(found) == len(counts) == 60
    assert not (workspace / "dataset.jsonl.enriching").exists()


def test_what_was_paid_before_an_interrupt_is_in_the_dataset(
    folder: Path, workspace: Path, pcc: Pcc
) -> None:
    with ApiServer(OPENAI, latency=0.1) as server:
        running = start(workspace, *ENRICH, folder, *captioning(server))
        wait_until(lambda: len(server.captions) >= 5)
        running.send_signal(signal.SIGINT)
        stdout, stderr = running.communicate(timeout=30)

        assert running.returncode == 130, stderr
        paid = len(server.captions)
        assert paid < 12
        found = read_dataset(workspace / "dataset.jsonl")
        assert sum("caption" in one for one in found) == paid
        assert f"{12 - paid} images remain; the same command goes on" in stdout
        assert pcc(*ENRICH, folder, *captioning(server)).returncode == 0
        assert set(seen(server).values()) == {1}
    assert all(one["caption"] for one in read_dataset(workspace / "dataset.jsonl"))


def test_captions_made_anew_are_not_paid_twice_after_an_interrupt(
    folder: Path, workspace: Path, pcc: Pcc
) -> None:
    write_dataset(
        workspace / "dataset.jsonl", *(record(path.name) for path in sorted(folder.iterdir()))
    )
    redo = (*ENRICH, folder, *MOCK, "--redo", "caption", "--json")
    running = start(workspace, *redo, *SLOW)
    wait_until(lambda: len(side_captions(workspace, "captions.anew")) >= 4)
    running.send_signal(signal.SIGINT)
    stdout, stderr = running.communicate(timeout=30)
    assert running.returncode == 130, stderr
    paid, left = (json.loads(stdout)[name] for name in ("made", "left"))
    assert paid["caption"] + left == 12
    done = pcc(*redo)

    assert json.loads(done.stdout)["made"]["caption"] == left
    assert all(
        one["caption"] != "A boat on a lake." for one in read_dataset(workspace / "dataset.jsonl")
    )


def hangs_from_the_fifth(request: Request) -> Reply:
    """Caption four pictures."""
    return OPENAI.good() if request.number < 4 else Reply(hang=True)


def test_a_second_interrupt_ends_at_once_and_loses_no_caption_that_was_paid(
    folder: Path, workspace: Path, pcc: Pcc
) -> None:
    with ApiServer(OPENAI, hangs_from_the_fifth) as server:
        running = start(workspace, *ENRICH, folder, *captioning(server))
        wait_until(lambda: len(server.captions) >= 6 and len(side_captions(workspace)) == 4)
        running.send_signal(signal.SIGINT)
        wait_for_snapshot(workspace, lambda shot: shot["state"] == "stopping")
        running.send_signal(signal.SIGINT)
        _, stderr = running.communicate(timeout=30)
    assert running.returncode == 130, stderr
    done = pcc(*ENRICH, folder, *MOCK, "--json")
    assert json.loads(done.stdout)["made"]["caption"] == 8
    captions = [one["caption"] for one in read_dataset(workspace / "dataset.jsonl")]
    assert captions.count(CAPTION) == 4


INTERRUPTED_WHILE_IT_WRITES = """
import os, signal, time
from pipeline.datasets.merge import Merge
write_block = Merge._write_block
def write(self, *arguments):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.3)
    return write_block(self, *arguments)
Merge._write_block = write
"""


def test_an_interrupt_while_the_dataset_is_written_loses_no_caption_that_was_paid(
    folder: Path, workspace: Path, pcc: Pcc
) -> None:
    dataset = workspace / "dataset.jsonl"
    gone = (record(f"gone{number}.jpg", pad="x" * 1_200_000) for number in range(3))
    old = write_dataset(dataset, *gone)
    done = run_script(workspace, INTERRUPTED_WHILE_IT_WRITES, *ENRICH, folder, *MOCK, "--yes")
    assert done.returncode == 130, done.stderr
    if dataset.read_bytes() == old:
        assert len(side_captions(workspace)) == 12
        done = pcc(*ENRICH, folder, *MOCK, "--json", "--yes")
        assert json.loads(done.stdout)["made"]["caption"] == 0
    assert len(by_path(dataset)) == 15


def dear(request: Request) -> Reply:
    """Caption for some eight tenths of a cent."""
    return OPENAI.good(tokens=(50_000, 500))


def test_a_redo_stopped_at_its_budget_comes_to_an_end_by_and_by(
    folder: Path, workspace: Path, pcc: Pcc
) -> None:
    write_dataset(
        workspace / "dataset.jsonl", *(record(path.name) for path in sorted(folder.iterdir()))
    )
    with ApiServer(OPENAI, dear) as server:
        flags = captioning(server, "--redo", "caption", "--budget", "0.05")
        codes = [pcc(*ENRICH, folder, *flags).returncode for _ in range(2)]
        assert codes == [3, 0]
    assert {one["caption"] for one in read_dataset(workspace / "dataset.jsonl")} == {CAPTION}


def test_the_budget_stops_with_3_and_what_was_paid_is_merged(
    folder: Path, workspace: Path, pcc: Pcc
) -> None:
    with ApiServer(OPENAI, dear) as server:
        flags = captioning(server, "--budget", "0.05", "--json")
        done = pcc(*ENRICH, folder, *flags)

        assert done.returncode == 3, done.stderr
        report = json.loads(done.stdout)
        assert 0 < report["made"]["caption"] == len(server.captions) < 12
        assert report["left"] == 12 - len(server.captions)
        assert report["cost_usd"] > 0
    found = read_dataset(workspace / "dataset.jsonl")
    assert sum("caption" in one for one in found) == report["made"]["caption"]


def wrong_key(request: Request) -> Reply:
    """Refuse the key, and say it back."""
    return OPENAI.error(401, f"Incorrect API key provided: {CANARY}")


def test_a_refused_key_stops_at_1_and_is_in_no_file_and_no_output(
    folder: Path, workspace: Path, pcc: Pcc
) -> None:
    environment = {"OPENAI_API_KEY": CANARY}
    with ApiServer(OPENAI, wrong_key) as server:
        first = pcc(*ENRICH, folder, *captioning(server), environment=environment)
        requests = len(server.captions)
    with ApiServer(OPENAI, lambda request: OPENAI.good(f"it is {CANARY}")) as server:
        second = pcc(*ENRICH, folder, *captioning(server, "--verbose"), environment=environment)

    assert first.returncode == 1
    assert "refuses the key" in first.stderr
    assert requests <= 8
    assert second.returncode == 0, second.stderr
    assert len(read_dataset(workspace / "dataset.jsonl")) == 12
    for done in (first, second):
        assert CANARY not in done.stdout + done.stderr
    for path in workspace.rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes(), path
