"""Caches of ingestion made by hand, with the lines that a test needs."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from journal import record_key, seal
from pipeline.ingest.cache.manifest import (
    CacheManifest,
    dataset_digest,
    schema_hash,
    write_manifest,
)

Fields = dict[str, Any]

SIZE = (640, 480)


def outcome(image_id: str, stage: str = "detect", lines: int = 0, **more: Any) -> Fields:
    """Return an outcome; `...` leaves a field out."""
    fields = {
        "image_id": image_id,
        "stage": stage,
        "status": "success",
        "at": "2025-05-01T10:00:00Z",
        "digest": f"blake3:{image_id}",
        "lines": lines,
        "version": "model-1",
        "width": SIZE[0],
        "height": SIZE[1],
        "worker": "host-1",
    }
    return {name: value for name, value in (fields | more).items() if value is not ...}


def detection(image_id: str, number: int = 0, label: str = "dog", **more: Any) -> Fields:
    """Return a region with two labels."""
    fields = {
        "image_id": image_id,
        "region_id": f"r{number}",
        "bbox": [10.0 * number, 20.0, 10.0 * number + 100, 220.5],
        "labels": [{"label": label, "score": 0.9}, {"label": "animal", "score": 0.5}],
        "caption": f"a {label}",
        "detector_version": "owl",
    }
    return {name: value for name, value in (fields | more).items() if value is not ...}


def text(image_id: str, number: int = 0, says: str = "OPEN", **more: Any) -> Fields:
    """Return a text."""
    fields = {
        "image_id": image_id,
        "text_id": f"t{number}",
        "text": says,
        "confidence": 0.8,
        "language": "en",
        "source": "rapidocr",
        "quad": [[1, 1], [50, 1], [50, 20], [1, 20]],
    }
    return {name: value for name, value in (fields | more).items() if value is not ...}


def line(fields: Fields) -> bytes:
    """Return a record as a sealed line."""
    return seal(json.dumps(fields, ensure_ascii=False).encode())


def write_cache(
    cache: Path,
    outcomes: Iterable[Fields | bytes] = (),
    detections: Iterable[Fields | bytes] = (),
    texts: Iterable[Fields | bytes] = (),
    **more: Any,
) -> Path:
    """Write a cache: records are sealed, bytes stand as they are.

    Args:
        cache: The directory; existing files of these names are replaced.
        outcomes: Lines of `outcomes.jsonl`, in order.
        detections: Lines of `detections.jsonl`, in order.
        texts: Lines of `ocr.jsonl`, in order.
        more: Fields of the manifest with wrong values.
    """
    cache.mkdir(exist_ok=True)
    digests: dict[str, str | None] = {}
    for name, records in (
        ("outcomes.jsonl", outcomes),
        ("detections.jsonl", detections),
        ("ocr.jsonl", texts),
    ):
        with (cache / name).open("wb") as file:
            for record in records:
                file.write(record if isinstance(record, bytes) else line(record))
                if name == "outcomes.jsonl" and isinstance(record, dict):
                    key = record_key(record["image_id"], record.get("raw_path"))
                    digests[key] = record.get("digest")
    manifest = CacheManifest(
        schema_hash=schema_hash(),
        dataset_digest=dataset_digest(sorted(digests.items())),
        cache_id="c-1",
    )
    for field, value in more.items():
        setattr(manifest, field, value)
    write_manifest(cache, manifest)
    return cache


def write_vectors(cache: Path, vectors: dict[tuple[str, str], list[float]], model: str) -> None:
    """Write the embeddings of regions, which all have the same length."""
    directory = cache / "embeddings"
    directory.mkdir(exist_ok=True)
    dimensions = len(next(iter(vectors.values())))
    facts = {"dimensions": dimensions, "model": model}
    (directory / "regions.json").write_text(json.dumps(facts))
    with (directory / "regions.f32").open("wb") as rows:
        for vector in vectors.values():
            rows.write(struct.pack(f"<{dimensions}f", *vector))
    with (directory / "regions.jsonl").open("wb") as keys:
        for row, (image_id, region_id) in enumerate(vectors):
            keys.write(line({"image_id": image_id, "region_id": region_id, "row": row}))
