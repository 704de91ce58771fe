"""Is the backend still worth asking? Looks at how each photo ended, and says when to stop.

A dead server would fail every photo of a library in minutes, and leave a record of each.
"""

from __future__ import annotations

import re

from backends.errors import (
    AnswerError,
    AuthError,
    BackendLost,
    CallError,
    QuotaError,
    TooLargeError,
    UnaskedError,
)
from backends.keys import scrub
from pipeline.jobs.errors import RunStopped

REFUSALS_OF_A_WRONG_KEY = 3

MOST_FAILURES_IN_A_ROW = 10
"""Failures in a row that are not the photo's, after which nothing further is sent."""

_VARIES = re.compile(r"\w*\d\w*")
"""Words that differ from one error to the next, such as the id of a request."""


class BackendHealth:
    """Counts failures in a row.

    Args:
        backend: Name of the backend, for the message.
        go_on: What to do once the backend is worth asking again, a sentence without its end.
        local: Whether the backend is this machine, whose failures are told in other ways.
    """

    def __init__(self, backend: str, go_on: str, *, local: bool) -> None:
        self._backend = backend
        self._go_on = go_on
        self._local = local
        self._key_refused = 0
        self._succeeded = False
        self._failed = 0
        self._rejected = 0
        self._words = ""

    def note(self, error: Exception | None) -> RunStopped | None:
        """Take note of how a photo ended.

        Args:
            error: Why there is no caption; None for a caption.

        Returns:
            Why no further photo should be sent, None while the next may fare better.
        """
        if isinstance(error, BackendLost):
            return RunStopped(str(error))
        if isinstance(error, QuotaError):
            return RunStopped(
                f"credit or quota of {self._backend} is spent, or it asks for a long pause "
                f"({error}); top it up or wait, then {self._go_on}"
            )
        if error is None:
            self._succeeded = True
            self._key_refused = self._failed = self._rejected = 0
        if isinstance(error, AuthError):
            return self._note_refused_key(error)
        if self._local or not isinstance(error, CallError):
            return None
        return self._note_failure(error)

    def _note_refused_key(self, error: AuthError) -> RunStopped | None:
        self._key_refused += 1
        if self._key_refused < REFUSALS_OF_A_WRONG_KEY or self._succeeded:
            return self._note_failure(error)
        return RunStopped(
            f"{self._backend} refuses the key ({error}); correct it in config.env, then "
            f"{self._go_on}"
        )

    def _note_failure(self, error: CallError) -> RunStopped | None:
        """Count a failure of the server, or a rejection in the same words as the one before.

        Rejections count while no photo was captioned: later, model and settings are known to
        be right, and a folder of tiny pictures may well be rejected in the same words.
        """
        if not isinstance(error, AuthError):
            self._key_refused = 0
        if isinstance(error, UnaskedError | TooLargeError):
            return None
        if not error.blames_photo:
            self._failed += 1
        elif isinstance(error, AnswerError):
            self._failed = self._rejected = 0  # the server works
        elif not self._succeeded:
            words = _VARIES.sub("", str(error))
            self._rejected = self._rejected + 1 if words == self._words else 1
            self._words = words
        in_a_row = max(self._failed, self._rejected)
        if in_a_row < MOST_FAILURES_IN_A_ROW:
            return None
        return RunStopped(
            f"{in_a_row} photos in a row failed, and not because of the photos: "
            f"{scrub(str(error))}; no further photo was sent. Once that is mended, {self._go_on}"
        )
