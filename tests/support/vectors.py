"""Vectors of captions, made as `pcc embed` makes them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from backends.embedders.tfidf import TfidfEmbedder
from pipeline.captions.library import LibraryPhoto
from pipeline.embeddings.run import prepare_captions
from pipeline.embeddings.store import VectorStore, store_of, text_hash
from pipeline.jobs.step import Ending
from tests.support.placed import library_photo

Captions = Mapping[str, str | None]
"""Captions by the name of the photo without its suffix."""

ANIMALS = ("dog", "cat", "horse", "cow", "owl", "fox", "bear", "wolf", "hare", "seal")


def captioned(captions: Captions) -> list[LibraryPhoto]:
    """Return a library with the given captions."""
    return [library_photo(f"{name}.jpg", text) for name, text in captions.items()]


def animals(count: int) -> dict[str, str | None]:
    """Return `count` different captions."""
    return {f"{n:03d}": f"a {ANIMALS[n % 10]} beside the gate{n}" for n in range(count)}


def embed(workspace: Path, captions: Captions) -> int:
    """Bring the vectors of a library up to date; return how many captions had none."""
    embedding = prepare_captions(workspace, "tfidf", captioned(captions))
    if not embedding.to_do:
        embedding.lock.release()
        return 0
    assert asyncio.run(embedding.job("a-run").run()) is Ending.DONE
    return len(embedding.to_do)


def opened(workspace: Path) -> VectorStore:
    """Return the vectors of a workspace."""
    return store_of(workspace, "tfidf")


def assert_right(workspace: Path, captions: Captions) -> None:
    """Check that every caption has the vector that the embedder gives."""
    store = opened(workspace)
    embedder = TfidfEmbedder()
    embedder.restore(store.learnt() or b"")
    for name, text in captions.items():
        if text:
            of, row = store.held[f"{name}.jpg"]
            assert of == text_hash(text)
            expected = embedder.embed_texts([text])[0]
            np.testing.assert_allclose(store.vectors()[row], expected, atol=1e-6)
