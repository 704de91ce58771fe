"""An answer as clauses, and which of them describe a photo.

What a photo shows in writing stands in quotes, and says nothing of the model: quotations are
left out, unless the whole answer is one.
"""

from __future__ import annotations

import re

from backends.answers import other_languages
from backends.answers.legible import plain

LONGEST_HEAD = 1_500
"""The most characters that are looked at: who declines does so at the beginning."""

_QUOTED = re.compile(
    r"\"[^\"]{1,400}\"|“[^”]{1,400}”|„[^“”]{1,400}[“”]|«[^»]{1,400}»|「[^」]{1,400}」"
    r"|『[^』]{1,400}』|(?<!\w)'[^'\n]{0,100}(?:(?<=\w)'(?=\w)[^'\n]{0,100}){0,4}'(?!\w)"
    r"|(?<!\w)‘[^\n]{1,400}?’(?!\w)"
)
_END = re.compile(
    r"(?<=[.!?;])\s+|(?<=[。！？；])|\n+|,?\s(?:but|however|although|though|yet),?\s|\s[—–-]\s|—|:\s|,\s(?:only|just)\s|,?\s(?:because|since|so|as)\s(?=(?:he|she|it|they|the|an?|only|there|its|his|her)\b)"
)
_ABOUT_THE_TALK = re.compile(
    r"\b(?:i|me|my|mine|we|us|our|you|your|yours|ai|assistant|chatbot|language model|policy"
    r"|policies|guidelines?|request|requests|requested|prompt|privacy|upload\w*|attach\w*"
    r"|provid\w*|please|cannot|unable|not able|sorry|apolog\w*|explicit|sexual\w*|harmful"
    r"|inappropriate|offensive|violat\w*|prohibited|graphic|sensitive|consent|ethical|unethical"
    r"|against|feel free|supported|format|loaded|loading|corrupt\w*|missing|access\w*"
    r"|conversation|message|chat|hesitate|text-based|text-only|respect\w*|biometric|comply|error"
    r"|instead|let's|let us|else|link|thanks?|reaching|fail\w*|assist\w*|help (?:you|with)|sure"
    r"|certainly|of course|oops|appreciate|mind|happy|hello|hi|alternatively)\b"
)
_DESCRIBES = re.compile(
    r"\b(?<!what the )(?<!what your )(?<!what this )(?:image|photo|picture|scene|photograph|shot"
    r"|it) (?:\w+ )?(?:shows?|depicts?|features?|captures?|portrays?|displays|contains (?:an?|two"
    r"|three|some|several)\b|appears to (?:be|show))|^(?:an?|two|three|four|several|some"
    r"|many) (?!(?:error|images?|photos?|pictures?|captions?|description|text|large|language"
    r"|photograph|new|different|visual|file|more)\b)(?!.*\b(?:i|my|me)\b)(?:\S+ ){2}|^(?:photo"
    r"|photograph|screenshot|image|picture|close-up) (?:in|of|taken) |\bi (?:can )?(?:see|notice"
    r"|observe)(?! (?:no|your|the (?:problem|issue|confusion))\b) (?:an?|two|three|four|several"
    r"|some|many|the|that there)\b|\b(?:shows|depicts) (?:an?|two|three|several|the)\b"
    r"|\bthere (?:is|are) (?:an?|two|three|several)\b"
)
_REPORTS = re.compile(
    r"\b(?:says?|saying|reads|reading|written|painted|printed|embroidered|engraved|scrawled"
    r"|lettering|slogan|poster|sticker|mug|t-shirt|billboard|banner|tattoo|graffiti"
    r"|caption(?:ed)? on|sign on|sign in|sign at|sign hangs|note on)\b"
)
_WORDS = re.compile(r"[^\W\d_]{2,}")
FEWEST_WORDS = 4
"""The fewest words of a clause that describes something without saying so."""


class Clauses:
    """The clauses at the beginning of an answer, as patterns compare them.

    Args:
        text: The answer.

    Attributes:
        head: The beginning of the answer, without quotations.
        all: The clauses of `head`.
    """

    def __init__(self, text: str) -> None:
        head = text[:LONGEST_HEAD]
        unquoted = _QUOTED.sub(" … ", head)
        if not _WORDS.search(unquoted) and not _is_cjk(unquoted):
            unquoted = head.strip("\"“”„«»「」『』'‘’ ")
        self.head = plain(unquoted)
        self.all = [clause.strip() for clause in _END.split(self.head) if clause.strip()]

    def describe(self, before: int | None = None) -> bool:
        """Tell whether a clause describes a photo, one of the first `before` clauses if given."""
        return any(map(describes, self.all[:before]))


def describes(clause: str) -> bool:
    """Tell whether a clause is about a photo and not about the talk with the model."""
    if _DESCRIBES.search(clause) or other_languages.describes(clause):
        return True
    if _ABOUT_THE_TALK.search(clause) or other_languages.is_about_the_talk(clause):
        return False
    return len(_WORDS.findall(clause)) >= FEWEST_WORDS


def is_reported(clause: str) -> bool:
    """Tell whether a clause tells of words that stand somewhere in the photo."""
    return _REPORTS.search(clause) is not None


def _is_cjk(text: str) -> bool:
    return re.search("[\u3040-\u30ff\u3400-\u9fff]", text) is not None
