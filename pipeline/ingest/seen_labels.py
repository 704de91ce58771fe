"""What was seen in each photo of a cache: the likeliest label of every region."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from journal import record_key, scan
from pipeline.ingest.cache import Cache
from pipeline.ingest.manifest import read_manifest, require_ours


class _Best(msgspec.Struct, gc=False):
    label: str


class _Region(msgspec.Struct, gc=False):
    """What is needed of a region."""

    rel_path: str = msgspec.field(name="image_id")
    region_id: str
    labels: list[_Best]
    raw_path: str | None = None


def seen_labels(directory: Path) -> dict[str, Counter[str]]:
    """Return how often each label was seen in each photo that has any, by its key.

    Raises:
        CacheRefused: the directory is no cache, or one of another form.
    """
    require_ours(directory, read_manifest(directory))
    cache = Cache(directory)
    cache.outcomes.refresh()
    best: dict[str, dict[str, str]] = {}
    for _, region in scan(cache.detections, _Region):
        key = record_key(region.rel_path, region.raw_path)
        if region.labels:
            best.setdefault(key, {})[region.region_id] = region.labels[0].label
    seen = {}
    for key, ended in cache.outcomes.stage("detect"):
        regions = best.get(ended.copied_from or key, {})
        counted = {f"r{number}" for number in range(ended.lines)}
        labels = Counter(label for region_id, label in regions.items() if region_id in counted)
        if ended.status == "success" and labels:
            seen[key] = labels
    return seen


def told(labels: Counter[str]) -> str:
    """Return labels as words, the most frequent first; equal sights give equal words."""
    ordered = sorted(labels, key=lambda label: (-labels[label], label))
    return ", ".join(ordered)
