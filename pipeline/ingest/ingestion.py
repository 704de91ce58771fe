"""An ingestion under way: the queue filled, workers kept at it, and counted what comes.

The cache says what is done, the queue only who does what: whatever a queue forgets is
planned anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from journal import JournalError, Status
from pipeline.ingest.cache.manifest import ModelFacts
from pipeline.ingest.cache.outcomes import StageEnd
from pipeline.ingest.cache.records import Outcome, StageName
from pipeline.ingest.cache.store import Cache
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
"""Between two looks at the queue and the cache."""

ROUNDS = 3
"""How often what a queue lost, or a file that changed meanwhile, is planned anew."""

log = logging.getLogger("pcc.ingest")

_FOUND: dict[str, Callable[[int], str]] = {
    "objects": lambda count: f"{count} objects" if count != 1 else "1 object",
    "text": lambda count: f"{count} lines of text" if count != 1 else "1 line of text",
}


class Ingestion:
    """Brings the photos of a library through their stages; looks like one job from outside.

    Args:
        request: What was asked for.
        cache: Where results go; begun.
        queue: Its queue.
        cache_id: Its name.
    """

    def __init__(
        self, request: IngestRequest, cache: Cache, queue: WorkQueue, cache_id: str
    ) -> None:
        self.run_id = new_run_id()
        self.filler = Enqueuer(request.photos_dir, (request.include, request.exclude), cache, queue)
        self.progress = Progress(
            run=self.run_id, stage="ingest", backend="+".join(request.stages), total=0, skipped={}
        )
        self.request = request
        self._cache = cache
        self._queue = queue
        self._crew = WorkerPool(request.works(cache_id))
        self._pause_point = PausePoint()
        self._failed: dict[str, tuple[Item, Status]] = {}
        self._stopping = False
        self._filling = False
        self._models: dict[StageName, ModelFacts] = {}
        self._commands: set[asyncio.Task[object]] = set()
        self._parked_before = 0
        self.parked = 0

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
        at_work: asyncio.Task[None] | None = None
        try:
            for number in range(1 if self.request.redo else ROUNDS):
                filling = asyncio.create_task(self._fill(self._choice(first=number == 0)))
                at_work = await self._drain(filling, at_work)
                if not await self._settle() or self._stopping:
                    break
            if at_work is not None:
                self._crew.end()
                await at_work
            await self._describe()
        except BaseException:
            with suppress(JournalError, OSError):  # the first error is the one to tell
                await self._describe()
            raise
        finally:
            await self._dismiss(at_work)
            self.progress.finish()
        return Ending.STOPPED if self._stopping else Ending.DONE

    async def _describe(self) -> None:
        """Bring the manifest up to date."""
        self._models |= self._crew.models
        await asyncio.to_thread(self._cache.say, self._models)

    def _choice(self, *, first: bool) -> Wanted:
        """Return what is asked for; what was tried once in this run is not tried again."""
        request = self.request
        return Wanted(
            request.stages,
            retry_errors=request.retry_errors and first,
            redo=self.run_id if request.redo and first else None,
        )

    async def _fill(self, choice: Wanted) -> None:
        self._filling = True
        try:
            await asyncio.to_thread(self.filler.fill, choice, self._pause_point)
        except GivenUp:
            pass
        finally:
            self._filling = False

    async def _drain(
        self, filling: asyncio.Task[None], at_work: asyncio.Task[None] | None
    ) -> asyncio.Task[None] | None:
        """Keep workers at the queue until it is filled and empty; return the workers, if any."""
        try:
            while True:
                whole = filling.done()
                counts = await self._take_in()
                if whole:
                    filling.result()
                if at_work is not None and at_work.done():
                    at_work.result()  # an error of theirs
                    return at_work
                if whole and (self._stopping or not counts.waiting + counts.leased):
                    break
                if at_work is None and counts.waiting + counts.leased and not self._stopping:
                    at_work = asyncio.create_task(self._crew.run())
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self._pause_point.close()
            await asyncio.gather(filling, return_exceptions=True)
            self._pause_point = PausePoint()
        if self._stopping and at_work is not None:
            await at_work
            await self._take_in()
        return at_work

    async def _take_in(self) -> Counts:
        """Count what is new in the cache, and return how the queue stands."""
        news, counts = await asyncio.to_thread(self._look)
        if news or counts.parked > self._parked_before:  # giving up is progress, too
            self._crew.something_done()
        self._parked_before = counts.parked
        self._count(news)
        if counts.paused != (self.progress.state == "paused") and not self._stopping:
            self.progress.pause(counts.paused)
        return counts

    def _look(self) -> tuple[list[tuple[str, StageEnd]], Counts]:
        """Return what is new in the cache, and how the queue stands. Called on a thread."""
        if any(self._models.get(stage) != facts for stage, facts in self._crew.models.items()):
            self._models |= self._crew.models
            self._cache.say(self._models)
        for name in self._crew.take_fallen():
            self._queue.abandon(name)
        return self._cache.outcomes.refresh(), self._queue.counts()

    def _count(self, news: list[tuple[str, StageEnd]]) -> None:
        """Count photos whose outcomes have come; those of all stages come together."""
        by_work: dict[str, list[StageEnd]] = {}
        for _, ended in news:
            if ended.work is not None:
                by_work.setdefault(ended.work, []).append(ended)
        usages = []
        for work, outcomes in by_work.items():
            if (item := self.filler.pending.pop(work, None)) is not None:
                usages.append(_usage(item, outcomes))
                if outcomes[0].status != "success":
                    self._failed[work] = item, outcomes[0].status
            elif work in self._failed:
                item, status = self._failed.pop(work)
                self.progress.take_back(status)
                usages.append(_usage(item, outcomes))
        self.progress.add(usages)

    async def _settle(self) -> bool:
        """Write what needs no worker; return whether there is more to plan."""
        await asyncio.to_thread(self.filler.write_parked)
        # Whatever reads the cache, to add to it or to describe it, reads news past `_look`.
        self._count(await asyncio.to_thread(self.filler.answered))
        copies = await asyncio.to_thread(self.filler.write_copies)
        self.progress.add([_usage_of_copy(one) for one in copies])
        await self._take_in()
        self.parked = await asyncio.to_thread(self.filler.given_up)
        return bool(self.filler.left or self.filler.plan.changed)

    async def _dismiss(self, at_work: asyncio.Task[None] | None) -> None:
        """See all workers gone, whatever happened."""
        if at_work is None or at_work.done():
            return
        self._crew.end(at_once=True)
        done, _ = await asyncio.wait([at_work], timeout=GOODBYE_SECONDS)
        if not done:
            self._crew.kill()
        await asyncio.gather(at_work, return_exceptions=True)

    def snapshot(self) -> Snapshot:
        """Return how far it is."""
        self.progress.total = self.progress.attempted + self.filler.left
        self.progress.loading = self._pause_point.at if self._filling else self._crew.loading
        held = ["paused; `pcc ingest resume` goes on"] if self.progress.state == "paused" else []
        self.progress.remarks = [*self.filler.warnings, *self._crew.all_remarks(), *held]
        shot = self.progress.snapshot()
        shot.current = self._crew.current
        return shot

    def pause(self) -> None:
        """Have the queue give nothing out, to any worker of any run."""
        self._command(self._queue.pause)

    def resume(self) -> None:
        """Have it give out again."""
        self._command(self._queue.resume)

    def _command(self, command: Callable[[], object]) -> None:
        task = asyncio.create_task(asyncio.to_thread(command))
        self._commands.add(task)
        task.add_done_callback(self._obeyed)

    def _obeyed(self, task: asyncio.Task[object]) -> None:
        """Tell of a command that the queue did not hear."""
        self._commands.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crew.remarks.append(str(error))

    def stop(self) -> None:
        """Take nothing more, finish what is in flight, end."""
        self._stopping = True
        self.progress.state = "stopping"
        self._pause_point.close()
        self._crew.end()

    def abort(self) -> None:
        """End now; what is in flight goes back to the queue."""
        self.stop()
        self._crew.end(at_once=True)
        asyncio.get_running_loop().call_later(GOODBYE_SECONDS, self._crew.kill)

    def retry(self) -> int:
        """Have what was given up wait again; how much that is shows as it comes."""
        self._command(self._queue.unpark)
        return 0

    def report(self) -> IngestReport:
        """Return what it did."""
        shot = self.progress.snapshot()
        first = self.filler.first_plan or IngestPlan()
        return IngestReport(
            run=self.run_id,
            photos=self.filler.plan.photos,
            attempted=shot.attempted,
            by_status=shot.by_status,
            seconds=round(shot.seconds, 3),
            rate=round(shot.rate, 3),
            done=first.done,
            errored=first.errored.total(),
            remaining=self.filler.left,
            parked=self.parked,
        )


def _usage(item: Item, outcomes: list[StageEnd]) -> Usage:
    found = {"text" if ended.stage == "ocr" else "objects": ended.found for ended in outcomes}
    text = ", ".join(_FOUND[what](count) for what, count in found.items())
    status, error = outcomes[0].status, outcomes[0].error
    return Usage(item.rel_path, status, error or text, raw_path=item.raw_path)


def _usage_of_copy(outcome: Outcome) -> Usage:
    return Usage(
        outcome.rel_path,
        outcome.status,
        f"as {outcome.copied_from}",
        raw_path=outcome.raw_path,
    )
