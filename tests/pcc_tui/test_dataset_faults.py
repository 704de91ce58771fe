"""`pcc dataset enrich` killed, stopped, out of disk, locked out, given what does harm."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from journal import WriterLock
from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc
from tests.support.enriching import (
    CHEAP,
    ENRICH,
    MOCK,
    SLOW,
    by_path,
    grow_old,
    odd_library,
    read_dataset,
    record,
    run_script,
    side_captions,
    tree,
    wait_until,
    write_dataset,
)
from tests.support.programs import as_root_of_its_own, with_fault
from tests.support.runs import start


@pytest.fixture
def folder(photos: Callable[..., Path]) -> Path:
    """Return a folder of twelve photos."""
    found = photos(12)
    grow_old(found)
    return found


SPLIT_HERE = "import os; os.getpid = lambda: 4711"
"""Gives the temporary file a name known before, so that strace can watch it."""

CALLS = (("write", 8), ("fdatasync", 4), ("rmdir", 3)), (("fsync", 6), ("rename", 4), ("unlink", 8))
"""System calls to be killed at, and how often at most each comes in a thread."""


def lines_of_odd_kinds(folder: Path) -> bytes:
    """Return a dataset whose records lack headers and ids, with lines that hold none."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    records = [record(name, width=..., image_id=..., aspect_bucket=...) for name in names[:6]]
    return b"".join(
        [
            *(json.dumps(one).encode() + b"\n" for one in records),
            b'{"image_path":\n',
            b'{"a" : 1e-05}',
        ]
    )


