"""Changes by hand, played back over a clustering: which leaf each photo is in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from pipeline.clusters.label_journal import LabelChange
from pipeline.clusters.tree_file import Node

NEWCOMERS = "+"
"""Suffix of the id of a locked cluster: names the leaf of photos that would have joined it."""


class Playback:
    """The clusters of a clustering, with all changes by hand applied.

    Args:
        nodes: Nodes of the clustering.
        changes: Changes by hand, in order, without those taken back.
        successors: Cluster to which the photos of a former cluster went, by the former id.

    Attributes:
        nodes: Nodes by id, including nodes made by hand.
        named: Ids of the clusters to which people gave a title.
        locked: Keys of the photos of each locked cluster, by its id.
        touched: Ids of leaves whose photos are not those of the clustering.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        changes: Iterable[LabelChange],
        successors: Mapping[str, str] | None = None,
    ) -> None:
        self.nodes = {node.id: msgspec.structs.replace(node) for node in nodes}
        self.named: set[str] = set()
        self.locked: dict[str, set[str]] = {}
        self.touched: set[str] = set()
        self._successors = successors or {}
        self._renames: list[LabelChange] = []
        self._pins: dict[str, str] = {}
        self._merged: dict[str, str] = {}
        self._keeper: dict[str, str] = {}
        for change in changes:
            _PLAYS[change.action](self, change)

    @property
    def lost(self) -> list[LabelChange]:
        """Renames of clusters that no longer exist."""
        return [change for change in self._renames if change.cluster not in self.nodes]

    def _knows(self, id_: str) -> bool:
        """Tell whether a cluster exists; a leaf of newcomers is made when its id is used."""
        keeper = self.nodes.get(id_.removesuffix(NEWCOMERS))
        if id_ not in self.nodes and keeper is not None and keeper.leaf:
            title = f"{keeper.title} (new)"
            self.nodes[id_] = msgspec.structs.replace(keeper, id=id_, title=title)
        return id_ in self.nodes

    def _rename(self, change: LabelChange) -> None:
        self._renames.append(change)
        if self._knows(change.cluster):
            self._name(change.cluster, change.title or "")

    def _split(self, change: LabelChange) -> None:
        if self._knows(change.cluster):  # a later clustering has found the cluster
            self._name(change.cluster, change.title or "split off")
        else:
            self._add(change, "split off")
        self._move(change)

    def _move(self, change: LabelChange) -> None:
        self._pins.update(dict.fromkeys(change.photos, change.cluster))
        if self.resolve(change.cluster) is None:  # stays, whatever the clustering says
            self._add(change, "moved")

    def _merge(self, change: LabelChange) -> None:
        for other in change.others:
            if other not in self._chain(change.cluster):  # already one cluster
                self._merged[other] = change.cluster
        self._move(change)

    def _lock(self, change: LabelChange) -> None:
        if not self._knows(change.cluster):  # not in the clustering any more
            self._add(change, "locked")
        self.locked[change.cluster] = set(change.photos)
        self._keeper.update(dict.fromkeys(change.photos, change.cluster))

    def _unlock(self, change: LabelChange) -> None:
        for key in self.locked.pop(change.cluster, ()):
            self._keeper.pop(key, None)

    def _name(self, id_: str, title: str) -> None:
        self.nodes[id_].title = title
        self.named.add(id_)

    def _add(self, change: LabelChange, title: str) -> None:
        """Make a cluster that the clustering does not know."""
        origin = self.nodes.get((change.parent or "").removesuffix(NEWCOMERS))
        self.nodes[change.cluster] = Node(
            id=change.cluster,
            parent=origin.parent if origin else None,
            title="",
            keywords=[],
            cohesion=0.0,
        )
        self._name(change.cluster, change.title or title)

    def resolve(self, id_: str) -> str | None:
        """Return the present cluster that an id stands for, None if nothing is left of it."""
        for heir in reversed(self._chain(id_)):  # a cluster merged into one that is gone stays
            if self._knows(heir) and self.nodes[heir].leaf:
                return heir
        return None

    def _chain(self, id_: str) -> list[str]:
        """Return a cluster, then the cluster it was merged into or went to, and so on, by id."""
        chain: list[str] = []
        while id_ not in chain:
            chain.append(id_)
            if id_ in self._merged:
                id_ = self._merged[id_]
            elif not self._knows(id_) and id_ in self._successors:
                id_ = self._successors[id_]
        return chain

    def leaf_of(self, key: str, found: str | None) -> str | None:
        """Return the leaf of a photo.

        Args:
            key: Key of the photo.
            found: The leaf that the clustering found for the photo, None for noise.
        """
        wanted = self._keeper.get(key) or self._pins.get(key)
        leaf = None if wanted is None else self.resolve(wanted)
        if leaf is None and found is not None:
            leaf = self.resolve(found)
        if leaf is not None:
            leaf = self._beside_locks(key, leaf)
        if leaf != found:
            self.touched |= {id_ for id_ in (leaf, found) if id_ is not None}
        return leaf

    def _beside_locks(self, key: str, leaf: str) -> str:
        """Return a leaf, or the leaf of its newcomers if it is locked without the photo."""
        while leaf in self.locked and key not in self.locked[leaf]:
            leaf = self._newcomers_of(leaf)
        return leaf

    def _newcomers_of(self, locked: str) -> str:
        """Return the leaf beside a locked cluster for photos that would have joined it."""
        beside = locked + NEWCOMERS
        self._knows(beside)
        merged = self.resolve(beside)
        return beside if merged is None or merged in self.locked else merged

    def pinned(self) -> Iterator[tuple[str, str]]:
        """Yield each photo that was put into a leaf by hand, with the leaf."""
        for key, id_ in (self._pins | self._keeper).items():
            if (leaf := self.resolve(id_)) is not None:
                yield key, self._beside_locks(key, leaf)


_PLAYS: dict[str, Callable[[Playback, LabelChange], None]] = {
    "rename": Playback._rename,  # noqa: SLF001
    "split": Playback._split,  # noqa: SLF001
    "move": Playback._move,  # noqa: SLF001
    "merge": Playback._merge,  # noqa: SLF001
    "lock": Playback._lock,  # noqa: SLF001
    "unlock": Playback._unlock,  # noqa: SLF001
}
