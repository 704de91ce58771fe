"""Text in photos: RapidOCR with its own settings on every photo, beside our gate and reading.

The environment variable `PCC_BENCH_PHOTOS` names a folder of photos; without the variable,
photos are drawn, one in four with a sign.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from backends.ocr.base import OcrEngine, TextLine
from backends.registry import make_ocr
from benchmarks.table import Row
from pipeline.samples import scenes
from tests.support.drawn_text import draw_line, sentence

PHOTOS = "PCC_BENCH_PHOTOS"
SURE = 0.6
"""Confidence from which a line counts as text."""

DRAWN = (scenes.beach, scenes.lake, scenes.city_night, scenes.meadow)


def ocr_row(folder: Path) -> Row:
    """Read all photos both ways on one thread; CPU time is measured, as the most stable figure."""
    photos, source = read_photos()
    naive_lines, naive = full_pass(photos)
    engine = make_ocr()
    engine.open()
    engine.read(photos[0])
    began = time.process_time()
    gates = [engine.gate(photo) for photo in photos]
    gated = time.process_time() - began
    read = [
        engine.read(photo, gate) if gate.has_text else []
        for photo, gate in zip(photos, gates, strict=True)
    ]
    ours = time.process_time() - began
    lost = lost_by_gate(engine, photos, [gate.has_text for gate in gates])
    passed = sum(gate.has_text for gate in gates)
    lines = sum(line.confidence >= SURE for each in read for line in each)
    return Row(
        f"OCR of {len(photos)} photos ({source}); the gate lets {passed} through",
        f"{naive / len(photos) * 1e3:.0f} CPU ms a photo, {naive_lines} lines",
        f"{ours / len(photos) * 1e3:.0f} ms, {lines} lines",
        f"{gated / len(photos) * 1e3:.0f} ms (gate alone)",
        f"{naive / ours:.1f} times; {lost} lines behind the gate",
        "-",
    )


def read_photos() -> tuple[list[Image.Image], str]:
    """Return the photos that the environment names, or drawn photos, and a description."""
    named = os.environ.get(PHOTOS)
    if named:
        paths = sorted(path for path in Path(named).iterdir() if path.suffix == ".jpg")
        return [Image.open(path).convert("RGB") for path in paths], Path(named).name
    rng = Random(7)
    photos: list[Image.Image] = []
    for number in range(24):
        photo = DRAWN[number % len(DRAWN)](rng, (1024, 768))
        if number % 4 == 0:
            photo.paste(draw_line(sentence(rng, 2), 32, canvas=(360, 80)).image, (300, 350))
        photos.append(photo)
    return photos, "drawn"


def full_pass(photos: list[Image.Image]) -> tuple[int, float]:
    """Return the number of lines that RapidOCR finds with its own settings, and CPU seconds."""
    from rapidocr import RapidOCR

    one_thread = {
        "Global.log_level": "critical",
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    }
    engine: Any = RapidOCR(params=one_thread)
    engine(photos[0], use_det=True, use_cls=True, use_rec=True)
    began = time.process_time()
    found = [engine(photo, use_det=True, use_cls=True, use_rec=True) for photo in photos]
    seconds = time.process_time() - began
    return sum(score >= SURE for each in found for score in each.scores or ()), seconds


def lost_by_gate(engine: OcrEngine, photos: list[Image.Image], passed: list[bool]) -> int:
    """Return how many lines would have been read in the photos that the gate holds back."""
    lines: list[TextLine] = []
    for photo, through in zip(photos, passed, strict=True):
        lines += [] if through else engine.read(photo)
    return sum(line.confidence >= SURE for line in lines)
