"""An OCR engine of another package that waits, fails or dies, depending on the picture."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from backends.errors import ModelError
from backends.ocr.base import OcrEngine, TextGate, TextLine

if TYPE_CHECKING:
    from PIL.Image import Image

ROOT = Path(__file__).parents[2]

NAME = "scripted"
DEADLY = (250, 10, 10)
"""A picture of this colour kills the process that looks at the picture."""
FAILING = (10, 250, 10)
"""A picture of this colour fails until the file that `SCRIPTED_MENDED` names exists."""
BLANK = (240, 240, 240)
"""A picture of this colour has no text; all other pictures have two lines of text."""

QUAD = ((1.0, 1.0), (9.0, 1.0), (9.0, 5.0), (1.0, 5.0))


class ScriptedOcr(OcrEngine):
    """Reads the first pixel of a picture, and takes `SCRIPTED_SECONDS` for each picture."""

    name = NAME

    def open(self) -> None:
        """Read the script from the environment."""
        self.source = "scripted 1"
        self._seconds = float(os.environ.get("SCRIPTED_SECONDS", "0"))
        self._mended = Path(os.environ.get("SCRIPTED_MENDED", "/nonexistent"))

    def close(self) -> None:
        """Do nothing, because there is nothing to release."""

    def gate(self, picture: Image) -> TextGate:
        """Let every picture pass that is not blank."""
        first = picture.getpixel((0, 0))
        if first == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        if first == FAILING and not self._mended.exists():
            raise ModelError("the script says so")
        time.sleep(self._seconds)
        blank = first == BLANK
        return TextGate(
            not blank, 0.5, 0 if blank else 1, "nothing is written here" if blank else None
        )

    def read(self, picture: Image, gate: TextGate | None = None) -> list[TextLine]:
        """Return two lines of text: the first pixel and the size."""
        words = (str(picture.getpixel((0, 0))), f"{picture.width} by {picture.height}")
        return [TextLine(QUAD, text, 0.9, "en") for text in words]

    def model_hashes(self) -> dict[str, str]:
        """Return no hashes, because there are no model files."""
        return {}


def install(directory: Path, **script: str) -> dict[str, str]:
    """Install the engine as a package would, and return the environment in which it is found.

    Args:
        directory: Directory for the metadata of the package.
        script: Variables of the script, in lower case and without the prefix.
    """
    about = directory / "scripted-1.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: scripted\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[pcc.ocr]\n{NAME} = {__name__}:ScriptedOcr\n")
    return environment(directory, script)


def environment(directory: Path, script: Mapping[str, str]) -> dict[str, str]:
    """Return the variables under which processes find the engine and its script."""
    told = {f"SCRIPTED_{name.upper()}": value for name, value in script.items()}
    return {"PYTHONPATH": f"{directory}{os.pathsep}{ROOT}", **told}
