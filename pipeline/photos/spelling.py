"""From the key of a photo to its path: names as the disk spells them, folder by folder.

A key is in one Unicode form, NFC. A disk may hold a name in any: composed as most keyboards type
it, decomposed as old Macs wrote it, or mixed, and another form in each folder of one path. Linux
takes two forms for two names. Of photos whose paths differ in form alone one counts, the same one
everywhere: in each folder a name in NFC comes first, then names in the order of their characters.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from stat import S_ISDIR
from unicodedata import is_normalized, normalize

FOLDERS_KEPT = 64
"""Folders whose names are remembered, for as long as nobody changes the folder."""

RECENT_SECONDS = 2.0
"""Age below which a folder is read each time: its time of change may not tell two changes apart."""

TWINS_NAMED = 3


def spelling_of(root: str | os.PathLike[str], path: str) -> str | None:
    """Return the path of a file as the system spells it; None where there is no such file.

    Args:
        root: The directory that the path is relative to.
        path: A relative path, with its names in any form; bytes that are not UTF-8 are
            surrogates. Or an absolute path.
    """
    usual = path if _has_one_form(path) else normalize("NFC", path)
    if _is_file(os.path.join(root, usual)):
        return usual
    return None if usual.isascii() else next(spellings_of(root, path), None)


def spellings_of(root: str | os.PathLike[str], path: str) -> Iterator[str]:
    """Yield the paths of all files that have one key, the one that counts first."""
    if _has_one_form(path):
        if _is_file(os.path.join(root, path)):
            yield path
        return
    start = "/" if path.startswith("/") else ""
    *folders, name = normalize("NFC", path).removeprefix("/").split("/")
    places = [start]
    for folder in folders:
        places = list(_folders_inside(root, places, folder))
    for place in places:
        for form in _forms(os.path.join(root, place), name):
            if _is_file(os.path.join(root, place, form)):
                yield place + form


def twins_among(paths: Sequence[str]) -> list[str]:
    """Return the paths that do not count, since another of these has the same key and does.

    Args:
        paths: Relative paths as the system spells them.
    """
    together = "\0".join(paths)  # one question instead of 200,000
    if together.isascii() or is_normalized("NFC", together):
        return []
    others = [path for path in paths if not path.isascii() and not is_normalized("NFC", path)]
    present = set(paths)
    forms: dict[str, list[str]] = defaultdict(list)
    for path in others:
        if not _has_one_form(path):
            forms[normalize("NFC", path)].append(path)
    twins: list[str] = []
    for key, alike in forms.items():
        alike.sort(key=_order)
        twins += alike if key in present else alike[1:]
    return twins


def words_for_twins(twins: Iterable[str]) -> list[str]:
    """Return a sentence about paths that do not count; none where there are none."""
    names = sorted(normalize("NFC", path) for path in twins)
    if not names:
        return []
    are = "files are" if len(names) > 1 else "file is"
    more = f" and {len(names) - TWINS_NAMED:,} more" if len(names) > TWINS_NAMED else ""
    return [
        f"{len(names):,} {are} passed over, since another file has the same name in another "
        f"Unicode form: {', '.join(names[:TWINS_NAMED])}{more}; rename one of the two"
    ]


def _has_one_form(path: str) -> bool:
    """Tell whether a path has no other spelling: it is ASCII, or no Unicode at all."""
    if path.isascii():
        return True
    try:
        path.encode()
    except UnicodeEncodeError:
        return True
    return False


def _order(path: str) -> list[tuple[bool, str]]:
    """Return what paths of one key are sorted by; `spellings_of` yields in the same order."""
    return [(not is_normalized("NFC", name), name) for name in path.split("/")]


def _folders_inside(root: str | os.PathLike[str], places: list[str], name: str) -> Iterator[str]:
    """Yield the folders of a name inside some folders, each folder once, however it is reached."""
    seen: set[tuple[int, int]] = set()
    for place in places:
        for form in _forms(os.path.join(root, place), name):
            try:
                found = os.stat(os.path.join(root, place, form, ""))
            except (OSError, ValueError):
                continue
            if (found.st_dev, found.st_ino) not in seen:
                seen.add((found.st_dev, found.st_ino))
                yield f"{place}{form}/"


def _forms(folder: str, name: str) -> list[str]:
    """Return the names in a folder that are one name in NFC, the one that counts first."""
    if name.isascii():
        return [name]
    try:
        changed = os.stat(folder).st_mtime_ns
        is_recent = time.time() - changed / 1e9 < RECENT_SECONDS
        names = (_names_in.__wrapped__ if is_recent else _names_in)(folder, changed)
        return names.get(name, [])
    except (OSError, ValueError):
        return [name, normalize("NFD", name)]  # a folder that may be entered and not be listed


@lru_cache(FOLDERS_KEPT)
def _names_in(folder: str, changed: int) -> dict[str, list[str]]:
    """Return the names of a folder that are not ASCII, by their NFC, as of a time of change."""
    names: dict[str, list[str]] = defaultdict(list)
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.isascii():
                names[normalize("NFC", entry.name)].append(entry.name)
    for alike in names.values():
        alike.sort(key=_order)
    return dict(names)


def _is_file(path: str) -> bool:
    """Tell whether there is anything but a folder; a link to nowhere is a file that is broken."""
    try:
        return not S_ISDIR(os.stat(path).st_mode)
    except ValueError:  # a NUL
        return False
    except OSError:
        return os.path.lexists(path)
