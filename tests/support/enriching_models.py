"""Tiny DINOs for enrichments, and the resulting patch files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from backends.hub import ENVIRONMENT
from tests.support.enriching import grow_old, run_here
from tests.support.photos import noise_jpeg
from tests.support.tiny_dino import Family, save_tiny_dino

WIDTH = 32


class Kind(NamedTuple):
    """A tiny model."""

    family: Family
    patch_size: int
    registers: int


KINDS = (
    Kind("dinov3_vit", 16, 4),
    Kind("dinov2", 14, 0),
    Kind("dinov2_with_registers", 14, 4),
)
V3 = KINDS[0]
OTHER = Kind("dinov3_vit", 16, 0)

Model = Callable[[Kind], Path]


def model_maker(directory: Path) -> Model:
    """Return a function that saves a tiny model below a directory; each kind is saved once."""
    found = dict[Kind, Path]()

    def save(kind: Kind) -> Path:
        if kind not in found:
            family, patch_size, registers = kind
            path = directory / f"{family}-{patch_size}-{registers}"
            save_tiny_dino(
                path, family=family, patch_size=patch_size, registers=registers, width=WIDTH
            )
            found[kind] = path
        return found[kind]

    return save


@contextmanager
def nothing_downloaded() -> Iterator[None]:
    """Forbid downloads, and restore the settings that encoders change."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield


def few_photos(folder: Path, count: int = 4) -> Path:
    """Write some photos of the smallest bucket into a new folder and return it."""
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.jpg").write_bytes(noise_jpeg(number, (96, 50)))
    grow_old(folder)
    return folder


def flags(model: Path, passes: str = "dinov3", *more: str | Path) -> tuple[str | Path, ...]:
    """Return the flags that run a model for some passes."""
    return ("--pass-filter", passes, "--dino-model", model, "--yes", "--device", "cpu", *more)


def ok(workspace: Path, *arguments: str | Path) -> dict[str, Any]:
    """Run a command that succeeds, and return its document."""
    done = run_here(workspace, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def files(directory: Path) -> dict[str, tuple[int, int]]:
    """Return inode and time of each patch file, which differ when a file is written again."""
    found = {path.name: path.stat() for path in directory.glob("*.npy")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in found.items()}


def arrays(directory: Path) -> dict[str, NDArray[np.float16]]:
    """Return the contents of patch files by their names."""
    return {path.name: np.load(path) for path in directory.glob("*.npy")}
