"""Errors of the backends package.

BackendError
├── SetupError          the backend cannot be made: key, extra or option is wrong
├── PictureError        the backend could not read the picture it was given
├── ModelError          local inference raised
├── BackendLost         the backend worked, and cannot go on: no further photo would fare better
└── CallError           a call to a server failed
    ├── AuthError       the key was refused
    ├── QuotaError      credit or the daily quota is spent; asking again is no use
    ├── TooLargeError   the picture is too large for the server
    ├── TransientError  the server or the line hiccupped; asking again may help
    └── AnswerError     an answer came, but it is no caption
"""

from __future__ import annotations


class BackendError(Exception):
    """Base of everything a backend raises on purpose."""


class SetupError(BackendError):
    """Raised before any photo is touched; the message says what mends the fault."""


class PictureError(BackendError):
    """Raised when the backend could not read the picture it was given."""


class ModelError(BackendError):
    """Raised when inference in this machine fails."""


class BackendLost(BackendError):
    """Raised when a backend that worked cannot go on."""


class CallError(BackendError):
    """Raised when a call fails for good."""


class AuthError(CallError):
    """Raised when the key is refused."""


class QuotaError(CallError):
    """Raised when credit or the daily quota is spent."""


class TooLargeError(CallError):
    """Raised when the server finds the picture too large; a smaller one may pass."""


class TransientError(CallError):
    """Raised when the same call may succeed later.

    Attributes:
        wait: Seconds the server asked to wait, None when it did not say.
        throttled: True when the server said that calls come too fast.
    """

    def __init__(self, message: str, *, wait: float | None = None, throttled: bool = False) -> None:
        super().__init__(message)
        self.wait = wait
        self.throttled = throttled


class AnswerError(CallError):
    """Raised when the answer is empty, a refusal, cut off, or endless repetition."""


def first_line(error: Exception) -> str:
    """Return the first line of a library's error without its full stop, to go on from there."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300].rstrip(".")
