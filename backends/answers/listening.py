"""What a model says, and what it only thinks: reasoning and control tokens are taken out.

The text is walked once, from mark to mark. A mark that a caption merely mentions, in quotes
or within a sentence, stays a word of the caption.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from backends.answers.legible import has_word
from backends.answers.marks import MARKS, is_final, is_model

QUOTES = frozenset("\"'`“”„‘’‚«»‹›「」『』")

LONGEST_MENTION = 60
"""The most characters between two tags that a sentence mentions; reasoning is longer."""

_ECHO = re.compile(
    r"\s{0,9}(?:(?:system|user)\n.{0,4000}?)?\bassistant\n+|\s{0,9}USER:.{0,4000}?\bASSISTANT:"
    r"|\s{0,9}(?:### ?)?(?:ASSISTANT|Assistant):",
    re.DOTALL,
)
"""A conversation whose control tokens were dropped, up to the model's turn."""

_ANALYSIS = re.compile(r"\s{0,9}analysis(?=\s?(?:We|The|User|I|Let|Need|Okay|Provide)\b)")
_FINAL = "assistantfinal"
"""What is left of the header of a final channel when its control tokens were dropped."""


class Heard(NamedTuple):
    """What was heard in an answer.

    Attributes:
        said: The text behind all reasoning, without control tokens.
        thinking: True where the reasoning never ended.
        thought: True where there was reasoning.
    """

    said: str
    thinking: bool
    thought: bool


class _Listener:
    """Walks through an answer; there is a method for each kind of mark."""

    def __init__(self, last_thought: int) -> None:
        self.said: list[str] = []
        self.worded = False
        self.thinking = False
        self.thought = False
        self.over = False
        self._aside = False
        self._last_thought = last_thought

    def hear(self, text: str) -> None:
        """Take note of a text between two marks."""
        if self.thinking or self.over or self._aside:
            return
        if self.said and text.startswith(" ") and self.said[-1].endswith((" ", "\n")):
            text = text.lstrip(" ")
        self.said.append(text)
        self.worded = self.worded or has_word(text)

    def _forget(self) -> None:
        self.said.clear()
        self.worded = self.thinking = self.over = self._aside = False

    def think(self, mark: re.Match[str]) -> None:
        """Reasoning begins."""
        self.thinking = self.thought = True

    def thought_ends(self, mark: re.Match[str]) -> None:
        """Reasoning ends; where no tag began it, all that was heard was reasoning."""
        self.thought = True
        if self.thinking:
            self.thinking = False
        else:
            self._forget()

    def answer(self, mark: re.Match[str]) -> None:
        """The answer begins, unless the model is still thinking of how to answer."""
        if not self.over and not (self.thinking and mark.start() < self._last_thought):
            self._forget()

    def channel(self, mark: re.Match[str]) -> None:
        """Another channel begins: the final one, or one to think in."""
        if is_final(mark[0]):
            self._forget()
        elif not self.worded:
            self.thinking = self.thought = True

    def turn(self, mark: re.Match[str]) -> None:
        """Somebody's turn begins; after the model's own turn nothing counts."""
        if self.worded:
            self.over = True
        else:
            self._aside = not is_model(mark[0])
            self.thinking = False

    def prompt(self, mark: re.Match[str]) -> None:
        """An echo of the question begins, or the next question that the model dreams up."""
        self.end(mark)
        self._aside = True

    def prompted(self, mark: re.Match[str]) -> None:
        """The echo ends."""
        if self._aside:
            self._aside = False
        else:
            self.end(mark)

    def end(self, mark: re.Match[str]) -> None:
        """The turn ends, if anything was said; some models begin with such a token."""
        self.over = self.over or self.worded

    def noise(self, mark: re.Match[str]) -> None:
        """Nothing is meant."""


def listen(text: str) -> Heard:
    """Return what a model says in an answer."""
    text, cut_short = _without_echo(text)
    if cut_short:
        return Heard("", thinking=True, thought=True)
    marks = _meant(text)
    ends = [mark.start() for mark in marks if mark.lastgroup == "thought"]
    listener = _Listener(ends[-1] if ends else -1)
    take = {
        "think": listener.think,
        "thought": listener.thought_ends,
        "answer": listener.answer,
        "answered": listener.end,
        "channel": listener.channel,
        "turn": listener.turn,
        "prompt": listener.prompt,
        "prompted": listener.prompted,
        "end": listener.end,
        "noise": listener.noise,
    }
    place = 0
    for mark in marks:
        listener.hear(text[place : mark.start()])
        take[mark.lastgroup or "noise"](mark)
        place = mark.end()
    listener.hear(text[place:])
    return Heard(
        "".join(listener.said),
        thinking=listener.thinking and not listener.over,
        thought=listener.thought,
    )


def _without_echo(text: str) -> tuple[str, bool]:
    """Return an answer without what is left of lost control tokens, and whether nothing is left."""
    if _ANALYSIS.match(text):
        _, final, said = text.rpartition(_FINAL)
        return said, not final
    echo = _ECHO.match(text)
    return (text[echo.end() :] if echo else text), False


def _meant(text: str) -> list[re.Match[str]]:
    """Return the marks of a text that are meant and not mentioned."""
    found = [mark for mark in MARKS.finditer(text) if not _is_quoted(text, mark)]
    ends = [number for number, mark in enumerate(found) if mark.lastgroup == "thought"]
    last_end = ends[-1] if ends else -1
    meant: list[re.Match[str]] = []
    mentioned = False
    for number, mark in enumerate(found):
        if mark.lastgroup == "think" and _is_in_a_sentence(text, mark):
            following = found[number + 1] if number + 1 < len(found) else None
            mentioned = (
                following is not None
                and following.lastgroup == "thought"
                and following.start() - mark.end() <= LONGEST_MENTION
            )
            if mentioned or number > last_end:
                continue
        elif mark.lastgroup == "thought" and mentioned:
            mentioned = False
            continue
        meant.append(mark)
    return meant


def _is_quoted(text: str, mark: re.Match[str]) -> bool:
    start, end = mark.span()
    return start > 0 and text[start - 1] in QUOTES and text[end : end + 1] in QUOTES


def _is_in_a_sentence(text: str, mark: re.Match[str]) -> bool:
    """Tell whether a word and a space stand before a mark."""
    before = text[max(0, mark.start() - 2) : mark.start()]
    return len(before) == 2 and before[1] == " " and (before[0].isalnum() or before[0] in ",;(")
