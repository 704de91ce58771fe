"""Answers of many models' habits, sound ones and others, and how the judge takes them.

`tests/data/answers` holds the answers that the judge was made with, its folder `held_out` those
that were written when the judge was done. `good.txt` has captions that are kept as they stand,
`good.jsonl` answers with the caption in them, `bad.jsonl` answers with the kind of their fault.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from backends import answers
from backends.base import Caption, Ended
from backends.errors import AnswerError

CORPUS = Path(__file__).parents[1] / "data" / "answers"
HELD_OUT = CORPUS / "held_out"

BEGINNINGS = {
    "refused": "refused",
    "no image": "the model says that it sees no image",
    "cut off": "cut off",
    "empty": "empty answer",
    "repetition": "endless repetition",
    "too long": "answer of",
    "no caption": "no caption",
}
"""How the reason of each kind of fault begins."""


class Good(msgspec.Struct):
    """An answer, and the caption in it."""

    answer: str
    caption: str


class Bad(msgspec.Struct):
    """An answer that is no caption, and the kind of its fault."""

    kind: str
    answer: str
    ended: Ended = "whole"


def good_answers(folder: Path = CORPUS) -> list[Good]:
    """Return the sound answers."""
    plain = (folder / "good.txt").read_text("utf-8").splitlines()
    wrapped = (folder / "good.jsonl").read_text("utf-8").splitlines()
    return [
        *(Good(text, text) for text in plain),
        *(msgspec.json.decode(line, type=Good) for line in wrapped),
    ]


def bad_answers(folder: Path = CORPUS) -> list[Bad]:
    """Return the answers that are no captions."""
    lines = (folder / "bad.jsonl").read_text("utf-8").splitlines()
    return [msgspec.json.decode(line, type=Bad) for line in lines]


def wrongly_refused(good: list[Good]) -> list[str]:
    """Return the sound answers of which the judge does not make their caption."""
    return [one.answer for one in good if _judged(Caption(text=one.answer)) != one.caption]


def wrongly_kept(bad: list[Bad]) -> list[str]:
    """Return the other answers that the judge takes for captions."""
    return [one.answer for one in bad if isinstance(_judged(_caption(one)), str)]


def of_another_kind(bad: list[Bad]) -> list[str]:
    """Return the answers that the judge turns down for another reason than theirs."""
    return [
        one.answer
        for one in bad
        if isinstance(error := _judged(_caption(one)), AnswerError)
        and not str(error).startswith(BEGINNINGS[one.kind])
    ]


def _caption(one: Bad) -> Caption:
    return Caption(text=one.answer, ended=one.ended)


def _judged(caption: Caption) -> str | AnswerError:
    try:
        return answers.read(caption)
    except AnswerError as error:
        return error
