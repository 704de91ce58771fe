"""Errors of the app and the command line.

AppError
├── SettingsError    a setting is wrong
└── CommandFailed    a command that the app ran gave no answer
"""

from __future__ import annotations


class AppError(Exception):
    """Base of the errors that the app raises on purpose; the message is a sentence for the user."""


class SettingsError(AppError):
    """Raised when a setting is wrong; names the file, the key and the nearest match."""


class CommandFailed(AppError):
    """Raised when a command that the app runs as a process of its own gave no answer."""
