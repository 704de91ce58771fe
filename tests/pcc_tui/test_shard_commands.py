"""`pcc dataset shards` as a process: killed, interrupted, refused, asked again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image

from tests.conftest import Pcc
from tests.support.photos import noise_jpeg
from tests.support.runs import start, wait_for_snapshot
from tests.test_imports import loaded_by, run_pcc

COUNT = 40


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of photos that lie on their side, so that each takes its time."""
    folder = tmp_path_factory.mktemp("images")
    exif = Image.Exif()
    exif[0x0112] = 6
    for number in range(COUNT):
        buffer = BytesIO()
        with Image.open(BytesIO(noise_jpeg(number, (900, 700)))) as image:
            image.save(buffer, "JPEG", exif=exif)
        (folder / f"{number:03d}.jpg").write_bytes(buffer.getvalue())
    return folder


@pytest.fixture
def arguments(workspace: Path, images: Path) -> Callable[..., list[str]]:
    """Make a dataset of those, and return the arguments for shards of it."""
    lines = [json.dumps({"image_path": f"{n:03d}.jpg", "caption": str(n)}) for n in range(COUNT)]
    (workspace / "d.jsonl").write_text("\n".join(lines) + "\n")

    def made(*more: str, out: str = "out") -> list[str]:
        shards = ["dataset", "shards", "d.jsonl", "--out", out, "--shard-size", "1"]
        return [*shards, "--input-dir", str(images), *more]

    return made


def shards_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def index_of(directory: Path) -> dict[str, Any]:
    try:
        (index,) = directory.glob("*index.json")
        found: dict[str, Any] = json.loads(index.read_bytes())
    except (FileNotFoundError, ValueError):  # there is none yet
        return {"shards": [], "complete": False}
    return found


def wait_for(process: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not condition() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def partial_bytes(directory: Path) -> int:
    """Return the size of the shard under way, 0 without one."""
    for path in directory.glob(".shard-*.partial"):
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return 0
    return 0


@pytest.mark.parametrize(("kind", "kills"), [("webdataset", 2), ("parquet", 5)])
def test_killed_at_any_moment_it_goes_on_to_the_same_bytes(
    workspace: Path, pcc: Pcc, arguments: Callable[..., list[str]], kind: str, kills: int
) -> None:
    assert pcc(*arguments("--format", kind, out="whole")).returncode == 0
    rng, out = Random(kind), workspace / "out"
    for _ in range(kills):
        reached = len(index_of(out)["shards"]) + rng.randint(0, 3)
        begun = rng.choice([0, 1, 200_000])
        process = start(workspace, *arguments("--format", kind))

        def is_time(reached: int = reached, begun: int = begun) -> bool:
            shards = len(index_of(out)["shards"])
            return shards > reached or (shards == reached and partial_bytes(out) >= max(1, begun))

        wait_for(process, is_time)
        process.kill()
        process.communicate()
        index = index_of(out)
        for shard in index["shards"]:
            assert (out / shard["name"]).stat().st_size == shard["bytes"]
    done = pcc(*arguments("--format", kind))

    assert done.returncode == 0, done.stderr
    assert shards_of(out) == shards_of(workspace / "whole")


def many_arguments(workspace: Path, images: Path, count: int) -> list[str]:
    """Make a dataset so large that a run can be caught at work, and return its arguments."""
    many = workspace / "many"
    many.mkdir(exist_ok=True)
    lines = []
    for number in range(count):
        name = f"{number:04d}.jpg"
        if not (many / name).is_symlink():
            (many / name).symlink_to(images / f"{number % COUNT:03d}.jpg")
        lines.append(json.dumps({"image_path": name}))
    (workspace / "many.jsonl").write_text("\n".join(lines))
    return ["dataset", "shards", "many.jsonl", "--out", "out", "--input-dir", "many"]


def test_interrupted_it_ends_soon_and_loses_one_shard(
    workspace: Path, pcc: Pcc, images: Path
) -> None:
    options = ["--format", "parquet", "--shard-size", "1"]
    command = [*many_arguments(workspace, images, 160), *options]
    process = start(workspace, *command)
    out = workspace / "out"
    wait_for(process, lambda: len(index_of(out)["shards"]) >= 1 and partial_bytes(out) > 0)
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=40)
    index = index_of(out)

    assert process.returncode == 130
    assert errors == ""
    assert "the same command goes on" in printed
    assert sorted(shards_of(out)) == ["_index.json", *[shard["name"] for shard in index["shards"]]]
    assert not index["complete"]
    resumed = pcc(*command)
    assert "going on behind them" in resumed.stdout
    shards = shards_of(out)
    out.rename(workspace / "first")
    assert pcc(*command).returncode == 0
    assert shards == shards_of(out)


