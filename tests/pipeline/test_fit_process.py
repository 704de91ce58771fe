"""The fitting process: it tells how far it is, and may be killed, stopped, paused and resumed."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from pipeline.clusters.errors import FitFailed
from pipeline.clusters.fit_process import FitProcess
from pipeline.clusters.fitting import fit
from pipeline.clusters.gathering import Gathered
from pipeline.clusters.messages import Fit, FitPhase, Fitted
from pipeline.clusters.step import ClusterStep
from pipeline.jobs.progress import Progress
from pipeline.jobs.step import Ending
from tests.support.fits import assert_whole, blobs, gathered, labels_of, request, unit

TIMEOUT = 120.0


async def fitted_by_process(asked: Fit) -> tuple[Fitted, list[FitPhase]]:
    process = FitProcess()
    told: list[FitPhase] = []
    try:
        async with asyncio.timeout(TIMEOUT):
            return await process.fit(asked, told.append), told
    finally:
        await process.stop(patience=0)


async def test_a_small_library_has_the_same_answer_from_the_process() -> None:
    asked = request(blobs(4, 12))
    fitted, told = await fitted_by_process(asked)
    assert fitted == fit(asked, lambda what, share: None)
    assert [stage.what for stage in told] == ["finding clusters", "drawing the map"]


@pytest.mark.usefixtures("fresh_processes")
async def test_umap_tells_how_far_it_is_and_answers_the_same_twice() -> None:
    """Both requests are answered by one process: it compiles once."""
    asked = request(blobs(6, 26), smallest=5)
    process = FitProcess()
    told: list[FitPhase] = []
    try:
        async with asyncio.timeout(TIMEOUT):
            await process.warm_up()
            first = await process.fit(asked, told.append)
            second = await process.fit(asked, told.append)
    finally:
        await process.stop(patience=0)

    assert first == second
    assert_whole(first, 156)
    labels = labels_of(first)
    for at in range(0, 156, 26):
        assert len({*labels[at : at + 26]} - {-1}) == 1
    assert len({*labels} - {-1}) == 6
    names = ["comparing captions", "laying out", "finding clusters", "drawing the map"]
    assert list(dict.fromkeys(stage.what for stage in told)) == names
    shares = [stage.share for stage in told[: len(told) // 2]]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1
    assert len({*shares}) > 4


LARGE = gathered(unit(30_000, 64))
"""Takes longer than any test waits: comparing comes first, and takes seconds."""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
async def test_the_signal_that_killed_a_process_is_told_and_what_the_process_said_last(
    number: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("ERROR", "pcc")
    process = FitProcess()
    working = asyncio.Event()
    fitting = asyncio.create_task(process.fit(LARGE.fit_request(), lambda stage: working.set()))
    try:
        async with asyncio.timeout(TIMEOUT):
            await working.wait()
            assert process._words is not None
            os.write(process._words.fileno(), b"a warning of some library\nthe last line\n")
            os.kill(process.process.pid, number)
            with pytest.raises(FitFailed) as failed:
                await fitting
        told = str(failed.value)
        assert told.startswith(f"the fitting process died of {number.name}: ")
        # Only SIGKILL may have to do with memory, and nobody knows that it has.
        assert ("--sample takes fewer" in told) == (number is signal.SIGKILL)
        assert "was killed, as a system does" not in told
        [fields] = [record.args for record in caplog.records if record.msg == "fitting process"]
        assert isinstance(fields, dict)
        assert fields["error"] == f"the process died of {number.name}"
        assert "a warning of some library\nthe last line" in fields["last_words"]
    finally:
        await process.stop(patience=0)


async def test_a_request_that_cannot_be_answered_leaves_the_process_at_work() -> None:
    process = FitProcess()
    broken = Fit(b"\0" * 40, 3, b"", 3, 1, 0)  # ten numbers in rows of three
    try:
        async with asyncio.timeout(TIMEOUT):
            with pytest.raises(FitFailed, match=r"ValueError: .*reshape"):
                await process.fit(broken, lambda stage: None)
            assert_whole(await process.fit(request(unit(2)), lambda stage: None), 2)
    finally:
        await process.stop(patience=0)


def step_of(process: FitProcess, asked: Gathered, finished: list[Fitted]) -> ClusterStep:
    progress = Progress(run="r", stage="cluster", backend="tfidf", total=1, skipped={})
    return ClusterStep(process, lambda: asked, lambda _, fitted: finished.append(fitted), progress)


async def until_working(step: ClusterStep) -> None:
    while step._share == 0.0:
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("paused", [False, True])
async def test_a_step_stopped_while_it_fits_changes_nothing(paused: bool) -> None:
    process, finished = FitProcess(), list[Fitted]()
    step = step_of(process, LARGE, finished)
    running = asyncio.create_task(step.run())
    async with asyncio.timeout(TIMEOUT):
        await until_working(step)
        pid = process.process.pid
        if paused:
            step.pause()
        step.stop()
        assert await running is Ending.STOPPED
        await process.stop(patience=0)
    assert finished == []
    assert not Path(f"/proc/{pid}").exists()


async def test_a_step_paused_before_its_process_starts_none() -> None:
    process, finished = FitProcess(), list[Fitted]()
    step = step_of(process, gathered(blobs(4, 12)), finished)
    step.pause()  # before there is a process
    running = asyncio.create_task(step.run())
    try:
        async with asyncio.timeout(TIMEOUT):
            while not process._released._waiters:
                await asyncio.sleep(0.005)
            assert not process.started
            step.resume()
            assert await running is Ending.DONE
    finally:
        await process.stop(patience=0)
    assert len(finished) == 1
    assert_whole(finished[0], 48)


async def test_a_stop_while_clusters_are_written_comes_too_late() -> None:
    process, finished = FitProcess(), list[Fitted]()
    step = step_of(process, gathered(unit(2)), finished)
    loop = asyncio.get_running_loop()

    def write(_: Gathered, fitted: Fitted) -> None:
        asyncio.run_coroutine_threadsafe(told_to_stop(), loop).result(TIMEOUT)
        finished.append(fitted)

    async def told_to_stop() -> None:
        step.stop()

    step._finish = write
    try:
        async with asyncio.timeout(TIMEOUT):
            assert await step.run() is Ending.DONE
    finally:
        await process.stop(patience=0)
    assert len(finished) == 1
