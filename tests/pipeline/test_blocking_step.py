"""Work on a thread, held and given up at its pause point."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from pipeline.jobs.blocking_step import BlockingStep
from pipeline.jobs.pause_point import GivenUp, PausePoint
from pipeline.jobs.step import Ending
from tests.support.datasets import new_progress


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something another thread or task does."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.002)


class Work:
    """Passes a pause point again and again, and knows how often."""

    def __init__(self, rounds: int | None = None) -> None:
        self.passed = 0
        self.given_up = False
        self.ended = threading.Event()
        self._rounds = rounds

    def __call__(self, pause_point: PausePoint) -> None:
        pause_point.begin("working", self._rounds or 0, "rounds")
        try:
            while self._rounds is None or self.passed < self._rounds:
                pause_point.go_through(self.passed)
                self.passed += 1
                self.ended.wait(0.001)
        except GivenUp:
            self.given_up = True
            raise
        finally:
            self.ended.set()


async def test_work_on_a_thread_runs_to_its_end() -> None:
    work = Work(rounds=20)
    step = BlockingStep(work, new_progress())

    assert await step.run() is Ending.DONE
    assert work.passed == 20
    assert step.snapshot().state == "finished"
    loading = step.snapshot().loading
    assert loading is not None
    assert (loading.what, loading.done, loading.total, loading.unit) == (
        "working",
        19,
        20,
        "rounds",
    )


async def test_the_loop_is_free_while_a_thread_works() -> None:
    work = Work()
    step = BlockingStep(work, new_progress())
    running = asyncio.create_task(step.run())
    await until(lambda: work.passed > 3)

    assert step.snapshot().state == "running"
    step.stop()
    assert await running is Ending.STOPPED
    assert work.given_up


async def test_a_pause_holds_the_work_and_a_resume_lets_it_go_on() -> None:
    work = Work()
    step = BlockingStep(work, new_progress())
    running = asyncio.create_task(step.run())
    await until(lambda: work.passed > 3)
    step.pause()
    assert step.snapshot().state == "paused"
    await asyncio.sleep(0.02)
    held_at = work.passed
    await asyncio.sleep(0.05)

    assert work.passed == held_at
    step.resume()
    assert step.snapshot().state == "running"
    await until(lambda: work.passed > held_at)
    step.stop()
    assert await running is Ending.STOPPED


@pytest.mark.parametrize("command", ["stop", "abort"])
async def test_a_stop_gives_up_work_that_is_held(command: str) -> None:
    work = Work()
    step = BlockingStep(work, new_progress())
    running = asyncio.create_task(step.run())
    await until(lambda: work.passed > 3)
    step.pause()
    getattr(step, command)()
    step.pause()  # comes too late

    assert await running is Ending.STOPPED
    assert work.given_up
    assert step.retry() == 0


async def test_a_pause_before_the_start_holds_the_work_at_its_first_gate() -> None:
    work = Work()
    step = BlockingStep(work, new_progress())
    step.pause()
    running = asyncio.create_task(step.run())
    await asyncio.sleep(0.05)

    assert work.passed == 0
    assert step.snapshot().state == "paused"
    step.resume()
    await until(lambda: work.passed > 3)
    step.stop()
    assert await running is Ending.STOPPED


async def test_a_stop_before_the_start_does_no_work() -> None:
    work = Work(rounds=5)
    step = BlockingStep(work, new_progress())
    step.stop()

    assert await step.run() is Ending.STOPPED
    assert work.passed == 0


async def test_an_error_on_the_thread_is_raised() -> None:
    def fail(pause_point: PausePoint) -> None:
        raise ValueError("no good")

    step = BlockingStep(fail, new_progress())
    with pytest.raises(ValueError, match="no good"):
        await step.run()
    assert step.snapshot().state == "finished"


def test_the_time_that_is_left_is_only_guessed_once_there_is_something_to_go_by() -> None:
    pause_point = PausePoint()
    assert pause_point.seconds_left() is None
    pause_point.begin("writing", 1000)
    pause_point.go_through(10)
    assert pause_point.seconds_left() is None
    pause_point.go_through(500)
    assert pause_point.seconds_left() is not None
    pause_point.go_through(1000)
    assert pause_point.seconds_left() == 0
