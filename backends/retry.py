"""The one retry policy of every backend that calls a server."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from backends.errors import TransientError
from backends.keys import scrub
from backends.throttle import Throttle

if TYPE_CHECKING:
    import tenacity

T = TypeVar("T")

log = logging.getLogger("pcc.retry")


class RetryPolicy(msgspec.Struct, frozen=True):
    """How often and how patiently a failed call is repeated.

    Attributes:
        attempts: The most calls, the first included.
        first_wait: Seconds before the second call; the wait doubles each time.
        longest_wait: Most seconds between two calls, unless the server asks for more.
    """

    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 60.0


DEFAULT_POLICY = RetryPolicy()


async def with_retries(
    call: Callable[[], Awaitable[T]], throttle: Throttle, policy: RetryPolicy
) -> T:
    """Make a call, again and again while it fails for a passing reason.

    The wait between two calls is never shorter than the policy's, whatever the server says.

    Raises:
        CallError: the call failed for good, or as often as the policy allows, or the run ends.
    """
    import tenacity  # of the extra `api`: an estimate, which calls nobody, goes without

    backoff = tenacity.wait_exponential_jitter(
        initial=policy.first_wait, max=policy.longest_wait, jitter=policy.first_wait
    )
    last = TransientError("not called")

    def wait(state: tenacity.RetryCallState) -> float:
        return max(backoff(state), last.wait or 0.0)

    async def rest(seconds: float) -> None:
        await throttle.rest(seconds, str(last))

    async for attempt in tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        stop=tenacity.stop_after_attempt(policy.attempts),
        wait=wait,
        sleep=rest,
        before_sleep=_log_retry,
        reraise=True,
    ):
        with attempt:
            try:
                return await _one_attempt(call, throttle)
            except TransientError as error:
                last = error
                raise
    raise AssertionError("tenacity re-raises the last error")


async def _one_attempt(call: Callable[[], Awaitable[T]], throttle: Throttle) -> T:
    async with throttle.slot():
        started = time.monotonic()
        try:
            answer = await call()
        except TransientError as error:
            if error.throttled:
                throttle.slow_down(started, error.wait)
            raise
        throttle.speed_up()
        return answer


def _log_retry(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    wait = state.next_action.sleep if state.next_action else 0.0
    log.info(
        "retry",
        {
            "attempt": state.attempt_number,
            "wait": round(wait, 3),
            "reason": scrub(str(error)),
        },
    )
