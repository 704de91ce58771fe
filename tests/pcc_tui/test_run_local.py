"""`pcc run --backend local`: whole runs with the tiny trained model, and what befalls them."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Thread

import psutil
import pytest

from backends.local_captioner import model_process
from backends.local_captioner.model_process import WORKER_MODULE
from tests.conftest import Pcc
from tests.support.drawn_pictures import random_quarters, write_photo
from tests.support.runs import ROOT, records, start, wait_for_snapshot
from tests.support.tiny_models import FAMILIES, save_tiny_model

MODEL = ROOT / "tests" / "data" / "tiny-qwen2.5-vl"

SIZES = [(640, 480), (480, 640), (1500, 1000), (300, 700), (512, 512)]


def write_drawn(folder: Path, count: int) -> dict[str, str]:
    """Write drawn photos in all formats and orientations; return what is true of each."""
    folder.mkdir()
    rng = Random(11)
    truth = {}
    for number in range(count):
        quarters = random_quarters(rng)
        suffix = (".jpg", ".png", ".webp", ".heic")[number % 4]
        orientation = 1 if suffix == ".heic" else number // 4 % 8 + 1
        path = folder / f"{number:03d}-{orientation}{suffix}"
        write_photo(path, quarters, SIZES[number % len(SIZES)], orientation, rng)
        truth[path.name] = quarters.sentence
    return truth


def captions(workspace: Path) -> dict[str, str | None]:
    return {record.rel_path: record.caption for record in records(workspace)}


def run(photos: Path, *more: str) -> list[str | Path]:
    return ["run", "--backend", "local", "--model", MODEL, "--photos-dir", photos, *more]


def test_every_format_and_orientation_is_told_truly_in_batches_of_8(
    pcc: Pcc, tmp_path: Path, workspace: Path
) -> None:
    truth = write_drawn(tmp_path / "drawn", 64)
    done = pcc(*run(tmp_path / "drawn", "--batch-size", "8", "--max-workers", "4"))

    assert done.returncode == 0, done.stderr
    assert captions(workspace) == truth
    assert "1 worker, whatever --max-workers says" in done.stdout
    [first, *_] = records(workspace)
    assert (first.backend, first.model) == ("local", str(MODEL))
    assert first.tokens_in
    assert first.tokens_out
    assert not first.cost_usd


@pytest.mark.parametrize("family", FAMILIES)
def test_models_of_each_architecture_caption_photos(
    pcc: Pcc, tmp_path: Path, workspace: Path, family: str
) -> None:
    """Random weights say nothing true; that they say it of every photo is what is tested."""
    write_drawn(tmp_path / "drawn", 4)
    model = save_tiny_model(family, tmp_path / family)
    done = pcc(
        *("run", "--backend", "local", "--model", model, "--batch-size", "2"),
        *("--quantize", "int4", "--photos-dir", tmp_path / "drawn"),
    )

    assert done.returncode == 0, done.stderr
    kept = records(workspace)
    assert [record.status for record in kept] == ["success"] * 4
    assert all(record.tokens_in for record in kept)
    assert all((record.tokens_out or 0) > 1 for record in kept)


def wait_for_model(job: int, but_not: int = 0) -> psutil.Process:
    """Wait until a job has a model process other than one."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in psutil.Process(job).children():
            with suppress(psutil.NoSuchProcess):
                if child.pid != but_not and WORKER_MODULE in child.cmdline():
                    return child
        time.sleep(0.01)
    pytest.fail("no model process in time")


def test_a_job_whose_model_is_killed_in_a_batch_and_while_it_loads_again_completes(
    pcc: Pcc, tmp_path: Path, workspace: Path
) -> None:
    truth = write_drawn(tmp_path / "drawn", 32)

    def kill() -> None:
        first = wait_for_model(os.getpid())
        while first.cpu_times().user < 1 and not records(workspace):
            time.sleep(0.01)
        first.kill()
        wait_for_model(os.getpid(), but_not=first.pid).kill()

    killing = Thread(target=kill)
    killing.start()
    done = pcc(*run(tmp_path / "drawn", "--batch-size", "4"))
    killing.join()

    assert done.returncode == 0, done.stderr
    assert captions(workspace) == truth
    assert len(records(workspace)) == 32, "each photo has one record"
    assert "started again" in done.stdout


@pytest.mark.parametrize("fault", ["memory:4", "hang-once", "die-once"])
def test_a_job_survives_its_model(
    pcc: Pcc, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workspace: Path, fault: str
) -> None:
    truth = write_drawn(tmp_path / "drawn", 16)
    monkeypatch.setattr(model_process, "WORKER_MODULE", "tests.support.faulty_model_worker")
    done = pcc(
        *run(tmp_path / "drawn", "--batch-size", "8"),
        environment={
            "PYTHONPATH": str(ROOT),
            "PCC_TEST_FAULT": fault,
            "PCC_TEST_MARK": str(tmp_path / "happened"),
            "PCC_REQUEST_TIMEOUT": "15",
        },
    )

    assert done.returncode == 0, done.stderr
    assert captions(workspace) == truth
    assert len(records(workspace)) == 16
    assert "note: " in done.stdout


def test_ctrl_c_while_the_model_loads_ends_at_once_and_leaves_no_process(
    tmp_path: Path, workspace: Path
) -> None:
    write_drawn(tmp_path / "drawn", 4)
    running = start(workspace, *run(tmp_path / "drawn"))
    wait_for_snapshot(workspace, lambda shot: shot["loading"] is not None)
    children = psutil.Process(running.pid).children()
    running.send_signal(signal.SIGINT)
    output, _ = running.communicate()

    assert running.returncode == 130, output
    assert children
    assert not any(child.is_running() for child in children)
    assert not (workspace / "captions.jsonl").exists() or not records(workspace)


def test_a_model_that_cannot_be_loaded_is_a_usage_error(
    pcc: Pcc, tmp_path: Path, workspace: Path
) -> None:
    write_drawn(tmp_path / "drawn", 1)
    done = pcc(
        *("run", "--backend", "local", "--model", tmp_path, "--photos-dir", tmp_path / "drawn")
    )

    assert done.returncode == 64
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert records(workspace) == []
