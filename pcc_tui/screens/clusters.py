"""The tree of clusters beside a contact sheet: to read, search and correct, and to take away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input

from pcc_tui.dialogs.ask import AskDialog
from pcc_tui.screens.base import PccScreen
from pcc_tui.widgets.cluster_tree import ClusterTree, Spot
from pcc_tui.widgets.contact_sheet import ContactSheet
from pcc_tui.widgets.photo_list import in_order
from pcc_tui.widgets.text import Words, safe
from pcc_tui.words.figures import tidy
from pipeline.clusters.label_changes import find_cluster, lock, merge, move, rename, split, unlock
from pipeline.clusters.view import SPECIAL, Cluster, ClusterView

if TYPE_CHECKING:
    from pipeline.captions.library import LibraryPhoto
    from pipeline.clusters.label_journal import LabelChange
    from pipeline.clusters.search import Hit

LOOK_SECONDS = 2.0
"""How often the files of clusters are looked at while the screen is in sight."""

STAY_SECONDS = 0.04
TYPING_SECONDS = 0.15


class ClustersScreen(PccScreen):
    """The tree on the left, the photos of what is under the cursor on the right."""

    MODE = "clusters"
    AUTO_FOCUS = "#tree"
    BINDINGS: ClassVar[list[BindingType]] = in_order(
        Binding("slash", "search", "Search", key_display="/", id="clusters.search"),
        Binding("n", "next_hit(1)", "Next found", show=False, id="clusters.next_hit"),
        Binding("N", "next_hit(-1)", "Previous found", show=False, id="clusters.previous_hit"),
        Binding("right_square_bracket", "turn(1)", "Next page", show=False, id="clusters.next"),
        Binding("left_square_bracket", "turn(-1)", "Page back", show=False, id="clusters.back"),
        Binding("tab", "other_side", "Tree/photos", id="clusters.other_side"),
        Binding("m", "mark", "Mark", id="clusters.mark"),
        Binding("x", "unmark_all", "Clear marks", show=False, id="clusters.unmark_all"),
        Binding("r", "rename", "Rename", id="clusters.rename"),
        Binding("v", "move", "Move marked here", show=False, id="clusters.move"),
        Binding("s", "split", "Split marked off", show=False, id="clusters.split"),
        Binding("M", "merge", "Merge marked", show=False, id="clusters.merge"),
        Binding("L", "lock", "Lock/unlock", show=False, id="clusters.lock"),
        Binding("u", "undo", "Undo", id="clusters.undo"),
        Binding("e", "export", "Export", id="clusters.export"),
        Binding("C", "cluster", "Cluster", id="clusters.cluster"),
        Binding("escape,enter", "leave_query", "Back to the tree", show=False, id="clusters.tree"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._hits: list[Hit] = []
        self._hit = 0
        self._sought: str | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out tree, facts and contact sheet."""
        with Horizontal(id="clusters"):
            with Vertical(id="left"):
                yield Input(placeholder="/ words in captions", select_on_focus=False, id="query")
                yield ClusterTree("tree")
                yield Words(id="where")
            with Vertical(id="right"):
                yield Words(id="facts")
                yield ContactSheet(
                    self.pcc.image_widget, lambda key: key in self.desks.captions.marked, "sheet"
                )

    def on_mount(self) -> None:
        """Look at the files of the clusters while the screen is in sight."""
        super().on_mount()
        self.set_interval(LOOK_SECONDS, self.show_catalogue)

    def on_screen_resume(self) -> None:
        """Catch up, also with what other screens did to captions."""
        self.desks.clusters.look_at_captions()
        super().on_screen_resume()

    @property
    def _tree(self) -> ClusterTree:
        return self.query_one(ClusterTree)

    @property
    def _sheet(self) -> ContactSheet:
        return self.query_one(ContactSheet)

    # What is shown

    def show_catalogue(self) -> None:
        """Show the clusters, if their files have changed."""
        if self.is_current:
            self.background("open", self._refresh)

    async def _refresh(self) -> None:
        await self.desks.clusters.refresh()
        # A refresh that was replaced may have brought the view up to date without showing it.
        if self._tree.view is not self.desks.clusters.view:
            self._show_view()

    def _show_view(self) -> None:
        view = self.desks.clusters.view
        if view is not None:
            self._tree.show_view(view)
            self._show_spot()

    def on_photo_list_moved(self) -> None:
        """Show what is under the cursor."""
        self._show_spot()

    def _show_spot(self) -> None:
        self.background("spot", self._read_spot)

    async def _read_spot(self) -> None:
        """Show the facts and photos of a cluster or a chunk, if the cursor stays on it.

        The cursor of the sheet goes to the photo that was sought, else stays on its photo.
        """
        await asyncio.sleep(STAY_SECONDS)
        spot, view = self._tree.spot, self._tree.view
        self._show_where()
        if view is None or spot is None or not view.has_clusters:
            self.query_one("#facts", Words).say(_nothing_yet(view), "dim")
            if view is not None:
                places = [] if spot is None else _places(view, spot)
                self._sheet.show_photos(view.photos, places, keep=self._keep(view))
            return
        self.query_one("#facts", Words).update(_facts(view, spot))
        exemplar = None if spot.cluster.children else spot.cluster.exemplar
        self._sheet.show_photos(view.photos, _places(view, spot), exemplar, self._keep(view))

    def _keep(self, view: ClusterView) -> int | None:
        """Return the place of the photo that was sought, else of the photo under the cursor."""
        current = self._sheet.current
        keep = self._sought or (current.key if current is not None else None)
        self._sought = None
        return None if keep is None else view.place_of.get(keep)

    async def on_contact_sheet_turned(self) -> None:
        """Show the photos of another page."""
        self.background("sheet", self._fill)
        self._show_where()

    async def _fill(self) -> None:
        thumbnails = self.desks.photos.thumbnails()
        self._sheet.show_pictures(thumbnails is not None and self.pcc.image_widget is not None)
        await self._sheet.fill(thumbnails, self._file_of)

    async def _file_of(self, photo: LibraryPhoto) -> Path | None:
        return await self.desks.photos.file_at(photo.rel_path, photo.raw_path)

    def _show_where(self) -> None:
        parts = [self._sheet.where]
        if self._hits:
            parts.insert(0, f"{self._hit + 1:,} of {len(self._hits):,} found")
        if self.desks.captions.marked:
            parts.append(f"{len(self.desks.captions.marked):,} marked")
        if self._tree.marked:
            parts.append(f"{len(self._tree.marked):,} clusters marked")
        self.query_one("#where", Words).update(" · ".join(parts))

    # Getting about

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave letters to the query while it has the focus, and Enter and Escape to it alone."""
        return (action == "leave_query") is isinstance(self.focused, Input)

    def action_search(self) -> None:
        """Go to the query."""
        self.set_focus(self.query_one("#query", Input))

    def action_leave_query(self) -> None:
        """Go back to the tree."""
        self.set_focus(self._tree)

    def action_other_side(self) -> None:
        """Go from the tree to the photos, and back."""
        self.set_focus(self._tree if self._sheet.has_focus else self._sheet)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Find as one types, and go to the first photo found."""
        self.background("search", self._search, event.value)

    async def _search(self, words: str) -> None:
        await asyncio.sleep(TYPING_SECONDS)
        self._hits, self._hit = await self.desks.clusters.search(words), 0
        self._show_hit()
        if words.strip() and not self._hits:
            self.query_one("#where", Words).say("nothing found", "$warning")

    def action_next_hit(self, step: int) -> None:
        """Go to the next photo that was found, or to the one before."""
        if not self._hits:
            self.pcc.tell("search first, with /")
            return
        self._hit = (self._hit + step) % len(self._hits)
        self._show_hit()

    def _show_hit(self) -> None:
        """Go to the photo in the tree, and to its place on the sheet."""
        view = self._tree.view
        if self._hits and view is not None:
            place = self._hits[self._hit].place
            self._sought = view.photos[place].key
            self._tree.go_to_photo(place)
            self._show_spot()

    def action_turn(self, pages: int) -> None:
        """Show more photos of the cluster."""
        self._sheet.turn(pages)

    # Changes by hand

    def action_mark(self) -> None:
        """Mark the photo under the cursor, or the cluster where the tree has the focus."""
        photo = self._sheet.current
        if not self._sheet.has_focus:
            self._tree.toggle_mark()
        elif photo is not None:
            self.desks.captions.marked ^= {photo.key}
            self._sheet.action_move(1)
            self._sheet.draw_captions()
        self._show_where()

    def action_unmark_all(self) -> None:
        """Take all marks away."""
        self.desks.captions.marked.clear()
        self._tree.marked.clear()
        self._tree.refresh()
        self._sheet.draw_captions()
        self._show_where()

    def _cluster(self) -> Cluster | None:
        spot = self._tree.spot
        if spot is None or spot.cluster.id in SPECIAL:
            self.pcc.tell("put the cursor on a cluster first", "warning")
            return None
        return spot.cluster

    def action_rename(self) -> None:
        """Give the cluster a title."""
        cluster = self._cluster()
        if cluster is not None:

            def make(title: str, view: ClusterView) -> LabelChange:
                return rename(view, find_cluster(view, cluster.id), title)

            self._ask(f"Title of {cluster.title}", cluster.title, make)

    def action_split(self) -> None:
        """Make a cluster of its own of the marked photos."""
        keys = self._marked_keys()
        if keys:

            def make(title: str, view: ClusterView) -> LabelChange:
                return split(view, keys, title)

            self._ask(f"Title of a new cluster of {len(keys):,} photos", "", make, unmark=True)

    def action_move(self) -> None:
        """Put the marked photos into the cluster under the cursor."""
        cluster, keys = self._cluster(), self._marked_keys()
        if cluster is not None and keys:
            self._change(lambda view: move(view, keys, find_cluster(view, cluster.id)), unmark=True)

    def action_merge(self) -> None:
        """Put all photos of the marked clusters into the cluster under the cursor."""
        cluster, others = self._cluster(), sorted(self._tree.marked)
        if cluster is None:
            return
        if not others:
            self.pcc.tell("mark clusters in the tree first, with m", "warning")
            return
        self._change(
            lambda view: merge(
                view, find_cluster(view, cluster.id), [find_cluster(view, id_) for id_ in others]
            ),
            unmark=True,
        )

    def action_lock(self) -> None:
        """Let the cluster keep exactly the photos it has, or no longer."""
        cluster = self._cluster()
        if cluster is not None:
            make = unlock if cluster.locked else lock
            self._change(lambda view: make(view, find_cluster(view, cluster.id)))

    def action_undo(self) -> None:
        """Take back the last change by hand."""
        self.carry_out(self._undo)

    async def _undo(self) -> None:
        taken_back = await self.desks.clusters.undo()
        self._show_view()
        self.pcc.tell(f"Taken back: {taken_back.action}")

    def _marked_keys(self) -> list[str]:
        view = self._tree.view
        if view is None:
            return []
        keys = sorted(key for key in self.desks.captions.marked if key in view.place_of)
        if not keys:
            self.pcc.tell("mark photos first: tab to the photos, then m", "warning")
        return keys

    def _ask(
        self,
        question: str,
        title: str,
        make: Callable[[str, ClusterView], LabelChange],
        *,
        unmark: bool = False,
    ) -> None:
        def answered(answer: str | None) -> None:
            if answer is not None:
                self._change(partial(make, answer), unmark=unmark)

        self.app.push_screen(AskDialog(question, "Title, then Enter", title), answered)

    def _change(self, make: Callable[[ClusterView], LabelChange], *, unmark: bool = False) -> None:
        self.carry_out(self._write_change, make, unmark)

    async def _write_change(self, make: Callable[[ClusterView], LabelChange], unmark: bool) -> None:
        change = await self.desks.clusters.change(make)
        if unmark:
            self.desks.captions.marked.clear()
            self._tree.marked.clear()
        self._show_view()
        if change.action in ("split", "merge", "move"):
            self._tree.go_to_cluster(change.cluster)

    # Jobs

    def action_cluster(self) -> None:
        """Cluster the library, in a job of its own."""
        self.pcc.start_clustering()

    def action_export(self) -> None:
        """Write the reports."""
        self.pcc.tell("Writing CSV, Markdown and HTML …")
        self.carry_out(self._export)

    async def _export(self) -> None:
        files = await self.desks.clusters.write_reports()
        self.pcc.tell(f"Written: {', '.join(tidy(Path(file)) for file in files)}")


