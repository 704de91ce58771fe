"""Errors of the jobs package: what stops a job.

JobError
├── RunStopped        a failure that the next photo would meet as well
├── WorkspaceBusy     another job runs in this workspace
├── StrangeSocket     what listens at the socket of a job is no job
└── NoJob             no job runs in this workspace, or it hung up
    └── SilentJob     a job is there, and says nothing
"""

from __future__ import annotations

from backends.keys import scrub
from journal import what_failed
from pipeline.photos.errors import CorruptImageError

LONGEST_ERROR = 500


class JobError(Exception):
    """Base of everything this package raises on purpose."""


class RunStopped(JobError):
    """Raised when going on would only spoil more photos: key, quota, disk, photos directory."""


class WorkspaceBusy(JobError):
    """Raised when another job runs in the workspace, on another journal."""


class StrangeSocket(JobError):
    """Raised when what listens at the socket of a job does not talk as a job does."""


class NoJob(JobError):
    """Raised when a workspace has no running job to talk to."""


class SilentJob(NoJob):
    """Raised when the job of a workspace is there, but says nothing."""


def describe(error: Exception) -> str:
    """Return `Type: message` as records hold it: without keys, at most 500 characters."""
    if isinstance(error, CorruptImageError):  # it names the type underneath itself
        return scrub(str(error))[:LONGEST_ERROR]
    message = what_failed(error) if isinstance(error, OSError) else str(error)
    return scrub(f"{type(error).__name__}: {message}")[:LONGEST_ERROR]
