"""Counting, rates and times, with a clock of the test's own."""

from __future__ import annotations

import pytest

from journal import Status
from pipeline.jobs.progress import Progress
from pipeline.jobs.stage import Usage


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> Progress:
    started = Progress(run="r", stage="caption", backend="mock", total=100, skipped={}, clock=clock)
    started.begin()
    return started


def usages(count: int, status: Status = "success") -> list[Usage]:
    return [Usage(f"{number}.jpg", status, "text", 10, 2, 0.5) for number in range(count)]


def test_counts_tokens_and_cost_add_up(progress: Progress) -> None:
    progress.add(usages(3))
    progress.add(usages(2, "error_api"))
    shot = progress.snapshot()

    assert (shot.attempted, shot.remaining) == (5, 95)
    assert shot.by_status == {"success": 3, "error_api": 2}
    assert (shot.tokens_in, shot.tokens_out, shot.cost_usd) == (50, 10, 2.5)
    assert [error.rel_path for error in shot.errors] == ["1.jpg", "0.jpg"]


def test_rate_and_time_left(progress: Progress, clock: Clock) -> None:
    for _ in range(20):
        clock.now += 1
        progress.add(usages(2))
    clock.now += 5
    shot = progress.snapshot()

    assert shot.rate == pytest.approx(40 / 25)
    assert shot.rate_now == pytest.approx(12 / 10)
    assert shot.eta_seconds == pytest.approx(60 / 1.2)


def test_pauses_do_not_count(progress: Progress, clock: Clock) -> None:
    clock.now += 10
    progress.add(usages(10))
    progress.pause(True)
    assert progress.snapshot().state == "paused"
    clock.now += 1000
    assert progress.snapshot().seconds == 10
    progress.pause(False)
    clock.now += 10

    assert progress.snapshot().seconds == 20
    assert progress.snapshot().state == "running"


def test_nothing_is_promised_before_the_first_photo(progress: Progress) -> None:
    assert progress.snapshot().eta_seconds is None


def test_photos_in_hand_are_shown_until_they_are_done(progress: Progress) -> None:
    progress.start("0.jpg")
    progress.start("x.jpg")
    progress.add(usages(1))

    assert progress.snapshot().current == ["x.jpg"]


def test_retried_photos_are_uncounted(progress: Progress) -> None:
    progress.add(usages(3, "error_api"))
    progress.take_back("error_api")
    progress.take_back("error_api")

    assert progress.snapshot().by_status == {"error_api": 1}
