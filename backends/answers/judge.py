"""The judge: from an answer to the text of a caption, or to the reason why there is none."""

from __future__ import annotations

import re

from backends.answers.legible import has_word, legible, trimmed
from backends.answers.listening import Heard, listen
from backends.answers.program import is_of_a_program
from backends.answers.repetition import repeats
from backends.answers.talk import Fault, fault
from backends.answers.vocabulary import EXTENSION
from backends.answers.wrapping import unwrapped
from backends.base import Caption
from backends.errors import AnswerError

LONGEST_ANSWER = 10_000
"""The most characters of an answer; the longest captions that people ask for stay far below."""

LONGEST_QUOTE = 400
"""The most characters of an answer that a reason repeats."""

NO_VALUES = frozenset(
    (
        *("none", "null", "n/a", "n.a", "nan", "nil", "undefined", "unknown", "unanswerable"),
        *("todo", "tbd", "string", "test", "xxx"),
    )
)
"""What programs write where a text is missing, and models after them."""

FILE_NAME = re.compile(
    rf"[\w.()-]{{1,80}}(?: [\w.()-]{{1,20}})?{EXTENSION}|(?:img|dscn?|pxl|p)[_-]?\d{{3,20}}",
    re.IGNORECASE,
)
"""A name that stands for the photo, and tells nothing of it."""

UNFINISHED = re.compile(r"(?:\A(?:a|an|the)|(?:\s|\A)(?-i:a|an|the|and))\Z", re.IGNORECASE)
"""How an answer ends that ends in the middle of a sentence."""

SAME_SIGNS, FEW_SIGNS = 8, 3
"""An answer of so many signs, and so few different ones, is a repetition and not empty."""


def read(caption: Caption) -> str:
    """Return the text of a caption, without reasoning, control tokens and wrapping.

    Raises:
        AnswerError: the answer is no caption; the message says why.
    """
    answer = legible(caption.text)
    if caption.ended == "refused":
        raise AnswerError(f"refused: {trimmed(answer)[:LONGEST_QUOTE] or 'no reason given'}")
    heard = listen(answer)
    _check_ending(caption, heard)
    if len(heard.said) > LONGEST_ANSWER:
        raise AnswerError(
            f"answer of {len(heard.said):,} characters, at most {LONGEST_ANSWER:,} count"
        )
    text = trimmed(unwrapped(heard.said))
    _check_words(text, heard)
    at_limit = caption.ended == "length"
    if UNFINISHED.search(text):
        where = "at the token limit" if at_limit else "in a sentence"
        raise _cut_off(f"cut off {where}: {_beginning(text)}")
    _check_meaning(text, heard)
    if at_limit:
        raise _cut_off(f"cut off at the token limit: {_beginning(text)}")
    return text


def _check_ending(caption: Caption, heard: Heard) -> None:
    """Raise where the model did not get as far as a caption."""
    limit = " at the token limit" if caption.ended == "length" else ""
    if heard.thinking:
        raise _cut_off(f"cut off{limit} while thinking, before any caption")
    if limit and not has_word(heard.said):
        tokens = "all" if caption.tokens_out is None else f"all {caption.tokens_out:,}"
        raise _cut_off(f"cut off{limit}: it used {tokens} of its tokens before any caption came")
    if limit and len(heard.said) > LONGEST_ANSWER:
        raise _cut_off(f"cut off{limit}: {_beginning(heard.said)}")


def _check_words(text: str, heard: Heard) -> None:
    """Raise where there are no words, or the same ones without end."""
    if not text:
        after = ": nothing stands behind the reasoning" if heard.thought else ""
        raise AnswerError(f"empty answer{after}", blames_photo=False)
    if not has_word(text):
        if len(text) >= SAME_SIGNS and len(set(text)) <= FEW_SIGNS:
            raise AnswerError(f"endless repetition: {_beginning(text)}")
        raise AnswerError(f"empty answer: no word in {_beginning(text)}", blames_photo=False)
    if text.lower().strip("<>[]().") in NO_VALUES or FILE_NAME.fullmatch(text):
        raise AnswerError(f"empty answer: {text}", blames_photo=False)
    if repeats(text):
        raise AnswerError(f"endless repetition: {_beginning(text)}")


def _check_meaning(text: str, heard: Heard) -> None:
    """Raise where the words say nothing of a photo."""
    if is_of_a_program(text) or is_of_a_program(heard.said.strip()):
        raise AnswerError(f"no caption: {text[:LONGEST_QUOTE]}", blames_photo=False)
    match fault(text):
        case Fault.UNSEEN:
            reason = f"the model says that it sees no image: {text[:LONGEST_QUOTE]}"
            raise AnswerError(reason, blames_photo=False)
        case Fault.REFUSED:
            raise AnswerError(f"refused: {text[:LONGEST_QUOTE]}")
        case Fault.NO_CAPTION:
            raise AnswerError(f"no caption: {text[:LONGEST_QUOTE]}", blames_photo=False)
        case None:
            pass


def _cut_off(reason: str) -> AnswerError:
    return AnswerError(reason, blames_photo=False)


def _beginning(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}…"
