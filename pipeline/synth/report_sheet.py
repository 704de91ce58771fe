"""`validation_report.png`: ten images of each class, and how many there are in each split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from journal import atomic_rewrite, data_kind
from pipeline.synth.primitives import CLASSES, GRID, NAMES
from pipeline.synth.train_val_test import SPLIT_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.synth.findings import Validation

REPORT = "validation_report.png"
COLUMNS = 10

SCALE = 5
CELL = GRID * SCALE
PITCH = CELL + 12
MARGIN, NAMES_WIDTH, TOP, BOTTOM = 48, 150, 168, 96
BARS_GAP, BARS_WIDTH, COUNT_WIDTH = 48, 260, 100
BAR, BAR_PITCH = 16, 24
BARS_LEFT = MARGIN + NAMES_WIDTH + COLUMNS * PITCH + BARS_GAP
WIDTH = BARS_LEFT + BARS_WIDTH + COUNT_WIDTH + MARGIN
HEIGHT = TOP + CLASSES * PITCH + BOTTOM

PAPER, INK, FAINT, RULE = "#fbfaf7", "#22262e", "#7d828c", "#e4e1d9"
GOOD, BAD = "#2c8a5a", "#c0392f"
SPLIT_COLOURS = dict(zip(SPLIT_NAMES, ("#34618f", "#dd9a33", "#7fa68b"), strict=True))
LONGEST_TEXT = 110


PNG = data_kind("a picture in PNG", b"\x89PNG\r\n\x1a\n")


class Samples:
    """The first images of each class that a check comes across."""

    def __init__(self) -> None:
        self.images: list[list[NDArray[np.uint8]]] = [[] for _ in range(CLASSES)]

    def take(self, labels: NDArray[np.uint8], images: NDArray[np.uint8]) -> None:
        """Keep what is still wanted of a chunk: labels (n,), images (n, 16, 16)."""
        for label, kept in enumerate(self.images):
            if len(kept) < COLUMNS:
                found = np.flatnonzero(labels == label)[: COLUMNS - len(kept)]
                kept += [images[index].copy() for index in found]


def write_sheet(directory: Path, found: Validation, samples: Samples) -> Path:
    """Draw the report, write it into the directory, and return its path.

    Raises:
        OSError: the report cannot be written there.
    """
    path = directory / REPORT
    sheet = draw_sheet(found, samples)
    with atomic_rewrite(path, kind=PNG) as file:
        sheet.save(file, "PNG")
    return path


def draw_sheet(found: Validation, samples: Samples) -> Image.Image:
    """Return the report as a picture."""
    sheet = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(sheet)
    _draw_head(draw, found)
    most = max([1, *(count for split in found.splits.values() for count in split.classes)])
    for label, name in enumerate(NAMES):
        top = TOP + label * PITCH
        middle = top + CELL // 2
        draw.text((MARGIN, middle - 11), name, INK, _font(19), anchor="lm")
        draw.text((MARGIN, middle + 13), f"label {label}", FAINT, _font(14), anchor="lm")
        _draw_samples(sheet, top, samples.images[label])
        _draw_bars(draw, middle, label, most, found)
    _draw_foot(draw, found)
    return sheet


def _draw_head(draw: ImageDraw.ImageDraw, found: Validation) -> None:
    title = _plain(Path(found.directory).absolute().name)
    draw.text((MARGIN, 44), title[:48], INK, _font(34), anchor="lm")
    facts = [f"{found.num_images:,} images"]
    facts += [] if found.seed is None else [f"seed {found.seed}"]
    facts += [] if found.version is None else [_plain(found.version)[:40]]
    draw.text((MARGIN, 84), "   ·   ".join(facts), FAINT, _font(17), anchor="lm")
    count = len(found.defects)
    words = "valid" if found.valid else "1 defect" if count == 1 else f"{count:,} defects"
    right, font = WIDTH - MARGIN, _font(20)
    left = right - round(draw.textlength(words, font)) - 44
    draw.rounded_rectangle((left, 28, right, 68), 20, GOOD if found.valid else BAD)
    draw.text(((left + right) / 2, 48), words, "white", font, anchor="mm")
    draw.line((MARGIN, 116, WIDTH - MARGIN, 116), RULE, 2)
    for left, words in (
        (MARGIN + NAMES_WIDTH, "The first ten of each class"),
        (BARS_LEFT, "Images of each class"),
    ):
        draw.text((left, 142), words, FAINT, _font(14), anchor="lm")


def _draw_samples(sheet: Image.Image, top: int, images: list[NDArray[np.uint8]]) -> None:
    draw = ImageDraw.Draw(sheet)
    for column in range(COLUMNS):
        left = MARGIN + NAMES_WIDTH + column * PITCH
        if column < len(images):
            drawn = Image.fromarray(images[column])
            sheet.paste(drawn.resize((CELL, CELL), Image.Resampling.NEAREST), (left, top))
        draw.rectangle((left - 1, top - 1, left + CELL, top + CELL), outline=RULE)


def _draw_bars(
    draw: ImageDraw.ImageDraw, middle: int, label: int, most: int, found: Validation
) -> None:
    for number, (name, colour) in enumerate(SPLIT_COLOURS.items()):
        split = found.splits.get(name)
        count = 0 if split is None else split.classes[label]
        y = middle + (number - 1) * BAR_PITCH
        length = max(2 if count else 0, round(BARS_WIDTH * count / most))
        if length:
            box = (BARS_LEFT, y - BAR // 2, BARS_LEFT + length, y + BAR // 2)
            draw.rounded_rectangle(box, min(4, length // 2), colour)
        where = (BARS_LEFT + length + 10, y)
        draw.text(where, f"{count:,}", INK if count else FAINT, _font(14), anchor="lm")


def _draw_foot(draw: ImageDraw.ImageDraw, found: Validation) -> None:
    y = HEIGHT - BOTTOM + 20
    draw.line((MARGIN, y, WIDTH - MARGIN, y), RULE, 2)
    x, y = BARS_LEFT, y + 34
    for name, colour in SPLIT_COLOURS.items():
        draw.rounded_rectangle((x, y - 7, x + 14, y + 7), 3, colour)
        draw.text((x + 22, y), name, INK, _font(16), anchor="lm")
        x += 46 + round(draw.textlength(name, _font(16)))
    text = found.defects[0] if found.defects else _twins_in_words(found)
    colour = BAD if found.defects else FAINT
    draw.text((MARGIN, y), _plain(text)[:LONGEST_TEXT], colour, _font(16), anchor="lm")


def _twins_in_words(found: Validation) -> str:
    pairs = (f"{count:,} {pair.replace('_', ' ')}" for pair, count in found.equal_pictures.items())
    return f"Equal pictures:  {',  '.join(pairs)}"


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in text)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
