"""`pcc ingest run`: opens cache and queue, and runs an ingestion in the frame of every job."""

from __future__ import annotations

import asyncio
from contextlib import closing

from journal import make_directory
from pipeline.ingest.cache.asked import keep_asked
from pipeline.ingest.cache.sharing import Share
from pipeline.ingest.cache.store import Cache
from pipeline.ingest.ingestion import Ingestion
from pipeline.ingest.queue.opening import open_queue
from pipeline.ingest.report import IngestReport
from pipeline.ingest.request import IngestRequest
from pipeline.jobs.run_job import JobFrame, JobResult, Watcher, run_job


async def ingest(request: IngestRequest, watch: Watcher) -> JobResult[IngestReport]:
    """Bring the photos of a library through their stages.

    Args:
        request: What was asked for.
        watch: Shows how it goes.

    Raises:
        CacheRefused: the cache is of another form.
        CacheBusy: other runs do something else with the cache.
        QueueUnusable: the queue cannot be opened.
        SetupError: an extra or a model is missing.
        See `Ingestion.run` for the rest.
    """
    make_directory(request.workspace)
    cache = Cache(request.cache)
    manifest = await asyncio.to_thread(cache.begin)
    # Not on a thread, which a signal would have to wait for: nothing else goes on as yet.
    queue = open_queue(request.queue, cache.directory, manifest.cache_id)
    share = Share(cache.directory)
    with closing(queue):
        await asyncio.to_thread(share.take, request.task())
        await asyncio.to_thread(keep_asked, cache.directory, request.asked)
        if share.alone:  # items that wait there are left from runs that ended; this run plans anew
            queue.withdraw()
            share.begun()
        ingestion = Ingestion(request, cache, queue, manifest.cache_id)
        frame = JobFrame(
            run=ingestion.run_id,
            stage="ingest",
            workspace=request.workspace,
            journal=cache.outcomes_path,
            told={"stages": list(request.stages)},
            log=cache.log,
            shares_workspace=True,
        )
        try:
            result = await run_job(ingestion, frame, watch, lambda _: ingestion.report())
        finally:
            share.release()
    result.remarks = ingestion.snapshot().remarks
    return result
