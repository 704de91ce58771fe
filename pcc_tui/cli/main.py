"""`pcc`: puts the commands together and turns every failure into one line and a code."""

from __future__ import annotations

import logging
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import typer

from pcc_tui.cli import (
    bootstrap,
    cluster,
    compare,
    dataset,
    demo,
    doctor,
    edit,
    estimate,
    full_screen,
    ingest,
    journal,
    labels,
    models,
    plan,
    report,
    run,
    stats,
    synth,
    try_photo,
    watch,
)
from pcc_tui.cli.exit_codes import ExitCode, exit_code_of
from pcc_tui.cli.origin import begin, log_of_command
from pcc_tui.cli.output import warn
from pcc_tui.cli.streams import open_streams, release_streams
from pcc_tui.words.failures import as_failure, bug_words, failure_words
from pipeline.jobs.log import LOGGER, keep_traceback

app = typer.Typer(
    name="pcc",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.callback(
    invoke_without_command=True,
    help="Turn a folder of photos into captions and clusters. Safe to interrupt, safe to repeat. "
    "Without a command, on a terminal, the full-screen app opens.",
)(full_screen.open_or_help)
app.command("run")(run.run)
app.command("plan")(plan.plan)
app.command("estimate")(estimate.estimate)
app.command("stats")(stats.stats)
app.command("models")(models.models)
app.command("try")(try_photo.try_photo)
app.command("compare")(compare.compare)
app.command("embed")(cluster.embed)
app.command("cluster")(cluster.cluster)
labels.app.command("bootstrap")(bootstrap.bootstrap)
app.command("chunk")(report.chunk)
app.command("report")(report.report)
app.command("search")(report.search)
app.command("edit")(edit.edit)
app.command("watch")(watch.watch)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)
app.add_typer(dataset.app, name="dataset")
app.add_typer(ingest.app, name="ingest")
app.add_typer(labels.app, name="labels")
app.add_typer(journal.app, name="journal")
app.add_typer(synth.app, name="synth")


def main() -> NoReturn:
    """Run the command line and exit."""
    os.umask(0o077)  # files of ours may hold private text
    logging.getLogger(LOGGER).addHandler(logging.NullHandler())  # its messages go to a log file
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
