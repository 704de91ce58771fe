"""Errors of the photos package.

PhotoError
├── CorruptImageError    the file could not be opened or decoded
│   └── StorageError     the storage failed, which says nothing of the file
├── PhotosDirMissing     the photos directory does not exist or cannot be listed
└── DecoderUnavailable   no photo can be decoded any more
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


class PhotoError(Exception):
    """Base of everything this package raises on purpose."""


class CorruptImageError(PhotoError):
    """Raised when an image cannot be opened or decoded.

    Attributes:
        path: The file, relative to the photos directory or absolute.
        cause: `Type: message` of the underlying error.
        photos_gone: True when the whole photos directory is empty or gone, as after an unmount.
    """

    def __init__(self, path: str, cause: str, *, photos_gone: bool = False) -> None:
        super().__init__(cause)
        self.path = path
        self.cause = cause
        self.photos_gone = photos_gone

    def __str__(self) -> str:
        return self.cause


class StorageError(CorruptImageError):
    """Raised when the storage fails: a bad disk, a share that is gone, a file just removed.

    The file itself may be sound, so such a failure is no result, and is not recorded.
    """


STORAGE_ERRORS = frozenset(
    {
        errno.EIO,
        errno.ESTALE,
        errno.ETIMEDOUT,
        errno.ENOTCONN,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENODEV,
        errno.ENXIO,
        errno.ENOMEM,
        errno.EMFILE,
        errno.ENFILE,
    }
)
"""Errors of reading that pass, or that the next file would meet as well."""


def is_storage_error(error: Exception, path: str) -> bool:
    """Tell whether an error of reading says nothing of the file at a path.

    A file that is no longer there is such an error; a symbolic link to nowhere is not, and
    neither is a socket or a device without a driver, which answers ENXIO or ENODEV for ever.
    """
    if isinstance(error, FileNotFoundError):
        return not os.path.lexists(path)
    if not isinstance(error, OSError) or error.errno not in STORAGE_ERRORS:
        return False
    return error.errno not in (errno.ENXIO, errno.ENODEV) or not _is_special(path)


def _is_special(path: str) -> bool:
    """Tell whether a path leads to a socket, a device or a FIFO."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


class PhotosDirMissing(PhotoError):
    """Raised when the photos directory does not exist or cannot be listed."""

    def __init__(self, directory: Path | str, cause: str = "no such directory") -> None:
        super().__init__(
            f"the photos directory {os.fspath(directory)} cannot be read: {cause}; "
            "mount its disk, or name another directory"
        )


class DecoderUnavailable(PhotoError):
    """Raised when no decoding process starts, or when the storage has stopped to answer."""
