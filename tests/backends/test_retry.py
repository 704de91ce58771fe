"""The one retry policy: what is retried, how often, after what wait."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from itertools import pairwise

import pytest

from backends.errors import AuthError, CallError, QuotaError, TransientError, UnaskedError
from backends.http_statuses import RETRIED, ErrorDetails, error_for_status, retry_after
from backends.retry import RetryPolicy, with_retries
from backends.throttle import Throttle

X = ErrorDetails(message="x")
FAST = RetryPolicy(first_wait=0.001, longest_wait=0.002)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("0.25", 0.25),
        ("-5", 0.0),
        ("86400", 86400.0),
        ("soon", None),
        ("", None),
        (formatdate(0), 0.0),
        ("Fri, 99 Nov 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after_in_all_its_forms(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}) == seconds


def test_retry_after_as_a_date_to_come() -> None:
    wait = retry_after({"retry-after": formatdate(time.time() + 30, usegmt=True)})
    assert wait is not None
    assert 27 < wait <= 30


def test_milliseconds_beat_seconds() -> None:
    assert retry_after({"retry-after-ms": "1500", "retry-after": "9"}) == 1.5


@pytest.mark.parametrize("status", sorted(RETRIED))
def test_passing_troubles_are_transient(status: int) -> None:
    assert isinstance(error_for_status(status, X, {}), TransientError)


@pytest.mark.parametrize("status", [400, 403, 404, 422, 501, 307])
def test_lasting_troubles_are_not(status: int) -> None:
    error = error_for_status(status, X, {})
    assert type(error) is CallError
    assert error.blames_photo is (status in (400, 422))


def test_key_and_credit_have_errors_of_their_own() -> None:
    assert isinstance(error_for_status(401, X, {}), AuthError)
    assert isinstance(error_for_status(402, X, {}), QuotaError)
    assert isinstance(
        error_for_status(429, ErrorDetails(message="x", quota_spent=True), {}), QuotaError
    )
    assert isinstance(error_for_status(429, X, {"retry-after": "86400"}), QuotaError)


async def test_five_attempts_then_the_last_error() -> None:
    calls = list[int]()

    async def call() -> str:
        calls.append(1)
        raise TransientError("busy")

    with pytest.raises(TransientError, match="busy"):
        await with_retries(call, Throttle(1), FAST)
    assert len(calls) == 5


async def test_errors_that_last_are_not_retried() -> None:
    calls = list[int]()

    async def call() -> str:
        calls.append(1)
        raise AuthError("no")

    with pytest.raises(AuthError):
        await with_retries(call, Throttle(1), FAST)
    assert len(calls) == 1


async def test_the_wait_a_server_asks_for_is_obeyed() -> None:
    moments = list[float]()

    async def call() -> str:
        moments.append(time.monotonic())
        if len(moments) == 1:
            raise TransientError("slow down", wait=0.2, throttled=True)
        return "done"

    assert await with_retries(call, Throttle(2), FAST) == "done"
    assert moments[1] - moments[0] >= 0.2


async def test_throttle_halves_once_for_calls_refused_together_and_climbs_back() -> None:
    throttle = Throttle(16)
    started = time.monotonic()
    for _ in range(16):
        throttle.slow_down(started, wait=None)
    assert throttle.limit == 8

    for _ in range(200):
        throttle.speed_up()
    assert throttle.limit == 16


async def test_throttle_never_lets_more_through_than_its_limit() -> None:
    throttle = Throttle(4)
    throttle.slow_down(time.monotonic(), wait=None)
    running, most = 0, 0

    async def work() -> None:
        nonlocal running, most
        async with throttle.slot():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

    await asyncio.gather(*[work() for _ in range(20)])
    assert most == 2


@pytest.mark.parametrize("asked", [0.0, 0.01, None])
async def test_no_server_talks_us_out_of_the_ordinary_wait(asked: float | None) -> None:
    moments = list[float]()

    async def call() -> str:
        moments.append(time.monotonic())
        raise TransientError("busy", wait=asked, throttled=True)

    with pytest.raises(TransientError):
        await with_retries(call, Throttle(1), RetryPolicy(attempts=3, first_wait=0.1))
    waits = [later - sooner for sooner, later in pairwise(moments)]
    assert waits[0] >= 0.1
    assert waits[1] >= 0.2


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
def test_a_wait_that_is_no_number_is_none(value: str) -> None:
    assert retry_after({"retry-after": value}) is None


async def test_a_wait_ends_at_once_when_the_run_ends_and_nothing_is_sent_again() -> None:
    calls = list[int]()

    async def call() -> str:
        calls.append(1)
        raise TransientError("HTTP 429: slow down", wait=500.0, throttled=True)

    throttle = Throttle(2)
    waiting = [asyncio.create_task(with_retries(call, throttle, FAST)) for _ in range(5)]
    while throttle.waiting < 5:
        await asyncio.sleep(0.001)
    assert throttle.reason == "HTTP 429: slow down"
    sent = len(calls)
    throttle.close()
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)

    assert all(isinstance(outcome, UnaskedError) for outcome in outcomes)
    assert len(calls) == sent
    assert throttle.waiting == 0


async def test_a_call_under_way_is_finished_when_the_run_ends() -> None:
    throttle, begun = Throttle(1), asyncio.Event()

    async def call() -> str:
        begun.set()
        await asyncio.sleep(0.05)
        return "done"

    under_way = asyncio.create_task(with_retries(call, throttle, FAST))
    await begun.wait()
    throttle.close()
    assert await under_way == "done"
