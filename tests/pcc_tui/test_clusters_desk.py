"""The desk of the clusters: what a change by hand reads, and what it does not."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pcc_tui.desks.clusters import ClustersDesk
from pcc_tui.desks.commands import Commands
from pcc_tui.workspace import Workspace
from pipeline.captions.edits import Edits
from pipeline.clusters import label_changes
from pipeline.clusters.label_journal import LabelChange
from pipeline.clusters.view import Cluster, ClusterView
from tests.conftest import Pcc
from tests.support.apps import write_records
from tests.support.clusters import photo_name, photo_names, record, run_pcc

Change = Callable[[ClusterView], LabelChange]


class Reads:
    """Counts how often this process opens a journal and lists a photos directory.

    Python itself tells of both, whoever asks for them (PEP 578).
    """

    def __init__(self, journal: Path, photos: Path) -> None:
        self.journals = self.walks = 0
        self._journal = str(journal)
        self._photos = str(photos)

    def count(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take in what Python tells."""
        self.journals += event == "open" and str(arguments[0]) == self._journal
        self.walks += event == "os.scandir" and str(arguments[0]).startswith(self._photos)

    @property
    def both(self) -> tuple[int, int]:
        """Opened journals and listed directories."""
        return self.journals, self.walks


_watching: list[Reads] = []


def _told(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("open", "os.scandir"):
        for reads in _watching:
            reads.count(event, arguments)


@contextmanager
def counted(journal: Path, photos: Path) -> Iterator[Reads]:
    if not hasattr(counted, "hooked"):
        sys.addaudithook(_told)  # for good: a hook cannot be taken out again
        counted.hooked = True  # type: ignore[attr-defined]
    reads = Reads(journal, photos)
    _watching.append(reads)
    try:
        yield reads
    finally:
        _watching.remove(reads)


@pytest.fixture
async def desk(clustered: Path, sixty_photos: Path) -> AsyncIterator[ClustersDesk]:
    """Return the desk of a workspace whose photos are there; its library has been read."""
    workspace = Workspace(clustered, sixty_photos)
    desk = ClustersDesk(workspace, Commands(workspace))
    await desk.refresh()
    yield desk
    await desk.close()


@pytest.fixture
def reads(clustered: Path, sixty_photos: Path, desk: ClustersDesk) -> Iterator[Reads]:
    """Count what is read once the library has been."""
    with counted(clustered / "captions.jsonl", sixty_photos) as reads:
        yield reads


def leaf(view: ClusterView, subject: str) -> Cluster:
    return view.clusters[view.leaf_of[view.place_of[photo_name(subject, 0)]]]


def title_of(desk: ClustersDesk, photo: str) -> str:
    assert desk.view is not None
    return desk.view.clusters[desk.view.leaf_of[desk.view.place_of[photo]]].title


CHANGES: dict[str, Change] = {
    "rename": lambda view: label_changes.rename(view, leaf(view, "cake"), "Feasts"),
    "move": lambda view: label_changes.move(view, photo_names("train")[:2], leaf(view, "cake")),
    "merge": lambda view: label_changes.merge(view, leaf(view, "cake"), [leaf(view, "train")]),
    "split": lambda view: label_changes.split(view, photo_names("train")[:3], "Engines"),
    "lock": lambda view: label_changes.lock(view, leaf(view, "cake")),
}


@pytest.mark.parametrize("action", CHANGES)
async def test_a_change_by_hand_reads_no_library(
    desk: ClustersDesk, reads: Reads, action: str
) -> None:
    before = desk.view
    change = await desk.change(CHANGES[action])
    after = desk.view
    taken_back = await desk.undo()
    await desk.search("cake")

    assert change.action == action
    assert taken_back.id == change.id
    assert before is not after
    assert reads.both == (0, 0)


async def test_what_was_changed_is_there_at_once_and_on_disk(
    desk: ClustersDesk, reads: Reads, clustered: Path
) -> None:
    await desk.change(CHANGES["rename"])
    assert title_of(desk, photo_name("cake", 3)) == "Feasts"
    await desk.change(CHANGES["move"])
    assert title_of(desk, photo_names("train")[1]) == "Feasts"
    assert len((clustered / "labels.jsonl").read_bytes().splitlines()) == 2
    await desk.undo()
    assert title_of(desk, photo_names("train")[1]) != "Feasts"
    assert title_of(desk, photo_name("cake", 3)) == "Feasts"
    assert reads.both == (0, 0)


async def test_a_change_from_elsewhere_is_played_back_too(
    desk: ClustersDesk, reads: Reads, clustered: Path
) -> None:
    assert desk.view is not None
    run_pcc(clustered, "labels", "rename", leaf(desk.view, "cake").id, "Feasts")
    await desk.refresh()

    assert title_of(desk, photo_name("cake", 0)) == "Feasts"
    assert reads.both == (0, 0)


async def test_nothing_new_makes_no_new_view(desk: ClustersDesk, reads: Reads) -> None:
    before = desk.view
    desk.look_at_captions()
    await desk.refresh()

    assert desk.view is before
    assert reads.both == (0, 0)


async def test_new_captions_are_read_when_somebody_comes_back(
    desk: ClustersDesk, reads: Reads, clustered: Path
) -> None:
    write_records(clustered, record("new.jpg", "A zeppelin."))
    await desk.refresh()  # a run may write many: not every look reads them
    assert reads.journals == 1  # the test's own
    desk.look_at_captions()
    await desk.refresh()

    assert desk.view is not None
    assert "new.jpg" in desk.view.place_of
    assert reads.walks > 0
    Edits(clustered / "captions.jsonl").write("new.jpg", None, "A zeppelin of mine.")
    desk.look_at_captions()
    await desk.refresh()
    assert desk.view.photos[desk.view.place_of["new.jpg"]].caption == "A zeppelin of mine."


@pytest.mark.parametrize("command", [["cluster", "--force"], ["chunk", "--chunk-size", "3"]])
async def test_another_clustering_or_chunk_size_is_read(
    desk: ClustersDesk, reads: Reads, pcc_process: Pcc, command: list[str]
) -> None:
    """The command is a process: this one has a loop, and its readings are counted."""
    await desk.change(CHANGES["rename"])
    done = pcc_process(*command)
    assert done.returncode == 0, done.stderr
    await desk.refresh()

    assert reads.both[0] == 2  # the other is for the time of the first record
    assert title_of(desk, photo_name("cake", 0)) == "Feasts"
    if command[0] == "chunk":
        assert desk.view is not None
        assert len(leaf(desk.view, "cake").chunks) == 4
