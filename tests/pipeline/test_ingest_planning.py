"""What is left to do: photos on disk against the outcomes of a cache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.ingest.cache.outcomes import Outcomes
from pipeline.ingest.cache.records import StageName
from pipeline.ingest.planning.plan import Copy, Planner, Wanted, copied
from pipeline.ingest.queue.base import Item, short_hash
from tests.support.caches import Fields, outcome, write_cache

OCR: tuple[StageName, ...] = ("ocr",)
ODD = os.fsdecode(b"caf\xe9.jpg")

Photos = dict[str, str | None]


def known(directory: Path, *outcomes: Fields) -> Outcomes:
    """Return what a cache with these outcomes has."""
    write_cache(directory, outcomes)
    found = Outcomes(directory / "outcomes.jsonl")
    found.refresh()
    return found


def plan(outcomes: Outcomes, photos: Photos, wanted: Wanted) -> tuple[Planner, list[Item | Copy]]:
    """Return a planner, and what it finds to do."""
    planner = Planner(outcomes, wanted)
    return planner, list(planner.sort(photos.items()))


def short(found: list[Item | Copy]) -> dict[str, str | tuple[str, ...]]:
    """Return each photo with its stages, or with the photo it equals."""
    return {
        one.rel_path if isinstance(one, Item) else one.path: one.stages
        if isinstance(one, Item)
        else one.original
        for one in found
    }


def test_one_item_for_each_content(tmp_path: Path) -> None:
    photos: Photos = {"a": "1", "b": "2", "c": "1", "gone": None, "gone too": None, ODD: "1"}
    planner, found = plan(known(tmp_path), photos, Wanted(("detect", "ocr")))
    both = ("detect", "ocr")
    odd = next(one for one in found if isinstance(one, Item) and one.raw_path is not None)
    assert short(found) == {
        **dict.fromkeys(("a", "b", "gone", "gone too", odd.rel_path), both),
        "c": "a",
    }
    keys = {one.key for one in found if isinstance(one, Item)}
    assert len(keys) == 5
    assert (planner.plan.photos, planner.plan.items, planner.plan.copies) == (6, 5, 1)
    assert planner.plan.stages == {"detect": 6, "ocr": 6}


def test_what_is_done_is_left_alone_until_it_changes(tmp_path: Path) -> None:
    outcomes = known(
        tmp_path,
        outcome("a", "ocr", digest="1"),
        outcome("b", "ocr", digest="2", status="error_model"),
        outcome("c", "ocr", digest="3"),
        outcome("d", "detect", digest="4"),
    )
    photos: Photos = {"a": "1", "b": "2", "c": "33", "d": "4", "new": "1"}
    planner, found = plan(outcomes, photos, Wanted(OCR))
    assert short(found) == {"c": OCR, "d": OCR, "new": "a"}
    assert (planner.plan.done, planner.plan.errored, planner.plan.changed) == (
        1,
        {"error_model": 1},
        1,
    )
    _, found = plan(outcomes, photos, Wanted(OCR, retry_errors=True))
    assert short(found) == {"b": OCR, "c": OCR, "d": OCR, "new": "a"}
    _, found = plan(outcomes, photos, Wanted(OCR, redo="again"))
    assert short(found) == {"a": OCR, "b": OCR, "c": OCR, "d": OCR, "new": "a"}
    assert all("again" in one.key for one in found if isinstance(one, Item))
    assert plan(outcomes, {"c": None}, Wanted(OCR))[1] == [], "unreadable now, but known"


def test_a_copy_whose_original_became_another_picture_is_looked_at_itself(tmp_path: Path) -> None:
    outcomes = known(
        tmp_path,
        outcome("a", "ocr", digest="1"),
        outcome("b", "ocr", digest="1", copied_from="a"),
        outcome("a", "ocr", digest="2"),
    )
    assert short(plan(outcomes, {"a": "2", "b": "1"}, Wanted(OCR))[1]) == {"b": OCR}


@pytest.mark.parametrize("copy", ["0", "z"])
def test_one_of_equal_photos_is_labelled(tmp_path: Path, copy: str) -> None:
    outcomes = known(
        tmp_path,
        outcome("a", digest="1", lines=2),
        outcome(copy, digest="1", lines=2, copied_from="a"),
    )
    first, second = sorted(("a", copy))
    _, found = plan(outcomes, {first: "1", second: "1"}, Wanted(("label",)))
    assert short(found) == {first: ("label",), second: first}
    assert plan(outcomes, {"new": "1"}, Wanted(("label",)))[1] == [], "nothing to label as yet"


def test_the_outcome_of_a_copy(tmp_path: Path) -> None:
    copy = Copy("b", "a", "1", OCR)
    assert copied(copy, known(tmp_path)) is None
    assert copied(copy, known(tmp_path, outcome("a", "ocr", digest="other"))) is None
    result = copied(copy, known(tmp_path, outcome("a", "ocr", 3, digest="1", work="w")))
    assert result is not None
    (made,) = result.outcomes
    assert (made.rel_path, made.copied_from, made.lines, made.digest) == ("b", "a", 3, "1")
    assert made.item_hash == short_hash("b is a by w")
    failed = known(tmp_path, outcome("a", "ocr", digest="1", status="error_corrupt"))
    result = copied(copy, failed)
    assert result is not None
    assert (result.status, result.reason) == ("error_corrupt", "as a")


@pytest.mark.parametrize("copy", ["a", "z"])
def test_labels_go_to_whose_regions_they_are(tmp_path: Path, copy: str) -> None:
    original = outcome("m", "detect", 2, digest="1", work="w1")
    copied_one = outcome(copy, "detect", 2, digest="1", copied_from="m", work="w2")
    planner = Planner(known(tmp_path, original, copied_one), Wanted(("label",)), {"m", copy})
    photos: Photos = dict.fromkeys(sorted(("m", copy)), "1")

    assert short(list(planner.sort(photos.items()))) == {"m": ("label",), copy: "m"}


def test_a_photo_that_cannot_be_read_is_known_as_well(tmp_path: Path) -> None:
    outcomes = known(tmp_path, outcome("gone", "ocr", status="error_corrupt", digest=None))

    assert outcomes.digests == {"gone": None}
    _, found = plan(outcomes, {"gone": "1"}, Wanted(OCR))
    assert short(found) == {"gone": ("ocr",)}, "it is there again"
