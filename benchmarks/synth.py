"""`pcc synth generate` beside a loop that draws images one by one and keeps all in memory."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.table import PCC, Row, run_process

IMAGES = 200_000
MANY = 10_000_000

ONE_BY_ONE = """
import random, sys
import numpy as np
from PIL import Image, ImageDraw
random.seed(42)
images, labels = [], []
for _ in range(int(sys.argv[1])):
    label, background = random.randrange(5), random.randrange(256)
    foreground = (background + random.randrange(64, 192)) % 256
    image = Image.new("L", (16, 16), background)
    draw = ImageDraw.Draw(image)
    size = random.randrange(5, 15)
    x, y = random.randrange(16 - size), random.randrange(16 - size)
    box = (x, y, x + size, y + size)
    if label == 0:
        draw.point((x, y), foreground)
    elif label == 1:
        draw.line(box, foreground)
    elif label == 2:
        draw.rectangle(box, foreground)
    elif label == 3:
        draw.ellipse(box, foreground)
    else:
        draw.polygon([(x, y), (x + size, y), (x, y + size)], foreground)
    images.append(np.array(image))
    labels.append(label)
images, labels = np.stack(images), np.array(labels, np.uint8)
first, second = int(0.8 * len(images)), int(0.9 * len(images))
for name, part in (("train", slice(first)), ("val", slice(first, second)),
                   ("test", slice(second, None))):
    np.savez(f"{name}.npz", images=images[part], labels=labels[part])
"""


def synth_rows(folder: Path) -> list[Row]:
    """Generate 200,000 images both ways, including process start, then ten million with pcc."""
    naive = run_process([sys.executable, "-c", ONE_BY_ONE, str(IMAGES)], folder)
    ours = run_process(_generate(IMAGES, folder / "few"), folder)
    many = run_process(_generate(MANY, folder / "many"), folder)
    checked = run_process([*PCC, "synth", "validate", str(folder / "many")], folder)
    return [
        Row(
            f"synth, {IMAGES:,} images",
            f"{naive.seconds:.2f} s, {naive.peak_mb:.0f} MB (one by one)",
            f"{ours.seconds:.2f} s, {ours.peak_mb:.0f} MB",
            "-",
            f"{naive.seconds / ours.seconds:.1f} times",
            "5 times",
        ),
        Row(
            f"synth, {MANY:,} images",
            "-",
            f"{many.seconds:.1f} s, {many.peak_mb:.0f} MB; validate {checked.seconds:.1f} s, "
            f"{checked.peak_mb:.0f} MB",
            "-",
            f"{MANY / many.seconds:,.0f}/s, {many.peak_mb / ours.peak_mb:.1f} times the memory",
            "1,000,000/s, 1.2 times",
        ),
    ]


def _generate(images: int, target: Path) -> list[str]:
    options = ["--num-images", str(images), "--output-dir", str(target), "--yes"]
    return [*PCC, "synth", "generate", *options]
