"""Words for photos that were never captioned: the nearest word to the picture by CLIP."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from backends.errors import SetupError
from backends.registry import make_embedder
from journal import read_whole
from pipeline.captions.library import LibraryPhoto
from pipeline.embeddings.store import VectorStore

OWN_WORDS = Path(__file__).with_name("vocabulary.txt")
"""Common subjects of photos, one on each line."""


class Fallbacks(msgspec.Struct):
    """Words for photos.

    Attributes:
        words: The nearest word, by the key of the photo.
        warning: Why there are no words, None if no explanation is needed.
    """

    words: dict[str, str]
    warning: str | None = None


def nearest_words(
    photos: Sequence[LibraryPhoto], store: VectorStore | None, words: Sequence[str]
) -> Fallbacks:
    """Return the nearest word of a vocabulary for photos that were never captioned.

    No model is loaded if every photo has been attempted, or if no photo has a vector.

    Args:
        photos: The library.
        store: Vectors of pictures, None if there are none.
        words: The vocabulary.
    """
    if store is None or store.manifest is None:
        return Fallbacks({})
    keys = [photo.key for photo in photos if photo.status is None and photo.caption is None]
    keys = [key for key in keys if key in store.held]
    if not keys or not words:
        return Fallbacks({})
    try:
        embedder = make_embedder(store.manifest.embedder)
        embedder.open()
    except SetupError as error:
        return Fallbacks({}, f"no words for photos without a caption: {error}")
    texts = embedder.embed_texts([f"a photo of {word}" for word in words])
    rows = np.array([store.held[key][1] for key in keys], np.int64)
    nearest = (store.vectors()[rows] @ texts.T).argmax(1)
    return Fallbacks({key: words[place] for key, place in zip(keys, nearest, strict=True)})


def read_vocabulary(path: Path = OWN_WORDS) -> list[str]:
    """Return the words of a file, one a line."""
    lines = read_whole(path).decode("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip()]
