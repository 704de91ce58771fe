"""`tfidf`: words weighted by their rarity, in few dimensions. There is nothing to download."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.extmath import randomized_svd

from backends.embedders.base import Embedder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backends.embedders.base import Vectors

MOST_DIMENSIONS = 128
MOST_WORDS = 20_000
NOISE = 1e-5
"""Share of the largest singular value; a smaller value is rounding, and its axis means nothing."""

SEED = 0


class _Learnt(msgspec.Struct):
    """The vocabulary, its weights, and the axes it is projected on, as bytes of float32."""

    words: list[str]
    weights: bytes
    axes: bytes


class TfidfEmbedder(Embedder):
    """Latent semantic analysis (Deerwester et al. 1990): TF-IDF, then a truncated SVD.

    A text without a known word points along an axis of its own, so that every
    vector has length 1.
    """

    model = "tfidf-svd"
    batch_size = 2048
    learns: ClassVar[bool] = True

    def __init__(self, name: str = "tfidf") -> None:
        super().__init__(name)
        self._vectorizer: Any = None
        self._axes: NDArray[np.float32] = np.zeros((0, 0), np.float32)

    def open(self) -> None:
        """Do nothing: there is no model to load."""

    def fit(self, texts: Sequence[str]) -> bytes:
        """Learn vocabulary, weights and axes; the same texts always teach the same."""
        vectorizer = _vectorizer()
        try:
            matrix = vectorizer.fit_transform(texts)
        except ValueError:  # not one word besides stop words
            return self._take(_Learnt([], b"", b""))
        rank = min(MOST_DIMENSIONS, *matrix.shape)
        # TruncatedSVD does this too, but wants two words and divides by the variance of the texts.
        _, sizes, axes = randomized_svd(matrix, rank, n_iter=5, random_state=SEED)
        axes = axes[sizes > sizes[0] * NOISE]
        return self._take(
            _Learnt(
                words=list(vectorizer.get_feature_names_out()),
                weights=vectorizer.idf_.astype(np.float32).tobytes(),
                axes=axes.astype(np.float32).tobytes(),
            )
        )

    def restore(self, learnt: bytes) -> None:
        """Take over what was learnt before."""
        try:
            self._take(msgspec.msgpack.decode(learnt, type=_Learnt))
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ValueError(str(error)) from None

    def _take(self, learnt: _Learnt) -> bytes:
        words = len(learnt.words)
        axes = np.frombuffer(learnt.axes, np.float32).reshape(-1, max(1, words))
        weights = np.frombuffer(learnt.weights, np.float32)
        finite = np.isfinite(axes).all() and np.isfinite(weights).all()
        if not finite or bool(words) != bool(len(axes)):
            raise ValueError("words, weights and axes do not belong together")
        vectorizer = None
        if words:
            vectorizer = _vectorizer(learnt.words)
            vectorizer.idf_ = weights.astype(np.float64)
        self._axes, self._vectorizer = axes, vectorizer
        self.dimensions = len(axes) + 1
        return msgspec.msgpack.encode(learnt)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return a vector for each text."""
        vectors: Vectors = np.zeros((len(texts), self.dimensions), np.float32)
        if self._vectorizer is not None and len(texts):
            vectors[:, :-1] = self._vectorizer.transform(texts) @ self._axes.T
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unknown = lengths[:, 0] < 1e-6
        vectors[unknown, -1] = lengths[unknown, 0] = 1
        unit: Vectors = vectors / lengths
        return unit

    def knows(self, text: str) -> bool:
        """Tell whether a text holds a word that was learnt."""
        return bool(self.embed_texts([text])[0, -1] == 0)


def _vectorizer(words: list[str] | None = None) -> TfidfVectorizer:
    return TfidfVectorizer(
        stop_words="english",
        sublinear_tf=True,
        max_features=None if words else MOST_WORDS,
        vocabulary=words,
        dtype=np.float32,
    )
