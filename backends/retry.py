"""The one retry policy of every backend that calls a server."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec
import tenacity

from backends.errors import AuthError, CallError, QuotaError, TransientError
from backends.keys import scrub
from backends.throttle import Throttle

T = TypeVar("T")

log = logging.getLogger("pcc.retry")

RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
LONGEST_OBEYED_WAIT = 600.0
"""Seconds. A provider that asks for more than ten minutes means: not today."""


class RetryPolicy(msgspec.Struct, frozen=True):
    """How often and how patiently a failed call is made again.

    Attributes:
        attempts: Calls in all.
        first_wait: Seconds before the second call; doubles each time.
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

    Raises:
        CallError: it failed for good, or as often as the policy allows.
    """
    backoff = tenacity.wait_exponential_jitter(
        initial=policy.first_wait, max=policy.longest_wait, jitter=policy.first_wait
    )

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, TransientError) else None
        return backoff(state) if asked is None else asked

    async for attempt in tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        stop=tenacity.stop_after_attempt(policy.attempts),
        wait=wait,
        before_sleep=_log_retry,
        reraise=True,
    ):
        with attempt:
            return await _one_attempt(call, throttle)
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


def error_for_status(
    status: int, message: str, headers: Mapping[str, str], *, quota_spent: bool = False
) -> CallError:
    """Return what an HTTP status that is not a success means for the call.

    Args:
        status: The HTTP status.
        message: What the server said.
        headers: Its headers; names in lower case.
        quota_spent: True when the body tells that credit or the daily quota is gone.
    """
    text = f"HTTP {status}: {message}"
    wait = retry_after(headers)
    if status == 401:
        return AuthError(text)
    if quota_spent or status == 402 or (status in RETRIED and (wait or 0) > LONGEST_OBEYED_WAIT):
        return QuotaError(text)
    if status in RETRIED:
        return TransientError(text, wait=wait, throttled=status in (429, 529))
    if 300 <= status < 400:
        target = headers.get("location", "elsewhere")
        return CallError(
            f"{text} (redirects to {target} are not followed: pictures would go there too)"
        )
    return CallError(text)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a server asks to wait, None when it does not say.

    Reads `retry-after-ms` and `retry-after`: seconds, fractions of them, or an
    HTTP date. A moment in the past is no wait at all.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    value = headers.get("retry-after")
    if value is None:
        return None
    seconds = _number(value)
    if seconds is None:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds)


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
