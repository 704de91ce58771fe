"""What is left to do: the photos on disk against the outcomes of a cache."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

import msgspec

from journal import split_path, utc_now
from pipeline.ingest.cache.outcomes import Outcomes
from pipeline.ingest.cache.records import STAGES, Outcome, StageEnd, StageName
from pipeline.ingest.cache.store import PhotoResult
from pipeline.ingest.queue.base import Item, Parked, short_hash
from pipeline.photos.photo import photo_key


class Wanted(msgspec.Struct, frozen=True):
    """What is asked for.

    Attributes:
        stages: The stages that a photo is to go through, in order.
        retry_errors: Whether to retry photos that failed.
        redo: The name of a run that repeats everything, None to leave alone what is done.
    """

    stages: tuple[StageName, ...]
    retry_errors: bool = False
    redo: str | None = None


class Copy(msgspec.Struct, frozen=True):
    """A photo whose file is identical to that of another photo, the original.

    Attributes:
        path: Path of the photo as the system spells it.
        original: Key of the original.
        digest: Content hash of both.
        stages: The stages whose outcomes are to be copied.
    """

    path: str
    original: str
    digest: str
    stages: tuple[StageName, ...]


class IngestPlan(msgspec.Struct):
    """What a run would do, in numbers.

    Attributes:
        photos: Photos on disk.
        items: Photos to look at, one for each content.
        copies: Photos that are identical to a photo to look at, or to one that is done.
        changed: Photos whose content is another than it was; photos that were copies of these
            are planned again once these are done.
        undetected: Photos that cannot be labelled, since no detector has looked at them.
        done: Photos that have been through all stages without an error.
        errored: Photos whose last outcome is an error that is left alone, by status.
        stages: Photos to go through each stage.
    """

    photos: int = 0
    items: int = 0
    copies: int = 0
    changed: int = 0
    undetected: int = 0
    done: int = 0
    errored: Counter[str] = msgspec.field(default_factory=Counter)
    stages: Counter[str] = msgspec.field(default_factory=Counter)


class Planner:
    """Sorts photos into those to look at, copies of others, and those that are done.

    Args:
        outcomes: The outcomes of the cache.
        wanted: What is asked for.
        present: Keys of all photos on disk; needed for labels alone.

    Attributes:
        plan: The numbers of what was sorted so far.
    """

    def __init__(
        self, outcomes: Outcomes, wanted: Wanted, present: Collection[str] = frozenset()
    ) -> None:
        self.plan = IngestPlan()
        self._outcomes = outcomes
        self._wanted = wanted
        self._present = present
        self._done = self._find_done()
        self._planned: dict[tuple[str, tuple[StageName, ...]], str] = {}

    def sort(self, photos: Iterable[tuple[str, str | None]]) -> Iterator[Item | Copy]:
        """Yield what there is to do for photos.

        Args:
            photos: Path of each as the system spells it, and the digest of its file; None where
                the file cannot be read.
        """
        plan = self.plan
        for path, digest in photos:
            plan.photos += 1
            key = photo_key(path)
            stages = self._stages(key, digest)
            plan.stages.update(stages)
            if not stages:
                self._count(key)
                continue
            original = None if digest is None else self._original(key, digest, stages)
            if original is not None and digest is not None:
                plan.copies += 1
                yield Copy(path, original, digest, stages)
            else:
                plan.items += 1
                yield self._item(path, key, digest, stages)

    def _stages(self, key: str, digest: str | None) -> tuple[StageName, ...]:
        """Return the stages that a photo is to go through."""
        stages = self._wanted.stages
        if self._wanted.redo is None:
            stages = tuple(stage for stage in stages if self._lacks(key, digest, stage))
        if "label" not in stages or "detect" in stages or self._has_regions(key, digest):
            return stages
        self.plan.undetected += 1
        return tuple(stage for stage in stages if stage != "label")

    def _lacks(self, key: str, digest: str | None, stage: StageName) -> bool:
        """Tell whether a photo is to go through a stage."""
        ended = self._outcomes.of(key, stage)
        if ended is None:
            return True
        is_changed = digest is not None and ended.digest != digest
        self.plan.changed += is_changed
        is_retried = self._wanted.retry_errors and ended.status != "success"
        return is_changed or is_retried or self._lost_its_original(ended, stage)

    def _lost_its_original(self, ended: StageEnd, stage: StageName) -> bool:
        """Tell whether an outcome was copied from a photo that is another picture by now."""
        if ended.copied_from is None:
            return False
        original = self._outcomes.of(ended.copied_from, stage)
        return original is None or original.digest != ended.digest

    def _has_regions(self, key: str, digest: str | None) -> bool:
        """Tell whether there is something to label in a photo as it is now."""
        detected = self._outcomes.of(key, "detect")
        if detected is None or detected.status != "success":
            return False
        return digest is None or detected.digest == digest

    def _count(self, key: str) -> None:
        ended = [self._outcomes.of(key, stage) for stage in self._wanted.stages]
        errors = [one.status for one in ended if one is not None and one.status != "success"]
        if errors:
            self.plan.errored[errors[0]] += 1
        elif all(one is not None for one in ended):
            self.plan.done += 1

    def _find_done(self) -> dict[tuple[str, StageName], str]:
        """Return which photo has been through a stage with success, by content and stage."""
        if self._wanted.redo is not None:
            return {}
        return {
            (ended.digest, stage): key
            for stage in self._wanted.stages
            for key, ended in self._outcomes.stage(stage)
            if ended.status == "success" and ended.copied_from is None
            if ended.digest is not None and _has_name(key)
        }

    def _original(self, key: str, digest: str, stages: tuple[StageName, ...]) -> str | None:
        """Return a photo of the same content that has all stages, or gets them in this plan."""
        if not _has_name(key):
            return None
        if stages == ("label",):  # the photo that has the regions is to have their labels
            detected = self._outcomes.of(key, "detect")
            owner = detected.copied_from if detected is not None else None
            if owner is not None and owner in self._present:
                return owner
        done = {self._done.get((digest, stage)) for stage in stages}
        original = done.pop() if len(done) == 1 else None
        if original is None:
            original = self._planned.setdefault((digest, stages), key)
        return None if original == key else original

    def _item(self, path: str, key: str, digest: str | None, stages: tuple[StageName, ...]) -> Item:
        # The path counts: an item of a file that was renamed meanwhile finds nothing.
        item_key = f"{digest or 'unread'}/{short_hash(key)}/{'+'.join(stages)}"
        if self._wanted.redo is not None:
            item_key += f"/{self._wanted.redo}"
        return Item(item_key, *split_path(path), digest or "", stages)


def _has_name(key: str) -> bool:
    """Tell whether `copied_from` can name a photo: its path is UTF-8."""
    return not key.startswith("\0")


def standing(parked: Iterable[Parked], outcomes: Outcomes) -> Iterator[Parked]:
    """Yield parked items whose photos have no later outcome: a photo may be mended, or changed."""
    for one in parked:
        ended = [
            outcomes.of(one.item.photo_key, stage) for stage in STAGES if stage in one.item.stages
        ]
        if all(found is None or found.item_hash == one.item.item_hash for found in ended):
            yield one


def copied(copy: Copy, outcomes: Outcomes) -> PhotoResult | None:
    """Return the outcomes of a copy, None while the original has none."""
    rel_path, raw_path = split_path(copy.path)
    found: list[tuple[StageName, StageEnd]] = []
    for stage in copy.stages:
        ended = outcomes.of(copy.original, stage)
        if ended is None or ended.digest != copy.digest:
            return None
        found.append((stage, ended))
    return PhotoResult(
        [
            Outcome(
                rel_path=rel_path,
                raw_path=raw_path,
                stage=stage,
                status=ended.status,
                at=utc_now(),
                digest=copy.digest,
                lines=ended.lines,
                found=ended.found,
                version=ended.version,
                item_hash=short_hash(f"{rel_path} is {copy.original} by {ended.item_hash}"),
                error=None if ended.status == "success" else f"as {copy.original}",
                copied_from=copy.original,
            )
            for stage, ended in found
        ]
    )
