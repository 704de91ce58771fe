"""`pcc`: puts the groups of commands together, and turns every failure into a line and a code."""

from __future__ import annotations

import logging
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import typer

from pcc_tui.cli import full_screen
from pcc_tui.cli.commands import GROUPS
from pcc_tui.cli.exit_codes import ExitCode, exit_code_of
from pcc_tui.cli.groups import show_help
from pcc_tui.cli.lazy import LazyGroup
from pcc_tui.cli.origin import begin
from pcc_tui.cli.output import warn
from pipeline.jobs.log import LOGGER

NO_THREAD = "can't start new thread"
"""What Python says where there is no room for the stack of another thread."""

app = typer.Typer(
    name="pcc",
    cls=LazyGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.callback(
    invoke_without_command=True,
    help="Turn a folder of photos into captions and clusters. Safe to interrupt, safe to repeat. "
    "Without a command, on a terminal, the full-screen app opens.",
)(full_screen.open_or_help)
for group, line in GROUPS.items():
    below = typer.Typer(cls=LazyGroup, invoke_without_command=True, help=line, callback=show_help)
    app.add_typer(below, name=group)


def main() -> NoReturn:
    """Run the command line and exit."""
    os.umask(0o077)  # files of ours may hold private text
    logging.getLogger(LOGGER).addHandler(logging.NullHandler())  # its messages go to a log file
    if sys.stdout is None:  # the parent process closed it
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _exit_on_signal)
    begin(None)
    code = _run()
    _let_go_of_dead_streams()
    sys.exit(code)


def _let_go_of_dead_streams() -> None:
    """Keep Python from failing at its exit because a terminal or a pipe is gone."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _exit_on_signal(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _run() -> int:
    try:
        return app(prog_name="pcc", standalone_mode=False) or ExitCode.OK
    except typer.TyperException as error:
        return _told(f"{error.format_message()}; see `pcc --help`", ExitCode.USAGE)
    except typer.Abort:
        return _told("a question was left unanswered; answer it, or give --yes", ExitCode.USAGE)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception as error:
        code = exit_code_of(error)
        if code is not None:
            return _told(str(error), code)
        if isinstance(error, MemoryError) or str(error) == NO_THREAD:
            from pipeline.photos.memory import memory_limit

            return _told(f"out of memory or threads{memory_limit().hint}", ExitCode.FAILED)
        text = f"unexpected {type(error).__name__}: {error}"
        return _told(f"{text}; this is a bug, caption.log has more", ExitCode.FAILED)


def _told(message: str, code: int) -> int:
    warn(f"pcc: {message}")
    return code
