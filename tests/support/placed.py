"""Libraries and clusterings made by hand, for tests that need no fitting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from journal import Status, record_key
from pipeline.captions.library import LibraryPhoto
from pipeline.clusters import label_changes
from pipeline.clusters.label_journal import LabelChange
from pipeline.clusters.tree_file import Clustering, ClusteringHead, Node, Placed
from pipeline.clusters.view import ClusterView

Members = Mapping[str, Sequence[str]]


def library_photo(
    name: str,
    caption: str | None = "a caption",
    *,
    status: Status | None = "success",
    taken: str | None = None,
    raw_path: str | None = None,
) -> LibraryPhoto:
    """Return a photo of a library."""
    return LibraryPhoto(record_key(name, raw_path), name, raw_path, status, caption, taken)


def library_of(*names: str) -> list[LibraryPhoto]:
    """Return captioned photos; the caption of each photo is its name."""
    return [library_photo(name, f"a {name}") for name in names]


def clustering_of(
    leaves: Members,
    groups: Members | None = None,
    *,
    noise: Mapping[str, str] | None = None,
    successors: dict[str, str] | None = None,
) -> Clustering:
    """Return a clustering.

    Args:
        leaves: Names of the photos of each leaf, by id; a leaf's title is its id in capitals.
        groups: Ids of the parts of each group, by id; an outer group before an inner group.
        noise: Nearest leaf of each photo that is in no leaf.
        successors: Clusters to which the photos of former clusters went, by the former id.
    """
    parent = {child: group for group, children in (groups or {}).items() for child in children}
    exemplar_of = dict(leaves)
    for group, children in reversed([*(groups or {}).items()]):
        exemplar_of[group] = exemplar_of[children[0]]
    nodes = [
        Node(
            id=id_,
            parent=parent.get(id_),
            title=id_.upper(),
            keywords=[id_],
            exemplar=exemplar_of[id_][0],
            cohesion=0.9,
            leaf=id_ in leaves,
        )
        for id_ in (*(groups or {}), *leaves)
    ]
    placed = [
        Placed(rel_path=name, cluster=id_, distance=round(0.1 * place, 4), x=float(place), y=0.0)
        for id_, names in leaves.items()
        for place, name in enumerate(names)
    ]
    placed += [
        Placed(rel_path=name, nearest=near, distance=0.8) for name, near in (noise or {}).items()
    ]
    head = ClusteringHead(
        at="2026-05-01T10:00:00Z",
        embedder="tfidf",
        model="tfidf-svd",
        seed=0,
        min_cluster_size=3,
        min_samples=1,
        assign_noise=False,
        fitted=len(placed),
        input="",
        nodes=len(nodes),
        photos=len(placed),
        successors=successors or {},
    )
    return Clustering(head, nodes, placed)


def titles_of(view: ClusterView) -> dict[str, list[str]]:
    """Return the names of the photos of each leaf, sorted, by its title."""
    return {
        leaf.title: sorted(view.photos[place].rel_path for place in leaf.members)
        for leaf in view.leaves()
    }


def redone(view: ClusterView, clustering: Clustering | None, *made: LabelChange) -> ClusterView:
    """Return the same library with some changes by hand, perhaps after another clustering."""
    return ClusterView(view.photos, clustering, made)


class Desk:
    """Changes a view by hand, one change after the other.

    Args:
        view: The view to change.
        clustering: The clustering of the view.

    Attributes:
        view: The present view.
        made: The valid changes.
    """

    def __init__(self, view: ClusterView, clustering: Clustering | None) -> None:
        self.view = view
        self.made: list[LabelChange] = []
        self.clustering = clustering

    def rename(self, id_: str, title: str) -> None:
        """Give a cluster a title."""
        self._do(label_changes.rename(self.view, self.view.clusters[id_], title))

    def move(self, id_: str, *keys: str) -> None:
        """Put photos into a cluster."""
        self._do(label_changes.move(self.view, keys, self.view.clusters[id_]))

    def merge(self, target: str, *others: str) -> None:
        """Put all photos of some clusters into another."""
        clusters = self.view.clusters
        self._do(
            label_changes.merge(self.view, clusters[target], [clusters[id_] for id_ in others])
        )

    def split(self, title: str, *keys: str) -> str:
        """Make a cluster of some photos, and return the id of the cluster."""
        self._do(label_changes.split(self.view, keys, title))
        return self.made[-1].cluster

    def lock(self, id_: str) -> None:
        """Let a cluster keep its photos."""
        self._do(label_changes.lock(self.view, self.view.clusters[id_]))

    def unlock(self, id_: str) -> None:
        """Unlock a cluster."""
        self._do(label_changes.unlock(self.view, self.view.clusters[id_]))

    def undo(self) -> None:
        """Take the last change back."""
        self.made.pop()
        self.again(self.clustering)

    def again(self, clustering: Clustering | None) -> None:
        """Make the view of the same library after another clustering."""
        self.clustering = clustering
        self.view = redone(self.view, clustering, *self.made)

    def _do(self, change: LabelChange) -> None:
        self.made.append(change)
        self.again(self.clustering)


LEAVES = {"aa": ["a1", "a2", "a3"], "bb": ["b1", "b2"], "cc": ["c1", "c2", "c3", "c4"]}
GROUPS = {"gg": ["aa", "bb"]}
FOUND = clustering_of(LEAVES, GROUPS, noise={"n1": "aa"})
NAMES = [name for names in LEAVES.values() for name in names] + ["n1"]


def desk() -> Desk:
    """Return a desk with three clusters, two of them in a group, and a photo that fits nowhere."""
    return Desk(ClusterView(library_of(*NAMES), FOUND), FOUND)
