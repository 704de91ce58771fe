"""Errors of ingestion.

IngestError
├── CacheRefused    the directory is a cache of another form, or something else
├── CacheBusy       other runs do another task with the cache
├── QueueUnusable   the queue cannot be opened as it stands
├── QueueLost       the queue was open, and cannot go on
├── DeviceLost      the device of a worker has failed
└── WorkersDied     workers die again and again, and nothing gets done
"""

from __future__ import annotations


class IngestError(Exception):
    """Base of everything ingestion raises on purpose."""


class CacheRefused(IngestError):
    """Raised before a cache is touched; the message names what was found."""


class CacheBusy(IngestError):
    """Raised when other runs work on a cache with other stages, models or photos."""


class QueueUnusable(IngestError):
    """Raised before any item is touched; the message says what stands in the way."""


class QueueLost(IngestError):
    """Raised when a queue that was open fails or cannot be reached, and waiting did not help."""


class WorkersDied(IngestError):
    """Raised when one worker after the other dies, and nothing gets done."""


class DeviceLost(IngestError):
    """Raised in a worker whose device has failed: the photos go back, and the worker ends."""
