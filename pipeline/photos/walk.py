"""Finding the photos by name; for speed, no file is opened and no size is read."""

from __future__ import annotations

import fnmatch
import os
import re
from collections import Counter
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from unicodedata import normalize

import msgspec

from pipeline.photos.errors import PhotosDirMissing
from pipeline.photos.spelling import twins_among, words_for_twins

JPEG_SUFFIXES = frozenset("jpg jpeg jpe jfif mpo".split())  # noqa: SIM905
PHOTO_SUFFIXES = JPEG_SUFFIXES | frozenset(
    "png webp heic heif hif avif tif tiff bmp gif jxl".split()  # noqa: SIM905
)
"""Extensions of photos in lower case; `.jxl` decodes where its plug-in is installed."""

LONGEST_EXTENSION = 12
"""Characters; what is longer is a part of the name, such as that of a backup."""

SKIPPED_FOLDERS = frozenset({"@eaDir"})

_Links = tuple[tuple[int, int], ...]
"""Device and inode of each folder that was reached through a symbolic link."""


class Walked(msgspec.Struct):
    """The photos under a directory.

    Attributes:
        paths: Relative POSIX paths in a fixed order; bytes that are not UTF-8 are surrogates.
        warnings: Sentences: for each folder that could not be read, and about files of one name.
        whole: False if the walk ended before all folders were read.
        passed_over: Number of files that are no photos by their names, by extension: in lower
            case, without the dot, empty for a name that has none. Hidden files are not counted.
    """

    paths: list[str]
    warnings: list[str]
    whole: bool = True
    passed_over: Counter[str] = msgspec.field(default_factory=Counter)


def walk_photos(
    root: Path,
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    go_on: Callable[[], bool] = lambda: True,
) -> Walked:
    """List the photos below a directory, in a fixed order.

    The walk skips hidden folders, `@eaDir`, `._*` files, and symbolic links that lead
    back into a folder above them. Of files whose paths differ in their Unicode form alone
    one is listed. An unreadable folder is reported, and the walk continues.

    Args:
        root: The photos directory.
        include: Globs; only photos that match one of the globs are listed. A glob that
            ends in an extension adds files whose names are not names of photos.
        exclude: Globs; photos that match one of the globs are left out.
        go_on: Called before each folder; False ends the walk early.

    Raises:
        PhotosDirMissing: `root` cannot be listed.
    """
    wanted = _filter(include, exclude)
    endings = _endings(include)
    walked = Walked([], [])
    more = True
    pending: list[tuple[str, _Links]] = [("", ())]
    while pending and (more := go_on()):
        folder, links_above = pending.pop()
        try:
            with os.scandir(os.path.join(root, folder) if folder else root) as found:
                entries = list(found)
        except OSError as error:
            if not folder:
                raise PhotosDirMissing(root, error.strerror or str(error)) from None
            walked.warnings.append(f"{folder} cannot be read: {error.strerror}")
            continue
        folders = _folders(entries)
        folder_names = {entry.name for entry in folders}
        photos = _photos(entries, folder_names, endings)
        walked.paths += [folder + name for name in photos]
        if len(entries) > len(folders) + len(photos):
            known = folder_names.union(photos)
            others = [entry.name for entry in entries if entry.name not in known]
            walked.passed_over.update(_extension(name) for name in others if name[0] != ".")
        folders.sort(key=lambda entry: entry.name, reverse=True)
        pending += _to_visit(folder, folders, links_above)
    walked.whole = more
    if wanted is not None:
        walked.paths = list(filter(wanted, walked.paths))
    if twins := set(twins_among(walked.paths)):
        walked.paths = [path for path in walked.paths if path not in twins]
        walked.warnings += words_for_twins(twins)
    return walked


def _photos(
    entries: list[os.DirEntry[str]], folders: Container[str], endings: Container[str]
) -> list[str]:
    """Return the names of the photos in a folder, in order."""
    names = [
        name
        for entry in entries
        if (name := entry.name)[-4:] in endings
        or name[-5:] in endings
        or name[name.rfind(".") :].lower() in endings
    ]
    names.sort()
    return [
        name
        for name in names
        if name not in folders and name not in endings and not name.startswith("._")
    ]


def is_empty_or_gone(directory: Path) -> bool:
    """Tell whether a directory holds nothing or cannot be listed, as after an unmount."""
    try:
        with os.scandir(directory) as entries:
            return next(entries, None) is None
    except OSError:
        return True


def _folders(entries: list[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
    try:
        return [entry for entry in entries if entry.is_dir()]
    except OSError:
        return [entry for entry in entries if _is_folder(entry)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a folder; a link to itself is not a folder."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _endings(include: tuple[str, ...]) -> frozenset[str]:
    """Return the endings of photos, dot included, as most cameras write them."""
    own = {glob.rpartition(".")[2].lower() for glob in include if "." in glob}
    suffixes = PHOTO_SUFFIXES | own
    return frozenset(f".{suffix}" for name in suffixes for suffix in (name, name.upper()))


def _extension(name: str) -> str:
    """Return the extension of a file in lower case, empty for a name that has none."""
    extension = name.rpartition(".")[2] if "." in name else ""
    known = len(extension) <= LONGEST_EXTENSION and extension.isascii() and extension.isalnum()
    return extension.lower() if known else ""


def _to_visit(
    folder: str, entries: list[os.DirEntry[str]], links_above: _Links
) -> Iterator[tuple[str, _Links]]:
    """Yield the folders inside a folder that are to be walked."""
    for entry in entries:
        if entry.name[0] == "." or entry.name in SKIPPED_FOLDERS:
            continue
        above = _links_to(entry, links_above)
        if above is not None:
            yield f"{folder}{entry.name}/", above


def _links_to(entry: os.DirEntry[str], links_above: _Links) -> _Links | None:
    """Return the folders reached through links so far, None if this link closes a loop."""
    if not entry.is_symlink():
        return links_above
    target = os.path.realpath(entry.path)
    here = os.path.realpath(os.path.dirname(entry.path))
    status = entry.stat()
    identity = (status.st_dev, status.st_ino)
    leads_back = here == target or here.startswith(target.rstrip("/") + "/")
    return None if leads_back or identity in links_above else (*links_above, identity)


def _filter(include: tuple[str, ...], exclude: tuple[str, ...]) -> Callable[[str], bool] | None:
    if not include and not exclude:
        return None
    included = [_matcher(glob) for glob in include]
    excluded = [_matcher(glob) for glob in exclude]

    def wanted(path: str) -> bool:
        if included and not any(matches(path) for matches in included):
            return False
        return not any(matches(path) for matches in excluded)

    return wanted


def _matcher(glob: str) -> Callable[[str], bool]:
    """Match a glob with a `/` against the whole path, and any other against the file name."""
    pattern = re.compile(fnmatch.translate(normalize("NFC", glob)), re.IGNORECASE)

    def matches(path: str) -> bool:
        name = path if "/" in glob else path.rpartition("/")[2]
        return pattern.match(name if name.isascii() else normalize("NFC", name)) is not None

    return matches
