"""Errors of the photos package.

PhotoError
├── CorruptImageError    the file could not be opened or decoded
│   └── StorageError     the storage failed, which says nothing of the file
├── PhotosDirMissing     the photos directory does not exist or cannot be listed
└── DecoderUnavailable   no decoding process can be started
"""

from __future__ import annotations

import errno
import os
from pathlib import Path


class PhotoError(Exception):
    """Base of everything this package raises on purpose."""


class CorruptImageError(PhotoError):
    """Raised when an image cannot be opened or decoded.

    Attributes:
        path: The file, relative to the photos directory or absolute.
        cause: `Type: message` of the underlying error.
    """

    def __init__(self, path: str, cause: str) -> None:
        super().__init__(cause)
        self.path = path
        self.cause = cause

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

    A file that is no longer there is such an error; a symbolic link to nowhere is not.
    """
    if isinstance(error, FileNotFoundError):
        return not os.path.lexists(path)
    return isinstance(error, OSError) and error.errno in STORAGE_ERRORS


class PhotosDirMissing(PhotoError):
    """Raised when the photos directory does not exist or cannot be listed."""

    def __init__(self, directory: Path | str, cause: str = "no such directory") -> None:
        super().__init__(
            f"the photos directory {os.fspath(directory)} cannot be read: {cause}; "
            "mount its disk, or name another directory"
        )


class DecoderUnavailable(PhotoError):
    """Raised when a decoding process does not start."""
