"""The languages that the judge knows: what models say when they have no caption, in each.

English has the most words. A language of few words is enough for answers of one sentence, which
is what models say in it; a word that is in no table speaks of the photo, as everywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from backends.answers.languages import asian, germanic, others, romance, slavic
from backends.answers.languages.english import ENGLISH
from backends.answers.vocabulary import WORDS_KEPT, Vocabulary, Writing, words_of

_SPACED = tuple(
    Vocabulary(words)
    for words in (
        *(ENGLISH, germanic.GERMAN, romance.FRENCH, romance.SPANISH, romance.ITALIAN),
        *(romance.PORTUGUESE, germanic.DUTCH, slavic.RUSSIAN, slavic.POLISH),
        *(germanic.SCANDINAVIAN, romance.ROMANIAN, slavic.UKRAINIAN, slavic.CZECH),
        *(asian.HINDI, asian.VIETNAMESE, asian.INDONESIAN),
        *(others.ARABIC, others.HEBREW, others.GREEK, others.TURKISH),
        *(others.FINNISH, others.HUNGARIAN),
    )
)
_JOINED = tuple(
    Writing(words, letters, size)
    for words, letters, size in (
        (asian.KOREAN, "\uac00-\ud7a3", 0.6),
        (asian.CHINESE_AND_JAPANESE, "\u30a0-\u30ff\u3400-\u9fff", 0.6),
        (asian.THAI, "\u0e00-\u0e7f", 0.2),
    )
)
"""The last number is how much of a word a letter is."""

_LATIN = re.compile("[a-z]")


def written_in(text: str) -> Writing | Vocabulary:
    """Return the words of the language that a text, as `plain` makes it, is written in."""
    for writing in _JOINED:
        if 2 * len(writing.letters.findall(text)) > len(_LATIN.findall(text)):
            return writing
    known = Counter({0: 1})  # one word may come from anywhere
    for word in set(words_of(text)):
        known.update(_spoken_in(word))
    most = max(known.values())
    return _SPACED[min(language for language, count in known.items() if count == most)]


@lru_cache(WORDS_KEPT)
def _spoken_in(word: str) -> tuple[int, ...]:
    """Return the languages in which a word has a part in the talk."""
    return tuple(number for number, words in enumerate(_SPACED) if words.part(word) is not None)
