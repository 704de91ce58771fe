"""How often the judge of answers errs, either way, over hundreds of answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.answer_corpus import (
    CORPUS,
    HELD_OUT,
    bad_answers,
    good_answers,
    of_another_kind,
    wrongly_kept,
    wrongly_refused,
)

PARTS = pytest.mark.parametrize("folder", [CORPUS, HELD_OUT], ids=["corpus", "held out"])


@PARTS
def test_at_most_one_in_a_hundred_sound_captions_is_lost(folder: Path) -> None:
    good = good_answers(folder)
    lost = wrongly_refused(good)
    assert len(lost) <= len(good) / 100, lost


@PARTS
def test_at_most_two_in_a_hundred_other_answers_are_kept(folder: Path) -> None:
    bad = bad_answers(folder)
    kept = wrongly_kept(bad)
    assert len(kept) <= len(bad) / 50, kept


@PARTS
def test_the_reason_is_the_right_one(folder: Path) -> None:
    bad = bad_answers(folder)
    others = of_another_kind(bad)
    assert len(others) <= len(bad) / 50, others
