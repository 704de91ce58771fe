"""API keys: where they come from, and how they are kept out of everything we write."""

from __future__ import annotations

import re

KEY_NAMES = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "XAI_API_KEY")
"""The variables of our own backends; a backend of another package has one of its own."""

KEY_ENDING = "_API_KEY"

HIDDEN = "[key]"

_SHORTEST_SECRET = 10
"""The fewest characters of a key; placeholders such as `ollama` are words of captions, too."""
_LOOKS_LIKE_KEY = re.compile(
    r"\b(?:sk-[\w*-]{8,}|xai-[\w*-]{8,}|AIza[\w*-]{10,})|(?<=Bearer )[^\s\"',;]{6,}"
)
_known: set[str] = set()


def is_key_name(name: str) -> bool:
    """Tell whether an environment variable holds an API key, ours or that of another backend."""
    return name.endswith(KEY_ENDING)


def remember(key: str) -> str:
    """Note a key, so that `scrub` finds the key wherever it turns up; return the key."""
    if len(key) >= _SHORTEST_SECRET:
        _known.add(key)
    return key


def scrub(text: str) -> str:
    """Return a text without any known key, and without anything that looks like a key."""
    for key in _known:
        text = text.replace(key, HIDDEN)
    return _LOOKS_LIKE_KEY.sub(HIDDEN, text)
