"""The judge of answers: how many sound captions it loses, and how many others it keeps."""

from __future__ import annotations

from pathlib import Path

from benchmarks.table import Row, best_of
from tests.support.answer_corpus import (
    CORPUS,
    HELD_OUT,
    bad_answers,
    good_answers,
    wrongly_kept,
    wrongly_refused,
)

NO_WORDS = ("i'm sorry", "i cannot", "i can't", "i am unable", "i'm unable", "as an ai")
"""What a plain script would look for."""


def answers_row(folder: Path) -> Row:
    """Judge the whole corpus, and do the same by a list of words."""
    good = [*good_answers(CORPUS), *good_answers(HELD_OUT)]
    bad = [*bad_answers(CORPUS), *bad_answers(HELD_OUT)]
    lost, kept = len(wrongly_refused(good)), len(wrongly_kept(bad))
    naive_lost = sum(_plain(one.answer) != one.caption for one in good)
    naive_kept = sum(_plain(one.answer) is not None for one in bad)
    seconds = best_of(3, lambda: wrongly_kept(bad))
    took = f"{1e3 * seconds / len(bad):.2f} ms"
    return Row(
        f"answers judged, {len(good)} sound and {len(bad)} others",
        f"{naive_lost} lost, {naive_kept} kept (a list of words)",
        f"{lost} lost, {kept} kept, {took} each",
        "-",
        f"{lost / len(good):.1%} lost, {kept / len(bad):.1%} kept",
        "1 % lost, 2 % kept",
    )


def _plain(answer: str) -> str | None:
    text = answer.strip()
    return None if not text or any(words in text.lower() for words in NO_WORDS) else text
