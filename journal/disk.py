"""What journals ask of a file system: to keep what was written, and to say how much fits."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from journal.failures import named

sync_data = getattr(os, "fdatasync", os.fsync)
"""Where a system has no fdatasync, fsync does the same and a little more."""

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)

NOT_OFFERED = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF)
"""What file systems say that cannot sync a directory at all; a failed sync says EIO."""


def sync_directory(directory: Path) -> None:
    """Make a created or renamed entry of a directory survive a power cut.

    Some file systems (CIFS, FUSE) cannot sync a directory. They keep its entries in their own
    time, and nothing can be done about it.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with named(directory):
            os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NOT_OFFERED:
            raise
    finally:
        os.close(descriptor)


def free_bytes(directory: Path) -> int:
    """Return the bytes an ordinary user may still write on a directory's file system."""
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize
