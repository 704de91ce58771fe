"""Ids of images: a relative path as one file name, each only once."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count

from blake3 import blake3

LONGEST_ID = 200
"""Bytes of an id that is made here, at most."""

LONGEST_NAME = 230
"""Bytes of any id, at most: a file name may have 255, and a temporary name is about 17 longer."""


def assign_ids(paths: Sequence[str], taken: set[str]) -> list[str]:
    """Return an id for each path.

    An id is the path without its suffix, `/` written `__`. Where two ids would be equal,
    each keeps its suffix; where the suffix does not tell them apart, a hash of the path
    follows.

    Args:
        paths: Distinct paths, as the system spells them.
        taken: Ids that other records have; the new ids are added.
    """
    short = [_id_of(posixpath.splitext(path)[0], path) for path in paths]
    shared = Counter(short)
    ids = []
    for path, plain in zip(paths, short, strict=True):
        name = plain
        if shared[plain] > 1 or plain in taken:
            name = _id_of(path, path)
        if name in taken:
            name = f"{name}-{_hash(path)}"
        for number in count(2):
            if name not in taken:
                break
            name = f"{plain}-{_hash(path)}-{number}"
        taken.add(name)
        ids.append(name)
    return ids


def borrowed_ids(ids: Mapping[str, str]) -> dict[str, str]:
    """Return the ids that an earlier record has already, by key: a name stands for one file.

    Args:
        ids: Id of each record, by key, in the order of the dataset.
    """
    owner: dict[str, str] = {}
    return {
        key: image_id for key, image_id in ids.items() if owner.setdefault(image_id, key) != key
    }


def is_file_name(image_id: str) -> bool:
    """Tell whether an id can name a file; an id may have come with its record, from anywhere."""
    encoded = image_id.encode("utf-8", "surrogatepass")
    return 0 < len(encoded) <= LONGEST_NAME and not (
        image_id in (".", "..") or "/" in image_id or "\0" in image_id
    )


def _id_of(name: str, path: str) -> str:
    flat = name.lstrip("/").replace("/", "__")
    text = os.fsencode(flat).decode("utf-8", "replace")
    if text == flat and len(text.encode()) <= LONGEST_ID and is_file_name(text):
        return text
    text = text.replace("\0", "_").lstrip(".")
    return f"{text.encode()[: LONGEST_ID - 40].decode('utf-8', 'ignore')}-{_hash(path)}"


def _hash(path: str) -> str:
    return blake3(os.fsencode(path)).hexdigest()[:8]
