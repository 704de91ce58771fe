"""Phase 1 of ingestion: one flat JSON document for each photo, read as tolerantly as can be.

A document names its photo (`image_id`, `rel_path`, `image_path`, `image`, `file_name`, `filename`
or `path`; without any, it is called like the photo with `.json` behind), and may have `width`,
`height` and `caption`. `detections` (or `objects`, `regions`) hold `bbox` or `box`, x0, y0, x1,
y1 in pixels of the upright photo, and `labels`, `label` or `name` with `score` or `confidence`.
`ocr` (or `texts`, `text`) is a string, or holds `text`, `confidence` or `score`, and a box. What
has no score is taken as certain.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from journal import open_regular, split_path, what_failed

if TYPE_CHECKING:
    from backends.detectors.base import Box

MANIFEST = "manifest.json"

MOST_BYTES = 16 << 20
"""Size of a document at most, as of a line of a journal."""


class PhaseOneRegion(NamedTuple):
    """A region of a document.

    Attributes:
        place: Number of the region within the document, from 0.
        box: x0, y0, x1, y1 in pixels.
        labels: Labels with their scores, in the order of the document.
    """

    place: int
    box: Box
    labels: list[tuple[str, float]]


class PhaseOneText(NamedTuple):
    """A text of a document; see `PhaseOneRegion`."""

    place: int
    text: str
    confidence: float
    box: Box | None


class Document(msgspec.Struct):
    """A photo as a document of phase 1 describes it.

    Attributes:
        file: Path of the document relative to the cache.
        image_id: Path of the photo; empty where nothing of the document can be used.
        raw_path: Base64 of the bytes of that path, only where they are not UTF-8.
        width: Width of the photo in pixels, None where it is not known.
        height: Height of the photo in pixels, None where it is not known.
        caption: Caption of the photo.
        regions: The objects in the photo.
        texts: The texts in the photo.
        faults: What could not be understood, a few words each.
    """

    file: str
    image_id: str = ""
    raw_path: str | None = None
    width: int | None = None
    height: int | None = None
    caption: str | None = None
    regions: list[PhaseOneRegion] = []
    texts: list[PhaseOneText] = []
    faults: list[str] = []


_NAMES = ("image_id", "rel_path", "image_path", "image", "file_name", "filename", "path")


def documents(cache: Path) -> Iterator[Document]:
    """Yield the photos of a phase-1 cache: every `.json` below it but a manifest, by name."""
    for directory, folders, names in os.walk(cache):
        folders.sort()
        for name in sorted(names):
            path = Path(directory, name)
            if name.lower().endswith(".json") and path != cache / MANIFEST:
                yield _photo(cache, path)


def _photo(cache: Path, path: Path) -> Document:
    spelt = os.path.relpath(path, cache)
    file = split_path(spelt)[0]
    try:
        fields = json_document(path)
    except OSError as error:
        return Document(file, faults=[what_failed(error)])
    except ValueError as error:
        return Document(file, faults=[str(error)])
    if not isinstance(fields, dict):
        return Document(file, faults=["it holds no object"])
    image_id, raw_path = _name(fields, spelt)
    if not image_id:
        return Document(file, faults=[f"none of {', '.join(_NAMES)} names a photo"])
    width, height = (_whole(fields.get(side)) for side in ("width", "height"))
    faults: list[str] = []
    return Document(
        file,
        image_id,
        raw_path,
        width,
        height,
        _string(fields.get("caption")),
        list(_regions(_first(fields, "detections", "objects", "regions"), faults)),
        list(_texts(_first(fields, "ocr", "texts", "text"), faults)),
        faults,
    )


def _name(fields: dict[str, Any], spelt: str) -> tuple[str, str | None]:
    raw_path = _string(fields.get("raw_path"))
    named = (_string(fields.get(name)) for name in _NAMES)
    found = next(filter(None, named), "")
    if found:
        return found, raw_path
    beside = spelt[: -len(".json")]
    return split_path(beside) if Path(beside).suffix else ("", None)


def _regions(items: Any, faults: list[str]) -> Iterator[PhaseOneRegion]:
    for place, item in enumerate(_listed(items)):
        box = _box(_first(item, "bbox", "box")) if isinstance(item, dict) else None
        if box is None:
            faults.append(f"region {place} has no box of four numbers")
            continue
        score = _first(item, "score", "confidence")
        labels = list(_labels(_first(item, "labels", "label", "name"), score))
        if any(math.isnan(given) for _, given in labels):
            faults.append(f"region {place} has a score that is no number")
            continue
        yield PhaseOneRegion(place, box, labels)


def _labels(given: Any, score: Any) -> Iterator[tuple[str, float]]:
    for one in _listed(given):
        if isinstance(one, dict):
            name, own = _string(_first(one, "label", "name")), _first(one, "score", "confidence")
        else:
            name, own = _string(one), None
        if name is not None:
            yield name, _number(score if own is None else own, without=1.0)


def _texts(items: Any, faults: list[str]) -> Iterator[PhaseOneText]:
    for place, item in enumerate(_listed(items)):
        fields = item if isinstance(item, dict) else {"text": item}
        text, box = _string(fields.get("text")), _first(fields, "bbox", "box")
        confidence = _number(_first(fields, "confidence", "score"), without=1.0)
        if text is None:
            faults.append(f"text {place} has no text")
        elif math.isnan(confidence) or (box is not None and _box(box) is None):
            faults.append(f"text {place} has a confidence or a box that is none")
        elif text:
            yield PhaseOneText(place, text, confidence, None if box is None else _box(box))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _first(fields: dict[str, Any], *names: str) -> Any:
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def _string(value: Any) -> str | None:
    """Return a string that can be stored, None for anything else: JSON may hold half characters."""
    if not isinstance(value, str):
        return None
    return value.encode("utf-8", "replace").decode()


def _number(value: Any, *, without: float = math.nan) -> float:
    if value is None:
        return without
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return float(value) if is_number else math.nan
    except OverflowError:
        return math.inf


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _box(value: Any) -> Box | None:
    if not isinstance(value, list) or len(value) != 4:
        return None
    x0, y0, x1, y1 = map(_number, value)
    box = x0, y0, x1, y1
    return None if any(map(math.isnan, box)) else box


def json_document(path: Path) -> Any:
    """Return what a JSON file holds; NaN and stray control characters are allowed.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file holds no JSON, or too much.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is no file")
    with open_regular(path) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
    try:
        return json.loads(data.decode("utf-8-sig"), strict=False)
    except RecursionError:
        raise ValueError("it is too deep") from None
