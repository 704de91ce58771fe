"""UMAP and HDBSCAN on the vectors of a library; this module runs in the fitting process."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.clusters.messages import Branch, Fit, Fitted
from pipeline.clusters.neighbours import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backends.embedders.base import Vectors

    Coordinates = NDArray[np.float32]

Tell = Callable[[str, float], None]

NEIGHBOURS = 15
DIMENSIONS = 5
MAP_EPOCHS = 100

SPREAD = 0.1 / DIMENSIONS**0.5
"""Copies of a caption are spread around one place by a tenth of the usual gap of captions."""

FEWEST_FOR_UMAP = 100
"""With fewer distinct vectors, principal components give as good a layout without waiting."""

FEWEST_FOR_SPECTRAL = 200
"""With fewer vectors, UMAP's spectral initialisation is not available."""

SHARES = {"neighbours": 0.15, "layout": 0.65, "tree": 0.7, "map": 1.0}
"""Share of the work that is done after each part, measured at 25,000 captions."""


def fit(request: Fit, tell: Tell) -> Fitted:
    """Find the clusters of a library.

    Distinct vectors are laid out once. Equal vectors are spread a little around their
    common place, because HDBSCAN would see copies at one point as infinitely dense.
    """
    vectors = np.frombuffer(request.vectors, np.float32).reshape(-1, request.dimensions)
    places = np.frombuffer(request.places, np.int64)
    coordinates, plane = _lay_out(vectors, request.seed, tell)
    tell("finding clusters", SHARES["layout"])
    spread = _spread(coordinates, places, request.seed)
    alike = not np.ptp(vectors, axis=0).any()
    labels, tree = _everything(len(spread)) if alike else _clusters(spread, request)
    tell("drawing the map", SHARES["tree"])
    positions = plane()[places]
    return Fitted(labels.astype(np.int32).tobytes(), tree, positions.astype(np.float32).tobytes())


def warm_up() -> None:
    """Let numba compile the functions that UMAP calls, by a run on random vectors."""
    noise = np.random.default_rng(0).normal(size=(FEWEST_FOR_UMAP, 8)).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    neighbours = nearest(noise, NEIGHBOURS)
    _umap(noise, neighbours, seed=0, dimensions=DIMENSIONS, epochs=2)


def _lay_out(
    vectors: Vectors, seed: int, tell: Tell
) -> tuple[Coordinates, Callable[[], Coordinates]]:
    """Return coordinates for clustering, and a function that draws the map."""
    if len(vectors) < FEWEST_FOR_UMAP:
        components = _principal(vectors, DIMENSIONS)
        return components, lambda: _principal(components, 2)
    neighbours = nearest(
        vectors,
        NEIGHBOURS,
        lambda share: tell("comparing captions", share * SHARES["neighbours"]),
    )
    tell("laying out", SHARES["neighbours"])
    part = SHARES["layout"] - SHARES["neighbours"]
    coordinates = _umap(
        vectors,
        neighbours,
        seed=seed,
        dimensions=DIMENSIONS,
        init="spectral" if len(vectors) >= FEWEST_FOR_SPECTRAL else "pca",
        tell=lambda share: tell("laying out", SHARES["neighbours"] + share * part),
    )
    return coordinates, lambda: _umap(
        vectors,
        neighbours,
        seed=seed,
        dimensions=2,
        epochs=MAP_EPOCHS,
        min_dist=0.1,
        init=_principal(coordinates, 2),
        tell=lambda share: tell(
            "drawing the map", SHARES["tree"] + share * (SHARES["map"] - SHARES["tree"])
        ),
    )


def _umap(
    vectors: Vectors,
    neighbours: tuple[NDArray[np.int32], NDArray[np.float32]],
    *,
    seed: int,
    dimensions: int,
    epochs: int | None = None,
    min_dist: float = 0.0,
    init: str | Coordinates = "pca",
    tell: Callable[[float], None] = lambda share: None,
) -> Coordinates:
    """Return the layout by UMAP (McInnes et al. 2018) over given neighbours, on one thread."""
    import umap

    return umap.UMAP(  # type: ignore[no-any-return]
        n_neighbors=NEIGHBOURS,
        n_components=dimensions,
        n_epochs=epochs,
        min_dist=min_dist,
        metric="cosine",
        init=init,
        random_state=seed,
        n_jobs=1,
        precomputed_knn=(*neighbours, None),
        tqdm_kwds={"disable": False, "file": _EpochMeter(tell), "mininterval": 0, "miniters": 5},
    ).fit_transform(vectors)


