"""Datasets to enrich: folders of odd images, records by hand, trees compared byte by byte."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from journal import CaptionRecord, scan
from pipeline.datasets.buckets import BUCKETS, bucket_name
from tests.conftest import CLEAN_ENVIRONMENT, PCC
from tests.support.in_process import run_in_process
from tests.support.photos import noise_jpeg

ENRICH = ("dataset", "enrich", "--input-dir")
CHEAP = ("--pass-filter", "migrate,dimensions")
MOCK = ("--pass-filter", "migrate,caption", "--backend", "mock")
SLOW = ("--mock-latency", "0.1", "--max-workers", "1")

MASK = [1] * 5 + [0] * 72

CONFIG = {
    "model_type": "dinov3_vit",
    "patch_size": 16,
    "hidden_size": 32,
    "num_register_tokens": 4,
}
"""Configuration of a model without weights: its output shapes are known, but it cannot load."""


def odd_library(folder: Path) -> dict[str, tuple[int, int] | None]:
    """Fill a folder with images of all kinds; return width and height of each, upright."""
    import pillow_heif

    sizes: dict[str, tuple[int, int] | None] = {}
    (folder / "sub").mkdir(parents=True)
    for number, (width, height) in enumerate(BUCKETS):
        name = f"{bucket_name((width, height))}.jpg"
        sizes[name] = (width // 16, height // 16)
        (folder / name).write_bytes(noise_jpeg(number, (width // 16, height // 16)))
    for name, size in (("sub/one.jpg", (64, 48)), ("sub__one.png", (48, 64))):
        Image.new("RGB", size, "teal").save(folder / name)
        sizes[name] = size
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    Image.new("RGB", (64, 40), "red").save(folder / "turned.jpg", exif=exif)
    sizes["turned.jpg"] = (40, 64)
    pillow_heif.from_pillow(Image.new("RGB", (96, 64), "blue")).save(folder / "phone.heic")
    sizes["phone.heic"] = (96, 64)
    for name, data in (("broken.jpg", b"no image"), ("empty.png", b"")):
        (folder / name).write_bytes(data)
        sizes[name] = None
    grow_old(folder)
    return sizes


def grow_old(folder: Path) -> None:
    """Set the time of all files in a folder to an hour ago."""
    then = time.time() - 3600
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


def record(image_path: str, **fields: Any) -> dict[str, Any]:
    """Return a record that lacks only the fields given as `...`."""
    whole = {
        "image_path": image_path,
        "dinov3_embedding": [0.5, -1.25],
        "caption": "A boat on a lake.",
        "t5_attention_mask": MASK,
        "height": 48,
        "width": 64,
        "aspect_bucket": "1216x832",
        "image_id": Path(image_path).stem,
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not ...}


def write_dataset(path: Path, *items: Mapping[str, Any] | bytes) -> bytes:
    """Write records, and bytes as lines, into a dataset; return the bytes of the dataset."""
    data = b"".join(
        (item if isinstance(item, bytes) else json.dumps(item).encode()) + b"\n" for item in items
    )
    path.write_bytes(data)
    return data


def read_dataset(path: Path) -> list[dict[str, Any]]:
    """Return the records of a dataset, in order."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def by_path(path: Path) -> dict[str, dict[str, Any]]:
    """Return the records of a dataset by image; each image has one record."""
    found = read_dataset(path)
    records = {one["image_path"]: one for one in found}
    assert len(records) == len(found)
    return records


def tree(*roots: Path) -> dict[Path, tuple[int, int, bytes]]:
    """Return inode, modification time and bytes of every file below some directories."""
    return {
        path: (
            path.lstat().st_ino,
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for root in roots
        for path in (root, *root.rglob("*"))
    }


def save_patches(path: Path, shape: tuple[int, int], *, fill: float = 0.5) -> None:
    """Write a patch file filled with one number."""
    path.parent.mkdir(exist_ok=True)
    np.save(path, np.full(shape, fill, np.float16))


def run_here(workspace: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `pcc` in this very process, where heavy libraries are loaded once for many commands."""
    done = run_in_process([*map(str, arguments)], workspace, dict(os.environ), 600)
    assert "Traceback" not in done.stderr
    return done


def run_script(
    workspace: Path, before: str, *arguments: str | Path
) -> subprocess.CompletedProcess[str]:
    """Run `pcc` in a separate process, after some other code."""
    script = f"{before}\nfrom pcc_tui.__main__ import main\nmain()\n"
    return subprocess.run(
        [PCC[0], "-c", script, *map(str, arguments)],
        cwd=workspace,
        env={**CLEAN_ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("never came about")
        time.sleep(0.01)


def side_captions(workspace: Path, name: str = "captions") -> list[CaptionRecord]:
    """Return the captions that wait to be merged."""
    path = workspace / "dataset.jsonl.enriching" / f"{name}.jsonl"
    return [found for _, found in scan(path, CaptionRecord)] if path.exists() else []
