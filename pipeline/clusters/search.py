"""Finding photos: by words in captions and paths, by meaning, or by both."""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from backends.errors import SetupError
from pipeline.captions.library import LibraryPhoto

if TYPE_CHECKING:
    from pipeline.embeddings.store import VectorStore

By = Literal["both", "words", "meaning"]

FUSION = 60
"""Constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009)."""

LEAST_COSINE = 0.2
"""Least cosine similarity of a caption to the query for a match by meaning."""


class Hit(msgspec.Struct):
    """A photo that was found.

    Attributes:
        place: Index of the photo in the library.
        score: Higher is better; scores are comparable within one search.
        words: Whether every word of the query is in the caption or the path.
        cosine: Cosine similarity of caption and query, None if the meaning did not count.
    """

    place: int
    score: float
    words: bool
    cosine: float | None = None


class Searcher:
    """Searches a library, and keeps the loaded embedder and vectors for the next query.

    Args:
        photos: The library.
        workspace: The directory of the vectors.
        embedder: Embedder whose vectors to search by meaning, None to search only by words.
    """

    def __init__(
        self, photos: Sequence[LibraryPhoto], workspace: Path, embedder: str | None
    ) -> None:
        self._photos = photos
        self._texts = [folded(f"{photo.caption or ''}\n{photo.rel_path}") for photo in photos]
        self._store = None if embedder is None else _open_store(workspace, embedder)
        self._ready = False

    @property
    def has_vectors(self) -> bool:
        """Whether photos can be found by meaning."""
        return self._store is not None and self._store.manifest is not None

    def search(self, query: str, by: By = "both", most: int = 20) -> list[Hit]:
        """Return the best photos for a query, the best first.

        Args:
            query: The query as typed.
            by: Whether words, meaning or both count.
            most: Most photos to return.

        Raises:
            SetupError: the embedder cannot be loaded.
        """
        words = self._by_words(query) if by != "meaning" else []
        meaning = self._by_meaning(query) if by != "words" else {}
        if by == "words" or not meaning:
            return [Hit(place, 1.0, words=True) for place in words[:most]]
        ranked = sorted(meaning, key=lambda place: -meaning[place])
        score = {place: 1 / (FUSION + rank) for rank, place in enumerate(ranked)}
        # Among photos with all the words, meaning decides which come first.
        words.sort(key=lambda place: -meaning.get(place, 0.0))
        for rank, place in enumerate(words):
            score[place] = score.get(place, 0.0) + 1 / (FUSION + rank)
        has_words = set(words)
        best = sorted(score, key=lambda place: (-score[place], place))[:most]
        return [
            Hit(place, round(score[place], 5), place in has_words, _rounded(meaning.get(place)))
            for place in best
        ]

    def _by_words(self, query: str) -> list[int]:
        """Return the photos whose caption or path contains every word; short texts come first."""
        wanted = folded(query).split()
        texts = self._texts
        found = [place for place, text in enumerate(texts) if all(word in text for word in wanted)]
        return sorted(found, key=lambda place: len(texts[place])) if wanted else []

    def _by_meaning(self, query: str) -> dict[int, float]:
        """Return photos with the cosine similarity of their captions to the query."""
        if self._store is None or self._store.manifest is None:
            return {}
        self._open(self._store)
        if not len(self._places):
            return {}
        if not self._embedder.knows(query):
            return {}
        import numpy as np

        vector = self._embedder.embed_texts([query])[0]
        with np.errstate(all="ignore"):  # a damaged array must not print warnings
            cosine = (self._vectors @ vector)[self._rows]
            near = (cosine >= LEAST_COSINE).nonzero()[0]
        return {int(self._places[at]): float(cosine[at]) for at in near}

    def _open(self, store: VectorStore) -> None:
        if self._ready:
            return
        import numpy as np

        from backends.registry import make_embedder

        assert store.manifest is not None
        self._embedder = make_embedder(store.manifest.embedder)
        self._embedder.open()
        if self._embedder.learns:
            try:
                self._embedder.restore(store.learnt() or b"")
            except ValueError:
                raise _unsearchable(store.manifest.embedder) from None
        if self._embedder.dimensions != store.manifest.dimensions:
            raise _unsearchable(store.manifest.embedder)
        held = [
            (place, photo.key)
            for place, photo in enumerate(self._photos)
            if photo.caption is not None and photo.key in store.held
        ]
        self._places = np.array([place for place, _ in held], np.int64)
        self._vectors, self._rows = store.take([key for _, key in held])
        self._ready = True


def _unsearchable(embedder: str) -> SetupError:
    return SetupError(
        f"the vectors of {embedder} cannot be searched; "
        f"`pcc embed --embedder {shlex.quote(embedder)}` makes them anew"
    )


def _open_store(workspace: Path, embedder: str) -> VectorStore:
    """Open a store; imports numpy late, because a machine that only captions may lack numpy."""
    from pipeline.embeddings.store import store_of

    store = store_of(workspace, embedder)
    return store if store.manifest is not None else store_of(workspace, embedder, "labels")


def folded(text: str) -> str:
    """Return a text without case and accents."""
    if text.isascii():
        return text.casefold()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
