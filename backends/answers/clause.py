"""What one clause of an answer says of the photo, and what of the talk."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from backends.answers.vocabulary import Part, Vocabulary, Writing

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


class Clause:
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
        self.photo = 0.0
        self._weigh(writing.parts(text))
        if _BEGINS.search(text) and (self.photo or "⁂" in text or len(self.parts) > 1):
            self.photo += KIND_OF_PICTURE
        if text.endswith(("?", "？", "؟")):
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
