"""What an OCR engine is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import msgspec

if TYPE_CHECKING:
    from PIL.Image import Image

Point = tuple[float, float]
"""x and y in pixels of the picture that was given."""

Quad = tuple[Point, Point, Point, Point]
"""Corners, clockwise from the text's own top left."""


class TextBox(NamedTuple):
    """A spot that looks like text.

    Attributes:
        quad: Where it is; the corners start at the top left of the picture.
        score: How much it looks like text, from 0 to 1.
    """

    quad: Quad
    score: float


class TextLine(NamedTuple):
    """A line of text in a picture.

    Attributes:
        quad: Where it stands, turned as the text is.
        text: What it says: NFC, without control characters, never empty. It is data.
        confidence: How sure the engine is of it, from 0 to 1.
        language: BCP 47, as far as the letters decide it; see `text.language_of`.
    """

    quad: Quad
    text: str
    confidence: float
    language: str | None


class TextGate(msgspec.Struct, frozen=True):
    """Whether a picture is worth reading.

    Attributes:
        has_text: Whether it is.
        confidence: Score of the spot that looks most like text, from 0 to 1; 0 where none does.
        boxes: How many spots look enough like text.
        reason: Why the recogniser is skipped, a sentence; None where it is not.
        found: Those spots, for `OcrEngine.read`.
    """

    has_text: bool
    confidence: float
    boxes: int
    reason: str | None = None
    found: tuple[TextBox, ...] = ()


class OcrOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What may be asked of an engine.

    Attributes:
        threads: Cores one call uses. Several workers on one machine do more with 1 each.
        model: Another model for recognition: a file that is here already. None for the
            engine's own.
    """

    threads: int = 1
    model: str | None = None


class OcrEngine(ABC):
    """Finds text in pictures and reads it. One subclass, one file.

    A package adds one by an entry point of the group `pcc.ocr` that names its subclass.
    The methods block. They are called on one thread at a time; each thread that wants to
    read beside another has an engine of its own.

    Args:
        options: What is asked of it.

    Raises:
        ValueError: fewer than one thread.

    Attributes:
        name: What the user calls it.
        source: Engine, version and models, as the records name them; known once it is open.
        remarks: Sentences that the user should read; more may come with each call.
    """

    name: ClassVar[str]

    def __init__(self, options: OcrOptions) -> None:
        if options.threads < 1:
            raise ValueError(f"an engine needs at least one thread, not {options.threads}")
        self.options = options
        self.source = ""
        self.remarks: list[str] = []

    @abstractmethod
    def open(self) -> None:
        """Load the models. Nothing is downloaded.

        Raises:
            SetupError: it cannot be; the message says what mends it.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back the memory of the models; `open` loads them again."""

    @abstractmethod
    def gate(self, picture: Image) -> TextGate:
        """Tell cheaply whether there is text in an upright picture, without reading it.

        Raises:
            ModelError: inference failed.
        """

    @abstractmethod
    def read(self, picture: Image, gate: TextGate | None = None) -> list[TextLine]:
        """Return the lines of an upright picture, top to bottom, then left to right.

        A picture that holds no text, or is too small for it, has none.

        Args:
            picture: RGB, or any mode that turns into it.
            gate: What `gate` found in this very picture, so that it need not look again.

        Raises:
            ModelError: inference failed.
        """

    @abstractmethod
    def model_hashes(self) -> dict[str, str]:
        """Return the BLAKE3 of each model file, 64 hexadecimal digits, by its name.

        Raises:
            SetupError: a file is missing.
        """
