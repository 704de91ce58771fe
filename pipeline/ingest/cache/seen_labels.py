"""What was seen in each photo of a cache: the likeliest label of each region."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import msgspec

from journal import record_key, scan
from pipeline.ingest.cache.counting import counts, source_of
from pipeline.ingest.cache.manifest import read_manifest, require_ours
from pipeline.ingest.cache.outcomes import Outcomes
from pipeline.ingest.cache.records import number_of
from pipeline.ingest.cache.store import Cache


class _Best(msgspec.Struct, gc=False):
    label: str


class _Region(msgspec.Struct, gc=False):
    """What is needed of a line about a region."""

    rel_path: str = msgspec.field(name="image_id")
    region_id: str
    labels: list[_Best]
    raw_path: str | None = None
    item_hash: str | None = msgspec.field(default=None, name="work")


def seen_labels(directory: Path) -> dict[str, Counter[str]]:
    """Return how often each label was seen in each photo that has any, by its key.

    Raises:
        CacheRefused: the directory is no cache, or one of another form.
    """
    require_ours(directory, read_manifest(directory))
    cache = Cache(directory)
    outcomes = cache.outcomes
    outcomes.refresh()
    best = _best_labels(cache.detections, outcomes)
    seen = {}
    for key in outcomes.digests:
        outcome = outcomes.photo(key).regions
        source = None if outcome is None else source_of(key, outcome, outcomes.photo)
        if source is not None and source.key in best:
            seen[key] = Counter(best[source.key].values())
    return seen


def _best_labels(path: Path, outcomes: Outcomes) -> dict[str, dict[int | None, str]]:
    """Return the likeliest label of each region that counts, by photo and number."""
    best: dict[str, dict[int | None, str]] = {}
    for _, region in scan(path, _Region):
        key = record_key(region.rel_path, region.raw_path)
        number = number_of(region.region_id, "r")
        if region.labels and counts(outcomes.photo(key).regions, region.item_hash, number):
            best.setdefault(key, {})[number] = sys.intern(region.labels[0].label)
    return best


def told(labels: Counter[str]) -> str:
    """Return labels as words, the most frequent first; equal counts give equal words."""
    ordered = sorted(labels, key=lambda label: (-labels[label], label))
    return ", ".join(ordered)
