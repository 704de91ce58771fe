"""The log of a job: JSON lines, one event each, for programs and for the morning after a run."""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from backends.keys import scrub
from journal import make_directory, make_own_copy, open_own, temporary_directory

LOGGER = "pcc"

LOG_NAME = "caption.log"
"""The log of a workspace's jobs, in the workspace."""

_KEPT = "The traceback is kept in "


class JsonLines(logging.Formatter):
    """Writes `log.info("event", {"field": value})` as one JSON object.

    Each line has `asctime`, `levelname`, `event`, `rel_path` and `error`, so that a reader need
    not look for a key; the last two are null where the event is about no photo, or no error.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of an event."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = record.args if isinstance(record.args, Mapping) else {}
        line = {
            "asctime": at,
            "levelname": record.levelname,
            "event": str(record.msg),
            "rel_path": None,
            "error": None,
            **fields,
        }
        return json.dumps(line, default=str)


class LogFile(logging.FileHandler):
    """A log that falls silent where the disk is full, and knows whether it did.

    Args:
        path: The file.

    Attributes:
        is_whole: Whether the file has all events.
    """

    def __init__(self, path: Path) -> None:
        make_directory(path.parent)
        super().__init__(path, encoding="utf-8")
        self.is_whole = True
        self.setFormatter(JsonLines())

    def _open(self) -> TextIOWrapper:
        """Open the file as a file of ours: never through a link, and no FIFO."""
        make_own_copy(Path(self.baseFilename))
        descriptor = open_own(Path(self.baseFilename), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return open(descriptor, "a", encoding=self.encoding)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Note that an event did not come into the file."""
        self.is_whole = False

    def has_traceback(self, error: Exception) -> None:
        """Note with an error that this log tells of the error, so that nobody logs it again."""
        if self.is_whole:
            error.add_note(f"{_KEPT}{self.baseFilename}")


@contextmanager
def log_to(path: Path) -> Iterator[LogFile]:
    """Append the events of this package to a file that its owner alone may read.

    Every job logs, so this is where its directory is made, which is the workspace for most.
    A full disk stops the journal, which stops the job; the log only falls silent.
    """
    handler = LogFile(path)
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.INFO)
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.propagate = propagated
        logger.removeHandler(handler)
        with suppress(OSError):  # what the disk did not take before
            handler.close()


def tell_error(error: Exception) -> None:
    """Log an error that ends the work, with its traceback."""
    trace = "".join(traceback.format_exception(error))
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    event = {"error": scrub(words), "traceback": scrub(trace)}
    logging.getLogger("pcc.error").error("failed", event)


def keep_traceback(error: Exception, log: Path | None) -> str | None:
    """Keep the traceback of an error that nobody expected, and return the path of the file.

    Args:
        error: The error. One that a job has logged is not logged again.
        log: The log to keep the traceback in, None for none. A temporary file takes its place
            where the log cannot be written.

    Returns:
        The path, None where no file at all can be written.
    """
    for note in getattr(error, "__notes__", ()):
        if note.startswith(_KEPT):
            return str(note).removeprefix(_KEPT)
    kept = None if log is None else _logged(error, log)
    return kept or _logged_aside(error)


def _logged(error: Exception, log: Path) -> str | None:
    with suppress(OSError), log_to(log) as file:
        tell_error(error)
        return str(log) if file.is_whole else None
    return None


def _logged_aside(error: Exception) -> str | None:
    with suppress(OSError):
        return _logged(error, temporary_directory() / "pcc.log")
    return None
