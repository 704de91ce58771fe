"""Errors of the app and the command line.

SettingsError    a setting is wrong
"""

from __future__ import annotations


class SettingsError(Exception):
    """Raised when a setting is wrong; names the file, the key and the nearest match."""
