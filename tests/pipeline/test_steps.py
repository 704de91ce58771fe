"""StepSequence of a job: what runs after what, and who hears a command when."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from journal import JournalWriter, WriterLock
from pipeline.datasets.side_records import SizeRecord
from pipeline.datasets.size_stage import SizeStage
from pipeline.jobs.blocking_step import BlockingStep
from pipeline.jobs.copies import Copies
from pipeline.jobs.deferred_step import DeferredStep
from pipeline.jobs.errors import RunStopped
from pipeline.jobs.job import Job
from pipeline.jobs.pause_point import PausePoint
from pipeline.jobs.progress import Progress, Snapshot
from pipeline.jobs.step import Ending
from pipeline.jobs.step_sequence import StepSequence
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import CorruptImageError, DecoderUnavailable, StorageError
from pipeline.photos.photo import Photo
from pipeline.photos.walk import walk_photos
from tests.support.datasets import new_progress


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something another thread or task does."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.002)


class Told:
    """A step that ends as it is told to, and notes what happens to it."""

    def __init__(self, ending: Ending | Exception | None = Ending.DONE, attempted: int = 0) -> None:
        self.heard: list[str] = []
        self._attempted = attempted
        self._ending = ending
        self._end = asyncio.Event()

    async def run(self) -> Ending:
        self.heard.append("run")
        if self._ending is None:  # works until it is stopped
            await self._end.wait()
            return Ending.STOPPED
        if isinstance(self._ending, Exception):
            raise self._ending
        return self._ending

    def snapshot(self) -> Snapshot:
        return msgspec.structs.replace(new_progress().snapshot(), attempted=self._attempted)

    def pause(self) -> None:
        self.heard.append("pause")

    def resume(self) -> None:
        self.heard.append("resume")

    def stop(self) -> None:
        self.heard.append("stop")
        self._end.set()

    def abort(self) -> None:
        self.heard.append("abort")
        self._end.set()

    def retry(self) -> int:
        self.heard.append("retry")
        return 7


async def test_steps_run_in_order_and_the_last_one_last() -> None:
    steps = [Told(), Told(), Told()]

    assert await StepSequence(steps[:2], steps[2]).run() is Ending.DONE
    assert [step.heard for step in steps] == [["run"], ["run"], ["run"]]


async def test_the_last_step_runs_where_there_is_no_other() -> None:
    last = Told()
    assert await StepSequence([], last).run() is Ending.DONE
    assert last.heard == ["run"]


@pytest.mark.parametrize("ending", [Ending.STOPPED, Ending.BUDGET])
async def test_the_last_step_brings_in_what_was_made_before_a_stop(ending: Ending) -> None:
    first, second, last = Told(ending), Told(), Told()

    assert await StepSequence([first, second], last).run() is ending
    assert second.heard == []
    assert last.heard == ["run"]


async def test_a_command_to_stop_ends_the_step_and_runs_the_last() -> None:
    first, second, last = Told(None), Told(), Told()
    steps = StepSequence([first, second], last)
    running = asyncio.create_task(steps.run())
    await until(lambda: first.heard == ["run"])
    assert steps.retry() == 7
    steps.stop()

    assert await running is Ending.STOPPED
    assert first.heard == ["run", "retry", "stop"]
    assert second.heard == []
    assert last.heard == ["run"]


async def test_after_an_abort_nothing_runs_any_more() -> None:
    first, last = Told(None), Told()
    steps = StepSequence([first, Told()], last)
    running = asyncio.create_task(steps.run())
    await until(lambda: first.heard == ["run"])
    steps.abort()

    assert await running is Ending.STOPPED
    assert last.heard == []


async def test_an_abort_after_a_stop_reaches_the_last_step() -> None:
    first, last = Told(None), Told(None)
    steps = StepSequence([first], last)
    running = asyncio.create_task(steps.run())
    await until(lambda: first.heard == ["run"])
    steps.stop()
    await until(lambda: last.heard == ["run"])
    steps.abort()

    assert await running is Ending.STOPPED
    assert last.heard == ["run", "abort"]


@pytest.mark.parametrize("closing", [None, OSError("worse")])
async def test_after_an_error_the_last_step_brings_in_what_was_made(
    closing: Exception | None,
) -> None:
    last = Told() if closing is None else Told(closing)
    with pytest.raises(ValueError, match="no good"):
        await StepSequence([Told(attempted=1), Told(ValueError("no good"))], last).run()
    assert last.heard == ["run"]


async def test_after_an_error_before_anything_was_made_the_last_step_does_not_run() -> None:
    last = Told()
    with pytest.raises(ValueError, match="no good"):
        await StepSequence([Told(ValueError("no good"))], last).run()
    assert last.heard == []


async def test_what_the_last_step_could_not_finish_is_told() -> None:
    assert await StepSequence([Told()], Told(Ending.STOPPED)).run() is Ending.STOPPED


async def test_a_pause_holds_whatever_comes_next() -> None:
    second, last = Told(), Told()

    class Pausing(Told):
        async def run(self) -> Ending:
            steps.pause()
            return Ending.DONE

    first = Pausing()
    steps = StepSequence([first, second], last)
    assert await steps.run() is Ending.DONE
    assert second.heard == ["pause", "run"]
    assert last.heard == ["pause", "run"]


async def test_a_stop_out_of_a_pause_does_not_hold_the_last_step() -> None:
    passed: list[int] = []

    def work(pause_point: PausePoint) -> None:
        for number in range(3):
            pause_point.go_through(number)
            passed.append(number)

    first = Told(None)
    steps = StepSequence([first], BlockingStep(work, new_progress()))
    running = asyncio.create_task(steps.run())
    await until(lambda: first.heard == ["run"])
    steps.pause()
    steps.stop()

    async with asyncio.timeout(20):
        assert await running is Ending.STOPPED
    assert passed == [0, 1, 2]


class Opened(SizeStage):
    """Reads sizes, and knows whether it was opened."""

    opened = False

    async def open(self) -> None:
        self.opened = True
        await super().open()


class Sizes:
    """A deferred job that reads the sizes of some photos once it is let."""

    def __init__(self, directory: Path, photos: Path) -> None:
        self.stage = Opened(photos, 1)
        self.may_make = threading.Event()
        self.journal = directory / "sizes.jsonl"
        self.photos = photos
        self.paths = walk_photos(photos).paths
        self.progress = Progress(
            run="r1", stage="dimensions", backend="", total=len(self.paths), skipped={}
        )
        self.step = DeferredStep(self.make, self.progress)

    def make(self) -> Job[SizeRecord]:
        self.may_make.wait(20)
        lock = WriterLock(self.journal, "a test", None)
        return Job(
            self.stage,
            [Photo.at(path) for path in self.paths],
            photos_dir=self.photos,
            open_journal=lambda commit, fail: JournalWriter(lock, commit, fail),
            decoders=1,
            progress=self.progress,
        )


@pytest.fixture
def sizes(tmp_path: Path, photos: Callable[..., Path]) -> Sizes:
    return Sizes(tmp_path, photos(5))


async def test_a_deferred_job_is_made_when_its_turn_comes(sizes: Sizes) -> None:
    assert not sizes.journal.exists()
    assert sizes.step.snapshot().total == 5
    assert sizes.step.retry() == 0
    sizes.may_make.set()

    assert await sizes.step.run() is Ending.DONE
    assert sizes.step.snapshot().by_status == {"success": 5}
    assert sizes.journal.read_bytes().count(b'"width":64,"height":48') == 5


async def test_a_size_the_storage_does_not_deliver_has_no_record(
    sizes: Sizes, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = DecoderPool.size

    async def fail(pool: DecoderPool, path: str) -> tuple[int, int]:
        if path == sizes.paths[2]:
            raise StorageError(path, "OSError: Input/output error")
        return await whole(pool, path)

    monkeypatch.setattr(DecoderPool, "size", fail)
    sizes.may_make.set()

    assert await sizes.step.run() is Ending.DONE
    assert sizes.journal.read_bytes().count(b"\n") == 4
    assert "could not be read: 1" in str(sizes.step.snapshot().trouble)


@pytest.mark.parametrize("gone", [False, True])
async def test_a_share_that_is_gone_spoils_no_size(
    sizes: Sizes, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    async def fail(pool: DecoderPool, path: str) -> tuple[int, int]:
        if gone:
            raise CorruptImageError(path, "OSError: Permission denied", photos_gone=True)
        raise DecoderUnavailable("its share has not answered")

    monkeypatch.setattr(DecoderPool, "size", fail)
    sizes.may_make.set()

    with pytest.raises((RunStopped, DecoderUnavailable)):
        await sizes.step.run()
    assert sizes.journal.read_bytes() == b""


async def test_where_nothing_is_to_do_no_job_is_made() -> None:
    assert await DeferredStep(lambda: None, new_progress()).run() is Ending.DONE


@pytest.mark.parametrize("command", ["stop", "abort"])
async def test_a_stop_before_the_job_exists_opens_no_model(sizes: Sizes, command: str) -> None:
    running = asyncio.create_task(sizes.step.run())
    await asyncio.sleep(0)
    getattr(sizes.step, command)()
    sizes.may_make.set()

    assert await running is Ending.STOPPED
    assert sizes.journal.read_bytes() == b"" if sizes.journal.exists() else True
    assert not sizes.stage.opened


async def test_a_stop_while_nothing_turns_out_to_be_done_is_a_stop() -> None:
    may_make = threading.Event()

    def make() -> Job[Any] | None:
        may_make.wait(20)
        return None

    after, last = Told(), Told()
    steps = StepSequence([DeferredStep(make, new_progress()), after], last)
    running = asyncio.create_task(steps.run())
    await asyncio.sleep(0.01)
    steps.stop()
    may_make.set()

    assert await running is Ending.STOPPED
    assert after.heard == []
    assert last.heard == ["run"]


async def test_a_pause_before_the_job_exists_holds_it(sizes: Sizes) -> None:
    running = asyncio.create_task(sizes.step.run())
    await asyncio.sleep(0)
    sizes.step.pause()
    sizes.may_make.set()
    await until(lambda: sizes.stage.opened)
    await asyncio.sleep(0.1)

    assert sizes.journal.read_bytes() == b""
    sizes.step.resume()
    assert await running is Ending.DONE
    assert sizes.journal.read_bytes().count(b"\n") == 5


async def test_a_pause_that_is_over_before_the_job_exists_is_over(sizes: Sizes) -> None:
    running = asyncio.create_task(sizes.step.run())
    await asyncio.sleep(0)
    sizes.step.pause()
    sizes.step.resume()
    sizes.may_make.set()

    assert await running is Ending.DONE


def test_where_each_photo_is_for_itself_none_waits_for_another() -> None:
    copies = Copies()
    photo = Photo.at("a.jpg")

    assert copies.is_first("same", photo)
    assert copies.is_first("same", photo)
    assert copies.release("same", "success", 0) == []
