"""Caches of ingestion as workers leave them, written with the real `Cache` but without models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from backends.detectors.base import Box
from journal import split_path, utc_now
from pipeline.ingest.cache.records import (
    STAGES,
    Detection,
    Outcome,
    RegionLabel,
    StageName,
    Text,
)
from pipeline.ingest.cache.store import Cache, PhotoResult

SIZE = (900, 600)


class Thing(NamedTuple):
    """An object: its box and its possible labels."""

    box: Box
    labels: dict[str, float]


class Writing(NamedTuple):
    """A text: its position and its content."""

    box: Box
    says: str


def looked_at(
    path: str,
    things: Iterable[Thing] = (),
    writings: Iterable[Writing] = (),
    *,
    size: tuple[int, int] = SIZE,
    not_read: str | None = None,
    error: str | None = None,
    copy_of: str | None = None,
    stages: tuple[StageName, ...] = STAGES,
    digest: str = "blake3:1",
) -> PhotoResult:
    """Return the result of one photo.

    Args:
        path: Relative path, as the system spells the path.
        things: Objects in the photo.
        writings: Texts in the photo.
        size: Width and height of the upright photo in pixels.
        not_read: Why the text was not read.
        error: Why the photo failed.
        copy_of: The identical file that was looked at, if the photo is a copy; objects and
            texts are then those of that file.
        stages: Stages that the photo went through.
        digest: Digest of the file.
    """
    rel_path, raw_path = split_path(path)
    detections = [
        Detection(
            rel_path=rel_path,
            raw_path=raw_path,
            region_id=f"r{number}",
            bbox=thing.box,
            labels=[RegionLabel(name, score) for name, score in thing.labels.items()],
            caption=None,
            detector_version="owl",
        )
        for number, thing in enumerate(things)
    ]
    texts = [
        Text(
            rel_path=rel_path,
            raw_path=raw_path,
            text_id=f"t{number}",
            text=writing.says,
            confidence=0.97,
            language=None,
            source="rapidocr",
            quad=_corners(writing.box),
        )
        for number, writing in enumerate(writings)
    ]
    if not_read is not None:
        gate = Text(
            rel_path=rel_path,
            raw_path=raw_path,
            text_id="t0",
            text="",
            confidence=0.0,
            language=None,
            source="gate",
            skipped=not_read,
        )
        texts = [gate]
    outcomes = [
        Outcome(
            rel_path=rel_path,
            raw_path=raw_path,
            stage=stage,
            status="success" if error is None else "error_corrupt",
            at=utc_now(),
            digest=digest,
            lines=len(texts if stage == "ocr" else detections) if error is None else 0,
            version="owl",
            width=None if copy_of else size[0],
            height=None if copy_of else size[1],
            error=error,
            copied_from=copy_of,
        )
        for stage in stages
    ]
    kept = error is None and copy_of is None
    return PhotoResult(outcomes, detections if kept else [], texts if kept else [])


def _corners(box: Box) -> list[tuple[float, float]]:
    x0, y0, x1, y1 = box
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def ingested(workspace: Path, *results: PhotoResult) -> Cache:
    """Add results to the cache of a workspace, which is made if it does not exist."""
    cache = Cache(workspace / "cache")
    cache.begin()
    cache.add(results)
    return cache
