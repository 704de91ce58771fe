"""Settings files in TOML: errors name file, key and nearest match; a change keeps the comments."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from journal import (
    SETTINGS_BYTES,
    FileRefused,
    JournalError,
    atomic_rewrite,
    make_directory,
    read_whole,
    what_failed,
    why_unreadable,
)
from pcc_tui.errors import SettingsError

if TYPE_CHECKING:
    import tomlkit

T = TypeVar("T")

MOST_DOTS = 500
"""Dots on a line; the time to read a key grows with the square of its parts."""


def read_toml(path: Path, kind: type[T]) -> T | None:
    """Return what a file holds, None where there is no such file.

    Raises:
        SettingsError: the file cannot be read, or holds what it should not.
    """
    try:
        return parse_toml(path, read_whole(path, SETTINGS_BYTES).decode("utf-8"), kind)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"the settings cannot be read: {what_failed(error)}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    except FileRefused as error:
        raise SettingsError(str(error)) from None


def parse_toml(path: Path, text: str, kind: type[T]) -> T:
    """Return what a text holds.

    Raises:
        SettingsError: the text is no TOML, or holds what it should not; names the file.
    """
    if any(line.count(".") > MOST_DOTS for line in text.splitlines()):
        raise SettingsError(f"{path} cannot be read: a key of more than {MOST_DOTS} parts")
    try:
        data = tomllib.loads(text)
        if any("\0" in str(part) for pair in data.items() for part in pair):
            raise ValueError("a NUL, which is in no path and in no name")
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        known = getattr(kind, "__struct_fields__", ())
        raise SettingsError(f"{path}: {error}{nearest(data, known)}") from None
    except (ValueError, RecursionError) as error:  # ValueError: a number of thousands of digits
        raise SettingsError(f"{path} cannot be read: {why_unreadable(error)}") from None


def nearest(given: Mapping[str, object], known: tuple[str, ...]) -> str:
    """Return a hint for the first key that is not known, empty where all are known."""
    for key in given:
        if known and key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            return (
                f"; {key!r}: did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
            )
    return ""


def change_toml(path: Path, changes: Mapping[str, object], kind: type[object]) -> None:
    """Set some keys of a settings file and leave everything else as it stands, comments too.

    Args:
        path: The file; if absent, it is made, readable by its owner alone.
        changes: New value by key; None removes a key.
        kind: What the file may hold.

    Raises:
        SettingsError: the file cannot be read or written, or a value is wrong; the file stays
            as it was.
    """
    import tomlkit

    try:
        document = _read_document(path)
        for key, value in changes.items():
            if value is None:
                document.pop(key, None)
            else:
                document[key] = value
        text = tomlkit.dumps(document)
        parse_toml(path, text, kind)
        data = text.encode()
        make_directory(path.parent)
        with atomic_rewrite(path, needed=len(data)) as file:
            file.write(data)
    except OSError as error:
        raise SettingsError(f"the settings cannot be changed: {what_failed(error)}") from None
    except (tomlkit.exceptions.TOMLKitError, ValueError, RecursionError, JournalError) as error:
        raise SettingsError(f"{path} cannot be changed: {why_unreadable(error)}") from None


def _read_document(path: Path) -> tomlkit.TOMLDocument:
    import tomlkit

    try:
        return tomlkit.parse(read_whole(path, SETTINGS_BYTES).decode("utf-8"))
    except FileNotFoundError:
        return tomlkit.document()
