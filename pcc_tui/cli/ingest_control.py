"""`pcc ingest status`, `pause` and `resume`: the queue of a cache, from any terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.ingest_options import Place
from pcc_tui.cli.options import Site, require_extra
from pcc_tui.cli.output import ExitCode, print_json, say
from pcc_tui.wording import counts

if TYPE_CHECKING:
    from pipeline.ingest.queue.base import WorkQueue
    from pipeline.ingest.status import IngestStatus

SHOWN = 10


@takes_groups
def status(place: Place, site: Site) -> int:
    """Show what a cache holds, and how its queue stands."""
    from pipeline.ingest.status import status_of

    with _queue(place, site) as queue:
        found = status_of(place.directory(site), queue)
    if site.json:
        print_json(found)
    else:
        _tell(found)
    return ExitCode.OK


@takes_groups
def pause(place: Place, site: Site) -> int:
    """Have all workers of a queue wait, in whatever terminal they run."""
    with _queue(place, site) as queue:
        queue.pause()
    return _switched("paused", place, site)


@takes_groups
def resume(place: Place, site: Site) -> int:
    """Let them go on."""
    with _queue(place, site) as queue:
        queue.resume()
    return _switched("resumed", place, site)


def _switched(state: str, place: Place, site: Site) -> int:
    kind = "SQLite" if place.queue == "sqlite" else "Redis"
    if site.json:
        print_json({"queue": state, "kind": kind})
    else:
        say(f"The {kind} queue of {place.directory(site)} is {state}")
    return ExitCode.OK


@contextmanager
def _queue(place: Place, site: Site) -> Iterator[WorkQueue]:
    """Open the queue of a cache that is there."""
    from pipeline.ingest.cache.manifest import read_manifest
    from pipeline.ingest.queue.opening import open_queue

    if place.queue != "sqlite":
        require_extra("redis", "a queue on Redis")
    directory = place.directory(site)
    manifest = read_manifest(directory)
    queue = open_queue(place.queue, directory, manifest.cache_id)
    try:
        yield queue
    finally:
        queue.close()


def _tell(found: IngestStatus) -> None:
    queue = found.queue
    say(f"Cache {found.cache}: {found.photos:,} photos")
    for stage, by_status in found.stages.items():
        who = found.models.get(stage)
        say(f"  {stage}: {counts(by_status)}{f', by {who}' if who else ''}")
    say(
        f"Queue{' (paused)' if queue.paused else ''}: {queue.waiting:,} waiting, "
        f"{queue.leased:,} in workers' hands, {queue.done:,} done, {queue.parked:,} given up"
    )
    for parked in found.parked[:SHOWN]:
        say(f"  given up: {parked.image_id}: {parked.reason}")
    if len(found.parked) > SHOWN:
        say(f"  and {len(found.parked) - SHOWN:,} more; --json lists them all")
