"""`run.json`: where clients reach the job of a workspace.

A workspace may be copied while its job runs, or come from somebody else. So `run.json` says where
it was written, and counts there alone; and the job says the same of itself to whoever connects.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from journal import UNREADABLE, FileRefused, atomic_rewrite, read_whole, remove
from pipeline.jobs.errors import NoJob

MOST_BYTES = 1 << 16
"""The most bytes of `run.json`, which holds two ids and three paths."""

Told = Annotated[str, msgspec.Meta(max_length=1 << 14, pattern=r"^[^\0]*$")]
"""An id, or a path in whose longest form each byte is spelled out."""


class RunFile(msgspec.Struct):
    """What `run.json` says of the job that runs in a workspace.

    Attributes:
        pid: Process id of the job.
        run: Id of the run.
        stage: Name of the stage.
        socket: Path of the control socket.
        journal: Path of the journal.
        started: UTC, RFC 3339.
        workspace: Path of the workspace, behind every link.
        inode: Number of the workspace in its file system, which a copy does not share.
    """

    pid: int
    run: Told
    stage: Told
    socket: Told
    journal: Told
    started: Told
    workspace: Told
    inode: int

    def is_of(self, workspace: Path) -> bool:
        """Tell whether this was written in a workspace, and not copied into it."""
        return (self.workspace, self.inode) == identity_of(workspace)


def identity_of(workspace: Path) -> tuple[str, int]:
    """Return the path and the inode by which a workspace is told from its copies."""
    resolved = workspace.resolve()
    return readable(resolved), resolved.stat().st_ino


def readable(path: Path) -> str:
    """Return a path as JSON can hold it; bytes that are not UTF-8 are spelled out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def run_file_path(workspace: Path) -> Path:
    """Return the path of `run.json` in a workspace."""
    return workspace / "run.json"


def read_run_file(workspace: Path) -> RunFile | None:
    """Return what `run.json` says of a job of this workspace, None where the file is absent.

    Raises:
        NoJob: the file cannot be read, or was written in another workspace.
    """
    path = run_file_path(workspace)
    try:
        found = msgspec.json.decode(read_whole(path, MOST_BYTES), type=RunFile)
        if found.is_of(workspace):
            return found
    except FileNotFoundError:
        return None
    except FileRefused as error:
        raise NoJob(f"no job runs in {workspace}: {error}") from None
    except OSError as error:
        raise NoJob(f"no job is to be found, {path} cannot be read: {error.strerror}") from None
    except UNREADABLE:
        raise NoJob(f"no job runs in {workspace}: {path} was not written by a job") from None
    raise NoJob(
        f"no job runs in {workspace}: its run.json was copied from {found.workspace}, "
        f"where run {found.run} (process {found.pid}) was started"
    )


def write_run_file(workspace: Path, run_file: RunFile) -> None:
    """Tell clients where a job is reached."""
    data = msgspec.json.format(msgspec.json.encode(run_file)) + b"\n"
    with atomic_rewrite(run_file_path(workspace), needed=len(data)) as file:
        file.write(data)


def remove_run_file(workspace: Path, run_file: RunFile) -> None:
    """Remove `run.json` at the end of a job, unless the file is another job's by now."""
    with suppress(NoJob, OSError, FileRefused):
        if read_run_file(workspace) == run_file:
            remove(run_file_path(workspace))


def new_run_id() -> str:
    """Return an id made from the time, such as `20261120-214530-1a2b`."""
    return f"{datetime.now():%Y%m%d-%H%M%S}-{os.urandom(2).hex()}"
