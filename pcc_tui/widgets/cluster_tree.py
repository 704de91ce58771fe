"""The tree of clusters: groups, clusters, chunks. Only the lines in sight are ever drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.cells import cell_len, set_cell_size
from textual.binding import Binding, BindingType
from textual.events import Click

from pcc_tui.clean import clean
from pcc_tui.widgets.photo_list import ListRow, PhotoList, in_order
from pipeline.clusters.view import Cluster, ClusterView, chunk_id

if TYPE_CHECKING:
    from collections.abc import Iterator

INDENT = 2
CHUNK = "#"


class Spot(NamedTuple):
    """What a row of the tree stands for.

    Attributes:
        cluster: A group or a cluster.
        chunk: Number of a chunk of the cluster, from 0; None for the whole cluster.
    """

    cluster: Cluster
    chunk: int | None

    @property
    def places(self) -> list[int]:
        """Places of the photos of a cluster or a chunk, empty for a group."""
        if self.chunk is None:
            return self.cluster.members
        return self.cluster.chunk(self.chunk)


class ClusterTree(PhotoList):
    """A tree drawn as a list of the rows that are open.

    The key of a row is the id of a cluster, or `id#number` for a chunk.
    """

    BINDINGS: ClassVar[list[BindingType]] = in_order(
        Binding("right,l", "open", "Open", show=False, id="tree.open"),
        Binding("left,h", "close", "Close", show=False, id="tree.close"),
        Binding("enter,o", "open_or_close", "Open/close", id="tree.toggle"),
    )

    def __init__(self, id: str) -> None:
        super().__init__(self._row, id=id)
        self.view: ClusterView | None = None
        self.marked: set[str] = set()
        self._open: set[str] = set()

    def show_view(self, view: ClusterView) -> None:
        """Show a tree; what was open stays open."""
        self.view = view
        self._open &= view.clusters.keys()
        self.marked &= view.clusters.keys()
        self._lay_out()

    @property
    def spot(self) -> Spot | None:
        """What stands under the cursor."""
        return None if self.current is None else self.spot_of(self.current)

    def spot_of(self, key: str) -> Spot | None:
        """Return what a row stands for, None where its cluster is gone."""
        id_, chunk, number = key.partition(CHUNK)
        if self.view is None or id_ not in self.view.clusters:
            return None
        return Spot(self.view.clusters[id_], int(number) if chunk else None)

    def go_to_photo(self, place: int) -> None:
        """Open the tree down to the chunk of a photo, and put the cursor there."""
        view = self.view
        if view is None:
            return
        leaf = view.clusters[view.leaf_of[place]]
        above = leaf.parent
        while above is not None and above in view.clusters:
            self._open.add(above)
            above = view.clusters[above].parent
        key = leaf.id
        if len(leaf.chunks) > 1:
            self._open.add(leaf.id)
            number = next(n for n in range(len(leaf.chunks)) if place in leaf.chunk(n))
            key = f"{leaf.id}{CHUNK}{number}"
        self._lay_out(key)

    def go_to_cluster(self, id_: str) -> None:
        """Put the cursor on a cluster, and open the groups above it."""
        if self.view is None or id_ not in self.view.clusters:
            return
        above = self.view.clusters[id_].parent
        while above is not None and above in self.view.clusters:
            self._open.add(above)
            above = self.view.clusters[above].parent
        self._lay_out(id_)

    def _lay_out(self, keep: str | None = None) -> None:
        rows = [] if self.view is None else list(self._rows(self.view.roots))
        self.show(rows, keep)

    def _rows(self, ids: list[str]) -> Iterator[str]:
        assert self.view is not None
        for id_ in ids:
            yield id_
            if id_ in self._open:
                cluster = self.view.clusters[id_]
                yield from self._rows(cluster.children)
                yield from (f"{id_}{CHUNK}{number}" for number in range(len(cluster.chunks)))

    def _depth(self, cluster: Cluster) -> int:
        depth, above = 0, cluster.parent
        while self.view is not None and above in self.view.clusters:
            depth, above = depth + 1, self.view.clusters[above].parent
        return depth

    def _row(self, key: str) -> ListRow:
        """Return what the row of a group, a cluster or a chunk shows."""
        spot = self.spot_of(key)
        if spot is None:
            return ListRow("", "row", "")
        cluster = spot.cluster
        pad = " " * (INDENT * self._depth(cluster))
        if spot.chunk is not None:
            return ListRow("   ", "row", f"{pad}{' ' * 2 * INDENT}{self._chunk_words(spot)}")
        branch = "▾" if cluster.id in self._open else "▸" if _opens(cluster) else " "
        sign = f"{'●' if cluster.id in self.marked else ' '}{'L' if cluster.locked else ' '}"
        style = "marked" if cluster.id in self.marked else "good" if cluster.named else "row"
        return ListRow(sign, style, f"{pad}{branch} {cluster.title}\t{cluster.size:,}")

    def _chunk_words(self, spot: Spot) -> str:
        assert self.view is not None
        assert spot.chunk is not None
        from pipeline.clusters.moments import dated

        photos = [self.view.photos[place] for place in spot.places]
        days = sorted(filter(None, map(dated, photos)))
        when = days[0][:10] if days else "undated"
        name = chunk_id(spot.cluster.id, spot.chunk).rpartition("-")[2]
        return f"{name} {when}\t{len(photos):,}"

    def fitted(self, text: str, width: int) -> str:
        """Return the title at the left and the size at the right; a long title is cut."""
        title, _, size = text.partition("\t")
        room = max(1, width - len(size) - 2)
        shown = clean(title)
        if cell_len(shown) > room:
            shown = set_cell_size(shown, room - 1) + "…"
        return set_cell_size(f"{set_cell_size(shown, room)} {size}", width)

    def action_open(self) -> None:
        """Show what is in a group or a cluster."""
        spot = self.spot
        if spot is not None and spot.chunk is None and _opens(spot.cluster):
            self._open.add(spot.cluster.id)
            self._lay_out()

    def action_close(self) -> None:
        """Close a group or a cluster; from a closed one, go to the group above it."""
        spot = self.spot
        if spot is None:
            return
        if spot.chunk is None and spot.cluster.id in self._open:
            self._open.discard(spot.cluster.id)
            self._lay_out()
            return
        above = spot.cluster.id if spot.chunk is not None else spot.cluster.parent
        if above is not None:
            self._lay_out(above)

    def action_open_or_close(self) -> None:
        """Close what is open, else open it."""
        spot = self.spot
        if spot is not None and spot.chunk is None and spot.cluster.id in self._open:
            self.action_close()
        else:
            self.action_open()

    def toggle_mark(self) -> None:
        """Mark the cluster under the cursor, or take its mark away."""
        spot = self.spot
        if spot is not None:
            self.marked ^= {spot.cluster.id}
            self.refresh()

    def on_click(self, event: Click) -> None:
        """Put the cursor where the mouse is; a second click opens or closes."""
        row = event.y + self.scroll_offset.y
        if row == self.cursor:
            self.action_open_or_close()
        else:
            self.go_to(row)


def _opens(cluster: Cluster) -> bool:
    """Tell whether there is anything to show below; a single chunk is the whole cluster."""
    return bool(cluster.children) or len(cluster.chunks) > 1
