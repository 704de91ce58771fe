"""`pcc ingest run`: opens cache and queue, and runs an ingestion where clients reach it."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import closing

import msgspec

from journal import utc_now
from pipeline.ingest.cache.sharing import Share
from pipeline.ingest.cache.store import Cache
from pipeline.ingest.ingestion import Ingestion, IngestReport
from pipeline.ingest.queue.opening import open_queue
from pipeline.ingest.request import IngestRequest
from pipeline.jobs.errors import WorkspaceBusy
from pipeline.jobs.hosting import Watcher, attend, host
from pipeline.jobs.job import Ending
from pipeline.jobs.log import log_to
from pipeline.jobs.run_file import RunFile

log = logging.getLogger("pcc.ingest")


class IngestResult(msgspec.Struct):
    """How an ingestion ended.

    Attributes:
        ending: Done, or stopped.
        signal_code: 128 and the signal that stopped it, None without one.
        report: What it did.
        remarks: What came up, a sentence each.
    """

    ending: Ending
    signal_code: int | None
    report: IngestReport
    remarks: list[str]


async def ingest(request: IngestRequest, watch: Watcher) -> IngestResult:
    """Bring the photos of a library through their stages.

    Args:
        request: What was asked for.
        watch: Shows how it goes.

    Raises:
        CacheRefused: the cache is of another form.
        CacheBusy: others do something else with it.
        QueueUnusable: the queue cannot be opened.
        SetupError: an extra or a model is missing.
        See `Ingestion.run` for the rest.
    """
    request.workspace.mkdir(parents=True, exist_ok=True)
    cache = Cache(request.cache)
    manifest = await asyncio.to_thread(cache.begin)
    queue = await asyncio.to_thread(open_queue, request.queue, cache.directory, manifest.cache_id)
    share = Share(cache.directory)
    with closing(queue), log_to(cache.log):
        await asyncio.to_thread(share.take, request.task())
        if share.alone:  # whatever waits there is of a run that ended; this one plans anew
            await asyncio.to_thread(queue.withdraw)
            share.begun()
        work = Ingestion(request, cache, queue, manifest.cache_id)
        log.info("start", {"run": work.run_id, "stages": list(request.stages)})
        try:
            ending, code = await _host(work, watch)
        finally:
            log.info("end", msgspec.to_builtins(work.report()))
            share.release()
    return IngestResult(ending, code, work.report(), work.snapshot().remarks)


async def _host(work: Ingestion, watch: Watcher) -> tuple[Ending, int | None]:
    """Run it where clients reach it, or unattended beside another job of the workspace."""
    request = work.request
    run_file = RunFile(
        pid=os.getpid(),
        run=work.run_id,
        stage="ingest",
        socket="",
        journal=str(request.cache / "outcomes.jsonl"),
        started=utc_now(),
    )
    try:
        return await host(work, work.snapshot, watch, request.workspace, run_file)
    except WorkspaceBusy:
        return await attend(work, work.snapshot, watch)
