"""The exit codes that other programs rely on, and which errors have which code."""

from __future__ import annotations

from enum import IntEnum

from backends.errors import BackendError
from journal import FileRefused, JournalError, JournalLocked
from pcc_tui.errors import SettingsError
from pipeline.clusters.errors import ClusterError, WrongLabelChange
from pipeline.datasets.errors import DatasetError
from pipeline.ingest.errors import CacheBusy, CacheRefused, IngestError
from pipeline.jobs.errors import JobError, WorkspaceBusy
from pipeline.photos.errors import PhotoError, PhotosDirMissing


class ExitCode(IntEnum):
    """Exit codes that other programs rely on."""

    OK = 0
    FAILED = 1
    RESTART = 2
    BUDGET = 3
    USAGE = 64
    LOCKED = 73


_CODES: tuple[tuple[tuple[type[Exception], ...], ExitCode], ...] = (
    ((CacheBusy, JournalLocked, WorkspaceBusy), ExitCode.LOCKED),
    (
        (
            *(PhotosDirMissing, BackendError, SettingsError, WrongLabelChange, CacheRefused),
            FileRefused,
        ),
        ExitCode.USAGE,
    ),
    (
        (
            ClusterError,
            DatasetError,
            IngestError,
            JournalError,
            JobError,
            PhotoError,
            MemoryError,
            OSError,
        ),
        ExitCode.FAILED,
    ),
)
"""The first row that names an error's class, or a class above it, decides."""


def exit_code_of(error: Exception) -> ExitCode | None:
    """Return the exit code for an error, None for an error that nobody expected."""
    return next((code for kinds, code in _CODES if isinstance(error, kinds)), None)
