"""What was seen in each photo of a cache: the likeliest label of every region."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import msgspec

from journal import record_key, scan
from pipeline.ingest.cache.manifest import read_manifest, require_ours
from pipeline.ingest.cache.records import number_of
from pipeline.ingest.cache.store import Cache


class _Best(msgspec.Struct, gc=False):
    label: str


class _Region(msgspec.Struct, gc=False):
    """What is needed of a region."""

    rel_path: str = msgspec.field(name="image_id")
    region_id: str
    labels: list[_Best]
    raw_path: str | None = None
    work: str | None = None


def seen_labels(directory: Path) -> dict[str, Counter[str]]:
    """Return how often each label was seen in each photo that has any, by its key.

    Raises:
        CacheRefused: the directory is no cache, or one of another form.
    """
    require_ours(directory, read_manifest(directory))
    cache = Cache(directory)
    cache.outcomes.refresh()
    best = _best_labels(cache.detections)
    seen = {}
    for key, ended in cache.outcomes.stage("detect"):
        owner = ended.copied_from or key
        looked_at = cache.outcomes.regions(owner)
        if looked_at is None or looked_at.digest != ended.digest:
            continue
        labels = Counter(
            label
            for (region_id, work), label in best.get(owner, {}).items()
            if number_of(region_id) < looked_at.lines and work == looked_at.work
        )
        if ended.status == "success" and labels:
            seen[key] = labels
    return seen


def _best_labels(path: Path) -> dict[str, dict[tuple[str, str | None], str]]:
    """Return the likeliest label of each region of each photo, by region and work."""
    best: dict[str, dict[tuple[str, str | None], str]] = {}
    for _, region in scan(path, _Region):
        if region.labels:
            key = record_key(region.rel_path, region.raw_path)
            place = sys.intern(region.region_id), region.work
            best.setdefault(key, {})[place] = sys.intern(region.labels[0].label)
    return best


def told(labels: Counter[str]) -> str:
    """Return labels as words, the most frequent first; equal sights give equal words."""
    ordered = sorted(labels, key=lambda label: (-labels[label], label))
    return ", ".join(ordered)
