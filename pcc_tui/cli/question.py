"""A question before something large is done, asked only where there is a terminal."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO

import typer

from pcc_tui.clean import clean
from pcc_tui.cli.output import ExitCode, fail


def require_terminal(stream: TextIO, instead: str) -> None:
    """End with a usage error where nobody can be asked.

    Args:
        stream: Where the question would stand.
        instead: What to do without a terminal, such as `give --yes to generate at once`.
    """
    if not (sys.stdin.isatty() and stream.isatty()):
        fail(f"there is no terminal to ask on; {instead}", ExitCode.USAGE)


def agrees(question: str, stream: TextIO) -> bool:
    """Ask until the answer is yes or no.

    Raises:
        typer.Abort: the terminal gave no answer.
    """
    while True:
        with suppress(OSError):
            stream.write(clean(question) + " ")
            stream.flush()
        line = sys.stdin.readline()
        if not line:
            raise typer.Abort
        answer = line.strip().lower()
        if answer in ("y", "yes", "n", "no"):
            return answer.startswith("y")
