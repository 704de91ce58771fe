"""An ingestion under way: it fills the queue, keeps workers busy, and counts what they finish.

The cache says what is done, the queue only who does what. So whatever a queue forgets is
planned again in the next round.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
import time
from collections.abc import Callable
from contextlib import suppress

from journal import JournalError, Status
from pipeline.ingest.cache.manifest import ModelFacts
from pipeline.ingest.cache.records import Outcome, StageEnd, StageName
from pipeline.ingest.cache.store import Cache
from pipeline.ingest.errors import QueueLost
from pipeline.ingest.planning.enqueue import Enqueuer
from pipeline.ingest.planning.plan import IngestPlan, Wanted
from pipeline.ingest.queue.base import Counts, Item, WorkQueue
from pipeline.ingest.report import IngestReport
from pipeline.ingest.request import IngestRequest
from pipeline.ingest.workers.worker_pool import GOODBYE_SECONDS, WorkerPool
from pipeline.jobs.pause_point import GivenUp, PausePoint
from pipeline.jobs.progress import Progress, Snapshot
from pipeline.jobs.run_file import new_run_id
from pipeline.jobs.stage import Usage
from pipeline.jobs.step import Ending

LOOK_SECONDS = 0.25
"""Time between two looks at the queue and the cache."""

ROUNDS = 3
"""How often what a queue lost, or a file that changed meanwhile, is planned at most."""

STUCK_SECONDS = 300.0
"""A queue that has items, but gives none and takes none for so long, is beyond help."""

_OBJECTS, _TEXT = ("object", "objects"), ("line of text", "lines of text")
_NOUNS = {"detect": _OBJECTS, "label": _OBJECTS, "ocr": _TEXT}

log = logging.getLogger("pcc.ingest")


class Ingestion:
    """Brings the photos of a library through their stages; a `Step` to those who run it.

    Args:
        request: What was asked for.
        cache: Where results go; `begin` was called.
        queue: The queue of the cache.
        cache_id: The name of the cache.
    """

    def __init__(
        self, request: IngestRequest, cache: Cache, queue: WorkQueue, cache_id: str
    ) -> None:
        self.run_id = new_run_id()
        self.progress = Progress(
            run=self.run_id, stage="ingest", backend="+".join(request.stages), total=0, skipped={}
        )
        self._request = request
        self._cache = cache
        self._queue = queue
        globs = request.include, request.exclude
        self._enqueuer = Enqueuer(request.photos_dir, globs, cache, queue)
        self._enqueuing = False
        self._pool = WorkerPool(request.worker_setups(cache_id))
        self._working: asyncio.Task[None] | None = None
        self._pause_point = PausePoint()
        self._stopping = False
        self._commands: set[asyncio.Task[object]] = set()
        self._models: dict[StageName, ModelFacts] = {}
        self._failed: dict[str, tuple[Item, Status]] = {}
        self._parked_before = 0
        self._counts: Counts | None = None
        self._moved_at = time.monotonic()
        self._parked = 0

    async def run(self) -> Ending:
        """Work until nothing is left, or until told to stop.

        Raises:
            SetupError: a model cannot be loaded.
            RunStopped: no further photo would fare better.
            IngestError: the queue cannot go on, or workers die again and again.
            PhotosDirMissing: the photos directory cannot be listed.
            JournalError: results cannot be kept.
        """
        self.progress.begin()
        try:
            for number in range(1 if self._request.redo else ROUNDS):
                await self._work_off(self._wanted(is_first=number == 0))
                if not await self._finish_round() or self._stopping:
                    break
            if self._working is not None:
                self._pool.end()
                await self._working
            await self._describe()
        except BaseException:
            with suppress(JournalError, OSError):  # the first error is the one to tell
                await self._describe()
            raise
        finally:
            await self._end_workers()
            self.progress.finish()
        return Ending.STOPPED if self._stopping else Ending.DONE

    async def _describe(self) -> None:
        """Bring the manifest up to date."""
        self._models |= self._pool.models
        await asyncio.to_thread(self._cache.say, self._models)

    def _wanted(self, *, is_first: bool) -> Wanted:
        """Return what a round asks for; what was tried in this run is not tried again."""
        request = self._request
        return Wanted(
            request.stages,
            retry_errors=request.retry_errors and is_first,
            redo=self.run_id if request.redo and is_first else None,
        )

    async def _enqueue(self, wanted: Wanted) -> None:
        self._enqueuing = True
        try:
            await asyncio.to_thread(self._enqueuer.enqueue, wanted, self._pause_point)
        except GivenUp:
            pass
        finally:
            self._enqueuing = False

    async def _work_off(self, wanted: Wanted) -> None:
        """Fill the queue, and keep workers at it until it is empty."""
        enqueuing = asyncio.create_task(self._enqueue(wanted))
        try:
            while True:
                is_enqueued = enqueuing.done()
                counts = await self._take_in()
                if is_enqueued:
                    enqueuing.result()
                if self._working is not None and self._working.done():
                    self._working.result()  # raises the error of a worker
                    return
                is_open = counts.waiting + counts.leased > 0
                if is_enqueued and (self._stopping or not is_open):
                    break
                if self._working is None and is_open and not self._stopping:
                    self._working = asyncio.create_task(self._pool.run())
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._pause_point.close()
            await asyncio.gather(enqueuing, return_exceptions=True)
            self._pause_point = PausePoint()
        if self._stopping and self._working is not None:
            await self._working
            await self._take_in()

    async def _take_in(self) -> Counts:
        """Count what is new in the cache, and return the counts of the queue."""
        news, counts = await asyncio.to_thread(self._look)
        if news or counts.parked > self._parked_before:  # giving up is progress, too
            self._pool.something_done()
        self._parked_before = counts.parked
        self._count(news)
        self._require_movement(counts, is_moving=bool(news))
        if counts.paused != (self.progress.state == "paused") and not self._stopping:
            self.progress.pause(counts.paused)
        return counts

    def _require_movement(self, counts: Counts, *, is_moving: bool) -> None:
        """Make sure that a queue which says that there is work gives the work to somebody.

        Raises:
            QueueLost: nothing moves any more, and no worker of this run is busy.
        """
        open_items = counts.waiting + counts.leased
        is_idle = self._pool.loading is None and not self._pool.current and not self._enqueuing
        is_due = open_items > 0 and is_idle and not counts.paused
        if is_moving or not is_due or counts != self._counts:
            self._counts, self._moved_at = counts, time.monotonic()
        elif time.monotonic() - self._moved_at > STUCK_SECONDS:
            raise QueueLost(
                f"the queue says that {open_items:,} items are to be done, and "
                f"gives none for {STUCK_SECONDS / 60:g} minutes; run again, or start a new queue"
            )

    def _look(self) -> tuple[list[tuple[str, StageEnd]], Counts]:
        """Return what is new in the cache, and the counts of the queue. Called on a thread."""
        if any(self._models.get(stage) != facts for stage, facts in self._pool.models.items()):
            self._models |= self._pool.models
            self._cache.say(self._models)
        for name in self._pool.take_fallen():
            self._queue.abandon(name)
        return self._cache.outcomes.refresh(), self._queue.counts()

    def _count(self, news: list[tuple[str, StageEnd]]) -> None:
        """Count photos that got outcomes; the outcomes of one item come together."""
        by_item: dict[str, list[StageEnd]] = {}
        for _, ended in news:
            if ended.item_hash is not None:
                by_item.setdefault(ended.item_hash, []).append(ended)
        usages = []
        for item_hash, outcomes in by_item.items():
            if (item := self._enqueuer.pending.pop(item_hash, None)) is not None:
                usages.append(_usage(item, outcomes))
                if outcomes[0].status != "success":
                    self._failed[item_hash] = item, outcomes[0].status
            elif item_hash in self._failed:
                item, status = self._failed.pop(item_hash)
                self.progress.take_back(status)
                usages.append(_usage(item, outcomes))
        self.progress.add(usages)

    async def _finish_round(self) -> bool:
        """Write the outcomes that need no worker; return whether there is more to plan."""
        await asyncio.to_thread(self._enqueuer.write_parked)
        # Whatever reads the cache, to add to it or to describe it, reads news past `_look`.
        self._count(await asyncio.to_thread(self._enqueuer.answered))
        copies = await asyncio.to_thread(self._enqueuer.write_copies)
        self.progress.add([_usage_of_copy(outcome) for outcome in copies])
        await self._take_in()
        self._parked = await asyncio.to_thread(self._enqueuer.count_parked)
        return bool(self._enqueuer.left or self._enqueuer.plan.changed)

    async def _end_workers(self) -> None:
        """See all workers gone, whatever happened."""
        if self._working is None or self._working.done():
            return
        self._pool.end(at_once=True)
        done, _ = await asyncio.wait([self._working], timeout=GOODBYE_SECONDS)
        if not done:
            self._pool.kill()
        await asyncio.gather(self._working, return_exceptions=True)

    def snapshot(self) -> Snapshot:
        """Return how far it is."""
        self.progress.total = self.progress.attempted + self._enqueuer.left
        self.progress.loading = self._pause_point.at if self._enqueuing else self._pool.loading
        held = [f"paused; `{self._resume}` goes on"] if self.progress.state == "paused" else []
        self.progress.remarks = [*self._enqueuer.warnings, *self._pool.all_remarks(), *held]
        shot = self.progress.snapshot()
        shot.current = self._pool.current
        return shot

    @property
    def _resume(self) -> str:
        """The command that lets the queue go on, whole wherever the job is looked at from."""
        request, words = self._request, ["pcc", "ingest", "resume"]
        if request.cache.resolve() != (request.workspace / "cache").resolve():
            words += ["--cache", str(request.cache.resolve())]
        if request.queue != "sqlite":  # one with a password is not to be shown
            words += ["--queue", "redis://…" if "@" in request.queue else request.queue]
        return shlex.join(words)

    def pause(self) -> None:
        """Have the queue give no item to any worker of any run."""
        self._command(self._queue.pause)

    def resume(self) -> None:
        """Have the queue give items again."""
        self._command(self._queue.resume)

    def _command(self, command: Callable[[], object]) -> None:
        task = asyncio.create_task(asyncio.to_thread(command))
        self._commands.add(task)
        task.add_done_callback(self._obeyed)

    def _obeyed(self, task: asyncio.Task[object]) -> None:
        """Tell of a command that did not reach the queue."""
        self._commands.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._pool.remarks.append(str(error))

    def stop(self) -> None:
        """Take no further item, finish what is in flight, end."""
        self._stopping = True
        self.progress.state = "stopping"
        self._pause_point.close()
        self._queue.hurry()
        self._pool.end()

    def abort(self) -> None:
        """End now; what is in flight goes back to the queue."""
        self.stop()
        self._pool.end(at_once=True)
        asyncio.get_running_loop().call_later(GOODBYE_SECONDS, self._pool.kill)

    def retry(self) -> int:
        """Have parked items wait again; how many they are shows as they come."""
        self._command(self._queue.unpark)
        return 0

    def report(self) -> IngestReport:
        """Return what it did."""
        shot = self.progress.snapshot()
        first = self._enqueuer.first_plan or IngestPlan()
        return IngestReport(
            run=self.run_id,
            photos=self._enqueuer.plan.photos,
            attempted=shot.attempted,
            by_status=shot.by_status,
            seconds=round(shot.seconds, 3),
            rate=round(shot.rate, 3),
            done=first.done,
            errored=first.errored.total(),
            remaining=self._enqueuer.left,
            parked=self._parked,
        )


def _usage(item: Item, outcomes: list[StageEnd]) -> Usage:
    found = {_NOUNS[ended.stage]: ended.found for ended in outcomes}
    text = ", ".join(f"{n} {one if n == 1 else many}" for (one, many), n in found.items())
    status, error = outcomes[0].status, outcomes[0].error
    return Usage(item.rel_path, status, error or text, raw_path=item.raw_path)


def _usage_of_copy(outcome: Outcome) -> Usage:
    text = f"as {outcome.copied_from}"
    return Usage(outcome.rel_path, outcome.status, text, raw_path=outcome.raw_path)
