"""The input of a clustering: the vectors of a library, and which vectors are fitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from pipeline.captions.library import LibraryPhoto
from pipeline.clusters.messages import Fit
from pipeline.clusters.settings import ClusterSettings
from pipeline.embeddings.store import VectorStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backends.embedders.base import Vectors


class Gathered(msgspec.Struct):
    """The vectors of a library, and the part that is fitted.

    Attributes:
        keys: Key of each photo that has a vector.
        captions: Caption of each photo; empty for a photo whose vector is of the picture.
        vectors: Distinct unit vectors, shape (n, dimensions).
        places: Row of each photo in `vectors`.
        sample: Rows of `vectors` that are fitted, ascending; all rows unless there are too many.
        in_fit: Whether each photo is fitted. As many copies of a caption as make a cluster
            are enough; further copies go to the cluster of the first copy.
        min_cluster_size: Fewest photos of a cluster.
        min_samples: Neighbours that make a photo a core point of a cluster.
        seed: The seed of the fit.
    """

    keys: list[str]
    captions: list[str]
    vectors: Vectors
    places: NDArray[np.int64]
    sample: NDArray[np.int64]
    in_fit: NDArray[np.bool_]
    min_cluster_size: int
    min_samples: int
    seed: int

    def fit_request(self) -> Fit:
        """Return the request for the fitting process, with a copy of the fitted vectors."""
        places = np.searchsorted(self.sample, self.places[self.in_fit])
        return Fit(
            vectors=self.vectors[self.sample].tobytes(),
            dimensions=self.vectors.shape[1],
            places=places.astype(np.int64).tobytes(),
            min_cluster_size=self.min_cluster_size,
            min_samples=self.min_samples,
            seed=self.seed,
        )

    def spread(self, fitted: NDArray[Any], nothing: float) -> NDArray[Any]:
        """Give each photo the value of its fit; further copies get the value of the first copy.

        Args:
            fitted: Values of the fitted photos, shape (fitted photos, ...).
            nothing: The value of photos whose caption was not fitted.
        """
        of_caption = np.full((len(self.vectors), *fitted.shape[1:]), nothing, fitted.dtype)
        backwards = np.flatnonzero(self.in_fit)[::-1]  # the first copy is written last
        of_caption[self.places[backwards]] = fitted[::-1]
        values = of_caption[self.places]
        values[self.in_fit] = fitted
        return values


def gather(
    photos: Sequence[LibraryPhoto], stores: Sequence[VectorStore], settings: ClusterSettings
) -> Gathered:
    """Gather the vectors of a library, and choose a sample if there are too many.

    Args:
        photos: The library.
        stores: The vectors; the first store that holds a vector of a photo counts.
        settings: How to cluster.
    """
    keys: list[str] = []
    captions: list[str] = []
    parts: list[Vectors] = []
    places: list[NDArray[np.int64]] = []
    rows, seen = 0, set[str]()
    for store in stores:
        chosen = [photo for photo in photos if photo.key not in seen and counts(photo, store)]
        seen.update(photo.key for photo in chosen)
        keys += [photo.key for photo in chosen]
        captions += [photo.caption or "" for photo in chosen]
        if chosen:
            vectors, where = store.take([photo.key for photo in chosen])
            parts.append(vectors)
            places.append(where + rows)
            rows += len(vectors)
    if len(parts) == 1:
        distinct = parts[0]  # not copied
    else:
        distinct = np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
    where = np.concatenate(places) if places else np.zeros(0, np.int64)
    return _choose(keys, captions, distinct, where, settings)


def counts(photo: LibraryPhoto, store: VectorStore) -> bool:
    """Tell whether a store has a vector of a photo that may be clustered."""
    return photo.key in store.held and (store.of_pictures or photo.caption is not None)


def _choose(
    keys: list[str],
    captions: list[str],
    vectors: Vectors,
    places: NDArray[np.int64],
    settings: ClusterSettings,
) -> Gathered:
    """Choose which vectors are fitted."""
    count = len(vectors)
    sample = np.arange(count)
    if count > settings.sample:
        random = np.random.default_rng(settings.seed)
        sample = np.sort(random.choice(count, settings.sample, replace=False))
    is_sampled = np.zeros(count, bool)
    is_sampled[sample] = True
    smallest = settings.smallest(int(is_sampled[places].sum()))
    return Gathered(
        keys=keys,
        captions=captions,
        vectors=vectors,
        places=places,
        sample=sample,
        in_fit=is_sampled[places] & (_copy_numbers(places) < smallest),
        min_cluster_size=smallest,
        min_samples=settings.core(smallest),
        seed=settings.seed,
    )


def _copy_numbers(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each photo how many photos before it have the same caption."""
    order = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[order], places[order])
    numbers = np.empty(len(places), np.int64)
    numbers[order] = np.arange(len(places)) - starts
    return numbers
