"""From the plan of a run to the queue; and the outcomes that are written without a worker."""

from __future__ import annotations

from pathlib import Path

from journal import utc_now
from pipeline.ingest.batched import batched
from pipeline.ingest.cache.records import STAGES, Outcome, StageEnd
from pipeline.ingest.cache.store import Cache, PhotoResult
from pipeline.ingest.planning.file_digests import FileDigests
from pipeline.ingest.planning.plan import (
    Copy,
    IngestPlan,
    Planner,
    Wanted,
    copied,
    standing,
)
from pipeline.ingest.queue.base import Item, Parked, WorkQueue
from pipeline.jobs.pause_point import PausePoint
from pipeline.photos.photo import photo_key
from pipeline.photos.walk import walk_photos

AT_ONCE = 512
"""Photos that are planned or written between two looks at the pause point."""


class Enqueuer:
    """Finds what there is to do, and puts it into the queue. Its methods block.

    Args:
        photos_dir: The photo library.
        globs: Globs of photos that count, and globs of photos that do not.
        cache: Has the outcomes so far.
        queue: Takes the items.

    Attributes:
        plan: The numbers of the latest plan.
        first_plan: The numbers of the first plan, made before anything was done.
        pending: Items whose outcomes are awaited, by item hash.
        warnings: Sentences about the walk.
    """

    def __init__(
        self,
        photos_dir: Path,
        globs: tuple[tuple[str, ...], tuple[str, ...]],
        cache: Cache,
        queue: WorkQueue,
    ) -> None:
        self.plan = IngestPlan()
        self.first_plan: IngestPlan | None = None
        self.pending: dict[str, Item] = {}
        self.warnings: list[str] = []
        self._photos_dir = photos_dir
        self._globs = globs
        self._cache = cache
        self._queue = queue
        self._copies: list[Copy] = []

    def enqueue(self, wanted: Wanted, pause_point: PausePoint) -> None:
        """Walk, compare with the cache, and enqueue what the cache lacks.

        Args:
            wanted: What is asked for.
            pause_point: Told how far the plan is; may hold it up, or end it.

        Raises:
            PhotosDirMissing: the photos directory cannot be listed.
            QueueLost: the queue failed.
            GivenUp: the pause point says so.
        """
        pause_point.begin("looking for photos", 0, "photos")
        walked = walk_photos(self._photos_dir, *self._globs)
        self.warnings = walked.warnings
        pause_point.begin("comparing photos", len(walked.paths), "photos")
        self._cache.outcomes.refresh()
        labels = "label" in wanted.stages
        present = frozenset(map(photo_key, walked.paths)) if labels else frozenset[str]()
        planner = Planner(self._cache.outcomes, wanted, present)
        self.plan = planner.plan
        if self.first_plan is None:
            self.first_plan = planner.plan
        self._copies = []
        digests = FileDigests(self._cache.digests, self._photos_dir)
        found = planner.sort(digests.of(walked.paths, pause_point.go_through))
        for some in batched(found, AT_ONCE):
            items = [one for one in some if isinstance(one, Item)]
            self._copies += [one for one in some if isinstance(one, Copy)]
            self.pending.update({item.item_hash: item for item in items})
            self._queue.enqueue(items, redo=True)
            if wanted.retry_errors:
                self._queue.unpark({item.key for item in items})
        pause_point.go_through(len(walked.paths))
        if planner.plan.undetected:
            self.warnings.append(
                f"{planner.plan.undetected:,} photos have no regions to label; "
                "--stages detect,label finds some first"
            )

    @property
    def left(self) -> int:
        """Photos that still lack something."""
        return len(self.pending) + len(self._copies)

    def answered(self) -> list[tuple[str, StageEnd]]:
        """Return the outcomes that pending items have by now: key of the photo and outcome."""
        found = []
        for item_hash, item in self.pending.items():
            key = item.photo_key
            ends = [self._cache.outcomes.of(key, stage) for stage in STAGES if stage in item.stages]
            found += [(key, end) for end in ends if end is not None and end.item_hash == item_hash]
        return found

    def write_copies(self) -> list[Outcome]:
        """Write the outcomes of copies whose original is done; return one outcome of each copy."""
        self._cache.outcomes.refresh()
        left: list[Copy] = []
        written: list[Outcome] = []
        for some in batched(self._copies, AT_ONCE):
            results = [(copy, copied(copy, self._cache.outcomes)) for copy in some]
            left += [copy for copy, result in results if result is None]
            found = [result for _, result in results if result is not None]
            written += [result.outcomes[0] for result in self._cache.add(found)]
        self._copies = left
        return written

    def count_parked(self) -> int:
        """Return how many parked items stand: their photos have no later outcome.

        Raises:
            QueueLost: the queue failed.
        """
        return sum(1 for _ in standing(self._queue.parked(), self._cache.outcomes))

    def write_parked(self) -> None:
        """Write outcomes for pending items that were parked without one: their workers died.

        Items that earlier runs left parked are not pending, and get none.

        Raises:
            QueueLost: the queue failed.
        """
        self._cache.outcomes.refresh()
        results = (self._outcomes_of_parked(parked) for parked in self._queue.parked())
        for some in batched((result for result in results if result is not None), AT_ONCE):
            self._cache.add(some)

    def _outcomes_of_parked(self, parked: Parked) -> PhotoResult | None:
        """Return the outcomes of a parked item, None if it is not pending or has outcomes."""
        item = parked.item
        if item.item_hash not in self.pending:
            return None
        outcomes = [
            Outcome(
                rel_path=item.rel_path,
                raw_path=item.raw_path,
                stage=stage,
                status="error_model",
                at=utc_now(),
                digest=item.digest or None,
                item_hash=item.item_hash,
                error=parked.reason,
            )
            for stage in STAGES
            if stage in item.stages
        ]
        written = [self._cache.outcomes.of(outcome.key, outcome.stage) for outcome in outcomes]
        if all(ended is not None and ended.item_hash == item.item_hash for ended in written):
            return None
        return PhotoResult(outcomes)
