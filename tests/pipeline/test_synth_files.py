"""A set appears whole or not at all, and its bytes depend on its seed alone."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
import sys
import zipfile
from datetime import date
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from blake3 import blake3

from journal import DiskFull
from pipeline.jobs.step import Ending
from pipeline.synth.archive import HashingFile
from pipeline.synth.drawing import images_of, labels_of
from pipeline.synth.errors import DatasetExists, SynthError
from pipeline.synth.staging import free_names, leftovers, publish, staging
from pipeline.synth.step import GenerateStep, ImageProgress, Recipe
from pipeline.synth.train_val_test import SPLIT_NAMES, splits_of

ROOT = Path(__file__).parents[2]


def step_of(target: Path, num_images: int, workers: int = 2, chunk_size: int = 100) -> GenerateStep:
    recipe = Recipe(num_images=num_images, seed=42, workers=workers, chunk_size=chunk_size)
    progress = ImageProgress(run="r", stage="synth", backend="synth", total=num_images, skipped={})
    return GenerateStep(recipe, lambda: iter([target]), progress)


def make(target: Path, num_images: int, workers: int = 2, chunk_size: int = 100) -> Path:
    assert asyncio.run(step_of(target, num_images, workers, chunk_size).run()) is Ending.DONE
    return target


def files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.glob("*.npz")}


def test_chunks_and_workers_make_no_difference_to_the_bytes(tmp_path: Path) -> None:
    first = files(make(tmp_path / "a", 1234, workers=1, chunk_size=1234))

    assert set(first) == {"train.npz", "val.npz", "test.npz"}
    for number, (workers, chunk) in enumerate([(1, 7), (2, 64), (5, 100), (8, 1_000_000)]):
        assert files(make(tmp_path / str(number), 1234, workers, chunk)) == first


@pytest.mark.parametrize("number", [1, 2, 9, 10, 11, 137])
def test_numpy_reads_what_was_drawn(tmp_path: Path, number: int) -> None:
    target = make(tmp_path / "set", number)
    for split in splits_of(number):
        with np.load(target / split.file_name, allow_pickle=False) as arrays:
            assert sorted(arrays) == ["images", "labels"]
            assert arrays["images"].dtype == arrays["labels"].dtype == np.uint8
            assert arrays["images"].shape == (split.size, 16, 16)
            assert (arrays["images"] == images_of(42, split, 0, split.size)).all()
            assert (arrays["labels"] == labels_of(42, split, 0, split.size)).all()


def test_nothing_in_a_file_tells_when_or_where_it_was_made(tmp_path: Path) -> None:
    with zipfile.ZipFile(make(tmp_path / "set", 20) / "val.npz") as archive:
        for entry in archive.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert (entry.create_system, entry.external_attr >> 16) == (3, 0o100644)
            assert entry.compress_type == zipfile.ZIP_STORED


def test_metadata_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    target = make(tmp_path / "set", 105)
    metadata = json.loads((target / "metadata.json").read_text())

    assert list(metadata) == [
        *("version", "timestamp", "generation_params", "dataset_info", "memory_info"),
        *("file_format", "classes", "checksums"),
    ]
    assert metadata["version"] == "1.0.0"
    assert metadata["generation_params"] == {
        "num_images": 105,
        "seed": 42,
        "grid_size": 16,
        "splits": {"train": 0.8, "val": 0.1, "test": 0.1},
    }
    assert metadata["dataset_info"] == {
        "train_count": 84,
        "val_count": 10,
        "test_count": 11,
        "total_count": 105,
    }
    assert metadata["memory_info"] == {
        "bytes_per_image": 256,
        "total_bytes": 26_880,
        "readable": "26.9 kB",
    }
    assert metadata["file_format"] == {"dtype": "uint8", "compression": "none"}
    assert [kind["label"] for kind in metadata["classes"].values()] == [*range(10)]
    assert all(
        set(kind) == {"label", "description", "forms", "parameters"}
        for kind in metadata["classes"].values()
    )
    assert metadata["checksums"] == {
        f"{name}.npz": f"blake3:{blake3((target / f'{name}.npz').read_bytes()).hexdigest()}"
        for name in SPLIT_NAMES
    }


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "set"
    step = step_of(target, 5000)

    async def meddle() -> None:
        running = asyncio.create_task(step.run())
        while not step.progress.attempted:
            await asyncio.sleep(0)
        target.mkdir()
        (target / "mine").touch()
        await running

    with pytest.raises(DatasetExists, match="left as it is"):
        asyncio.run(meddle())
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert [path.name for path in target.iterdir()] == ["mine"]


def test_two_runs_that_race_for_a_name_get_two(tmp_path: Path) -> None:
    day = date(2026, 11, 21)

    async def race() -> list[Path | None]:
        steps = [step_of(tmp_path, 3000) for _ in range(3)]
        for step in steps:
            step._targets = lambda: free_names(tmp_path, day)
        await asyncio.gather(*(step.run() for step in steps))
        return [step.directory for step in steps]

    made = asyncio.run(race())

    names = [f"2026-11-21-v{number}" for number in (1, 2, 3)]
    assert sorted(path.name for path in made if path) == names
    assert sorted(os.listdir(tmp_path / "datasets")) == names
    assert files(tmp_path / "datasets" / names[0]) == files(tmp_path / "datasets" / names[2])


def test_a_name_taken_in_the_last_moment_is_passed_over(tmp_path: Path) -> None:
    taken, free = tmp_path / "taken", tmp_path / "free"
    taken.mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "file").touch()
    with staging(free) as folder:
        (folder / "x").touch()
        targets = [taken, tmp_path / "link", tmp_path / "file", free]
        assert publish(folder, iter(targets)) == free

    assert sorted(os.listdir(tmp_path)) == ["file", "free", "link", "taken"]
    assert not any(taken.iterdir())


def test_the_next_free_number_is_used(tmp_path: Path) -> None:
    for number in (1, 2, 4):
        (tmp_path / "datasets" / f"2026-01-02-v{number}").mkdir(parents=True)
    free = islice(free_names(tmp_path, date(2026, 1, 2)), 2)

    assert [path.name for path in free] == ["2026-01-02-v3", "2026-01-02-v5"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    real, room = HashingFile.write, [100_000]

    def write(file: HashingFile, data: bytes | memoryview) -> int:
        room[0] -= len(data)
        if room[0] < 0:
            raise OSError(code, os.strerror(code))
        return real(file, data)

    monkeypatch.setattr(HashingFile, "write", write)
    with pytest.raises(SynthError if code == errno.EIO else DiskFull, match="set"):
        asyncio.run(step_of(tmp_path / "set", 2000).run())
    assert not os.listdir(tmp_path)


def test_a_failed_sync_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SynthError, match="Input/output error"):
        asyncio.run(step_of(tmp_path / "set", 20).run())
    assert not os.listdir(tmp_path)


def test_pause_holds_and_resume_goes_on(tmp_path: Path) -> None:
    step = step_of(tmp_path / "set", 20_000)

    async def play() -> Ending:
        running = asyncio.create_task(step.run())
        while not step.progress.attempted:
            await asyncio.sleep(0)
        step.pause()
        before = -1
        while step.progress.attempted != before:  # until what was in flight is counted
            before = step.progress.attempted
            await asyncio.sleep(0.05)
        assert step.snapshot().state == "paused"
        assert 0 < before < 16_000
        assert not (tmp_path / "set").exists()
        step.resume()
        return await running

    assert asyncio.run(play()) is Ending.DONE
    assert step.snapshot().by_status == {"success": 20_000}
    assert step.snapshot().state == "finished"
    assert files(tmp_path / "set") == files(make(tmp_path / "again", 20_000, chunk_size=5000))


@pytest.mark.parametrize("paused", [False, True])
def test_stop_leaves_nothing(tmp_path: Path, paused: bool) -> None:
    step = step_of(tmp_path / "set", 50_000)

    async def play() -> Ending:
        running = asyncio.create_task(step.run())
        while not step.progress.attempted:
            await asyncio.sleep(0)
        if paused:
            step.pause()
        step.stop()
        return await running

    assert asyncio.run(play()) is Ending.STOPPED
    assert not os.listdir(tmp_path)


def test_progress_counts_close_together_are_one() -> None:
    now = [0.0]
    progress = ImageProgress(
        run="r", stage="s", backend="b", total=10**6, skipped={}, clock=lambda: now[0]
    )
    progress.begin()
    for _ in range(5000):
        now[0] += 0.001
        progress.count(100)
    shot = progress.snapshot()

    assert shot.attempted == 500_000
    assert shot.rate == pytest.approx(100_000)
    assert shot.rate_now == pytest.approx(100_000)
    assert shot.eta_seconds == pytest.approx(5)
    assert len(progress._recent) <= 101


@pytest.fixture
def abandoned(tmp_path: Path) -> Path:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom pipeline.synth.staging import staging\n"
        "with staging(Path(sys.argv[1])) as folder:\n"
        "    (folder / 'train.npz').touch()\n    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "set"], cwd=ROOT, check=False)
    [left] = tmp_path.iterdir()
    return left


def test_what_a_kill_leaves_is_no_dataset_and_is_found(tmp_path: Path, abandoned: Path) -> None:
    with staging(tmp_path / "set"):
        assert len(os.listdir(tmp_path)) == 2
        assert leftovers(tmp_path) == [abandoned]
    assert abandoned.name.startswith(".set.partial-")
    assert leftovers(tmp_path / "nowhere") == []


def peak_of(target: Path, num_images: int) -> int:
    """Return the most bytes a process ever held while it made a set."""
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from tests.pipeline.test_synth_files import make\n"
        "make(Path(sys.argv[1]), int(sys.argv[2]), 2, 4096)\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(status.partition('VmHWM:')[2].split()[0])\n"
    )
    arguments = [sys.executable, "-c", code, str(target), str(num_images)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=ROOT)
    return int(done.stdout) * 1024


def test_memory_is_flat(tmp_path: Path) -> None:
    small, large = peak_of(tmp_path / "small", 50_000), peak_of(tmp_path / "large", 500_000)

    assert large - small < 20_000_000  # the larger set has 115 MB more
