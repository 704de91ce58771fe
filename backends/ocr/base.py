"""What an OCR engine is, and what it finds."""

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
        quad: Corners of the spot, clockwise from its top left in the picture.
        score: How much the spot looks like text, from 0 to 1.
    """

    quad: Quad
    score: float


class TextLine(NamedTuple):
    """A line of text in a picture.

    Attributes:
        quad: Corners of the line, turned as the text is.
        text: The text, in NFC, without control characters, never empty. It is mere data.
        confidence: How sure the engine is of the text, from 0 to 1.
        language: BCP 47 tag, as far as the letters decide it; see `text.language_of`.
    """

    quad: Quad
    text: str
    confidence: float
    language: str | None


class TextGate(msgspec.Struct, frozen=True):
    """Whether a picture is worth reading.

    Attributes:
        has_text: True when the picture is worth reading.
        confidence: Score of the spot that looks most like text, 0 to 1; 0 where there is none.
        boxes: How many spots look enough like text.
        reason: Why the picture is not read, a sentence; None where it is.
        found: The spots that look enough like text, for `OcrEngine.read`.
    """

    has_text: bool
    confidence: float
    boxes: int
    reason: str | None = None
    found: tuple[TextBox, ...] = ()


class OcrOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What may be asked of an engine.

    Attributes:
        threads: Cores that a call uses. Several workers in one machine do more with 1 core each.
        model: File of another model for recognition, which must be there already. None for
            the engine's own model.
    """

    threads: int = 1
    model: str | None = None


class OcrEngine(ABC):
    """Finds text in pictures and reads it. Each engine is one subclass in one file.

    The methods block. They are called on one thread at a time; threads that read at the
    same time have an engine each.

    Args:
        options: What is asked of the engine.

    Raises:
        ValueError: fewer than one thread.

    Attributes:
        name: The name that the user types.
        source: Engine, version and models, as records tell them; known once the engine is open.
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
            SetupError: they cannot be loaded; the message says what mends that.
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

        A picture that holds no text, or is too small for text, has no lines.

        Args:
            picture: RGB, or any mode that turns into it.
            gate: What `gate` found in this very picture, so that the engine need not look again.

        Raises:
            ModelError: inference failed.
        """

    @abstractmethod
    def model_hashes(self) -> dict[str, str]:
        """Return the BLAKE3 of each model file, 64 hexadecimal digits, by its name.

        Raises:
            SetupError: a file is missing.
        """
