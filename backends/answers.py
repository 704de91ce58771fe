"""Is this a caption? Every backend's answer passes here before it counts."""

from __future__ import annotations

import re

from backends.base import Caption
from backends.errors import AnswerError

LONGEST_ANSWER = 10_000
"""The most characters of an answer; the longest captions that people ask for stay far below."""

REFUSAL_LENGTH = 400
"""The most characters of a refusal; a longer text that begins like one goes on as a caption."""

LONGEST_PHRASE = 24
"""The most words of a phrase whose repetition is looked for."""

_REFUSAL = re.compile(
    r"""\W*
    (?: (?:i['’]?m|i\ am|we['’]?re)\ (?:very\ |really\ |so\ )?sorry
      | sorry
      | i\ apologi[sz]e
      | unfortunately,?\ i
      | i\ can(?:not|['’]t|\ not)
      | i(?:['’]m|\ am)\ (?:unable|not\ able)
      | i\ won['’]t
      | as\ an\ ai
    )\b
    .*\b(?:assist|help|describe|identify|provide|process|comply|fulfil|view|see
          |analy[sz]e|caption|do\ that)""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_SAME_CHARACTERS = re.compile(r"(\S.{0,7}?)\1{15,}", re.DOTALL)


def fault(caption: Caption) -> AnswerError | None:
    """Return why an answer is no caption, None when the answer is a caption."""
    text = caption.text.strip()
    if caption.ended == "refused":
        return AnswerError(f"refused: {text or 'no reason given'}")
    if not text:
        return AnswerError("empty answer")
    if caption.ended == "length":
        return AnswerError(f"cut off at the token limit: {text[:80]}…")
    if len(text) > LONGEST_ANSWER:
        return AnswerError(f"answer of {len(text):,} characters, at most {LONGEST_ANSWER:,} count")
    if len(text) < REFUSAL_LENGTH and _REFUSAL.match(text):
        return AnswerError(f"refused: {text}")
    if _repeats(text):
        return AnswerError(f"endless repetition: {text[:80]}…")
    return None


def _repeats(text: str) -> bool:
    """Tell whether one word comes eight times in a row, or a longer phrase five times."""
    words = text.lower().split()
    for length in range(1, LONGEST_PHRASE + 1):
        needed = 8 if length == 1 else 5
        run = 0
        for position in range(length, len(words)):
            run = run + 1 if words[position] == words[position - length] else 0
            if run >= length * (needed - 1):
                return True
    return _SAME_CHARACTERS.search(text) is not None
