"""Decoding processes: crashes, hangs, noise and memory stay inside them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from backends.base import PictureSpec
from pipeline.photos import decoder
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import CorruptImageError, DecoderUnavailable
from tests.support import hostile_worker
from tests.support.photos import noise_jpeg

SPEC = PictureSpec(256)


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "WORKER_MODULE", "tests.support.hostile_worker")


async def decode_all(pool: DecoderPool, names: list[str]) -> dict[str, str]:
    """Decode files and return `ok` or the cause for each."""

    async def one(name: str) -> str:
        try:
            await pool.decode(name)
        except CorruptImageError as error:
            return error.cause
        return "ok"

    return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))


def commands_of_children() -> list[list[str]]:
    """Return the command line of each process that this one has started and that still runs."""
    commands = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # it ended just now
            commands.append(child.cmdline())
    return commands


@pytest.mark.usefixtures("fresh_processes")
async def test_many_photos_through_few_processes(photos: Callable[..., Path]) -> None:
    root = photos(60)
    names = sorted(path.name for path in root.iterdir())
    async with DecoderPool(root, SPEC, processes=2) as pool:
        outcomes = await decode_all(pool, names)

    assert set(outcomes.values()) == {"ok"}


@pytest.mark.usefixtures("hostile")
async def test_a_crash_costs_one_photo(tmp_path: Path) -> None:
    names = [f"{number}-{'crash' if number % 7 == 3 else 'fine'}.jpg" for number in range(30)]
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(noise_jpeg(number, (32, 24)))
    async with DecoderPool(tmp_path, SPEC, processes=2) as pool:
        outcomes = await decode_all(pool, names)

    for name, outcome in outcomes.items():
        expected = "DecoderDied: the decoder died of SIGSEGV" if "crash" in name else "ok"
        assert outcome == expected


@pytest.mark.usefixtures("hostile")
async def test_a_hang_costs_one_photo_and_its_time_limit(tmp_path: Path) -> None:
    names = ["1-fine.jpg", "2-hang.jpg", "3-fine.jpg", "4-fine.jpg"]
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(noise_jpeg(number, (32, 24)))
    async with DecoderPool(tmp_path, SPEC, processes=1, seconds=2) as pool:
        outcomes = await decode_all(pool, names)

    assert outcomes.pop("2-hang.jpg") == "TimeoutError: decoding took longer than 2 s"
    assert set(outcomes.values()) == {"ok"}


async def test_a_process_that_is_stopped_costs_one_photo(photos: Callable[..., Path]) -> None:
    root = photos(8)
    names = sorted(path.name for path in root.iterdir())
    async with DecoderPool(root, SPEC, processes=2, seconds=2) as pool:
        stopped = pool._workers[0].process.pid
        os.kill(stopped, signal.SIGSTOP)
        outcomes = await decode_all(pool, names)

    assert sorted(outcomes.values())[0] == "TimeoutError: decoding took longer than 2 s"
    assert sorted(outcomes.values())[1:] == ["ok"] * 7
    assert not Path(f"/proc/{stopped}").exists()


async def test_a_process_that_is_stopped_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async with asyncio.timeout(60), DecoderPool(tmp_path, SPEC, processes=1) as pool:
        stopped = pool._workers[0].process.pid
        os.kill(stopped, signal.SIGSTOP)

    assert not Path(f"/proc/{stopped}").exists()


@pytest.mark.usefixtures("hostile")
async def test_a_share_that_hangs_is_not_the_fault_of_its_photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "STORAGE_SECONDS", 0.5)
    root = tmp_path / "dead"
    root.mkdir()
    for number in range(6):
        (root / f"{number}-hang.jpg").write_bytes(noise_jpeg(number, (32, 24)))
    async with DecoderPool(root, SPEC, processes=2, seconds=1) as pool:
        asked = [pool.decode(path.name) for path in root.iterdir()]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} == {DecoderUnavailable}
    assert "dead: its disk or share has not answered for 1 s" in str(outcomes[0])
    async with asyncio.timeout(60):
        while any(hostile_worker.__name__ in command for command in commands_of_children()):
            await asyncio.sleep(0.05)


@pytest.mark.usefixtures("hostile")
async def test_a_decoder_that_works_for_ever_is_the_fault_of_its_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "STORAGE_SECONDS", 0.5)
    root = tmp_path / "dead"
    root.mkdir()
    (root / "spin.jpg").write_bytes(noise_jpeg(1, (32, 24)))
    async with DecoderPool(root, SPEC, processes=1, seconds=4) as pool:
        outcomes = await decode_all(pool, ["spin.jpg"])

    assert outcomes == {"spin.jpg": "TimeoutError: decoding took longer than 4 s"}


@pytest.mark.usefixtures("hostile")
async def test_photos_that_are_all_waited_for_are_not_to_blame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "MOST_WAITED_IN_A_ROW", 2)
    (tmp_path / "hang.jpg").write_bytes(noise_jpeg(1, (32, 24)))
    async with DecoderPool(tmp_path, SPEC, processes=1, seconds=1) as pool:
        with pytest.raises(CorruptImageError):
            await pool.decode("hang.jpg")
        with pytest.raises(DecoderUnavailable):
            await pool.decode("hang.jpg")


@pytest.mark.usefixtures("hostile")
async def test_a_decoder_that_shouts_is_not_heard(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shout.jpg").write_bytes(noise_jpeg(1, (32, 24)))
    async with DecoderPool(tmp_path, SPEC, processes=1) as pool:
        assert await decode_all(pool, ["shout.jpg"]) == {"shout.jpg": "ok"}

    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("hostile")
async def test_a_decoder_cannot_devour_the_machine(tmp_path: Path) -> None:
    (tmp_path / "devour.jpg").write_bytes(noise_jpeg(1, (32, 24)))
    async with DecoderPool(tmp_path, SPEC, processes=1) as pool:
        assert await decode_all(pool, ["devour.jpg"]) == {"devour.jpg": "MemoryError: too much"}


async def test_a_process_killed_from_outside_is_replaced(photos: Callable[..., Path]) -> None:
    root = photos(8)
    names = sorted(path.name for path in root.iterdir())
    async with DecoderPool(root, SPEC, processes=1) as pool:
        os.kill(pool._workers[0].process.pid, signal.SIGKILL)
        outcomes = await decode_all(pool, names)

    assert set(outcomes.values()) == {"ok"}


async def test_processes_that_cannot_be_started_again_end_the_waiting(
    photos: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = photos(8)
    async with DecoderPool(root, SPEC, processes=1) as pool:

        async def refuse(*arguments: object, **options: object) -> None:
            raise BlockingIOError(11, "Resource temporarily unavailable")

        monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)
        os.kill(pool._workers[0].process.pid, signal.SIGKILL)
        with pytest.raises(DecoderUnavailable, match="does not start"):
            await asyncio.gather(*[pool.decode(path.name) for path in root.iterdir()])


async def test_a_worker_that_cannot_start_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "WORKER_MODULE", "no.such.module")

    with pytest.raises(DecoderUnavailable, match="pcc doctor"):
        await DecoderPool(tmp_path, SPEC, processes=1).__aenter__()


async def test_keys_are_not_in_the_environment_of_a_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-key-3")
    async with DecoderPool(tmp_path, SPEC, processes=1) as pool:
        environment = Path(f"/proc/{pool._workers[0].process.pid}/environ").read_bytes()

    assert b"PATH=" in environment
    assert b"canary-key-3" not in environment


async def test_no_process_is_left_behind(tmp_path: Path) -> None:
    async with DecoderPool(tmp_path, SPEC, processes=2) as pool:
        pids = [worker.process.pid for worker in pool._workers]

    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