def test_it_is_a_job_like_others(workspace: Path, images: Path) -> None:
    process = start(workspace, *many_arguments(workspace, images, 2000))
    wait_for_snapshot(workspace, lambda shot: bool(shot["stage"] == "shards" and shot["attempted"]))
    process.terminate()
    process.communicate(timeout=40)

    assert process.returncode == 143
    assert list(shards_of(workspace / "out")) == ["index.json"]


def test_the_libraries_are_loaded_when_there_is_something_to_write(
    workspace: Path, pcc: Pcc, arguments: Callable[..., list[str]]
) -> None:
    libraries = {"webdataset", "pyarrow", "torch", "numpy", "PIL"}
    assert not loaded_by(run_pcc("dataset", "shards", "--help")) & libraries

    pcc(*arguments("--format", "parquet"))
    again = arguments("--format", "parquet", "--workspace", str(workspace))
    absolute = [str(workspace / name) if name in ("d.jsonl", "out") else name for name in again]
    assert not loaded_by(run_pcc(*absolute)) & libraries


def test_a_second_run_touches_nothing(
    workspace: Path, pcc: Pcc, arguments: Callable[..., list[str]]
) -> None:
    first = pcc(*arguments())

    def states() -> dict[str, tuple[int, int]]:
        return {
            str(path): (path.stat().st_ino, path.stat().st_mtime_ns)
            for path in [workspace, *workspace.rglob("*")]
        }

    before = states()
    second = pcc(*arguments())

    assert first.returncode == second.returncode == 0
    assert states() == before
    *_, told = second.stdout.splitlines()
    assert told.startswith(f"{COUNT} samples in ")
    assert told.endswith(".tar")
    assert "nothing was left to do" in told
    assert "out/shard-{000000..0000" in told


def test_json_is_one_document(pcc: Pcc, arguments: Callable[..., list[str]], images: Path) -> None:
    done = pcc(*arguments("--json"))
    report = json.loads(done.stdout)

    assert done.returncode == 0
    assert (report["ending"], report["complete"], report["samples"]) == ("done", True, COUNT)
    assert report["made"] == COUNT
    assert report["urls"].startswith("out/shard-{000000..")
    again = json.loads(pcc(*arguments("--json")).stdout)
    assert (again["ending"], again["made"], again["bytes"]) == ("nothing to do", 0, report["bytes"])


def test_what_is_passed_over_is_named_and_no_failure(
    workspace: Path, pcc: Pcc, arguments: Callable[..., list[str]]
) -> None:
    command = arguments()
    lines = ['{"image_path": "gone\\u001b[31m.jpg"}', "nonsense", '{"image_path": "../d.jsonl"}']
    (workspace / "d.jsonl").write_text("\n".join([*lines, '{"image_path": "000.jpg"}']))
    done = pcc(*command)

    assert done.returncode == 0
    assert "1 records whose image is not there: gone" in done.stdout
    assert "1 lines hold no record: line 2" in done.stdout
    assert "1 records lead out of the input directory: ../d.jsonl" in done.stdout
    assert "\x1b" not in done.stdout
    assert "1 samples in 1 shards" in done.stdout
    events = [json.loads(line) for line in (workspace / "caption.log").read_text().splitlines()]
    assert {"missing", "outside", "start", "end"} <= {event["event"] for event in events}


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        (["--input-dir", "nowhere"], 64, "nowhere does not exist"),
        (["--out", "d.jsonl"], 64, "d.jsonl is no directory"),
        (["--shard-size", "0"], 64, "--shard-size"),
        (["--format", "zip"], 64, "--format"),
        (["--with-patches"], 64, "dinov3_patches does not exist"),
        (["--patches-dir", "."], 64, "--with-patches"),
    ],
)
def test_usage(
    pcc: Pcc, arguments: Callable[..., list[str]], change: list[str], code: int, told: str
) -> None:
    done = pcc(*arguments(), *change)

    assert done.returncode == code
    assert told in done.stderr


def test_a_dataset_that_is_not_there(workspace: Path, pcc: Pcc, images: Path) -> None:
    done = pcc("dataset", "shards", "none.jsonl", "--out", "out", "--input-dir", images)

    assert done.returncode == 64
    assert not (workspace / "out").exists()


def test_shards_of_something_else_are_refused(
    workspace: Path, pcc: Pcc, arguments: Callable[..., list[str]]
) -> None:
    pcc(*arguments("--format", "parquet"))
    before = shards_of(workspace / "out")
    with (workspace / "d.jsonl").open("a") as file:
        file.write('{"image_path": "000.jpg"}\n')
    done = pcc(*arguments("--format", "parquet"))

    assert done.returncode == 1
    assert "another state of d.jsonl" in done.stderr
    assert shards_of(workspace / "out") == before


def test_the_files_are_their_owners_alone(
    workspace: Path, pcc: Pcc, arguments: Callable[..., list[str]]
) -> None:
    pcc(*arguments("--format", "parquet"))

    for path in (workspace / "out").iterdir():
        assert os.stat(path).st_mode & 0o777 == 0o600
