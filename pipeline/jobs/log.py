"""The log of a job: JSON lines, one event each, for programs and for the morning after a run."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from journal import make_directory, open_own

LOGGER = "pcc"


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


@contextmanager
def log_to(path: Path) -> Iterator[logging.Logger]:
    """Append the events of this package to a file that its owner alone may read.

    Every job logs, so this is where its directory is made, which is the workspace for most.
    A full disk stops the journal, which stops the job; the log only falls silent.
    """
    logging.raiseExceptions = False
    make_directory(path.parent)
    descriptor = open_own(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    stream = open(descriptor, "a", encoding="utf-8")  # noqa: SIM115 - closed at the end
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.INFO)
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.propagate = propagated
        logger.removeHandler(handler)
        handler.close()
        with suppress(OSError):  # a full disk: what could not be written is tried once more
            stream.close()
