"""A synthetic set as arrays: draw, split, save and load one from a program of your own.

`pcc synth generate` makes the same set in chunks, for any number of images. These functions hold
all images in memory; `docs/synthetic.md` shows them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from journal import atomic_rewrite, make_directory, sync_directory
from pipeline.synth.archive import IMAGES, LABELS, SplitFile
from pipeline.synth.drawing import images_of, labels_of
from pipeline.synth.errors import DatasetExists
from pipeline.synth.metadata import (
    BYTES_PER_IMAGE,
    METADATA,
    MemoryInfo,
    Metadata,
    encode_metadata,
    make_metadata,
    readable_bytes,
)
from pipeline.synth.primitives import GRID
from pipeline.synth.reading import read_metadata, read_split
from pipeline.synth.train_val_test import SPLIT_NAMES, splits_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


CHUNK = 8192
"""Images that are read at once."""


class Corpus(NamedTuple):
    """Images and their labels.

    Attributes:
        images: uint8 (n, 16, 16).
        labels: uint8 (n,).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def estimate_memory(num_images: int) -> MemoryInfo:
    """Return the memory that the images of a set take; a label is one byte more each."""
    size = num_images * BYTES_PER_IMAGE
    return MemoryInfo(BYTES_PER_IMAGE, size, readable_bytes(size))


def generate_corpus(num_images: int, seed: int = 42) -> Corpus:
    """Draw a set: train comes first, then val, then test.

    Args:
        num_images: Number of images of all splits together, at least 1.
        seed: 0 to 2**64 - 1; the same seed gives the same images on every machine.
    """
    splits = splits_of(num_images)
    return Corpus(
        np.concatenate([images_of(seed, split, 0, split.size) for split in splits]),
        np.concatenate([labels_of(seed, split, 0, split.size) for split in splits]),
    )


def split_corpus(corpus: Corpus) -> dict[str, Corpus]:
    """Return train, val and test of a set by name, as views: nothing is copied."""
    return {
        split.name: Corpus(*(each[split.start : split.start + split.size] for each in corpus))
        for split in splits_of(len(corpus.labels))
    }


def save_corpus(splits: Mapping[str, Corpus], directory: Path) -> dict[str, str]:
    """Write `train.npz`, `val.npz` and `test.npz` into a new directory.

    Args:
        splits: What `split_corpus` returns.
        directory: The directory to make.

    Returns:
        The checksum of each file by its name, for `save_metadata`.

    Raises:
        DatasetExists: the directory is there already.
        ValueError: the arrays are not of the type or shape that files have.
    """
    for name in SPLIT_NAMES:
        _require_form(name, splits[name])
    if os.path.lexists(directory):
        raise DatasetExists(directory)
    make_directory(directory, exist_ok=False)
    checksums = {}
    for name in SPLIT_NAMES:
        images, labels = splits[name]
        with SplitFile(directory / f"{name}.npz", len(labels)) as file:
            for member, rows in ((LABELS, labels), (IMAGES, images)):
                file.begin(member)
                if len(rows):
                    file.write(np.ascontiguousarray(rows))
            checksums[f"{name}.npz"] = file.finish()
    sync_directory(directory)
    return checksums


def _require_form(name: str, split: Corpus) -> None:
    for array, shape in (
        (split.images, (len(split.labels), GRID, GRID)),
        (split.labels, (len(split.labels),)),
    ):
        if array.dtype != np.uint8 or array.shape != shape:
            raise ValueError(f"{name} has {array.dtype} {array.shape}, not uint8 {shape}")


def save_metadata(
    directory: Path, num_images: int, seed: int, checksums: Mapping[str, str]
) -> Metadata:
    """Write `metadata.json` beside the files of a set, and return what it says.

    Args:
        directory: Directory of the set.
        num_images: Number of images of all splits together.
        seed: The seed that made the images; `pcc synth validate` holds the set to that.
        checksums: What `save_corpus` returned.
    """
    metadata = make_metadata(num_images, seed, checksums)
    with atomic_rewrite(directory / METADATA) as file:
        file.write(encode_metadata(metadata))
    return metadata


def load_corpus(directory: Path) -> dict[str, Corpus]:
    """Return train, val and test of the set in a directory by name; never by pickle.

    Raises:
        DatasetUnusable: a file is missing, or is not as `pcc` writes it.
    """
    loaded = {}
    for split in splits_of(read_metadata(directory / METADATA).generation_params.num_images):
        # Room is taken for what was read, not for what the metadata promises.
        images, labels = [np.empty((0, GRID, GRID), np.uint8)], [np.empty(0, np.uint8)]
        for some_labels, some_images in read_split(directory / split.file_name, split.size, CHUNK):
            images.append(some_images)
            labels.append(some_labels)
        loaded[split.name] = Corpus(np.concatenate(images), np.concatenate(labels))
    return loaded
