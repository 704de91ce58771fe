"""`pcc ingest status`, `pause` and `resume`: the queue of a cache, from any terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.ingest_options import CacheOptions
from pcc_tui.cli.options import SiteOptions, require_extra
from pcc_tui.cli.output import print_json, say

if TYPE_CHECKING:
    from pipeline.ingest.queue.base import WorkQueue

SHOWN = 10


@takes_groups
def status(cache: CacheOptions, site: SiteOptions) -> int:
    """Show what a cache holds, and how its queue stands."""
    from pcc_tui.words.ingestion import queue_words, status_words
    from pipeline.ingest.status import status_of

    with _queue(cache, site) as queue:
        found = status_of(cache.directory(site), queue)
    if site.json:
        print_json(found)
        return ExitCode.OK
    for line in status_words(found, found.cache, SHOWN):
        say(line)
    say(f"Queue: {found.queue.done:,} done, {queue_words(found.queue)}")
    return ExitCode.OK


@takes_groups
def pause(cache: CacheOptions, site: SiteOptions) -> int:
    """Have all workers of a queue wait, in whatever terminal they run."""
    with _queue(cache, site) as queue:
        queue.pause()
    return _switched("pause", "paused", cache, site)


@takes_groups
def resume(cache: CacheOptions, site: SiteOptions) -> int:
    """Have all workers of a paused queue go on."""
    with _queue(cache, site) as queue:
        queue.resume()
    return _switched("resume", "resumed", cache, site)


def _switched(command: str, state: str, cache: CacheOptions, site: SiteOptions) -> int:
    store = "SQLite" if cache.queue == "sqlite" else "Redis"
    if site.json:
        print_json({"kind": f"ingest-{command}", "queue": state, "store": store})
    else:
        say(f"The {store} queue of {cache.directory(site)} is {state}")
    return ExitCode.OK


@contextmanager
def _queue(cache: CacheOptions, site: SiteOptions) -> Iterator[WorkQueue]:
    """Open the queue of a cache; there must be a cache."""
    from pipeline.ingest.cache.manifest import read_manifest
    from pipeline.ingest.queue.opening import open_queue

    if cache.queue != "sqlite":
        require_extra("redis", "a queue on Redis")
    directory = cache.directory(site)
    manifest = read_manifest(directory)
    queue = open_queue(cache.queue, directory, manifest.cache_id)
    try:
        yield queue
    finally:
        queue.close()
