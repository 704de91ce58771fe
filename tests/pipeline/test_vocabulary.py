"""Pictures in the space of words: their vectors, and the nearest word for each."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backends.registry import make_embedder
from pipeline.captions.library import LibraryPhoto
from pipeline.embeddings.run import prepare_pictures
from pipeline.embeddings.store import (
    VectorStore,
    embedders_with_vectors,
    pictures_store,
    store_of,
)
from pipeline.reports.photo_texts import make_photo_texts
from pipeline.reports.vocabulary import OWN_WORDS, nearest_words, read_vocabulary
from tests.support.placed import library_photo
from tests.support.tiny_clip import DIMENSIONS, save_tiny_clip

COLOURS = ("red", "green", "blue")
WORDS = ["a red square", "the sea", "a lawn", "night"]


@pytest.fixture(scope="module")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with the vectors of some pictures."""
    folder = tmp_path_factory.mktemp("pictured")
    photos, workspace = folder / "photos", folder / "workspace"
    photos.mkdir()
    workspace.mkdir()
    for colour in COLOURS:
        Image.new("RGB", (40, 30), colour).save(photos / f"{colour}.png")
    (photos / "copy.png").write_bytes((photos / "red.png").read_bytes())
    (photos / "broken.png").write_bytes(b"no picture")
    embedder = make_embedder(f"clip:{save_tiny_clip(folder / 'clip')}")
    paths = sorted(path.name for path in photos.iterdir())

    pictures = prepare_pictures(workspace, embedder, photos, paths)
    assert len(pictures.to_do) == 5
    asyncio.run(pictures.job("a-run").run())

    again = prepare_pictures(workspace, embedder, photos, paths)
    again.lock.release()
    assert again.to_do == []  # what cannot be decoded is not tried again
    assert again.store.failed == {"broken.png"}
    return workspace


def store_in(workspace: Path) -> VectorStore:
    store = pictures_store(workspace)
    assert store is not None
    return store


def uncaptioned(*names: str) -> list[LibraryPhoto]:
    return [library_photo(f"{name}.png", None, status=None) for name in names]


def test_vectors_of_pictures_stand_beside_those_of_captions(pictured: Path) -> None:
    store = store_in(pictured)
    assert store.directory.name.endswith("-pictures")
    assert sorted(store.held) == ["blue.png", "copy.png", "green.png", "red.png"]
    assert store.held["copy.png"][0] == store.held["red.png"][0]
    assert store.vectors().shape == (store.rows, DIMENSIONS)
    np.testing.assert_allclose(np.linalg.norm(store.vectors(), axis=1), 1, atol=1e-5)
    assert embedders_with_vectors(pictured) == []


def test_photos_never_captioned_get_the_nearest_word(pictured: Path) -> None:
    store = store_in(pictured)
    photos = uncaptioned(*COLOURS, "copy", "broken", "gone")

    found = nearest_words(photos, store, WORDS)

    assert found.warning is None
    assert sorted(found.words) == ["blue.png", "copy.png", "green.png", "red.png"]
    assert found.words["copy.png"] == found.words["red.png"]
    assert store.manifest is not None
    embedder = make_embedder(store.manifest.embedder)
    embedder.open()
    texts = embedder.embed_texts([f"a photo of {word}" for word in WORDS])
    for colour in COLOURS:
        row = store.held[f"{colour}.png"][1]
        assert found.words[f"{colour}.png"] == WORDS[int((texts @ store.vectors()[row]).argmax())]
    labels = make_photo_texts(photos, found.words, {})
    assert labels.summary == "0 captioned, 0 errors, 4 vocabulary fallbacks, 2 without a label"


def test_photos_that_were_attempted_get_no_word_and_load_no_model(pictured: Path) -> None:
    store = store_in(pictured)
    assert store.manifest is not None
    store.manifest.embedder = "clip:/nowhere"
    photos = [library_photo("red.png"), library_photo("blue.png", None, status="error_api")]
    assert nearest_words(photos, store, WORDS).words == {}
    assert nearest_words(photos, store, WORDS).warning is None


def test_a_model_that_is_gone_costs_the_words_and_says_so(pictured: Path) -> None:
    store = store_in(pictured)
    assert store.manifest is not None
    store.manifest.embedder = "clip:/nowhere"
    found = nearest_words(uncaptioned("red"), store, WORDS)
    assert found.words == {}
    assert "no words for photos without a caption: " in (found.warning or "")


def test_without_vectors_of_pictures_there_are_no_words(workspace: Path) -> None:
    assert pictures_store(workspace) is None
    assert nearest_words(uncaptioned("red"), None, WORDS).words == {}
    empty = store_of(workspace, "clip", "pictures")
    assert nearest_words(uncaptioned("red"), empty, WORDS).words == {}


def test_our_vocabulary_holds_no_word_twice() -> None:
    words = read_vocabulary()
    assert len({*words}) == len(words) > 100
    assert all(word == word.strip() != "" for word in words)
    assert OWN_WORDS.read_bytes().endswith(b"\n")


def test_an_empty_vocabulary_has_no_words(pictured: Path, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("\n   \n")
    assert read_vocabulary(path) == []
    assert nearest_words(uncaptioned("red"), store_in(pictured), []).words == {}
