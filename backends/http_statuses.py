"""What an error of a server means, whoever runs the server."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite

import msgspec

from backends.errors import (
    AuthError,
    CallError,
    QuotaError,
    TooLargeError,
    TransientError,
)

RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
BLAMED_ON_THE_PHOTO = frozenset({400, 422})
"""Statuses of a request that is wrong in itself; the model, the key and the address are right."""

_NO_PICTURES = re.compile(
    r"(?:image|vision|multimodal)\S*(?: input)? (?:is|are) not (?:supported|enabled)"
    r"|(?:does not|doesn't|cannot) (?:support|accept|process)(?: an?)? (?:image|vision|multi)"
    r"|at most 0 image|no endpoints found that support image|\bmmproj\b"
    r"|not a (?:multimodal|vision)",
    re.IGNORECASE,
)
"""How servers say that the model takes no pictures at all, whatever status they give."""

_NO_MODEL = re.compile(
    r"\bmodel\b.{0,200}?(?:not found|does(?: not|n't) exist|is not (?:available|supported)"
    r"|unknown|not loaded|decommissioned|deprecated)|(?:unknown|invalid|no such) model",
    re.IGNORECASE | re.DOTALL,
)
"""How servers say that there is no such model."""

LONGEST_OBEYED_WAIT = 600.0
"""Seconds; a provider that asks for more than ten minutes means that the day's quota is spent."""


class ErrorDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What the body of an error says; each vendor words it differently.

    Attributes:
        message: The message for people.
        wrong_key: True when the error is about the key, whatever the status.
        quota_spent: True when credit or the daily quota is gone.
        no_model: True when there is no such model.
        wait: Seconds that the body asks to wait, None when the body does not say.
    """

    message: str
    wrong_key: bool = False
    quota_spent: bool = False
    no_model: bool = False
    wait: float | None = None

    @classmethod
    def in_no_shape(cls, content: bytes) -> ErrorDetails:
        """Return the beginning of a body that does not have the vendor's shape."""
        return cls(message=content[:200].decode("utf-8", "replace"))


def error_for_status(
    status: int, refusal: ErrorDetails, headers: Mapping[str, str], prefix: str | None = None
) -> CallError:
    """Return what an HTTP status that is no success means for the call.

    Args:
        status: The HTTP status.
        refusal: What the body says.
        headers: The headers; names in lower case.
        prefix: What stands before the server's words, None for the status.
    """
    text = f"{prefix or f'HTTP {status}'}: {refusal.message}"
    asked = retry_after(headers)
    wait = refusal.wait if asked is None else asked
    if status == 401 or refusal.wrong_key:
        return AuthError(text)
    if refusal.quota_spent or status == 402:
        return QuotaError(text)
    if status in RETRIED and wait is not None and wait > LONGEST_OBEYED_WAIT:
        return QuotaError(f"{text} (asks to wait {wait / 60:,.0f} min)")
    if status == 413:
        return TooLargeError(text)
    words = refusal.message
    if refusal.no_model or _NO_PICTURES.search(words) or _NO_MODEL.search(words):
        return CallError(text, blames_photo=False)
    if status in RETRIED:
        return TransientError(text, wait=wait, throttled=status in (429, 529))
    if 300 <= status < 400:
        target = headers.get("location", "elsewhere")
        return CallError(
            f"{text} (redirects to {target} are not followed: pictures would go there too)",
            blames_photo=False,
        )
    return CallError(text, blames_photo=status in BLAMED_ON_THE_PHOTO)


def quoted(words: str) -> str:
    """Return a server's words without backquotes, which mark the commands that we print."""
    return words.replace("`", "'")


def names_no_model(status: int, words: str, content: bytes) -> bool:
    """Tell whether an error says that there is no such model, or no such address.

    Args:
        status: The HTTP status.
        words: What the body says.
        content: The body, where a code may say so.
    """
    says_so = _NO_MODEL.search(words) is not None or b"model_not_found" in content[:2000]
    return status == 404 or (says_so and status < 500)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait, None when the server does not say.

    Reads `retry-after-ms` and `retry-after`: seconds, fractions of them, or an
    HTTP date. A moment in the past is no wait at all, and the ordinary wait still holds.
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
        number = None if text is None else float(text)
    except ValueError:
        return None
    return number if number is None or isfinite(number) else None
