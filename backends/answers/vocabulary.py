"""The words in which models speak of themselves, of the request and of what they will not do.

What a photo may show has names without end. What a model says when it has no caption is said
in few words, which the tables below hold by their part in the talk; a `*` stands for endings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache


class Part(Enum):
    """The part of a word in the talk between a model and whoever asks it."""

    FILLER = auto()
    TOPIC = auto()
    SELF = auto()
    YOU = auto()
    ASK = auto()
    SORRY = auto()
    ROLE = auto()
    RULE = auto()
    UNABLE = auto()
    NOT = auto()
    GIVE = auto()
    SEE = auto()
    DO = auto()
    PICTURE = auto()
    TASK = auto()
    MACHINE = auto()
    PLAN = auto()
    CHAT = auto()
    ORDER = auto()


WORDS_KEPT = 4096
"""How many words of a language are kept with their parts."""

NAMED = 2
"""The size of a word behind an article: a photo has a dog, a wall, two men."""

_ARTICLES = frozenset(
    (
        *("a", "an", "two", "three", "four", "five", "several", "ein", "eine", "einen", "zwei"),
        *("drei", "un", "une", "deux", "trois", "una", "uno", "dos", "tres", "due", "tre", "um"),
        *("uma", "dois", "duas", "een", "twee", "en", "ett", "et", "două", "egy", "bir", "एक"),
        *("दो", "một", "hai", "μια", "ένα", "seekor", "seorang", "sebuah", "dua"),
    )
)
_WORD = re.compile(r"the-\w+|(?:[^\W\d_]|[\u0900-\u0963])+")
"""A word; the signs of Devanagari that stand on letters are no letters to Python."""


EXTENSION = r"\.(?:jpe?g|png|gif|webp|heic|bmp|tiff?)"
"""How the name of a photo ends."""

PHRASES = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        (rf"[\w-]{{1,80}}{EXTENSION}\b", "filename"),
        (
            r"\bnot (?:\w+ )?(?:able|allowed|permitted|possible|authori[sz]ed|capable|equipped"
            r"|designed|programmed|trained|built|going|supposed|meant"
            r"|willing|prepared|inclined)\b|\bno (?:way|means)\b|\bwill not\b",
            "cannot",
        ),
        (
            r"\b(?:rather|prefer)(?: to)? not\b|\bwould rather\b|\bsay no\b"
            r"|\boff[- ]limits\b|\bhave to pass\b"
            r"|\b(?:hold|step|stay|steer|shy) (?:back|away|clear|out)\b|\bgoing there\b"
            r"|\bturn (?:\w+ ){0,2}?down\b|\bleave it at that\b",
            "decline",
        ),
        (r"\b(?:beyond|outside)(?: of)? my (?:\w+ )?(?:cap)?abilit\w+", "i cannot"),
        (
            r"\b(?:tell me|give me|let me know|feel free|go ahead|would you like|do you want)\b",
            "please",
        ),
        (r"\b(?:look|looks|looking|glance) at\b|\bmak(?:e|ing) out\b", "view"),
        (r"\b(?:com(?:e|es|ing)|came|go|went|gone|get|got|ma(?:k|d)e it) through\b", "received"),
        (
            r"(?<!please )(?<!you )\b(?:provid|shar|giv|offer)(?:e|ing) (?:one\b|that\b|this\b"
            r"|(?:\w+ ){0,3}?(?:descri\w+|captions?|details|analysis|identification|diagnos\w+"
            r"|information|answers?)\b)",
            "describe",
        ),
        (
            r"\bvisual (?:content|information|input|data)\b|\bvision (?:capabilit|abilit)\w+"
            r"|\b(?:image|visual|picture|photo) (?:recognition|processing|analysis|understanding"
            r"|viewing)\b",
            "picture vision",
        ),
        (r"\b(?:been|was|were) (?:given|shown)\b", "provided"),
        (r"\b(?:cross|draw)(?:es|ing)? (?:a|the) line\b", "breach"),
        (r"\ban? (?:\w+ )?view\b|\bview (?:of|from|over)\b", "vista"),
        (r"\bthank(?:s| you) for\b", "thanks"),
        (
            r"\bthe user\b|\b(?:let me|(?:i|we) need to|let us|let s|let's) (?:think"
            r"|start|write|produce|describe|craft|analy[sz]e|look|view|see what|check|figure)\b"
            r"|\blet me (?:take|have)\b|\bi should\b(?! not\b)|\bthe task is\b",
            "the-plan",
        ),
        (
            r"^\W*(?:(?:please|task|prompt|instructions?|todo)\W+)?(?:describe|write|list|generate"
            r"|summari[sz]e|caption|state|create|add|enter|insert)"
            r" (?:me |us )?(?:this|these|the|your|an?|one"
            r"|caption|description|alt|in|what|\d+)\b(?!:)",
            "the-order",
        ),
        (r"^\W*(?:null|undefined|nan) is not\b.*", "exception"),
        (r"\blorem ipsum\b.*", "placeholder"),
        (r"\bwhat i (?:cannot|do not) see\b", "no picture"),
        (r"\breach out\b", "contact"),
        (r"\btalking about\b", "meaning"),
        (
            r"\b(?:[a-z]+(?:error|exception)|went wrong|(?:service|server|model)(?: is)?"
            r"(?: currently| temporarily)? (?:unavailable|overloaded|busy|offline))\b",
            "exception",
        ),
        (r"\bcut (?:short|off)\b", "broken"),
        (r"^\W*[45]\d\d\W*$", "exception"),
        (r"\btimed out\b", "timeout exception"),
        (r"\blimited to\b|\bif (?:i|we) could\b", "i cannot"),
        (
            r"\btext[- ](?:only|based)\b|\b(?:only|just) (?:\w+ ){0,2}?(?:text|words)\b",
            "no picture",
        ),
        (r"\b(?:against|beyond|outside)(?: of)? (?:my|our|what i)\b", "violates my"),
        (r"\bsomething else\b|\b(?:different|another) (?:image|photo|picture)\b", "decline"),
        (r"\bif you\b", "please"),
        (r"\blanguage model\b", "languagemodel"),
        (r"\bour (?:end|side)\b|\byou can (?:also )?see\b|\bhere you go\b", "okay"),
        (r"\b\w+-looking\b", "strange"),
        (r"\bof course\b", "okay"),
        (r"\bas of\b|\bin order\b", " "),
    )
)
"""Turns of speech, and the one word that each stands for."""


def words_of(text: str) -> list[str]:
    """Return the words of a text that parts them by spaces."""
    return _WORD.findall(text)


class Vocabulary:
    """The words of one language that parts words by spaces.

    Attributes:
        part: Returns the part in the talk of a word, None if it has none.
    """

    def __init__(self, words: dict[Part, str]) -> None:
        self._whole: dict[str, Part] = {}
        self._begun: dict[str, Part] = {}
        self.part = lru_cache(WORDS_KEPT)(self._look_up)
        for part, listed in words.items():
            for word in unicodedata.normalize("NFKC", listed).split():
                table = self._begun if word.endswith("*") else self._whole
                table[word.rstrip("*")] = part

    def parts(self, text: str) -> Iterator[tuple[Part | None, float]]:
        """Yield the part in the talk of each word, None if it has none, and its size."""
        before, seen = "", set[str]()
        for word in words_of(text):
            if word not in seen:
                yield self.part(word), NAMED if before in _ARTICLES else 1
            seen.add(word)
            before = word

    def _look_up(self, word: str) -> Part | None:
        if (part := self._whole.get(word)) is not None:
            return part
        for end in range(len(word), 1, -1):
            if (part := self._begun.get(word[:end])) is not None:
                return part
        return None


class Writing:
    """The words of a language that runs its words together.

    Args:
        words: The words by their parts.
        letters: The range of letters that stand for something.
        size: How much of a word a letter is.

    Attributes:
        letters: What finds a letter that stands for something.
    """

    def __init__(self, words: dict[Part, str], letters: str, size: float) -> None:
        self._size = size
        self._part = {
            word: part
            for part, listed in words.items()
            for word in unicodedata.normalize("NFKC", listed).split()
        }
        longest_first = sorted(self._part, key=len, reverse=True)
        self.letters = re.compile(f"[{letters}]")
        self._word = re.compile(f"({'|'.join(longest_first)})|[{letters}]|[a-z]+")

    def parts(self, text: str) -> Iterator[tuple[Part | None, float]]:
        """Yield the part in the talk of each word, and for each other letter None and its size."""
        for word in dict.fromkeys(found[0] for found in self._word.finditer(text)):
            yield self._part.get(word), 1 if word in self._part else self._size
