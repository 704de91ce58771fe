"""Photos: loading 12 megapixels, and walking 200,000 files."""

from __future__ import annotations

import os
import subprocess
from io import BytesIO
from pathlib import Path

from PIL import Image

from backends.base import PictureSpec
from benchmarks.table import Row, best_of
from pipeline.photos.images import load_photo
from pipeline.photos.walk import walk_photos
from tests.support.photos import noise_jpeg

FILES, FOLDERS = 200_000, 400


def load_row(folder: Path) -> Row:
    """Load one 12-megapixel JPEG to 1,024 pixels."""
    path = folder / "large.jpg"
    path.write_bytes(noise_jpeg(1, (4000, 3000), quality=90))
    data = path.read_bytes()

    def naive() -> None:
        image = Image.open(BytesIO(data)).convert("RGB")
        clean = Image.new("RGB", image.size)
        clean.putdata(list(image.get_flattened_data()))
        clean.thumbnail((1024, 1024))

    def floor() -> None:
        image = Image.open(BytesIO(data))
        image.draft("RGB", (500, 375))
        image.load()

    plain, least = best_of(2, naive), best_of(5, floor)
    ours = best_of(5, lambda: load_photo(path, PictureSpec(1024)))
    return Row(
        "load a 12-megapixel JPEG to 1,024 px",
        f"{plain * 1e3:.0f} ms",
        f"{ours * 1e3:.0f} ms",
        f"{least * 1e3:.0f} ms (1/8 scale)",
        f"{plain / ours:.0f} times; {ours / least:.1f} of the limit",
        "20 times; 2.0",
    )


def walk_row(folder: Path) -> Row:
    """List 200,000 files, beside `find`."""
    root = folder / "many"
    for number in range(FOLDERS):
        (root / f"{number:03d}").mkdir(parents=True)
        for file in range(FILES // FOLDERS):
            os.close(os.open(root / f"{number:03d}" / f"IMG_{file:05d}.jpg", os.O_CREAT, 0o600))

    def naive() -> int:
        return len(sorted(path for path in root.rglob("*") if path.is_file()))

    def find() -> None:
        subprocess.run(["find", root, "-type", "f"], stdout=subprocess.DEVNULL, check=True)

    plain, least = best_of(1, naive), best_of(5, find)
    ours = best_of(5, lambda: walk_photos(root))
    return Row(
        "walk 200,000 files",
        f"{plain:.2f} s",
        f"{ours:.3f} s",
        f"{least:.3f} s (find)",
        f"{ours / least:.2f} of find",
        "1.3",
    )
