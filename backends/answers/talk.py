"""Does an answer speak of a photo, or of the model, of whoever asked it, and of the request?

Each word is weighed by its part in the talk (`languages`). A word without a part
speaks of the photo. An answer is no caption when talk outweighs what it says of the photo.
"""

from __future__ import annotations

import re
from collections import Counter
from enum import Enum, auto

from backends.answers.clause import MANY_FILLERS, Clause
from backends.answers.languages import written_in
from backends.answers.legible import plain
from backends.answers.vocabulary import PHRASES, Part

LONGEST_HEAD = 1_500
"""The most characters that are looked at: who declines does so at the beginning."""

UNSPOKEN = 0.6
"""What is left of the talk in an answer that names neither the model nor whoever asks."""

A_CAPTION, A_REASON = 1.9, 3.1
"""How much a clause has to say of a photo to make a caption, whatever stands beside it; and
how much after the model declined, where less may be the reason why."""

TALK_PER_CLAUSE = 1.3
"""How much of it there has to be for each bit of talk in the clause."""

TALK_PER_WORD, TALK_BEFORE = 1.3, 0.5
"""How much talk a word of the photo outweighs, and how much of it counts for nothing."""

_SPEAKERS = (Part.SELF, Part.YOU, Part.ASK, Part.SORRY, Part.ROLE, Part.RULE)
_QUOTED = re.compile(
    r"`[^`\n]{1,100}`|\"[^\"]{1,400}\"|“[^”]{1,400}”|„[^“”]{1,400}[“”]|«[^»]{1,400}»|「[^」]{1,400}」"
    r"|『[^』]{1,400}』|(?<!\w)'[^'\n]{0,100}(?:(?<=\w)'(?=\w)[^'\n]{0,100}){0,4}'(?!\w)"
    r"|(?<!\w)‘[^\n]{1,400}?’(?!\w)"
)
_SLOT = re.compile(r"\[[a-z][a-z _/-]{1,30}\]|\{[a-z][a-z _/-]{1,30}\}", re.IGNORECASE)
"""A place in a pattern of a caption that was never filled."""

_END = re.compile(
    "|".join(
        (
            r"(?<=[.!?;؟।])\s+|(?<=[。！？；])|\n+|\s[—–-]\s|—|:\s(?!\s*⁂)",
            r",?\s(?:but|however|although|though|yet|aber|doch|mais|pero|ma|mas|maar|но|ale),?\s",
            r",\s(?:only|just|so|says|reads)\s",
            r",?\s(?:because|since|so|as)\s"
            r"(?=(?:he|she|it|they|the|an?|only|there|its|his|her)\b)",
            r",\s(?=(?:the (?:image|photo|picture)|this|it|he|she|they|there|we|here|an?|two|three"
            r"|several|some|who|which|whose|qui|que|che|\w+ing)\b)",
        )
    )
)


class Fault(Enum):
    """Why an answer that speaks of itself is no caption."""

    UNSEEN = auto()
    REFUSED = auto()
    NO_CAPTION = auto()


def fault(text: str) -> Fault | None:
    """Tell why an answer is no caption by what it speaks of; None where it may be one."""
    clauses = _clauses(text[:LONGEST_HEAD])
    has = sum((clause.parts for clause in clauses), Counter[Part]())
    if not clauses or not _outweighs(clauses, has):
        return None
    return _kind(clauses, has)


def _kind(clauses: list[Clause], has: Counter[Part]) -> Fault:
    if has[Part.RULE]:
        return Fault.REFUSED
    denies = any(clause.denies for clause in clauses)
    seeks = has[Part.PICTURE] and has[Part.GIVE]
    if has[Part.MACHINE] and not has[Part.SELF] and not seeks:
        return Fault.NO_CAPTION
    if (has[Part.ORDER] and not has[Part.SELF]) or (has[Part.PLAN] and not denies):
        return Fault.NO_CAPTION
    if any(clause.misses for clause in clauses):
        return Fault.UNSEEN
    if not any(has[part] for part in (Part.SELF, Part.SORRY, Part.UNABLE)):
        seeks = has[Part.PICTURE] and (has[Part.GIVE] or has[Part.ASK])
        return Fault.UNSEEN if seeks else Fault.NO_CAPTION
    if denies and not has[Part.DO] and has[Part.PICTURE] and (has[Part.SEE] or has[Part.GIVE]):
        return Fault.UNSEEN
    if denies or has[Part.SORRY]:
        return Fault.REFUSED
    asks = has[Part.ASK] or has[Part.SEE] or has[Part.ORDER]
    if any(has[part] for part in (Part.PICTURE, Part.SEE, Part.GIVE)) or (asks and has[Part.DO]):
        return Fault.UNSEEN if asks or not has[Part.DO] else Fault.NO_CAPTION
    return Fault.NO_CAPTION


def _outweighs(clauses: list[Clause], has: Counter[Part]) -> bool:
    if has[Part.ORDER] or (clauses[0].parts[Part.MACHINE] and not clauses[0].photo):
        return True
    enough = A_CAPTION
    for clause in clauses:
        if clause.confesses:
            return True
        needed = A_CAPTION if clause.names else enough
        if clause.photo >= max(needed, TALK_PER_CLAUSE * clause.talk):
            return False
        if clause.denies and clause.parts[Part.SELF] and clause.parts[Part.DO]:
            enough = A_REASON
    talk = sum(clause.talk for clause in clauses)
    photo = sum(clause.photo for clause in clauses)
    if not talk + photo:
        return sum(clause.fillers for clause in clauses) >= MANY_FILLERS
    if not any(has[part] for part in _SPEAKERS):
        talk *= UNSPOKEN
    return talk > TALK_PER_WORD * photo + TALK_BEFORE


def _clauses(head: str) -> list[Clause]:
    """Return the clauses; what is written in a photo stands in quotes, and is left out."""
    if len(_SLOT.findall(head)) > 1:
        head = _SLOT.sub(" ", head)
    text = plain(_QUOTED.sub(" ⁂ ", head))
    writing = written_in(text)
    if not any(size for _, size in writing.parts(text)):
        text = plain(head)
        writing = written_in(text)
    for pattern, word in PHRASES:
        text = pattern.sub(word, text)
    parts = (clause for clause in _END.split(text) if clause and clause.strip())
    return [Clause(clause.strip(), writing) for clause in parts]
