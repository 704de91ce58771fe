"""What is done in a cache, what waits in its queue, and what was given up."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from pipeline.ingest.cache.manifest import read_manifest, require_ours
from pipeline.ingest.cache.records import STAGES
from pipeline.ingest.cache.store import Cache
from pipeline.ingest.planning.plan import standing
from pipeline.ingest.queue.base import Counts, WorkQueue

MOST_PARKED = 10_000
"""Parked photos that are listed at most."""


class ParkedPhoto(msgspec.Struct):
    """A photo that was parked, and why."""

    image_id: str
    stages: tuple[str, ...]
    attempts: int
    reason: str
    at: str


class IngestStatus(msgspec.Struct, tag_field="kind", tag="ingest-status"):
    """What `pcc ingest status` shows.

    Attributes:
        cache: Directory of the cache.
        cache_id: Name of the cache.
        photos: Photos that have an outcome.
        stages: Number of photos, by stage and status.
        models: Version of the model that last did each stage.
        queue: Counts of the queue; parked items whose photos have a later outcome are left out.
        parked: Photos that were given up and not done since, the oldest first.
        damaged: Lines of `outcomes.jsonl` that hold no record.
    """

    cache: str
    cache_id: str
    photos: int
    stages: dict[str, dict[str, int]]
    models: dict[str, str]
    queue: Counts
    parked: list[ParkedPhoto]
    damaged: int


def status_of(directory: Path, queue: WorkQueue) -> IngestStatus:
    """Return the status of a cache and its queue.

    Raises:
        CacheRefused: the directory is no cache, or one of another form.
        QueueLost: the queue failed.
    """
    manifest = read_manifest(directory)
    require_ours(directory, manifest)
    cache = Cache(directory)
    cache.outcomes.refresh()
    stages = {
        stage: dict(Counter[str](ended.status for _, ended in cache.outcomes.stage(stage)))
        for stage in STAGES
    }
    parked: list[ParkedPhoto] = []
    parked_count = 0
    for one in standing(queue.parked(), cache.outcomes):
        parked_count += 1
        if parked_count <= MOST_PARKED:
            item = one.item
            parked.append(ParkedPhoto(item.rel_path, item.stages, one.attempts, one.reason, one.at))
    return IngestStatus(
        cache=str(directory),
        cache_id=manifest.cache_id,
        photos=len(cache.outcomes.digests),
        stages={stage: by_status for stage, by_status in stages.items() if by_status},
        models={stage: facts.version for stage, facts in manifest.models.items()},
        queue=msgspec.structs.replace(queue.counts(), parked=parked_count),
        parked=parked,
        damaged=cache.outcomes.malformed.damaged,
    )
