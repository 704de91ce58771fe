"""Does a text repeat itself without end? A model in a loop rarely finds the way out of it.

So a run counts when the text ends in it, or when the run is nearly all of the text. Signs in
photos repeat words, too: what stands in quotes is looked at less closely.
"""

from __future__ import annotations

import re
from operator import eq

LONGEST_PHRASE = 40
"""The most words of a phrase whose repetition is looked for."""

WORD_TIMES, WORD_TIMES_AFTER_OTHERS, PHRASE_TIMES, SENTENCE_TIMES = 8, 12, 5, 4
"""How often a word, a word behind other words, a phrase and a sentence may not come in a row."""

SENTENCE = 5
"""So many words make a sentence."""

NEARLY_ALL = 0.8
"""Share of a text that a run takes up when little else is said."""

ALWAYS_TOO_MANY = 40
"""Repetitions that no sign in a photo has."""

FEW_CHARACTERS = 3
"""So few different characters make no long text."""

FEW_WORDS, MANY_WORDS = 8, 64
"""So many words or more with fewer different ones than an eighth go round in circles."""

_WORD = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
    r"|[^\W_](?:[^\s\u3040-\u30ff\u3400-\u9fff]*[^\W_])?"
)
"""A word; where writing has no spaces, a character."""

_NUMBERING = re.compile(r"^\s*\d+[.)]\s", re.MULTILINE)
_QUOTED = re.compile(
    r"\"[^\"\n]{1,300}\"|“[^”\n]{1,300}”|„[^“”\n]{1,300}[“”]|«[^»\n]{1,300}»|「[^」\n]{1,300}」"
    r"|(?<!\w)'[^'\n]{1,300}'(?!\w)|(?<!\w)‘[^’\n]{1,300}’(?!\w)"
)
_SAME_CHARACTERS = re.compile(r"(\S.{0,7}?)\1{15,}", re.DOTALL)


def repeats(text: str) -> bool:
    """Tell whether a text, of modest length, is endless repetition."""
    outside = _QUOTED.sub(" … ", text)
    if len(_words(outside)) < 2:  # a quotation alone
        outside = text
    words = _words(outside)
    if _goes_in_circles(words) or _goes_in_circles(_words(text)):
        return True
    return _loops(words) or _same_characters(outside)


def _words(text: str) -> list[str]:
    return _WORD.findall(_NUMBERING.sub(" ", text).lower())


def _goes_in_circles(words: list[str]) -> bool:
    return len(words) >= MANY_WORDS and len(set(words)) * FEW_WORDS < len(words)


def _loops(words: list[str]) -> bool:
    for length in range(1, min(LONGEST_PHRASE, len(words) // 2) + 1):
        run = 0
        for place, same in enumerate(map(eq, words, words[length:])):
            run = run + 1 if same else 0
            if run and _is_endless(words, length, run, place + length + 1):
                return True
    return False


def _is_endless(words: list[str], length: int, run: int, end: int) -> bool:
    """Tell whether a run of words, which has come as far as `end`, is too long."""
    times = -(-run // length) + 1  # the last time may be cut short
    share = (run + length) / len(words)
    if length == 1:
        needed = WORD_TIMES if share >= NEARLY_ALL else WORD_TIMES_AFTER_OTHERS
    else:
        needed = PHRASE_TIMES if length < SENTENCE else SENTENCE_TIMES
    if times < needed:
        return False
    at_the_end = len(words) - end <= 1  # the last word may be cut short
    return at_the_end or share >= NEARLY_ALL or times >= ALWAYS_TOO_MANY


def _same_characters(text: str) -> bool:
    """Tell whether one character, or up to eight, fill the text or its end."""
    if len(text) >= ALWAYS_TOO_MANY and len(set("".join(text.split()))) <= FEW_CHARACTERS:
        return True
    for found in _SAME_CHARACTERS.finditer(text):
        length = found.end() - found.start()
        is_last = len(text.rstrip()) - found.end() <= len(found[1])
        if length >= NEARLY_ALL * len(text) or (is_last and (found[1][0].isalnum() or length > 60)):
            return True
    return False
