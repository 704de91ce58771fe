"""Errors of the jobs package: what stops a job.

JobError
├── RunStopped        a failure that the next photo would meet as well
└── NoJob             no job runs in this workspace
"""

from __future__ import annotations


class JobError(Exception):
    """Base of everything this package raises on purpose."""


class RunStopped(JobError):
    """Raised when going on would only spoil more photos: key, quota, disk, photos directory."""


class NoJob(JobError):
    """Raised when a workspace has no running job to talk to."""
