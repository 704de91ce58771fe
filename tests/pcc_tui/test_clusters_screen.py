"""The Clusters screen, key by key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from pcc_tui.app import PccApp
from pcc_tui.dialogs.ask import AskDialog
from pcc_tui.graphics import Protocol
from pcc_tui.screens.clusters import ClustersScreen
from pcc_tui.screens.run import RunScreen
from pcc_tui.widgets.cluster_tree import ClusterTree
from pcc_tui.widgets.contact_sheet import ContactSheet, SheetCell
from pipeline.captions.edits import Edits
from tests.support.apps import make_app, running, shown, until, write_records
from tests.support.clusters import (
    GROUP,
    SUBJECTS,
    TWO_DAYS,
    cluster_of,
    leaf_by_photo,
    photo_name,
    photo_names,
    record,
    run_pcc,
    subject_captions,
    title_by_photo,
    view_of,
)
from tests.support.pty_app import INVISIBLE
from tests.support.runs import start


class Desk:
    """The app on its Clusters screen, and what one asks of it."""

    def __init__(self, pilot: Pilot[int]) -> None:
        self.pilot = pilot
        self.app = cast(PccApp, pilot.app)
        self.screen = cast(ClustersScreen, pilot.app.screen)
        self.tree = self.screen.query_one(ClusterTree)
        self.sheet = self.screen.query_one(ContactSheet)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        await until(self.pilot, condition)

    async def told(self, words: str) -> None:
        """Wait until the app has said something, however it breaks the line."""
        await self.until(lambda: any(words in notice.message for notice in self.app._notifications))

    async def sees(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.text for text in texts))

    async def sees_in(self, name: str, *texts: str) -> None:
        await self.until(lambda: all(text in self.part(name) for text in texts))

    @property
    def text(self) -> str:
        return shown(self.app.screen)

    def part(self, name: str) -> str:
        return shown(self.screen.query_one(name))

    @property
    def keys(self) -> list[str]:
        """The photos of the sheet, on all its pages."""
        return [self.sheet._library[place].key for place in self.sheet._places]

    @property
    def here(self) -> str:
        """The title under the cursor."""
        assert self.tree.spot is not None
        return self.tree.spot.cluster.title

    async def go_to(self, photo: str) -> None:
        """Put the cursor on the cluster of a photo, with the keys of the tree."""
        assert self.tree.view is not None
        view = self.tree.view
        leaf = view.leaf_of[view.place_of[photo]]
        await self.press("g", "right", "home")
        while (self.tree.current or "").partition("#")[0] != leaf:
            before = self.tree.cursor
            await self.press("right", "down")
            assert self.tree.cursor > before, "the tree has no such row"
        await self.until(lambda: photo in self.sheet_keys)

    @property
    def sheet_keys(self) -> list[str]:
        """Keys of the photos of the sheet, all pages of it."""
        return [self.sheet._library[place].key for place in self.sheet._places]

    def captions(self) -> list[str]:
        """The captions on the page, without what is only a name."""
        cells = list(self.screen.query(SheetCell))[: self.sheet.page_size]
        return [shown(cell) for cell in cells]


@asynccontextmanager
async def at_desk(
    workspace: Path,
    photos: Path | None = None,
    *,
    images: Protocol = "off",
    size: tuple[int, int] = (100, 30),
) -> AsyncIterator[Desk]:
    """Open the app on its Clusters screen."""
    async with running(make_app(workspace, photos, images=images), size) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: isinstance(pilot.app.screen, ClustersScreen))
        desk = Desk(pilot)
        await desk.until(lambda: desk.tree.view is not None)
        await desk.until(lambda: "of" in desk.part("#where") or "no photos" in desk.part("#where"))
        yield desk


def market(number: int = 0) -> str:
    return photo_name(TWO_DAYS, number)


# The tree


async def test_the_tree_opens_and_closes(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        rows = len(desk.tree.rows)
        assert rows == len(SUBJECTS)  # the group is closed
        group = next(row for row in desk.tree.rows if view_of(clustered).clusters[row].children)
        desk.tree.go_to(list(desk.tree.rows).index(group))
        for opens, closes in (("right", "left"), ("l", "h"), ("enter", "enter"), ("o", "o")):
            await desk.press(opens)
            assert len(desk.tree.rows) == rows + 2
            await desk.sees("▾")
            await desk.press(closes)
            assert len(desk.tree.rows) == rows
        await desk.press("right", "down")
        assert desk.tree.spot is not None
        assert desk.tree.spot.cluster.parent == group
        await desk.press("left")  # from what is closed to what it is in
        assert desk.tree.current == group
        await desk.sees("2 clusters", "10 photos")


async def test_chunks_of_a_cluster(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        await desk.go_to(market())
        await desk.press("right")
        await desk.sees("001 2021-06-11", "002 2021-06-25")
        await desk.press("down", "down")
        await desk.sees("chunk 2 of 2", "1-5 of 5")
        assert desk.sheet_keys == [market(n) for n in range(5, 10)]
        await desk.press("left", "left")
        assert desk.here == title_by_photo(clustered)[market()]


async def test_facts_and_captions_follow_the_cursor(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        view = view_of(clustered)
        for _ in range(len(SUBJECTS)):
            assert desk.tree.spot is not None
            cluster = view.clusters[desk.tree.spot.cluster.id]
            await desk.sees_in("#facts", cluster.title, f"{cluster.size} photos", "cohesion 0.")
            leaf = view.clusters[cluster.children[0]] if cluster.children else cluster
            assert leaf.exemplar is not None
            best = str(view.photos[leaf.exemplar].caption)
            await desk.sees_in("#sheet", best)
            await desk.press("j")


async def test_moving_about_the_tree(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        last = len(desk.tree.rows) - 1
        await desk.press("G")
        assert desk.tree.cursor == last
        await desk.press("k")
        assert desk.tree.cursor == last - 1
        await desk.press("up", "g", "j", "down")
        assert desk.tree.cursor == 2
        await desk.press("pagedown")
        assert desk.tree.cursor == last
        await desk.press("pageup")
        assert desk.tree.cursor == 0
        assert not desk.app.link.running


# Search


async def test_search_jumps_to_the_photo_in_the_tree(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        await desk.press("slash", *"terrier", "space", *"puppy")
        hits = [
            name
            for name, text in zip(photo_names(GROUP), subject_captions(GROUP), strict=True)
            if "terrier" in text and "puppy" in text
        ]
        await desk.sees(f"1 of {len(hits)} found")
        assert len(hits) == 3
        await desk.press("enter")
        assert desk.tree.has_focus

        async def found() -> str:
            """Return the photo that the search stands on, once the sheet shows it."""
            assert desk.tree.view is not None
            hit = desk.tree.view.photos[desk.screen._hits[desk.screen._hit].place]
            await desk.until(lambda: desk.sheet.current is hit)
            assert desk.tree.spot is not None
            assert desk.tree.spot.cluster.id == cluster_of(clustered, hit.key)
            return hit.key

        visited = [await found()]
        for key in ("n", "n", "n", "N"):
            await desk.press(key)
            visited.append(await found())
        assert sorted(visited[:3]) == hits
        assert visited[3:] == [visited[0], visited[2]]


async def test_search_finds_nothing_or_a_photo_in_a_chunk(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        await desk.press("n")
        await desk.told("search first")
        await desk.press("slash", *"zeppelin")
        await desk.sees("nothing found")
        await desk.press("escape", "slash")
        desk.screen.query_one("#query", Input).value = "vendor baskets fruit"
        await desk.sees("1 of 1 found", "chunk 2 of 2")
        wanted = "The fruit, the vendor and the baskets."
        await desk.until(lambda: desk.sheet.current and desk.sheet.current.caption == wanted)


async def test_keys_typed_into_the_query_are_letters(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        await desk.press("slash", *"mrvsMLuekxnN", "left_square_bracket")
        assert desk.screen.query_one("#query", Input).value == "mrvsMLuekxnN["
        assert not desk.app.desks.captions.marked
        assert not desk.app.link.running
        assert not (clustered / "labels.jsonl").exists()
        await desk.press("escape", "m")
        await desk.sees("1 clusters marked")


# The contact sheet


async def test_paging_and_moving_over_the_sheet(clustered: Path) -> None:
    async with at_desk(clustered, size=(80, 24)) as desk:
        await desk.go_to(photo_name("cake", 0))
        page = desk.sheet.page_size
        assert 0 < page < 10
        await desk.sees(f"1-{page} of 10")
        await desk.press("right_square_bracket")
        await desk.sees(f"{page + 1}-10 of 10")
        await desk.press("right_square_bracket")  # there is no more
        await desk.sees(f"{page + 1}-10 of 10")
        await desk.press("left_square_bracket")
        await desk.sees(f"1-{page} of 10")
        await desk.press("tab")
        assert desk.sheet.has_focus
        seen = []
        for _ in range(12):
            assert desk.sheet.current is not None
            seen.append(desk.sheet.current.key)
            await desk.press("j")
        assert seen[:10] == desk.sheet_keys
        await desk.sees(f"{page + 1}-10 of 10")
        await desk.press("up", "left", "h", "right", "l", "tab")
        assert desk.tree.has_focus
        assert desk.sheet._cursor == 8


async def test_the_exemplar_comes_first_with_a_star(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        await desk.go_to(photo_name("train", 0))
        await desk.sees("★")
        assert desk.text.count("★") == 1
        assert "★" in desk.captions()[0]


async def test_pictures_and_clicks(clustered: Path, sixty_photos: Path) -> None:
    async with at_desk(clustered, sixty_photos, images="halfcell", size=(120, 40)) as desk:
        await desk.press("down")
        await desk.until(lambda: desk.part("#sheet").count("▀") > 60)
        cells = list(desk.screen.query(SheetCell))
        await desk.pilot.click(cells[3], offset=(2, 1))
        await desk.pilot.pause()
        assert desk.sheet.has_focus
        assert desk.sheet._cursor == 3
        await desk.pilot.click(ClusterTree, offset=(6, 2))
        assert desk.tree.has_focus
        assert desk.tree.cursor == 2
        group = next(row for row in desk.tree.rows if view_of(clustered).clusters[row].children)
        row = list(desk.tree.rows).index(group)
        rows = len(desk.tree.rows)
        await desk.pilot.click(ClusterTree, offset=(6, row))
        if row != 2:
            await desk.pilot.click(ClusterTree, offset=(6, row))
        assert len(desk.tree.rows) == rows + 2


# Changes by hand


async def test_rename_and_undo(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        await desk.go_to(photo_name("cake", 0))
        old = desk.here
        await desk.press("r")
        await desk.until(lambda: isinstance(desk.app.screen, AskDialog))
        assert desk.app.screen.query_one(Input).value == old
        await desk.press("ctrl+u", *"Feasts", "enter")
        await desk.until(lambda: desk.here == "Feasts")
        await desk.sees("Feasts", "named")
        assert title_by_photo(clustered)[photo_name("cake", 3)] == "Feasts"
        await desk.press("u")
        await desk.told("Taken back: rename")
        await desk.until(lambda: desk.here == old)
        await desk.press("u")
        await desk.told("there is no change to take back")
        await desk.press("r", "escape")
        await desk.press("r", "ctrl+u", "enter")
        await desk.until(lambda: isinstance(desk.app.screen, ClustersScreen))
        assert desk.here == old


async def test_mark_photos_and_move_them(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        await desk.press("v")
        await desk.told("mark photos first")
        await desk.go_to(photo_name("cake", 0))
        await desk.press("tab", "m", "m")
        await desk.sees("2 marked", "●")
        moved = sorted(desk.app.desks.captions.marked)
        assert len(moved) == 2
        await desk.press("tab")
        await desk.go_to(photo_name("beach", 0))
        target = desk.here
        await desk.press("v")
        await desk.until(lambda: not desk.app.desks.captions.marked)
        await desk.sees(" of 12")
        titles = title_by_photo(clustered)
        assert [titles[key] for key in moved] == [target] * 2
        assert desk.here == target


async def test_split_marked_photos_off(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        await desk.press("s")
        await desk.told("mark photos first")
        await desk.go_to(photo_name("mountain", 0))
        await desk.press("tab", "m", "m", "m", "s")
        await desk.sees("Title of a new cluster of 3 photos")
        await desk.press(*"Peaks", "enter")
        await desk.until(lambda: desk.here == "Peaks")
        await desk.sees("3 photos")
        assert list(title_by_photo(clustered).values()).count("Peaks") == 3


async def test_merge_marked_clusters(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        await desk.go_to(photo_name("train", 0))
        await desk.press("M")
        await desk.told("mark clusters in the tree first")
        await desk.press("m")
        await desk.sees("1 clusters marked", "●")
        await desk.go_to(photo_name("market", 0))
        target = desk.here
        await desk.press("M")
        await desk.sees("20 photos")
        assert desk.here == target
        assert title_by_photo(clustered)[photo_name("train", 5)] == target
        assert not desk.tree.marked
        await desk.press("m", "x")
        assert "marked" not in desk.part("#where")


async def test_lock_and_unlock(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        await desk.go_to(photo_name("cake", 0))
        await desk.press("L")
        await desk.sees("locked")
        await desk.until(lambda: "L" in desk.part("#tree"))
        await desk.press("tab", "m", "tab")
        await desk.go_to(photo_name("beach", 0))
        await desk.press("v")
        await desk.told("is locked; unlock it first")
        assert desk.app.desks.captions.marked  # nothing happened to them
        await desk.go_to(photo_name("cake", 0))
        await desk.press("L")
        await desk.until(lambda: not any(c.locked for c in view_of(clustered).clusters.values()))


async def test_what_is_no_cluster_is_not_changed(clustered: Path) -> None:
    write_records(clustered, record("new.jpg", "Not clustered yet."))
    async with at_desk(clustered) as desk:
        await desk.press("G")
        assert desk.here == "unclustered"
        for key in ("r", "v", "M", "L"):
            await desk.press(key)
        await desk.told("put the cursor on a cluster first")
        group = next(row for row in desk.tree.rows if view_of(clustered).clusters[row].children)
        desk.tree.go_to(list(desk.tree.rows).index(group))
        await desk.press("L")
        await desk.told("is a group; name a cluster in it")
        assert not (clustered / "labels.jsonl").exists()


async def test_a_change_from_elsewhere_appears(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        run_pcc(clustered, "labels", "rename", cluster_of(clustered, market()), "Bazaar")
        await desk.sees("Bazaar")
        before = desk.tree.current
        await desk.press("j")
        write_records(clustered, record("new.jpg", "The dog, the leash and the bone."))
        start(clustered, "cluster").communicate()
        await desk.until(lambda: desk.tree.view and "new.jpg" in desk.tree.view.place_of)
        await desk.sees("Bazaar")
        assert desk.tree.current != before


# Jobs and files


async def test_the_key_clusters_what_is_new(clustered: Path) -> None:
    write_records(clustered, record("new.jpg", "The dog, the leash and the bone."))
    async with at_desk(clustered) as desk:
        await desk.press("C")
        await desk.until(lambda: isinstance(desk.app.screen, RunScreen))
        await desk.until(lambda: desk.app.ended is not None)
        assert desk.app.ended is not None
        assert desk.app.ended.code == 0
        await desk.press("5")
        await desk.until(lambda: desk.tree.view and "new.jpg" in desk.tree.view.place_of)
        assert leaf_by_photo(clustered)["new.jpg"] is not None


async def test_export_writes_the_reports(clustered: Path) -> None:
    async with at_desk(clustered) as desk:
        await desk.press("e")
        await desk.until(lambda: (clustered / "cluster_report.html").exists())
        await desk.told("cluster_export.csv")


async def test_nothing_yet(workspace: Path, sixty_photos: Path) -> None:
    async with at_desk(workspace, sixty_photos) as desk:
        await desk.sees("No clusters yet, and no captions to make them from", "no caption", "60")
        for key in ("m", "r", "v", "s", "M", "L", "u", "n", "tab", "m", "tab", "right", "enter"):
            await desk.press(key)
        write_records(workspace, record(photo_name("cake", 0), "A cake."))
    async with at_desk(workspace, sixty_photos) as desk:
        await desk.sees("No clusters yet. C clusters 1 captions", "unclustered")


async def test_captions_made_or_edited_meanwhile_are_there_on_coming_back(
    clustered: Path,
) -> None:
    (clustered / "clusters.jsonl").unlink()
    async with at_desk(clustered) as desk:
        await desk.sees("C clusters 60 captions", "unclustered")
        await desk.press("1")
        write_records(clustered, record("new.jpg", "A zeppelin."))
        Edits(clustered / "captions.jsonl").write("new.jpg", None, "A zeppelin of mine.")
        await desk.press("5")
        await desk.sees("C clusters 61 captions")
        await desk.press("slash", *"zeppelin")
        await desk.sees("1 of 1 found", "zeppelin of mine")


async def test_an_empty_workspace(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    async with at_desk(workspace, tmp_path / "empty") as desk:
        await desk.sees("no photos")
        for key in ("j", "G", "enter", "right", "left", "m", "r", "s", "v", "u", "x", "tab"):
            await desk.press(key)
        await desk.sees("no photos")


# Hostile text, small and large terminals


@pytest.mark.parametrize("images", ["off", "halfcell"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_hostile_text_is_shown_and_does_nothing(
    clustered: Path, size: tuple[int, int], images: Protocol
) -> None:
    hostile = "[red]x[/] \x1b[31m\u202e $error [@click=app.quit]y[/] \x07 =cmd() <script>"
    name = "\x1b]0;owned\x07\u202egpj.jpg"
    write_records(clustered, record(name, hostile), record("long.jpg", "word " * 5000))
    cake = cluster_of(clustered, photo_name("cake", 0))
    run_pcc(clustered, "labels", "rename", cake, hostile)
    run_pcc(clustered, "labels", "move", "--to", cake, name, "long.jpg")
    async with at_desk(clustered, images=images, size=size) as desk:
        await desk.go_to(name)
        await desk.sees("[red]x[/]", "\\x1b[31m")
        for key in ("r", "escape", "slash", *"cmd", "escape", "n", "tab", "j", "G", "tab"):
            await desk.press(key)
            assert not INVISIBLE.search(desk.text)
        assert desk.app.is_running
        await desk.press("G", "g", "tab", "right_square_bracket")
        assert not INVISIBLE.search(desk.text)
        await desk.sees("Search", "Rename")