def _places(view: ClusterView, spot: Spot) -> list[int]:
    """Return the photos of a cluster, its exemplar first; of a group, the exemplars in it."""
    cluster, places = spot.cluster, spot.places
    if cluster.children:
        exemplars = (view.clusters[child].exemplar for child in cluster.children)
        return [place for place in exemplars if place is not None]
    if spot.chunk is not None or cluster.exemplar is None:
        return places
    at = places.index(cluster.exemplar)
    return [cluster.exemplar, *places[:at], *places[at + 1 :]]


def _facts(view: ClusterView, spot: Spot) -> Content:
    cluster = spot.cluster
    marks = [name for name, on in (("locked", cluster.locked), ("named", cluster.named)) if on]
    facts = [f"{cluster.size:,} photos"]
    if cluster.children:
        facts.append(f"{len(cluster.children):,} clusters")
    if cluster.cohesion and cluster.id not in SPECIAL:
        facts.append(f"cohesion {cluster.cohesion:.2f}")
    if cluster.span:
        facts.append(cluster.span)
    if spot.chunk is not None:
        facts.append(f"chunk {spot.chunk + 1} of {len(cluster.chunks):,}")
    lines = [
        safe(" / ".join(view.path(cluster.id)), "$primary bold"),
        safe(" · ".join(facts + marks)),
        safe(", ".join(cluster.keywords), "dim"),
    ]
    return Content("\n").join(lines)


def _nothing_yet(view: ClusterView | None) -> str:
    if view is None:
        return "Opening …"
    captioned = sum(photo.caption is not None for photo in view.photos)
    if not captioned:
        return "No clusters yet, and no captions to make them from. 2 chooses a backend."
    return f"No clusters yet. C clusters {captioned:,} captions."