class _EpochMeter(io.StringIO):
    """A file for the progress bar of UMAP, which turns the percentage into a share."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        super().__init__()
        self._tell = tell

    def write(self, text: str) -> int:
        """Read the percentage from the text of the progress bar."""
        if found := re.search(r"(\d+)%\|", text):
            self._tell(int(found[1]) / 100)
        return len(text)


def _principal(points: Any, dimensions: int) -> Coordinates:
    """Return the first principal components, filled up with zeros if there are fewer."""
    centred = points - points.mean(0)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    # The library chooses the sign of an axis at will, so make the largest entry positive.
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])
    kept = min(dimensions, int((lengths > 1e-6).sum()))
    found = np.zeros((len(points), dimensions), np.float32)
    found[:, :kept] = centred @ (axes[:kept] * signs[:kept, None]).T
    return found


def _spread(coordinates: Coordinates, places: NDArray[np.int64], seed: int) -> Coordinates:
    """Return a point for each photo; photos with equal vectors are spread around one point."""
    points = coordinates[places]
    first = np.zeros(len(places), bool)
    first[np.unique(places, return_index=True)[1]] = True
    if first.all():
        return points
    noise = np.random.default_rng(seed).normal(size=points.shape)
    points[~first] += (noise * _usual_gap(coordinates) * SPREAD)[~first]
    return points


def _usual_gap(coordinates: Coordinates) -> float:
    """Return the median distance to the nearest other point, 1 if there is no other point."""
    from sklearn.neighbors import NearestNeighbors

    if len(coordinates) < 2:
        return 1.0
    distances, _ = NearestNeighbors(n_neighbors=2).fit(coordinates).kneighbors(coordinates)
    return float(np.median(distances[:, 1])) or 1e-3


def _clusters(points: Coordinates, request: Fit) -> tuple[NDArray[np.int64], list[Branch]]:
    """Return HDBSCAN's label of each point, and the tree above the selected clusters.

    If HDBSCAN selects no cluster, as in a library with one subject, all photos are one cluster.
    """
    if len(points) < 2 * request.min_cluster_size:
        return _everything(len(points))
    from hdbscan import HDBSCAN

    clusterer = HDBSCAN(
        min_cluster_size=request.min_cluster_size,
        min_samples=request.min_samples,
        core_dist_n_jobs=1,
    ).fit(points.astype(np.float64))
    if clusterer.labels_.max() < 0:
        return _everything(len(points))
    return clusterer.labels_, _branches(clusterer)


def _everything(count: int) -> tuple[NDArray[np.int64], list[Branch]]:
    """Return all photos as one cluster."""
    return np.zeros(count, np.int64), [Branch(0, None, count, 0)]


def _branches(clusterer: Any) -> list[Branch]:
    """Return the part of HDBSCAN's condensed tree that leads to the selected clusters."""
    rows = clusterer.condensed_tree_.to_numpy()
    rows = rows[rows["child_size"] > 1]
    parent = {int(row["child"]): int(row["parent"]) for row in rows}
    size = {int(row["child"]): int(row["child_size"]) for row in rows}
    selected = sorted(clusterer.condensed_tree_._select_clusters())  # noqa: SLF001
    label = {int(node): place for place, node in enumerate(selected)}
    needed: set[int] = set()
    for node in label:
        above: int | None = node
        while above is not None and above not in needed:
            needed.add(above)
            above = parent.get(above)
    total = len(clusterer.labels_)
    return [
        Branch(node, parent.get(node), size.get(node, total), label.get(node))
        for node in sorted(needed)  # a parent's number is lower than its children's
    ]
