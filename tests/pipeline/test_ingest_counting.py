"""Which lines of a cache count: all who read one agree, whatever has happened to it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from journal import utc_now
from pipeline.ingest.cache.findings import FindingsIndex
from pipeline.ingest.cache.records import (
    STAGES,
    Detection,
    Outcome,
    RegionLabel,
    StageName,
    Text,
    sealed_lines,
)
from pipeline.ingest.cache.seen_labels import seen_labels
from pipeline.ingest.cache.store import Cache, PhotoResult
from pipeline.ingest.planning.plan import Copy, Planner, Wanted, copied
from pipeline.ingest.queue.base import Item
from tests.support.caches import Fields, detection, outcome, write_cache
from tests.support.imported import ask, take_in

PHOTOS = "abcdefgh"

TASKS: tuple[tuple[StageName, ...], ...] = (
    ("ocr",),
    ("detect",),
    ("label",),
    ("detect", "label"),
    ("detect", "ocr"),
    STAGES,
)


class Library:
    """Photos that change, and a cache of them that workers add to and die over.

    Args:
        directory: Where the cache is to be.
        seed: Decides what happens.
    """

    def __init__(self, directory: Path, seed: int) -> None:
        self.cache = Cache(directory)
        self.cache.begin()
        self._rng = Random(seed)
        self._contents = dict.fromkeys(PHOTOS, "")

    def live(self, runs: int) -> None:
        """Let photos change and runs come and go; in the end nothing is half done."""
        for number in range(runs):
            for photo in PHOTOS:
                if not self._contents[photo] or self._rng.random() < 0.15:
                    self._contents[photo] = f"content {self._rng.randrange(12)}"
            self._run(Wanted(self._rng.choice(TASKS), redo=self._rng.choice([None, f"{number}"])))
        for stages in TASKS:
            self._run(Wanted(stages, retry_errors=True), is_last=True)
        self.cache.say({})

    def _run(self, wanted: Wanted, *, is_last: bool = False) -> None:
        present = [p for p in PHOTOS if is_last or self._rng.random() < 0.8]
        for _ in range(2):
            planner = Planner(self.cache.outcomes, wanted, frozenset(present))
            plan = list(planner.sort([(photo, self._contents[photo]) for photo in present]))
            for item in plan:
                if isinstance(item, Item):
                    self._look_at(item, is_last=is_last)
            self.cache.outcomes.refresh()
            for copy in plan:
                if isinstance(copy, Copy) and (result := copied(copy, self.cache.outcomes)):
                    self.cache.add([result])

    def _look_at(self, item: Item, *, is_last: bool) -> None:
        luck = 1.0 if is_last else self._rng.random()
        result = self._result(item, has_failed=0.1 < luck < 0.2)
        if luck > 0.1:
            self.cache.add([result])
            return
        detections = result.detections[: self._rng.randrange(4)]
        for path, lines in ((self.cache.detections, detections), (self.cache.texts, result.texts)):
            with path.open("ab") as file:  # killed before it wrote an outcome
                file.write(sealed_lines(lines))

    def _result(self, item: Item, *, has_failed: bool) -> PhotoResult:
        regions, texts = self._rng.randrange(4), self._rng.randrange(3)
        if "label" in item.stages and "detect" not in item.stages:
            known = FindingsIndex(self.cache.directory)
            known.refresh()
            found = known.of(item.rel_path)
            regions = len(found.regions or ()) if found is not None else 0
        outcomes = [
            Outcome(
                rel_path=item.rel_path,
                stage=stage,
                status="error_model" if has_failed else "success",
                at=utc_now(),
                digest=item.digest,
                lines=0 if has_failed else texts if stage == "ocr" else regions,
                item_hash=item.item_hash,
            )
            for stage in STAGES
            if stage in item.stages
        ]
        if has_failed:
            return PhotoResult(outcomes)
        return PhotoResult(
            outcomes,
            [
                Detection(
                    rel_path=item.rel_path,
                    region_id=f"r{number}",
                    bbox=(0, 0, 1, 1),
                    labels=[RegionLabel(f"{item.item_hash} {number}", 0.5)],
                    caption=None,
                    detector_version="owl",
                    item_hash=item.item_hash,
                )
                for number in range(regions)
                if set(item.stages) != {"ocr"}
            ],
            [
                Text(
                    rel_path=item.rel_path,
                    text_id=f"t{number}",
                    text=f"{item.item_hash} {number}",
                    confidence=1,
                    language=None,
                    source="engine",
                    item_hash=item.item_hash,
                )
                for number in range(texts)
                if "ocr" in item.stages
            ],
        )


def agreed(cache: Path, folder: Path) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
    """Return the labels and the texts of each photo, once all readers have told the same."""
    index = FindingsIndex(cache)
    index.refresh()
    shown = {photo: found for photo in PHOTOS if (found := index.of(photo)) is not None}
    labels = {
        photo: Counter(region.labels[0].label for region in found.regions or ())
        for photo, found in shown.items()
    }
    texts = {
        photo: Counter(text.text for text in found.texts or ()) for photo, found in shown.items()
    }
    assert seen_labels(cache) == {photo: some for photo, some in labels.items() if some}

    db = folder / "db.sqlite"
    assert take_in(cache, db).missing == {}
    for by_photo, query in (
        (labels, "SELECT image_id, label FROM objects"),
        (texts, "SELECT image_id, text FROM image_texts"),
    ):
        rows = Counter((photo, said) for photo, said in ask(db, query))
        assert rows == Counter(
            {(photo, said): n for photo, some in by_photo.items() for said, n in some.items()}
        )
    objects = dict(ask(db, "SELECT image_id, objects FROM photos"))
    assert objects == {photo: some.total() for photo, some in labels.items()}
    assert [photo for photo, found in shown.items() if found.missing] == []
    return labels, texts


@pytest.mark.parametrize("seed", range(24))
def test_all_who_read_a_cache_agree(tmp_path: Path, seed: int) -> None:
    library = Library(tmp_path / "cache", seed)
    library.live(runs=8)

    labels, texts = agreed(library.cache.directory, tmp_path)

    assert sum(map(Counter.total, labels.values())) > 0
    assert sum(map(Counter.total, texts.values())) > 0


DOG: Fields = {"work": "1", "lines": 1}
CAT: Fields = {"work": "2", "lines": 1}
OF_A: Fields = {"digest": "blake3:a", "lines": 1}


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        pytest.param(
            [outcome("a", "label", **DOG), outcome("a", **CAT)],
            {"a": {"cat": 1}},
            id="a detection voids the labels of earlier regions",
        ),
        pytest.param(
            [outcome("a", **CAT), outcome("a", "label", **DOG)],
            {"a": {"dog": 1}},
            id="labels take the place of what the detector said",
        ),
        pytest.param(
            [outcome("a", **DOG), outcome("a", **{**CAT, "lines": 0}, status="error_model")],
            {"a": {}},
            id="a detection that failed leaves nothing",
        ),
        pytest.param(
            [
                outcome("a", **DOG),
                outcome("b", **OF_A, work="3", copied_from="a"),
                outcome("b", "label", digest="blake3:a", **CAT),
            ],
            {"a": {"dog": 1}, "b": {"cat": 1}},
            id="a copy that was labelled itself has its own regions",
        ),
        pytest.param(
            [
                outcome("a", **DOG),
                outcome("b", digest="blake3:a", **CAT),
                outcome("b", "label", **OF_A, work="3", copied_from="a"),
            ],
            {"a": {"dog": 1}, "b": {"dog": 1}},
            id="a photo whose labels are a copy has the regions of the original",
        ),
        pytest.param(
            [
                outcome("b", **OF_A, work="3", copied_from="a"),
                outcome("c", **OF_A, work="4", copied_from="b"),
                outcome("a", **DOG),
            ],
            {"a": {"dog": 1}, "b": {"dog": 1}, "c": {"dog": 1}},
            id="a copy of a copy has the regions of the original",
        ),
    ],
)
def test_regions_of(
    tmp_path: Path, outcomes: list[Fields], expected: dict[str, dict[str, int]]
) -> None:
    found = [
        detection(photo, 0, "dog" if item == "1" else "cat", work=item)
        for photo in "abc"
        for item in "12"
    ]
    late = detection("a", 1, "of a killed worker", work="1")

    labels, _ = agreed(write_cache(tmp_path / "cache", outcomes, [*found, late]), tmp_path)

    assert labels == expected


def test_copies_of_each_other_have_nothing(tmp_path: Path) -> None:
    cache = write_cache(
        tmp_path / "cache",
        [outcome("b", **OF_A, copied_from="a"), outcome("a", **OF_A, copied_from="b")],
        [detection("a"), detection("b")],
    )
    index = FindingsIndex(cache)
    index.refresh()

    found = index.of("a")
    assert found is not None
    assert (found.regions, found.missing) == (None, 1)
    assert seen_labels(cache) == {}
