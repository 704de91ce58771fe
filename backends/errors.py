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
    ├── UnaskedError    the run ends, so that the photo is not asked again
    └── AnswerError     an answer came, but it is no caption
"""

from __future__ import annotations

from collections.abc import Iterator


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
    """Raised when a call fails for good.

    Attributes:
        blames_photo: False when the next photo would fare the same, whatever it shows.
        may_be_billed: True when the server may have worked on the request all the same.
        cost_usd: What the attempts of the call may have cost in US dollars, None where no
            price is known.
    """

    blames_photo = True
    may_be_billed = False
    cost_usd: float | None = None

    def __init__(self, message: str, *, blames_photo: bool | None = None) -> None:
        super().__init__(message)
        if blames_photo is not None:
            self.blames_photo = blames_photo


class AuthError(CallError):
    """Raised when the key is refused."""

    blames_photo = False


class QuotaError(CallError):
    """Raised when credit or the daily quota is spent."""

    blames_photo = False


class TooLargeError(CallError):
    """Raised when the server finds the picture too large; a smaller one may pass."""


class TransientError(CallError):
    """Raised when the same call may succeed later.

    Attributes:
        wait: Seconds the server asked to wait, None when it did not say.
        throttled: True when the server said that calls come too fast.
    """

    blames_photo = False

    def __init__(
        self,
        message: str,
        *,
        wait: float | None = None,
        throttled: bool = False,
        may_be_billed: bool = False,
    ) -> None:
        super().__init__(message)
        self.wait = wait
        self.throttled = throttled
        self.may_be_billed = may_be_billed


class UnaskedError(CallError):
    """Raised when a run ends while a call waits for its turn, or for its next attempt."""

    blames_photo = False


class AnswerError(CallError):
    """Raised when an answer is no caption.

    Attributes:
        blames_photo: True for a refusal, endless repetition and an answer that is too long,
            which another photo may be spared; False for an empty answer, one that was cut off,
            one that speaks of something else, and a model that sees no image.
    """


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what caused it, what caused that, and so on, each once."""
    cause: BaseException | None = error
    seen = set[int]()
    while cause is not None and id(cause) not in seen:
        yield cause
        seen.add(id(cause))  # an error that is raised again may be the cause of its own cause
        cause = cause.__cause__ or cause.__context__


def first_line(error: Exception) -> str:
    """Return the first line of a library's error without its full stop, to go on from there."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:300].rstrip(".")