def killed_at(call: str, occurrence: int, folder: Path, workspace: Path) -> bool:
    """Enrich with a kill at one system call on the files concerned; tell whether it came to it."""
    side = workspace / "dataset.jsonl.enriching"
    watched = [
        workspace / "dataset.jsonl",
        workspace,
        side,
        side / "dataset.jsonl",
        side / "sizes.jsonl",
    ]
    watched += [workspace / ".dataset.jsonl.4711.tmp", side / ".sizes.jsonl.4711.tmp"]
    strace = with_fault(f"{call}:signal=KILL:when={occurrence}", *watched, trace=call)
    script = f"{SPLIT_HERE}\nfrom pcc_tui.__main__ import main\nmain()"
    where = ["--workspace", str(workspace), "--input-dir", str(folder)]
    done = subprocess.run(
        [
            *strace,
            *(PCC[0], "-c", script, "dataset", "enrich", *where, *CHEAP),
        ],
        env={**CLEAN_ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode != 0


@pytest.mark.parametrize("calls", CALLS)
def test_killed_at_every_system_call_the_dataset_is_the_old_or_the_new(
    tmp_path: Path, workspace: Path, pcc: Pcc, calls: tuple[tuple[str, int], ...]
) -> None:
    folder, dataset = tmp_path / "library", workspace / "dataset.jsonl"
    odd_library(folder)
    old = lines_of_odd_kinds(folder)
    dataset.write_bytes(old)
    assert pcc(*ENRICH, folder, *CHEAP).returncode == 0
    new = dataset.read_bytes()
    assert new != old

    for call, most in calls:
        occurrence = 1
        dataset.write_bytes(old)
        while killed_at(call, occurrence, folder, workspace):
            assert dataset.read_bytes() in (old, new)
            assert pcc(*ENRICH, folder, *CHEAP).returncode == 0
            assert dataset.read_bytes() == new
            dataset.write_bytes(old)
            occurrence += 1
            assert occurrence <= most
        assert occurrence > 1
        assert dataset.read_bytes() == new


DIES_BEFORE_RENAME = """
import os, signal
from pathlib import Path
replace = Path.replace
def die(self, target):
    if Path(target).name == "dataset.jsonl":
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
Path.replace = die
"""


def test_what_a_killed_run_left_is_cleared_by_the_next_that_has_work(
    folder: Path, workspace: Path, pcc: Pcc
) -> None:
    killed = run_script(workspace, DIES_BEFORE_RENAME, *ENRICH, folder, *CHEAP)
    assert killed.returncode == -signal.SIGKILL
    assert not (workspace / "dataset.jsonl").exists()
    assert pcc(*ENRICH, folder, *CHEAP).returncode == 0
    assert {path.name for path in workspace.iterdir()} == {"caption.log", "dataset.jsonl"}


def test_a_full_disk_leaves_the_old_dataset_and_names_what_was_needed(
    folder: Path, tmp_path: Path
) -> None:
    """A real file system of 1 MB, in a mount namespace of our own."""
    small = tmp_path / "small"
    small.mkdir()
    old = write_dataset(
        tmp_path / "old.jsonl",
        *(record(f"gone{number}.jpg", pad="x" * 60_000) for number in range(10)),
        record("IMG_00000.jpg", height=...),
    )
    enrich = f"{' '.join(PCC)} dataset enrich --workspace {small} --input-dir {folder} --yes"
    script = f"""
        mount -t tmpfs -o size=1m none {small}
        cp {tmp_path}/old.jsonl {small}/dataset.jsonl
        {enrich} {" ".join(CHEAP)}
        echo "first $?"
        ls -A {small}
        cmp {small}/dataset.jsonl {tmp_path}/old.jsonl && echo untouched
        mount -o remount,size=3m {small}
        {enrich} {" ".join(CHEAP)}
        echo "second $?"
        cp {small}/dataset.jsonl {tmp_path}/new.jsonl
    """
    done = subprocess.run(
        as_root_of_its_own(script),
        env=CLEAN_ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "first 1" in done.stdout, done.stderr
    assert "untouched" in done.stdout
    assert ".tmp" not in done.stdout
    assert "disk full: " in done.stderr
    needed = re.search(r"needed ([\d,]+) bytes and [\d,]+ are free", done.stderr)
    assert needed is not None
    assert int(needed[1].replace(",", "")) >= len(old)
    assert "Traceback" not in done.stderr
    assert "second 0" in done.stdout
    assert len(read_dataset(tmp_path / "new.jsonl")) == 22


def test_a_second_enrichment_of_a_dataset_is_73_and_names_the_first(
    folder: Path, workspace: Path, tmp_path: Path, pcc: Pcc
) -> None:
    dataset = workspace / "dataset.jsonl"
    running = start(
        workspace, *ENRICH, folder, *MOCK, "--mock-latency", "0.3", "--max-workers", "1"
    )
    try:
        wait_until(lambda: len(side_captions(workspace)) >= 1)
        before = tree(tmp_path / "photos")
        for elsewhere in (tmp_path, workspace):
            flags = ("--workspace", elsewhere, "--output-jsonl", dataset)
            done = pcc(*ENRICH, folder, *flags, *MOCK)
            assert (done.returncode, done.stderr.count("\n")) == (73, 1)
            assert str(running.pid) in done.stderr
            assert "pcc dataset enrich" in done.stderr
        assert pcc("dataset", "verify", dataset).returncode == 64  # not yet there; not locked out
        _, stderr = running.communicate(timeout=30)
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == 0, stderr
    assert tree(tmp_path / "photos") == before
    assert len(by_path(dataset)) == 12


def test_a_dataset_changed_meanwhile_is_told_and_left_and_merged_by_the_next_run(
    folder: Path, workspace: Path, pcc: Pcc
) -> None:
    dataset = workspace / "dataset.jsonl"
    write_dataset(dataset, record("IMG_00000.jpg", caption=...))
    running = start(workspace, *ENRICH, folder, *MOCK, *SLOW)
    wait_until(lambda: len(side_captions(workspace)) >= 3)
    theirs = write_dataset(dataset, record("IMG_00003.jpg", caption=..., by="somebody"))
    _, stderr = running.communicate(timeout=30)

    assert running.returncode == 1
    assert "changed by somebody else" in stderr
    assert "Traceback" not in stderr
    assert dataset.read_bytes() == theirs
    made = {one.rel_path: one.caption for one in side_captions(workspace)}
    assert len(made) == 12
    done = pcc(*ENRICH, folder, *MOCK, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["made"]["caption"] == 0
    found = by_path(dataset)
    assert found["IMG_00003.jpg"]["by"] == "somebody"
    assert {name: one["caption"] for name, one in found.items()} == made


def test_a_lock_whose_holder_died_holds_nobody_up(folder: Path, workspace: Path, pcc: Pcc) -> None:
    side = workspace / "dataset.jsonl.enriching"
    side.mkdir()
    (side / "dataset.jsonl").write_bytes(b"")
    (side / "dataset.jsonl.lock").write_text('{"pid":1,"host":"x","command":"y"}')
    assert pcc(*ENRICH, folder, *CHEAP).returncode == 0
    assert not side.exists()
    side.mkdir()
    lock = WriterLock(side / "dataset.jsonl", "somebody else", None)
    (workspace / "dataset.jsonl").unlink()
    done = pcc(*ENRICH, folder, *CHEAP)
    lock.release()
    assert (done.returncode, "somebody else" in done.stderr) == (73, True)


def test_a_decoder_that_hangs_or_dies_costs_one_record(
    photos: Callable[..., Path], workspace: Path
) -> None:
    folder = photos(6)
    for number, name in enumerate(("crash.jpg", "hang.jpg")):
        (folder / f"IMG_{number:05d}.jpg").rename(folder / name)
    hostile = (
        "import pipeline.photos.decoder as d\n"
        "d.WORKER_MODULE = 'tests.support.hostile_worker'\n"
        "d.DecoderPool.__init__.__defaults__ = (2.0,)\n"
    )
    passes = ("--pass-filter", "caption", "--backend", "basic", "--json")
    done = run_script(workspace, hostile, *ENRICH, folder, *passes)

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["made"]["caption"], report["failed"]["caption"]) == (4, 2)
    found = by_path(workspace / "dataset.jsonl")
    assert {name for name, one in found.items() if "caption" not in one} == {
        "crash.jpg",
        "hang.jpg",
    }


def test_a_broken_image_is_tried_again_when_it_changed_and_only_then(
    folder: Path, workspace: Path, pcc: Pcc
) -> None:
    broken = folder / "broken.jpg"
    good = (folder / "IMG_00000.jpg").read_bytes()
    broken.write_bytes(b"broken")
    grow_old(folder)
    assert pcc(*ENRICH, folder, *CHEAP).returncode == 0
    before = tree(workspace)
    assert pcc(*ENRICH, folder, *CHEAP).returncode == 0
    assert tree(workspace) == before
    broken.write_bytes(good)
    grow_old(folder)  # brought back by a program that keeps times
    assert pcc(*ENRICH, folder, *CHEAP).returncode == 0
    assert by_path(workspace / "dataset.jsonl")["broken.jpg"]["width"] == 64


def test_a_broken_image_from_the_future_is_not_tried_for_ever(
    folder: Path, workspace: Path, pcc: Pcc
) -> None:
    """A camera whose clock is wrong, or another time zone."""
    (folder / "broken.jpg").write_bytes(b"broken")
    then = time.time() + 86_400
    os.utime(folder / "broken.jpg", (then, then))
    assert pcc(*ENRICH, folder, *CHEAP).returncode == 0
    before = tree(workspace)
    assert pcc(*ENRICH, folder, *CHEAP).returncode == 0
    assert tree(workspace) == before
