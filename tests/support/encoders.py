"""Tiny encoders of every kind, and scripts that check what an encoder loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backends.encoders.dino import DinoEncoder, Features
from backends.encoders.dino_config import read_config
from backends.hub import ENVIRONMENT
from tests.support.tiny_dino import Family, save_tiny_dino

ROOT = Path(__file__).parents[2]

WIDTH = 32

CLEAN_ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("HF_") and name not in ENVIRONMENT
}


class Kind(NamedTuple):
    """A tiny model."""

    family: Family
    patch_size: int
    registers: int

    def __str__(self) -> str:
        return f"{self.family}-{self.patch_size}-{self.registers}"


DINOV2 = Kind("dinov2", 14, 0)
WITH_REGISTERS = Kind("dinov2_with_registers", 14, 4)
DINOV3 = Kind("dinov3_vit", 16, 4)
KINDS = (
    DINOV2,
    WITH_REGISTERS,
    DINOV3,
    Kind("dinov3_vit", 16, 0),
    Kind("dinov3_vit", 14, 4),
    Kind("dinov2", 16, 0),
    Kind("dinov2_with_registers", 16, 2),
)


Find = Callable[[Kind], DinoEncoder]
"""Opens a kind of encoder; each kind is opened only once."""


def save_kind(kind: Kind, directory: Path) -> Path:
    family, patch_size, registers = kind
    return save_tiny_dino(
        directory, family=family, patch_size=patch_size, registers=registers, width=WIDTH
    )


def opened(directory: Path, batch_size: int | None = None) -> DinoEncoder:
    encoder = DinoEncoder(read_config(str(directory)), device="cpu", batch_size=batch_size)
    encoder.open()
    return encoder


def noise(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """Return a picture of coloured speckles, each some pixels wide."""
    width, height = size
    levels = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, 3), np.uint8)
    return Image.fromarray(levels).resize(size, Image.Resampling.NEAREST)


def size_in_patches(encoder: DinoEncoder, columns: int, rows: int) -> tuple[int, int]:
    patch = encoder.config.patch_size
    return columns * patch, rows * patch


def features(encoder: DinoEncoder, *pictures: Image.Image) -> list[Features]:
    results = encoder.encode(pictures)
    assert all(isinstance(result, Features) for result in results), results
    return [result for result in results if isinstance(result, Features)]


def change(file: Path, **settings: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **settings}))


def change_weights(directory: Path, changed: Callable[[dict[str, NDArray[Any]]], object]) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(directory / "model.safetensors")
    changed(weights)
    save_file(weights, directory / "model.safetensors", {"format": "pt"})


def run_script(script: str, *arguments: str, **environment: str) -> str:
    """Return the output of a script in a separate process, which must print no warning."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**CLEAN_ENVIRONMENT, **environment},
    )
    assert not done.stderr  # no progress bar, no table
    return done.stdout
