"""The standard streams of a command: closed ones, dead ones, and ones that are not UTF-8."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper


def open_streams() -> None:
    r"""Let every text be written and every line be read, whatever the streams are.

    What the encoding of an output does not know becomes an escape such as `\u6f22`. Without
    this, a photo with a Chinese name would leave no line at all in a Latin-1 terminal.
    """
    if sys.stdout is None:  # the parent process closed it
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream, errors in (
        (sys.stdout, "backslashreplace"),
        (sys.stderr, "backslashreplace"),
        (sys.stdin, "replace"),
    ):
        if isinstance(stream, TextIOWrapper):
            with suppress(OSError):  # a stream whose descriptor was exchanged stays as it is
                stream.reconfigure(errors=errors)


def release_streams() -> None:
    """Keep Python from failing at its exit because a terminal or a pipe is gone."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
