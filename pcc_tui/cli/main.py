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
from pcc_tui.cli.origin import begin, log_of_command
from pcc_tui.cli.output import warn
from pcc_tui.cli.streams import open_streams, release_streams
from pcc_tui.words.failures import as_failure, bug_words, failure_words
from pipeline.jobs.log import LOGGER, keep_traceback
from pipeline.photos.memory import spare_address_space

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
    spare_address_space()
    open_streams()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _exit_on_signal)
    begin(None)
    code = _run()
    release_streams()
    sys.exit(code)


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
        error = as_failure(error)
        code = exit_code_of(error)
        if code is not None:
            return _told(failure_words(error), code)
        return _told(bug_words(error, keep_traceback(error, log_of_command())), ExitCode.FAILED)


def _told(message: str, code: int) -> int:
    warn(f"pcc: {message}")
    return code
