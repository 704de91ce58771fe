"""How commands print: data on standard output, warnings and errors on standard error."""

from __future__ import annotations

import json
import math
import sys
from contextlib import suppress
from typing import NoReturn, TextIO

import msgspec
import typer

from backends.keys import scrub
from journal import named
from pcc_tui.clean import clean
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.origin import origin

LONGEST_INTEGER = 64
"""Bits of the largest integer that is printed as JSON."""


def say(text: str, *, to: TextIO | None = None) -> None:
    """Print a line for people; a terminal that is gone is no reason to fail.

    API keys are taken out, and commands in backquotes become whole.
    """
    stream = to or sys.stdout
    with suppress(OSError, ValueError):
        stream.write(clean(scrub(told(text))) + "\n")
        stream.flush()


def told(text: str) -> str:
    """Return a text in which every command in backquotes is whole, to be pasted."""
    return origin().complete(text) if "`pcc " in text else text


def warn(text: str) -> None:
    """Print a line on standard error."""
    say(text, to=sys.stderr)


def narration(json: bool) -> TextIO:
    """Return the stream for people: standard error where a program reads standard output."""
    return sys.stderr if json else sys.stdout


def fail(message: str, code: ExitCode) -> NoReturn:
    """Print what is wrong and how to mend it, and end with a code."""
    warn(f"pcc: {message}")
    raise typer.Exit(code)


def print_json(document: object, *, indent: int | None = 2) -> None:
    """Print one JSON document; ASCII, so that no text in it acts on a terminal."""
    text = json.dumps(_printable(msgspec.to_builtins(document)), indent=indent)
    with named("standard output"):
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _printable(value: object) -> object:
    """Return builtins that every reader of JSON takes, and in which no string holds an API key.

    JSON knows neither NaN nor infinity, and most readers no integer of more than 64 bits: null
    stands for these.
    """
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        return value if value.bit_length() <= LONGEST_INTEGER else None
    return value
