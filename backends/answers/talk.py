"""Does an answer speak of a photo, or of the model, of whoever asked it, and of the request?

Each word is weighed by its part in the talk (`vocabulary`, `foreign`). A word without a part
speaks of the photo. An answer is no caption when talk outweighs what it says of the photo.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from enum import Enum, auto

from backends.answers import foreign
from backends.answers.legible import plain
from backends.answers.vocabulary import ENGLISH, PHRASES, Part, Vocabulary, Writing

LONGEST_HEAD = 1_500
"""The most characters that are looked at: who declines does so at the beginning."""

WEIGHTS = {
    **dict.fromkeys((Part.SELF, Part.YOU, Part.ASK, Part.SORRY, Part.RULE, Part.UNABLE), 2.0),
    Part.ROLE: 1.5,
    **dict.fromkeys((Part.NOT, Part.GIVE, Part.SEE, Part.DO, Part.PICTURE, Part.TASK), 1.0),
    Part.MACHINE: 2.0,
    Part.CHAT: 1.0,
    Part.PLAN: 3.0,
    Part.ORDER: 3.0,
}
"""How much a word of the talk weighs; a word of the photo weighs 1."""

UNFINISHED = 2.0
"""How much talk it is when nothing follows a colon."""

TOPIC = 0.5
"""How much a word weighs that photos show, and of which models like to decline to speak."""

DENIED = 0.35
"""What is left of the weight of a word that the model says it cannot speak of."""

KIND_OF_PICTURE = 3.0
"""How much it weighs that a clause begins with the kind of picture, such as a screenshot."""

FIGURE, QUOTATION = 2.0, 1.5
"""How much it weighs that a clause says what a picture shows, and quotes what is written."""

MANY_FILLERS = 3
"""So many words that say nothing are no caption, where nothing else is said."""

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
_END = re.compile(
    "|".join(
        (
            r"(?<=[.!?;])\s+|(?<=[。！？；])|\n+|\s[—–-]\s|—|:\s(?!\s*⁂)",
            r",?\s(?:but|however|although|though|yet|aber|doch|mais|pero|ma|mas|maar|но|ale),?\s",
            r",\s(?:only|just|so|says|reads)\s",
            r",?\s(?:because|since|so|as)\s"
            r"(?=(?:he|she|it|they|the|an?|only|there|its|his|her)\b)",
            r",\s(?=(?:the (?:image|photo|picture)|this|it|there|we|here|an?|two|three|several|some"
            r"|who|which|whose|qui|que|che|\w+ing)\b)",
        )
    )
)
_COUNTED = r"(?:an?|one|two|three|four|five|six|several|some|many|the)"
_SHOWS = re.compile(
    "|".join(
        (
            r"\b(?:image|photo|picture|photograph|screenshot|scene|shot|it) (?:\w+ )?"
            r"(?:shows?|depicts?|features?|captures?|portrays?|displays) (?!(?:no|nothing)\b)",
            rf"\b(?:i|we) (?:can )?(?:see|notice|observe) {_COUNTED} (?!(?:image|photo|picture"
            r"|problem|request|issue)\b)",
            r"\b(?:bild|foto) zeigt\b|\bzu sehen\b(?! ist kein)",
            r"\b(?:image|photo) montre\b|\bon (?:peut )?voi[tr]\b",
            r"\b(?:imagen|foto) muestra\b|\bse (?:ve|ven|puede ver)\b",
            r"\b(?:immagine|foto|imagem) mostra\b|\bsi vede\b",
            r"写って(?:い|お)ます|映って|(?:图片|照片|图|画面)中?(?:显示|有|是)",
        )
    )
)
"""What says what a picture shows."""

_BEGINS = re.compile(
    r"^(?:an? (?:[\w-]+ ){0,3}?)?(?:image|photo|picture|photograph|screenshot|graphic|meme"
    r"|page|scan|window|screen) (?:of|in which|with|from|taken|that (?:shows|says|reads)) \w"
)
"""How a caption begins that names the kind of picture."""


class Fault(Enum):
    """Why an answer that speaks of itself is no caption."""

    UNSEEN = auto()
    REFUSED = auto()
    NO_CAPTION = auto()


class _Clause:
    """What a clause says of the photo, and what of the talk.

    Attributes:
        talk: The weight of what is said of the talk.
        photo: The weight of what is said of the photo.
        parts: The parts in the talk of its words.
        names: Whether something of the photo stands behind an article.
        fillers: How many words say nothing; fewer where one of them stands behind an article.
    """

    def __init__(self, text: str, writing: Vocabulary | Writing) -> None:
        self.parts = Counter[Part]()
        self.fillers = 0
        self.names = False
        self.talk = 0.0
        self.photo = KIND_OF_PICTURE if _BEGINS.search(text) else 0.0
        self._weigh(writing.parts(text))
        if text.endswith(("?", "？")):
            self._add(Part.ASK)
        if text.endswith((":", "：")):
            self.talk += UNFINISHED
        if _SHOWS.search(text):
            self.photo += min(FIGURE, self.photo)
        if "⁂" in text and (self.photo or (self.talk and not self.parts[Part.MACHINE])):
            self.photo += QUOTATION

    def _weigh(self, words: Iterable[tuple[Part | None, float]]) -> None:
        denied = False
        before: Part | None = None
        for part, size in words:
            if part is Part.FILLER:
                self.fillers += 1 if size == 1 else -MANY_FILLERS
                continue
            if part is None or part is Part.TOPIC:
                weight = size * (DENIED if denied else 1)
                self.photo += weight if part is None else TOPIC * weight
                self.names |= part is None and size > 1
            else:
                self._add(part)
                if before is Part.NOT and part in (Part.PICTURE, Part.GIVE):
                    self._add(Part.GIVE)  # there is no image, it was not sent
                denied |= part in (Part.UNABLE, Part.NOT) and Part.SELF in self.parts
                denied &= part is not Part.SEE  # what is not seen is something else of the photo
            before = part

    def _add(self, part: Part) -> None:
        self.parts[part] += 1
        self.talk += WEIGHTS[part]

    @property
    def confesses(self) -> bool:
        """Whether the model says here that it sees no image, and nothing else."""
        has = self.parts
        return (
            self.photo == 0
            and has[Part.SELF] > 0
            and has[Part.UNABLE] + has[Part.NOT] > 0
            and has[Part.SEE] + has[Part.GIVE] > 0
            and has[Part.PICTURE] > 0
            and (has[Part.TASK] == 0 or has[Part.YOU] > 0)
        )

    @property
    def misses(self) -> bool:
        """Whether the model misses an image here, or asks for one."""
        has = self.parts
        seeks = has[Part.SEE] or has[Part.GIVE]
        asks = has[Part.ASK] or has[Part.YOU]
        if asks and (has[Part.GIVE] or (has[Part.PICTURE] and not has[Part.DO])):
            return True
        if not self.denies:
            return has[Part.PICTURE] > 0 and next(iter(has)) is Part.GIVE
        if has[Part.PICTURE]:
            return bool(seeks) or not (has[Part.DO] or (has[Part.SELF] and has[Part.UNABLE]))
        if has[Part.DO] or has[Part.TASK]:
            return False
        return has[Part.SEE] > 0 or (has[Part.GIVE] > 0 and not has[Part.ROLE])

    @property
    def denies(self) -> bool:
        """Whether something is missing or impossible here."""
        return self.parts[Part.UNABLE] + self.parts[Part.NOT] > 0


def fault(text: str) -> Fault | None:
    """Tell why an answer is no caption by what it speaks of; None where it may be one."""
    clauses = _clauses(text[:LONGEST_HEAD])
    has = sum((clause.parts for clause in clauses), Counter[Part]())
    if not clauses or not _outweighs(clauses, has):
        return None
    return _kind(clauses, has)


def _kind(clauses: list[_Clause], has: Counter[Part]) -> Fault:
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


def _outweighs(clauses: list[_Clause], has: Counter[Part]) -> bool:
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


def _clauses(head: str) -> list[_Clause]:
    """Return the clauses; what is written in a photo stands in quotes, and is left out."""
    text = plain(_QUOTED.sub(" ⁂ ", head))
    writing = _writing(text)
    if not any(size for _, size in writing.parts(text)):
        text = plain(head)
        writing = _writing(text)
    for pattern, word in PHRASES:
        text = pattern.sub(word, text)
    parts = (clause for clause in _END.split(text) if clause and clause.strip())
    return [_Clause(clause.strip(), writing) for clause in parts]


_LANGUAGES = (
    ENGLISH,
    *(foreign.GERMAN, foreign.FRENCH, foreign.SPANISH, foreign.ITALIAN, foreign.PORTUGUESE),
    *(foreign.DUTCH, foreign.RUSSIAN, foreign.POLISH),
)
_SPACED = tuple(Vocabulary(words) for words in _LANGUAGES)
_JOINED = tuple(
    Writing(words, letters)
    for words, letters in (
        (foreign.KOREAN, "\uac00-\ud7a3"),
        (foreign.CHINESE_AND_JAPANESE, "\u30a0-\u30ff\u3400-\u9fff"),
    )
)


_LATIN = re.compile("[a-z]")


def _writing(text: str) -> Writing | Vocabulary:
    """Return the words of the language that a text is written in."""
    for writing in _JOINED:
        if 2 * len(writing.letters.findall(text)) > len(_LATIN.findall(text)):
            return writing
    known = [sum(part is not None for part, _ in words.parts(text)) for words in _SPACED]
    known[0] += 1  # one word may come from anywhere
    return _SPACED[known.index(max(known))]
