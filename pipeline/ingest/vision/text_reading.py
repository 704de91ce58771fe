"""What is written in a photo: a gate that looks for text, and a recogniser where there is some."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from backends.ocr.base import OcrEngine, Quad
from pipeline.ingest.cache.records import NO_TEXT

if TYPE_CHECKING:
    from PIL.Image import Image

UNREADABLE = "Something looks like text, but cannot be read."


class ReadLine(NamedTuple):
    """A line of text, or the reason why there is none.

    Attributes:
        text: What the line says; empty where nothing was read.
        confidence: From 0 to 1; where nothing was read, the confidence of the gate.
        language: BCP 47 code as far as the script tells.
        source: The engine with its models, or `gate`.
        quad: Corners in pixels of the picture, clockwise from the top left of the text.
        skipped: Why nothing was read, None where something was.
    """

    text: str
    confidence: float
    language: str | None
    source: str
    quad: Quad | None = None
    skipped: str | None = None


class TextReader:
    """Reads pictures, one at a time. Its methods block.

    Args:
        engine: Finds and reads text.
        gate_alone: Whether the recogniser never runs. A picture that may hold text then has
            one empty line, which is not skipped.
    """

    def __init__(self, engine: OcrEngine, *, gate_alone: bool = False) -> None:
        self.engine = engine
        self._gate_alone = gate_alone

    def read(self, picture: Image) -> list[ReadLine]:
        """Return the lines of a picture in reading order; at least one, if only to say why not.

        Raises:
            ModelError: the engine failed.
        """
        gate = self.engine.gate(picture)
        if self._gate_alone or not gate.has_text:
            return [ReadLine("", gate.confidence, None, NO_TEXT, skipped=gate.reason)]
        lines = self.engine.read(picture, gate)
        source = self.engine.source
        if not lines:
            return [ReadLine("", gate.confidence, None, source, skipped=UNREADABLE)]
        return [
            ReadLine(line.text, line.confidence, line.language, source, line.quad) for line in lines
        ]
