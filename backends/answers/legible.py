"""Text that every part can handle: no lone surrogates, no NUL, nothing invisible around it."""

from __future__ import annotations

import re
import unicodedata

_CONTROLS = {code: None for code in range(32) if chr(code) not in "\t\n\r"} | {127: None}
_SPACES = str.maketrans("Ġ▁Ċ", "  \n")
_SURROGATE = re.compile("[\ud800-\udfff]")

INVISIBLE = "".join(
    (
        *(chr(code) for code in range(0x3001) if chr(code).isspace()),
        "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e",
        "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e",
        "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u2800\u3164\ufeff\uffa0",
    )
)
"""Characters that show nothing, letters by name such as the Hangul fillers among them."""

_INVISIBLE = frozenset(INVISIBLE)
_FORMAT = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_OPTIONAL = re.compile("[\u0307\u0591-\u05c7\u0640\u064b-\u0652]")
"""The dot that a Turkish capital leaves behind, the vowels of Hebrew and Arabic."""
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'"})
_MARKUP = re.compile(r"[*_#>~]+")
_NEGATION = re.compile(r"\b(is|are|was|were|do|does|did|has|have|had|could|would|should)n'?t\b")
_EXPANSIONS = tuple(
    (re.compile(rf"\b(?:{short})(?!\w)"), full)
    for short, full in (
        ("can't|can not|cant", "cannot"),
        ("won't", "will not"),
        ("i'm|im(?= (?:sorry|unable|not|afraid))", "i am"),
        ("we're", "we are"),
        ("you're", "you are"),
        ("(?<=i)'ve|(?<=you)'ve", " have"),
        ("(?<=i)'ll|(?<=you)'ll", " will"),
        ("(?<=i)'d|(?<=you)'d", " would"),
        ("it's", "it is"),
        ("that's", "that is"),
        ("there's", "there is"),
        ("here's", "here is"),
    )
)


def legible(text: str) -> str:
    """Return a text that can be written as UTF-8: pairs of surrogates joined, lone ones replaced.

    Control characters that lay out nothing are left out, and where all spaces are the signs that
    tokenizers write for them, spaces take their place.
    """
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if " " not in text and sum(map(text.count, "Ġ▁")) > 1:
        text = text.translate(_SPACES)
    return text.translate(_CONTROLS)


def trimmed(text: str) -> str:
    """Return a text without anything invisible at either end."""
    return text.strip(INVISIBLE)


def has_word(text: str) -> bool:
    """Tell whether a text has a letter or a digit that can be seen."""
    return any(character.isalnum() and character not in _INVISIBLE for character in text)


def plain(text: str) -> str:
    """Return a text as patterns compare it: lower case, long forms, straight, without markup."""
    text = unicodedata.normalize("NFKC", _FORMAT.sub("", text)).translate(_APOSTROPHES).lower()
    text = _OPTIONAL.sub("", _MARKUP.sub(" ", text))
    text = _NEGATION.sub(r"\1 not", text)
    for short, full in _EXPANSIONS:
        text = short.sub(full, text)
    return text
