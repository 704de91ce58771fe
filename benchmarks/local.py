"""The local backend: batches beside single photos, with the tiny trained model."""

from __future__ import annotations

from pathlib import Path
from random import Random

from benchmarks.jobs import run_captioner
from benchmarks.table import Row
from tests.support.drawn_pictures import random_quarters, write_photo

PHOTOS = 960
MODEL = Path(__file__).parents[1] / "tests" / "data" / "tiny-qwen2.5-vl"


def local_row(folder: Path) -> Row:
    """Caption drawn photos one by one, then in batches sized by free memory."""
    photos = folder / "drawn"
    photos.mkdir()
    rng = Random(3)
    for number in range(PHOTOS):
        write_photo(photos / f"{number:04d}.jpg", random_quarters(rng), (512, 384), rng=rng)
    common = ("--backend", "local", "--model", str(MODEL), "--device", "cpu")
    single = run_captioner(photos, folder / "single", *common, "--batch-size", "1")
    batched = run_captioner(photos, folder / "batched", *common)
    rates = [float(str(report["rate"])) for report in (single, batched)]
    return Row(
        f"job, local, tiny model on the CPU, {PHOTOS} photos",
        f"{rates[0]:.1f}/s (one by one)",
        f"{rates[1]:.1f}/s",
        "-",
        f"{rates[1] / rates[0]:.1f} times",
        "3 times",
    )
