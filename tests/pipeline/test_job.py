"""The engine: copies, failures, pause, stop, retry, budget, batches; with real decoders."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from backends.base import Caption, Captioner, Options, PhotoInput, PictureSpec
from backends.errors import (
    AnswerError,
    AuthError,
    CallError,
    ModelError,
    PictureError,
    QuotaError,
    TransientError,
    UnaskedError,
)
from journal import CaptionRecord, JournalWriter, WriterLock, scan
from pipeline.captions.stage import CaptionStage
from pipeline.jobs.budget import Budget
from pipeline.jobs.copies import Copies
from pipeline.jobs.errors import RunStopped
from pipeline.jobs.job import Job
from pipeline.jobs.progress import Progress
from pipeline.jobs.step import Ending
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import StorageError
from pipeline.photos.photo import LoadedPhoto, Photo
from pipeline.photos.walk import walk_photos

Answer = Callable[[PhotoInput], Awaitable[Caption]]


class Scripted(Captioner):
    """A backend that answers as the test says, and notes what it was given."""

    name = "scripted"
    local = True
    answer: Answer

    def __init__(self, options: Options = Options(), *, answer: Answer | None = None) -> None:  # noqa: B008
        super().__init__(options)
        self.seen: list[PhotoInput] = []
        self.batches: list[int] = []
        self._answer = answer

    async def caption(self, photo: PhotoInput) -> Caption:
        """Answer."""
        self.seen.append(photo)
        if self._answer is None:
            return Caption(text=f"caption of {photo.name}", cost_usd=0.25)
        return await self._answer(photo)

    async def caption_batch(self, photos: Sequence[PhotoInput]) -> list[Caption | Exception]:
        """Note the size of the batch."""
        self.batches.append(len(photos))
        return await super().caption_batch(photos)


class Remote(Scripted):
    """The same, but not of this machine."""

    local = False


class Bench:
    """Runs jobs over a folder of photos and reads back their journal."""

    def __init__(self, tmp_path: Path, photos_dir: Path) -> None:
        self.journal = tmp_path / "captions.jsonl"
        self.photos_dir = photos_dir

    def job(self, captioner: Captioner, **options: Any) -> Job[CaptionRecord]:
        stage = CaptionStage(captioner, options.pop("run", "r1"), "p1")
        photos = [Photo.at(path) for path in walk_photos(self.photos_dir).paths]
        lock = WriterLock(self.journal, "a test", None)
        progress = Progress(
            run="r1", stage="caption", backend=captioner.name, total=len(photos), skipped={}
        )
        return Job(
            stage,
            photos,
            photos_dir=self.photos_dir,
            open_journal=lambda commit, fail: JournalWriter(lock, commit, fail),
            decoders=2,
            progress=progress,
            copies=Copies(self.journal, options.pop("known", None)),
            budget=options.pop("budget", None),
        )

    def records(self) -> dict[str, CaptionRecord]:
        return {record.rel_path: record for _, record in scan(self.journal, CaptionRecord)}

    def lines(self) -> int:
        return len(self.journal.read_bytes().splitlines())


@pytest.fixture
def bench(tmp_path: Path, photos: Callable[..., Path]) -> Bench:
    return Bench(tmp_path, photos(12))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something the job does; the test's own time limit is the whole run's."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def test_every_photo_gets_one_record(bench: Bench) -> None:
    job = bench.job(Scripted())
    assert await job.run() is Ending.DONE

    records = bench.records()
    assert len(records) == bench.lines() == 12
    assert records["IMG_00003.jpg"].caption == "caption of IMG_00003.jpg"
    assert job.progress.snapshot().by_status == {"success": 12}


async def test_local_backends_see_names_and_facts_and_others_pixels_alone(bench: Bench) -> None:
    local, remote = Scripted(), Remote(answer=_constant)
    await bench.job(local).run()
    await bench.job(remote).run()

    assert all(photo.name and photo.facts for photo in local.seen)
    assert all(photo.name is None and photo.facts is None for photo in remote.seen)


async def _constant(photo: PhotoInput) -> Caption:
    return Caption(text="a dog")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (PictureError("x"), "error_corrupt"),
        (CallError("x"), "error_api"),
        (ModelError("x"), "error_model"),
        (ValueError("a bug"), "error_model"),
    ],
)
async def test_errors_become_statuses(bench: Bench, error: Exception, status: str) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        if photo.name == "IMG_00005.jpg":
            raise error
        return Caption(text="fine")

    await bench.job(Scripted(answer=answer)).run()
    record = bench.records()["IMG_00005.jpg"]

    assert record.status == status
    assert record.error == f"{type(error).__name__}: {error}"
    assert [record.status for record in bench.records().values()].count("success") == 11


async def test_unexpected_error_of_a_remote_backend_is_an_error_of_the_call(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        raise KeyError("choices")

    await bench.job(Remote(answer=answer)).run()
    assert {record.status for record in bench.records().values()} == {"error_api"}


async def test_long_errors_are_cut(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        raise AnswerError("x" * 9000)

    await bench.job(Remote(answer=answer)).run()
    assert all(len(record.error or "") == 500 for record in bench.records().values())


async def test_broken_files_do_not_reach_the_backend(bench: Bench) -> None:
    (bench.photos_dir / "IMG_00004.jpg").write_bytes(b"broken")
    (bench.photos_dir / "IMG_00007.jpg").unlink()
    (bench.photos_dir / "IMG_00007.jpg").symlink_to("nowhere")
    captioner = Scripted()
    await bench.job(captioner).run()
    records = bench.records()

    assert len(captioner.seen) == 10
    assert records["IMG_00004.jpg"].status == records["IMG_00007.jpg"].status == "error_corrupt"


async def test_identical_files_are_captioned_once(bench: Bench) -> None:
    for number in range(5):
        shutil.copy(bench.photos_dir / "IMG_00002.jpg", bench.photos_dir / f"copy{number}.jpg")
    captioner = Scripted()
    job = bench.job(captioner)
    assert await job.run() is Ending.DONE
    records = bench.records()

    assert len(captioner.seen) == 12
    assert len(records) == bench.lines() == 17
    copies = [record for record in records.values() if record.copied_from]
    assert len(copies) == 5
    [original] = {record.copied_from for record in copies}  # whichever was decoded first
    assert original is not None
    assert records[original].copied_from is None
    assert {record.caption for record in copies} == {records[original].caption}
    assert all(record.cost_usd is None for record in copies)


async def test_identical_file_of_an_earlier_run_is_copied(bench: Bench) -> None:
    await bench.job(Scripted()).run()
    offset, original = next(scan(bench.journal, CaptionRecord))
    assert original.digest is not None
    shutil.copy(bench.photos_dir / original.rel_path, bench.photos_dir / "later.jpg")
    known = {hash(original.digest): offset}
    captioner = Scripted()
    await bench.job(captioner, known=known).run()

    assert bench.records()["later.jpg"].copied_from == original.rel_path
    assert len(captioner.seen) == 11


async def test_record_that_may_not_be_copied_is_replaced_once(bench: Bench) -> None:
    await bench.job(Scripted()).run()
    offset, original = next(scan(bench.journal, CaptionRecord))
    assert original.digest is not None
    data = bytearray(bench.journal.read_bytes())
    at = data.index(b"caption of", offset)
    data[at : at + 7] = b"flipped"
    bench.journal.write_bytes(data)
    for number in range(3):
        source, copy = bench.photos_dir / original.rel_path, bench.photos_dir / f"c{number}.jpg"
        shutil.copy(source, copy)
    captioner = Scripted()
    await bench.job(captioner, known={hash(original.digest): offset}).run()

    assert len(captioner.seen) == 12
    captions = [record.caption or "" for record in bench.records().values()]
    assert not any("flipped" in caption for caption in captions)


async def test_failures_of_every_kind_are_logged(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        if len(captioner.seen) == 1:
            raise CallError("busy")
        return Caption(text="" if len(captioner.seen) == 2 else "fine")

    captioner = Remote(answer=answer)
    caplog.set_level("WARNING", "pcc")
    await bench.job(captioner).run()
    fields = [record.args for record in caplog.records if record.msg == "error_api"]

    assert [one["error"] for one in fields if isinstance(one, dict)] == [
        "CallError: busy",
        "AnswerError: empty answer",
    ]


async def test_copies_share_the_fate_of_the_first(bench: Bench) -> None:
    for number in range(3):
        shutil.copy(bench.photos_dir / "IMG_00002.jpg", bench.photos_dir / f"copy{number}.jpg")

    async def answer(photo: PhotoInput) -> Caption:
        raise AnswerError("refused")

    captioner = Remote(answer=answer)
    assert await bench.job(captioner).run() is Ending.DONE
    assert len(captioner.seen) == 12
    assert len(bench.records()) == 15


async def test_retry_brings_the_copies_along(bench: Bench) -> None:
    for number in range(3):
        shutil.copy(bench.photos_dir / "IMG_00002.jpg", bench.photos_dir / f"copy{number}.jpg")
    failing = True

    async def answer(photo: PhotoInput) -> Caption:
        await asyncio.sleep(0.01)
        if failing:
            raise CallError("busy")
        return Caption(text="fine")

    captioner = Scripted(answer=answer)
    job = bench.job(captioner)
    running = asyncio.create_task(job.run())
    await until(lambda: job.progress.by_status["error_api"] >= 10)
    failing = False
    while not running.done():  # one may have been failing just then
        job.retry()
        await asyncio.sleep(0.005)

    assert await running is Ending.DONE
    assert {record.status for record in bench.records().values()} == {"success"}
    assert len(bench.records()) == 15


async def test_stop_serves_the_copies_of_what_was_in_flight(
    tmp_path: Path, photos: Callable[..., Path]
) -> None:
    folder, release = photos(1), asyncio.Event()
    for number in range(3):
        shutil.copy(folder / "IMG_00000.jpg", folder / f"copy{number}.jpg")

    async def answer(photo: PhotoInput) -> Caption:
        await release.wait()
        return Caption(text="fine")

    bench = Bench(tmp_path, folder)
    job = bench.job(Scripted(answer=answer))
    running = asyncio.create_task(job.run())
    await until(lambda: [len(twins) for twins in job._records._copies._waiting.values()] == [4])
    job.stop()
    release.set()

    assert await running is Ending.DONE  # nothing was left to stop
    assert len(bench.records()) == 4


async def test_a_copy_that_comes_late_shares_the_fate_of_the_first_too(bench: Bench) -> None:
    shutil.copy(bench.photos_dir / "IMG_00000.jpg", bench.photos_dir / "Z_last.jpg")

    async def answer(photo: PhotoInput) -> Caption:
        await until(lambda: job.progress.attempted >= len(captioner.seen) - 1)
        raise AnswerError("refused")

    captioner = Remote(answer=answer)
    job = bench.job(captioner)
    assert await job.run() is Ending.DONE
    assert len(captioner.seen) == 12
    assert bench.records()["Z_last.jpg"].error == "AnswerError: refused"


@pytest.mark.parametrize(("count", "batches"), [(12, [8, 4]), (8, [8]), (3, [3]), (1, [1])])
async def test_batches_are_full_but_for_the_last(
    tmp_path: Path, photos: Callable[..., Path], count: int, batches: list[int]
) -> None:
    captioner = Scripted(Options(batch_size=8))
    await Bench(tmp_path, photos(count)).job(captioner).run()

    assert captioner.batches == batches


@pytest.mark.parametrize("workers", [2, 3, 4])
@pytest.mark.parametrize("batch_size", [2, 4, 5])
async def test_batches_of_several_workers_end(bench: Bench, workers: int, batch_size: int) -> None:
    captioner = Scripted(Options(workers=workers, batch_size=batch_size))
    async with asyncio.timeout(30):
        assert await bench.job(captioner).run() is Ending.DONE
    assert len(bench.records()) == 12


async def test_one_bad_photo_costs_its_batch_nothing(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        if photo.name == "IMG_00003.jpg":
            raise ValueError("a bug")
        return Caption(text="fine")

    await bench.job(Scripted(Options(batch_size=4), answer=answer)).run()
    statuses = [record.status for record in bench.records().values()]
    assert (statuses.count("success"), statuses.count("error_model")) == (11, 1)


async def test_retry_takes_refusals_too_and_nothing_after_the_end(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        await asyncio.sleep(0.01)
        return Caption(text="" if len(captioner.seen) <= 3 else "fine")

    captioner = Scripted(answer=answer)
    job = bench.job(captioner)
    running = asyncio.create_task(job.run())
    await until(lambda: job.progress.by_status["error_api"] == 3)
    assert job.retry() == 3
    assert await running is Ending.DONE
    assert job.retry() == 0
    assert job.progress.snapshot().by_status == {"success": 12}


async def test_stop_does_not_wait_for_a_backend_that_never_opens(bench: Bench) -> None:
    class Slow(Scripted):
        async def open(self) -> None:
            await asyncio.Event().wait()

    job = bench.job(Slow())
    running = asyncio.create_task(job.run())
    await until(lambda: job._opening is not None)
    job.stop()
    async with asyncio.timeout(10):
        assert await running is Ending.STOPPED


async def test_answers_without_a_price_count_as_the_most_they_can_have_cost(bench: Bench) -> None:
    job = bench.job(Remote(answer=_constant), budget=Budget(1.0, spent=0.0, bound=0.25))
    assert await job.run() is Ending.BUDGET
    assert len(bench.records()) == 4


async def test_batches_end_when_copies_wait_for_their_first(
    tmp_path: Path, photos: Callable[..., Path]
) -> None:
    folder = photos(1)
    for number in range(20):
        shutil.copy(folder / "IMG_00000.jpg", folder / f"copy{number}.jpg")
    captioner = Scripted(Options(batch_size=8))
    bench = Bench(tmp_path, folder)
    assert await bench.job(captioner).run() is Ending.DONE

    assert captioner.batches == [1]
    assert len(bench.records()) == 21


async def test_as_many_calls_at_once_as_workers(bench: Bench) -> None:
    running, most = 0, 0

    async def answer(photo: PhotoInput) -> Caption:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        return Caption(text="fine")

    await bench.job(Scripted(Options(workers=4), answer=answer)).run()
    assert most == 4


async def test_pause_and_resume(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        await asyncio.sleep(0.02)
        return Caption(text="fine")

    captioner = Scripted(answer=answer)
    job = bench.job(captioner)
    running = asyncio.create_task(job.run())
    await until(lambda: job.progress.attempted >= 2)
    job.pause()
    await until(lambda: job.progress.attempted == len(captioner.seen))
    held = len(captioner.seen)
    await asyncio.sleep(0.2)
    assert len(captioner.seen) <= held + 1
    assert job.progress.snapshot().state == "paused"
    job.resume()

    assert await running is Ending.DONE
    assert len(bench.records()) == 12


@pytest.mark.parametrize("paused", [False, True])
async def test_stop_finishes_what_is_in_flight(bench: Bench, paused: bool) -> None:
    release = asyncio.Event()

    async def answer(photo: PhotoInput) -> Caption:
        await release.wait()
        return Caption(text="fine")

    captioner = Scripted(Options(workers=3), answer=answer)
    job = bench.job(captioner)
    running = asyncio.create_task(job.run())
    await until(lambda: len(captioner.seen) == 3)
    if paused:
        job.pause()
    job.stop()
    release.set()

    assert await running is Ending.STOPPED
    assert len(bench.records()) == len(captioner.seen) == 3


async def test_abort_gives_up_what_is_in_flight(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        if len(captioner.seen) > 4:
            await asyncio.Event().wait()
        return Caption(text="fine")

    captioner = Scripted(answer=answer)
    job = bench.job(captioner)
    running = asyncio.create_task(job.run())
    await until(lambda: len(captioner.seen) == 5 and job.progress.attempted == 4)
    job.stop()
    job.abort()

    assert await running is Ending.STOPPED
    assert len(bench.records()) == 4


async def test_retry_puts_failed_photos_to_work_again(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        if len(captioner.seen) <= 6:
            raise CallError("busy")
        await asyncio.sleep(0.01)
        return Caption(text="fine")

    captioner = Scripted(answer=answer)
    job = bench.job(captioner)
    running = asyncio.create_task(job.run())
    await until(lambda: job.progress.by_status["error_api"] == 6)
    assert job.retry() == 6

    assert await running is Ending.DONE
    assert {record.status for record in bench.records().values()} == {"success"}
    assert job.progress.snapshot().by_status == {"success": 12}


@pytest.mark.parametrize("workers", [1, 4])
async def test_budget_is_never_passed(bench: Bench, workers: int) -> None:
    budget = Budget(1.1, spent=0.25, bound=0.25)
    job = bench.job(Scripted(Options(workers=workers)), budget=budget)

    assert await job.run() is Ending.BUDGET
    assert len(bench.records()) == 3
    assert budget.spent == 1.0


async def test_wrong_key_stops_after_three_refusals(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        raise AuthError("HTTP 401: no")

    captioner = Remote(answer=answer)
    with pytest.raises(RunStopped, match="refuses the key"):
        await bench.job(captioner).run()
    assert len(captioner.seen) == len(bench.records()) == 3


async def test_some_refused_keys_after_a_success_stop_nothing(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        if 1 < len(captioner.seen) < 10:
            raise AuthError("HTTP 401: no")
        return Caption(text="fine")

    captioner = Remote(answer=answer)
    assert await bench.job(captioner).run() is Ending.DONE
    assert len(captioner.seen) == 12


LASTING = {
    "a dead server": TransientError("127.0.0.1:9 refuses connections"),
    "a server in trouble": TransientError("HTTP 503: busy"),
    "a wrong model": CallError("HTTP 404: no such model", blames_photo=False),
    "a key that was withdrawn": AuthError("HTTP 401: no"),
    "a request that is always rejected": CallError("HTTP 400: unknown field (request 7f3a)"),
    "a model that gets no picture": AnswerError("it sees no image", blames_photo=False),
}


@pytest.mark.parametrize("error", LASTING.values(), ids=LASTING)
async def test_ten_failures_that_are_not_the_photos_stop_the_run(
    bench: Bench, error: CallError
) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        if is_first_fine and len(captioner.seen) == 1:
            return Caption(text="fine")
        raise error

    is_first_fine = isinstance(error, AuthError)
    captioner = Remote(answer=answer)
    with pytest.raises(RunStopped, match="10 photos in a row") as stopped:
        await bench.job(captioner).run()

    assert str(error) in str(stopped.value)
    assert "\n" not in str(stopped.value)
    assert len(captioner.seen) == len(bench.records()) == 10 + is_first_fine


LASTING_ERROR = TransientError("HTTP 503: busy")

PASSING: dict[str, Callable[[int], Caption | Exception]] = {
    "a success between": lambda number: Caption(text="fine") if number == 9 else LASTING_ERROR,
    "a refusal between": lambda number: AnswerError("refused") if number == 9 else LASTING_ERROR,
    "photos that are refused": lambda number: AnswerError("refused: I cannot"),
    "rejections in other words": lambda number: CallError(f"HTTP 400: {'very ' * number} small"),
    "rejections after a success": lambda number: (
        Caption(text="fine") if number == 1 else CallError("HTTP 400: too small")
    ),
}


@pytest.mark.parametrize("script", PASSING.values(), ids=PASSING)
async def test_failures_that_the_next_photo_need_not_share_stop_nothing(
    bench: Bench, script: Callable[[int], Caption | Exception]
) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        outcome = script(len(captioner.seen))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    captioner = Remote(answer=answer)
    assert await bench.job(captioner).run() is Ending.DONE
    assert len(bench.records()) == 12


async def test_a_local_backend_is_asked_about_every_photo(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        raise CallError("odd")

    assert await bench.job(Scripted(answer=answer)).run() is Ending.DONE
    assert len(bench.records()) == 12


async def test_a_photo_that_was_not_asked_again_leaves_no_record(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        if len(captioner.seen) == 1:
            return Caption(text="fine")
        job.stop()
        raise UnaskedError("HTTP 429: slow down")

    captioner = Remote(answer=answer)
    job = bench.job(captioner)
    assert await job.run() is Ending.STOPPED
    assert len(bench.records()) == 1


async def test_a_photo_that_may_have_been_billed_leaves_a_record_all_the_same(
    bench: Bench,
) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        job.stop()
        error = UnaskedError("no answer within 60 s")
        error.cost_usd = 0.02
        raise error

    job = bench.job(Remote(answer=answer))
    assert await job.run() is Ending.STOPPED
    [record] = bench.records().values()
    assert (record.status, record.cost_usd) == ("error_api", 0.02)


async def test_spent_quota_stops_at_once(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        raise QuotaError("HTTP 429: quota")

    captioner = Remote(answer=answer)
    with pytest.raises(RunStopped, match="spent"):
        await bench.job(captioner).run()
    assert len(captioner.seen) == 1


async def test_library_that_vanishes_stops_the_run(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        for path in bench.photos_dir.iterdir():
            path.unlink()
        return Caption(text="fine")

    with pytest.raises(RunStopped, match="photos directory"):
        await bench.job(Scripted(answer=answer)).run()
    assert "error_corrupt" not in {record.status for record in bench.records().values()}


async def test_an_answer_that_is_no_caption_is_an_error_that_cost_its_price(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        return Caption(text="I can't help.", tokens_in=10, tokens_out=1, cost_usd=0.5)

    await bench.job(Remote(answer=answer)).run()
    for record in bench.records().values():
        assert (record.status, record.caption) == ("error_api", None)
        assert record.error == "AnswerError: refused: I can't help."
        assert (record.tokens_in, record.cost_usd) == (10, 0.5)


async def test_a_storage_that_fails_leaves_no_record_and_stops_the_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(pool: object, path: str, spec: object = None) -> object:
        raise StorageError(path, "OSError: Input/output error")

    monkeypatch.setattr("pipeline.photos.decoder.DecoderPool.decode", fail)
    captioner = Scripted()
    job = bench.job(captioner)
    with pytest.raises(RunStopped, match="Input/output error") as stopped:
        await job.run()

    assert str(bench.photos_dir) in str(stopped.value)
    assert bench.lines() == 0
    assert captioner.seen == []


async def test_a_photo_the_storage_does_not_deliver_is_left_for_the_next_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = DecoderPool.decode

    async def fail(pool: DecoderPool, path: str, spec: PictureSpec | None = None) -> LoadedPhoto:
        if path in ("IMG_00003.jpg", "IMG_00007.jpg"):
            raise StorageError(path, "OSError: Stale file handle")
        return await whole(pool, path, spec)

    monkeypatch.setattr("pipeline.photos.decoder.DecoderPool.decode", fail)
    job = bench.job(Scripted())
    assert await job.run() is Ending.DONE

    assert len(bench.records()) == bench.lines() == 10
    trouble = job.snapshot().trouble
    assert trouble is not None
    assert "photos that could not be read: 2, the last IMG_00007.jpg" in trouble


async def test_a_photo_removed_meanwhile_is_left_out(bench: Bench) -> None:
    job = bench.job(Scripted())
    (bench.photos_dir / "IMG_00004.jpg").unlink()
    assert await job.run() is Ending.DONE
    assert len(bench.records()) == 11


@pytest.mark.parametrize("text", ["  ", "<think>Let me see", "I cannot see any image."])
async def test_answers_that_every_photo_would_get_stop_the_run(bench: Bench, text: str) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        return Caption(text=text)

    captioner = Remote(answer=answer)
    with pytest.raises(RunStopped, match="10 photos in a row failed"):
        await bench.job(captioner).run()


async def test_a_caption_is_recorded_without_the_thoughts_before_it(bench: Bench) -> None:
    async def answer(photo: PhotoInput) -> Caption:
        return Caption(text="<think>A dog, I guess.</think>\n\nA dog.<|im_end|>")

    await bench.job(Remote(answer=answer)).run()
    assert {record.caption for record in bench.records().values()} == {"A dog."}
