"""What is left to do: the photos on disk against the outcomes of a cache."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
from blake3 import blake3

from journal import split_path, utc_now
from pipeline.ingest.cache import Result
from pipeline.ingest.outcomes import Ended, Outcomes
from pipeline.ingest.queue.base import Item
from pipeline.ingest.records import Outcome, StageName
from pipeline.photos.photo import photo_key


class Choice(msgspec.Struct, frozen=True):
    """What is asked for.

    Attributes:
        stages: What a photo is to go through, in order.
        retry_errors: Whether to try again what failed.
        redo: Names this redoing of everything, None to leave alone what is done.
    """

    stages: tuple[StageName, ...]
    retry_errors: bool = False
    redo: str | None = None


class Copy(msgspec.Struct, frozen=True):
    """A photo whose file is identical to one that is looked at.

    Attributes:
        path: As the system spells it.
        original: Key of that one.
        digest: Content hash of both.
        stages: What it is to have of it.
    """

    path: str
    original: str
    digest: str
    stages: tuple[StageName, ...]


class Plan(msgspec.Struct):
    """What a run would do, in numbers.

    Attributes:
        photos: Photos on disk.
        items: Photos to look at, one for each content.
        copies: Photos that are identical to one of those, or to one that is done.
        changed: Photos whose content is another than it was; what copied them is to be planned
            again once they are done.
        done: Photos that have been through all stages, without an error.
        errored: Photos whose last outcome is an error that is left alone, by its status.
        stages: Photos to go through each stage.
    """

    photos: int = 0
    items: int = 0
    copies: int = 0
    changed: int = 0
    done: int = 0
    errored: Counter[str] = msgspec.field(default_factory=Counter)
    stages: Counter[str] = msgspec.field(default_factory=Counter)


class Planner:
    """Sorts photos into those to look at, those that equal another, and those that are done.

    Args:
        outcomes: What the cache has.
        choice: What is asked for.

    Attributes:
        plan: Numbers of what was sorted so far.
    """

    def __init__(self, outcomes: Outcomes, choice: Choice) -> None:
        self.plan = Plan()
        self._outcomes = outcomes
        self._choice = choice
        self._originals = self._find_originals()

    def sort(self, photos: Iterable[tuple[str, str | None]]) -> Iterator[Item | Copy]:
        """Yield what there is to do for photos.

        Args:
            photos: Path of each as the system spells it, and its digest; None where the file
                cannot be read.
        """
        plan = self.plan
        for path, digest in photos:
            plan.photos += 1
            key = photo_key(path)
            wanted = self._wanted(key, digest)
            plan.stages.update(wanted)
            if not wanted:
                self._count(key)
                continue
            original = None if digest is None else self._original(key, digest, wanted)
            if original is not None and digest is not None:
                plan.copies += 1
                yield Copy(path, original, digest, wanted)
            else:
                plan.items += 1
                yield self._item(path, key, digest, wanted)

    def _wanted(self, key: str, digest: str | None) -> tuple[StageName, ...]:
        """Return the stages that a photo is to go through."""
        if self._choice.redo is not None:
            return self._choice.stages
        changed = digest is not None and self._outcomes.digests.get(key, digest) != digest
        self.plan.changed += changed
        return tuple(
            stage
            for stage in self._choice.stages
            if changed
            or (ended := self._outcomes.of(key, stage)) is None
            or (self._choice.retry_errors and ended.status != "success")
            or self._lost_its_original(ended, digest)
        )

    def _lost_its_original(self, ended: Ended, digest: str | None) -> bool:
        """Tell whether a photo was copied from one that is another picture now."""
        original = ended.copied_from
        return original is not None and self._outcomes.digests.get(original) != digest is not None

    def _count(self, key: str) -> None:
        ended = [self._outcomes.of(key, stage) for stage in self._choice.stages]
        errors = [one.status for one in ended if one is not None and one.status != "success"]
        if errors:
            self.plan.errored[errors[0]] += 1
        else:
            self.plan.done += 1

    def _find_originals(self) -> dict[tuple[str, StageName], str]:
        """Return who has been through a stage with success, by content and stage."""
        if self._choice.redo is not None:
            return {}
        return {
            (digest, stage): key
            for stage in self._choice.stages
            for key, ended in self._outcomes.stage(stage)
            if ended.status == "success" and ended.copied_from is None and _has_name(key)
            if (digest := self._outcomes.digests.get(key)) is not None
        }

    def _original(self, key: str, digest: str, wanted: tuple[StageName, ...]) -> str | None:
        """Return the one photo whose outcomes serve for all stages; a new one is noted."""
        if not _has_name(key):
            return None
        source = self._whose_regions(key, wanted)
        found = {self._originals.setdefault((digest, stage), source) for stage in wanted}
        if len(found) == 1 and (original := found.pop()) != key:
            return original
        return None

    def _whose_regions(self, key: str, wanted: tuple[StageName, ...]) -> str:
        """Return the photo that has the regions of one that is only to be labelled."""
        detected = self._outcomes.of(key, "detect")
        if "label" not in wanted or "detect" in wanted or detected is None:
            return key
        return detected.copied_from or key

    def _item(self, path: str, key: str, digest: str | None, wanted: tuple[StageName, ...]) -> Item:
        rel_path, raw_path = split_path(path)
        work = f"{digest or f'unread:{key}'}/{'+'.join(wanted)}"
        if self._choice.redo is not None:
            work += f"/{self._choice.redo}"
        return Item(work, rel_path, raw_path, digest or "", wanted)


def _has_name(key: str) -> bool:
    """Tell whether `copied_from` can name a photo: its path is UTF-8."""
    return not key.startswith("\0")


def work_of(item_key: str) -> str:
    """Return how outcomes name an item of the queue."""
    return blake3(item_key.encode("utf-8", "surrogatepass")).hexdigest(8)


def copied(copy: Copy, outcomes: Outcomes) -> Result | None:
    """Return the outcomes of a photo that equals another, None while that one has none."""
    rel_path, raw_path = split_path(copy.path)
    found: list[tuple[StageName, Ended]] = []
    for stage in copy.stages:
        ended = outcomes.of(copy.original, stage)
        if ended is None or outcomes.digests.get(copy.original) != copy.digest:
            return None
        found.append((stage, ended))
    return Result(
        [
            Outcome(
                rel_path=rel_path,
                raw_path=raw_path,
                stage=stage,
                status=ended.status,
                at=utc_now(),
                digest=copy.digest,
                lines=ended.lines,
                version=ended.version,
                work=work_of(f"{rel_path} is {copy.original} by {ended.work}"),
                error=None if ended.status == "success" else f"as {copy.original}",
                copied_from=copy.original,
            )
            for stage, ended in found
        ]
    )
