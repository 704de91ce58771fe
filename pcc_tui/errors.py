"""Errors of the app and the command line.

AppError
├── SettingsError    a setting is wrong
└── TrialFailed      a trial of a backend gave no caption
"""

from __future__ import annotations


class AppError(Exception):
    """Base of everything the app raises on purpose; its message is a sentence for the user."""


class SettingsError(AppError):
    """Raised when a setting is wrong; names the file, the key and the nearest match."""


class TrialFailed(AppError):
    """Raised when a backend gave no caption for the photo it was tried on."""
