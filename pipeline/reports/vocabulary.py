"""Words for photos that were never captioned: the nearest one, by what CLIP sees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from backends.errors import SetupError
from backends.registry import make_embedder
from pipeline.captions.library import LibraryPhoto
from pipeline.embeddings.store import VectorStore

OWN_WORDS = Path(__file__).with_name("vocabulary.txt")
"""What photos are of, at home and away; a line each."""


class Fallbacks(msgspec.Struct):
    """Words for photos.

    Attributes:
        words: The nearest word, by key of the photo.
        warning: Why there are none, None where there is nothing to say.
    """

    words: dict[str, str]
    warning: str | None = None


def nearest_words(
    photos: Sequence[LibraryPhoto], store: VectorStore | None, words: Sequence[str]
) -> Fallbacks:
    """Return the nearest word of a vocabulary for photos that were never captioned.

    No model is loaded where every photo has been attempted, or none has a vector.

    Args:
        photos: The library.
        store: Vectors of pictures, None where there are none.
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
    lines = path.read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip()]
