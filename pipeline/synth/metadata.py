"""`metadata.json`: what a set holds and how it was made."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from journal import utc_now
from pipeline.synth.drawing import form_table
from pipeline.synth.primitives import GRID, PRIMITIVES
from pipeline.synth.train_val_test import shares, splits_of

VERSION = "1.0.0"
"""Version of the pictures: with another version, the same seed gives other pictures."""

EARLIER_NAME = "pcc-synth-1"
"""What the same version was called in sets that were made first."""

METADATA = "metadata.json"
BYTES_PER_IMAGE = GRID * GRID
BYTES_OF_LABEL = 1

LARGEST_SEED = 2**64 - 1


class GenerationParams(msgspec.Struct, forbid_unknown_fields=True):
    """What was asked for; `splits` tells the share of each split."""

    num_images: int
    seed: int
    grid_size: int
    splits: dict[str, float]


class DatasetInfo(msgspec.Struct, forbid_unknown_fields=True):
    """Number of images of each split, and of all."""

    train_count: int
    val_count: int
    test_count: int
    total_count: int


class MemoryInfo(msgspec.Struct, forbid_unknown_fields=True):
    """Room that the arrays take, on disk and loaded."""

    bytes_per_image: int
    total_bytes: int
    readable: str


class FileFormat(msgspec.Struct, forbid_unknown_fields=True):
    """How the arrays are kept."""

    dtype: str
    compression: str


class ClassInfo(msgspec.Struct, forbid_unknown_fields=True):
    """A class: its label, what it shows, what varies, and how many forms that makes."""

    label: int
    description: str
    forms: int
    parameters: dict[str, str]


class Metadata(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file; `classes` stand by name, `checksums` (BLAKE3) by file name."""

    version: str
    timestamp: str
    generation_params: GenerationParams
    dataset_info: DatasetInfo
    memory_info: MemoryInfo
    file_format: FileFormat
    classes: dict[str, ClassInfo]
    checksums: dict[str, str]


def make_metadata(num_images: int, seed: int, checksums: Mapping[str, str]) -> Metadata:
    """Return the metadata of a set that this version makes."""
    train, val, test = (split.size for split in splits_of(num_images))
    size = num_images * BYTES_PER_IMAGE
    return Metadata(
        version=VERSION,
        timestamp=utc_now(),
        generation_params=GenerationParams(
            num_images=num_images,
            seed=seed,
            grid_size=GRID,
            splits=shares(),
        ),
        dataset_info=DatasetInfo(train, val, test, num_images),
        memory_info=MemoryInfo(BYTES_PER_IMAGE, size, readable_bytes(size)),
        file_format=FileFormat("uint8", "none"),
        classes=class_table(),
        checksums=dict(checksums),
    )


def has_our_images(metadata: Metadata) -> bool:
    """Tell whether the seed of a set gives the images that this version makes of the seed."""
    ours = metadata.version in (VERSION, EARLIER_NAME)
    return ours and 0 <= metadata.generation_params.seed <= LARGEST_SEED


def class_table() -> dict[str, ClassInfo]:
    """Return the classes by name."""
    table = form_table()
    return {
        kind.name: ClassInfo(label, kind.description, table.forms_of(label), kind.parameters)
        for label, kind in enumerate(PRIMITIVES)
    }


def encode_metadata(metadata: Metadata) -> bytes:
    """Return the bytes of the file."""
    return msgspec.json.format(msgspec.json.encode(metadata)) + b"\n"


def readable_bytes(size: int) -> str:
    """Return bytes as people say them: `256 B`, `2.56 GB`."""
    amount, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:,.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.3g} {unit}"
