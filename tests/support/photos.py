"""Photos for tests and benchmarks, drawn when needed, each different from all others."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from random import Random

from PIL import Image


def noise_jpeg(number: int, size: tuple[int, int], *, quality: int = 85) -> bytes:
    """Return a JPEG with as much detail as a photo, from enlarged noise."""
    rng = Random(number)
    small = (max(1, size[0] // 8), max(1, size[1] // 8))
    image = Image.frombytes("RGB", small, rng.randbytes(small[0] * small[1] * 3)).resize(size)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def make_photos(directory: Path, count: int, size: tuple[int, int] = (64, 48)) -> list[str]:
    """Write `count` photos into a directory, and return their names in order."""
    directory.mkdir(parents=True, exist_ok=True)
    names = [f"IMG_{number:05d}.jpg" for number in range(count)]
    for number, name in enumerate(names):
        (directory / name).write_bytes(noise_jpeg(number, size))
    return names
