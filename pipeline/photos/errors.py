"""Errors of the photos package.

PhotoError
├── CorruptImageError    the file could not be opened or decoded
├── PhotosDirMissing     the photos directory does not exist or cannot be listed
└── DecoderUnavailable   no decoding process can be started
"""

from __future__ import annotations

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


class PhotosDirMissing(PhotoError):
    """Raised when the photos directory does not exist or cannot be listed."""

    def __init__(self, directory: Path | str, cause: str = "no such directory") -> None:
        super().__init__(f"the photos directory {os.fspath(directory)} cannot be read: {cause}")


class DecoderUnavailable(PhotoError):
    """Raised when a decoding process does not start."""
