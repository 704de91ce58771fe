"""Text that was read: how it is cleaned, and which language its letters decide."""

from __future__ import annotations

import unicodedata

SCRIPTS = {
    "ARABIC": "Arab",
    "BENGALI": "Beng",
    "CJK": "Hani",
    "CYRILLIC": "Cyrl",
    "DEVANAGARI": "Deva",
    "GREEK": "Grek",
    "HANGUL": "Hang",
    "HEBREW": "Hebr",
    "HIRAGANA": "Hira",
    "KATAKANA": "Kana",
    "LATIN": "Latn",
    "TAMIL": "Taml",
    "TELUGU": "Telu",
    "THAI": "Thai",
}
"""ISO 15924 code by the first word of a letter's name in Unicode."""

JAPANESE = {"Hira", "Kana"}

DECISIVE = {"Hang": "ko"}
"""Scripts in which one language alone is written, with that language."""


def clean_text(text: str) -> str:
    """Return text in NFC, without control characters (C0, DEL, C1) and outer blanks."""
    kept = "".join(letter for letter in text if unicodedata.category(letter) != "Cc")
    return unicodedata.normalize("NFC", kept).strip()


def language_of(text: str) -> str | None:
    """Return the BCP 47 tag that the letters of a line decide, None where they decide nothing.

    Kana make it `ja`, Hangul makes it `ko`, whatever stands beside them. Otherwise the tag
    names the script alone, since many languages share it: `und-Latn`, `und-Hani`, `und-Cyrl`.
    A line of digits and signs has no tag, nor has a line that mixes such scripts.
    """
    letters = unicodedata.normalize("NFKC", text)  # letters of full and half width are letters, too
    scripts = {_script(letter) for letter in letters if _is_letter(letter)}
    if scripts & JAPANESE:
        return "ja"
    for script, language in DECISIVE.items():
        if script in scripts:
            return language
    if len(scripts) == 1 and (only := scripts.pop()) is not None:
        return f"und-{only}"
    return None


def _is_letter(letter: str) -> bool:
    """Tell whether a letter decides anything; a prolonged sound mark is often a misread dash."""
    kind = unicodedata.category(letter)
    return kind.startswith("L") and kind != "Lm"


def _script(letter: str) -> str | None:
    return SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0])
