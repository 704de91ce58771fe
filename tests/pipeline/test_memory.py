"""Limits of memory: the lowest holds, whoever sets it, and it is named."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from PIL import Image

from backends.base import PictureSpec
from pipeline.jobs import cores
from pipeline.jobs.stray_errors import StrayErrors
from pipeline.photos import decode_worker, memory
from pipeline.photos.errors import CorruptImageError
from pipeline.photos.memory import LEAST_BYTES, SHELL, MemoryLimit, memory_limit, usable_memory
from pipeline.photos.messages import DecodeRequest
from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the limits of control groups are read, of which there are none yet."""
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    monkeypatch.setattr(memory, "OWN_CGROUPS", tmp_path / "own")
    monkeypatch.setattr(resource, "getrlimit", lambda which: UNLIMITED)
    return tmp_path


def limit_by_shell(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda which: (limit, limit))


def test_where_nothing_limits_memory_our_own_limit_holds(groups: Path) -> None:
    assert not memory_limit().is_lowered
    assert memory_limit().bytes == memory.MOST_BYTES


def test_the_lower_limit_of_shell_and_container_holds(
    groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (groups / "own").write_text("0::/a/b\n")
    (groups / "a" / "b").mkdir(parents=True)
    (groups / "a" / "b" / "memory.max").write_text("max\n")
    (groups / "a" / "memory.max").write_text(f"{2 << 30}\n")

    assert memory_limit().bytes == usable_memory() == 2 << 30
    assert str(groups / "a" / "memory.max") in str(memory_limit())
    limit_by_shell(monkeypatch, 1 << 30)
    assert memory_limit() == (1 << 30, SHELL)


def test_limits_of_the_first_version_of_control_groups_are_read(groups: Path) -> None:
    (groups / "own").write_text("5:cpu:/x\n4:memory:/gone/from/here\n")
    (groups / "memory").mkdir()
    (groups / "memory" / "memory.limit_in_bytes").write_text(f"{1 << 30}\n")

    assert memory_limit().bytes == 1 << 30


def test_little_memory_means_few_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable_cores", lambda: 16)
    for size, processes in ((64 << 30, 16), (1 << 30, 4), (100 << 20, 1)):
        monkeypatch.setattr(cores, "usable_memory", lambda size=size: size)
        assert cores.decoder_count() == processes


def test_a_run_goes_well_within_a_limit_of_the_shell(
    photos: Callable[..., Path], workspace: Path
) -> None:
    limited = ["sh", "-c", 'ulimit -v 1000000; exec "$@"', "sh"]
    run = subprocess.run(
        [*limited, *PCC, "run", "--photos-dir", str(photos(3)), "--backend", "mock", "--yes"],
        cwd=workspace,
        env=CLEAN_ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert (workspace / "captions.jsonl").read_text().count('"status":"success"') == 3


def test_doctor_names_the_limit_and_what_lifts_it(
    pcc: Pcc, groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_by_shell(monkeypatch, 1 << 30)
    (line,) = [line for line in pcc("doctor").stdout.splitlines() if " memory " in line]
    assert line.startswith("note")
    assert "1.1 GB, the limit of `ulimit -v`" in line
    limit_by_shell(monkeypatch, LEAST_BYTES - 1)
    (line,) = [line for line in pcc("doctor").stdout.splitlines() if " memory " in line]
    assert line.startswith("wrong")
    assert "`ulimit -v unlimited`" in line


def test_a_limit_that_is_too_low_is_told_before_the_first_photo(
    pcc: Pcc, groups: Path, photos: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = photos(1)
    limit_by_shell(monkeypatch, LEAST_BYTES - 1)
    told = pcc("run", "--photos-dir", root, "--backend", "mock", "--yes")
    assert told.returncode == 1
    assert "memory is limited to 0.13 GB, the limit of `ulimit -v`" in told.stderr


def test_a_limit_from_outside_is_not_the_fault_of_a_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def devour(path: str, spec: PictureSpec) -> None:
        raise CorruptImageError(path, "MemoryError: too much") from MemoryError()

    (tmp_path / "photo.jpg").touch()
    monkeypatch.setattr(decode_worker, "load_photo", devour)
    root = os.fsencode(tmp_path)
    request = DecodeRequest(root, root + b"/photo.jpg", PictureSpec(64), 60.0)
    lowered = decode_worker.answer(request, MemoryLimit(1 << 30, SHELL))
    own = decode_worker.answer(request, MemoryLimit(memory.MOST_BYTES, memory.OWN))

    assert lowered.blames_storage
    assert "`ulimit -v unlimited`" in str(lowered.cause)
    assert not own.blames_storage


def test_damage_is_told_only_where_there_is_memory_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def misname(path: str, spec: PictureSpec) -> None:
        raise CorruptImageError(path, "ValueError: unexpected C++ exception") from ValueError()

    Image.new("RGB", (3000, 2000)).save(tmp_path / "photo.png")
    monkeypatch.setattr(decode_worker, "load_photo", misname)
    root = os.fsencode(tmp_path)
    request = DecodeRequest(root, root + b"/photo.png", PictureSpec(64), 60.0)
    size = psutil.Process().memory_info().vms
    tight = decode_worker.answer(request, MemoryLimit(size + (50 << 20), SHELL))
    ample = decode_worker.answer(request, MemoryLimit(size + (500 << 20), SHELL))

    assert tight.blames_storage
    assert str(tight.cause).startswith("MemoryError: decoding needs more than")
    assert not ample.blames_storage


async def test_a_job_ends_when_its_event_loop_lacks_memory() -> None:
    """What the loop could not keep of a reply is lost; nobody would ever see the rest."""

    def lack() -> None:
        raise MemoryError

    async def work() -> None:
        asyncio.get_running_loop().call_soon(lack)
        await asyncio.sleep(60)

    with pytest.raises(MemoryError):
        await StrayErrors().watched(work())


def test_threads_reserve_little_where_address_space_is_counted() -> None:
    program = (
        "import threading, resource; from pathlib import Path;"
        "from pipeline.photos.memory import spare_address_space;"
        "resource.setrlimit(resource.RLIMIT_AS, (4 << 30, -1));"
        "spare_address_space();"
        "size = lambda: int(Path('/proc/self/statm').read_text().split()[0]);"
        "threading.stack_size(1 << 20);"
        "wait = threading.Event(); before = size();"
        "threads = [threading.Thread(target=lambda: ([0] * 99, wait.wait())) for _ in range(20)];"
        "[thread.start() for thread in threads];"
        "print((size() - before) * resource.getpagesize() >> 20);"
        "wait.set()"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert int(told.stdout) < 300
