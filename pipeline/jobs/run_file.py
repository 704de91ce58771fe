"""`run.json`: where clients reach the job of a workspace."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import msgspec

from journal import UNREADABLE


class RunFile(msgspec.Struct):
    """What `run.json` says of the job that runs in a workspace.

    Attributes:
        pid: Process id of the job.
        run: Id of the run.
        stage: Name of the stage.
        socket: Path of the control socket.
        journal: Path of the journal.
        started: UTC, RFC 3339.
    """

    pid: int
    run: str
    stage: str
    socket: str
    journal: str
    started: str


def run_file_path(workspace: Path) -> Path:
    """Return the path of `run.json` in a workspace."""
    return workspace / "run.json"


def read_run_file(workspace: Path) -> RunFile | None:
    """Return what `run.json` says, None where the file is absent or cannot be read."""
    try:
        return msgspec.json.decode(run_file_path(workspace).read_bytes(), type=RunFile)
    except (OSError, *UNREADABLE):
        return None


def new_run_id() -> str:
    """Return an id made from the time, such as `20261120-214530-1a2b`."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{os.urandom(2).hex()}"
