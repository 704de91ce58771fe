"""Changes by hand after another clustering: they hold, whatever it finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.clusters.label_journal import LabelJournal, label_journal_path
from pipeline.clusters.recognition import recognise
from pipeline.clusters.view import UNCLUSTERED
from tests.support.placed import (
    FOUND,
    NAMES,
    clustering_of,
    desk,
    titles_of,
)


def test_changes_stand_after_another_clustering() -> None:
    made = desk()
    made.rename("aa", "Dogs")
    made.move("aa", "n1", "c1")
    new = made.split("Kites", "c2", "c3")
    made.again(
        clustering_of(
            {"aa": ["a1", "a2", "c3"], "bb": ["b1", "b2", "c1"], "dd": ["c2", "c4", "n1", "a3"]}
        )
    )
    assert titles_of(made.view) == {
        "Dogs": ["a1", "a2", "c1", "n1"],
        "BB": ["b1", "b2"],
        "DD": ["a3", "c4"],
        "Kites": ["c2", "c3"],
    }
    assert made.view.clusters[new].id == new


def test_changes_to_a_cluster_that_is_gone_go_to_its_heir() -> None:
    made = desk()
    made.rename("bb", "Cats")
    made.move("bb", "n1", "c1")
    made.again(
        clustering_of({"aa": ["a1", "b1", "b2"], "cc": ["c1", "c2"]}, successors={"bb": "aa"})
    )
    assert titles_of(made.view)["AA"] == ["a1", "b1", "b2", "c1", "n1"]
    assert [change.title for change in made.view.arrangement.lost] == ["Cats"]


def test_what_was_moved_stays_together_after_its_cluster_dissolved() -> None:
    made = desk()
    made.move("bb", "a1", "n1")
    found = {"aa": ["a1", "b1", "b2"], "cc": ["c1", "c2", "c3", "c4"]}
    made.again(clustering_of(found))
    assert titles_of(made.view) == {
        "AA": ["b1", "b2"],
        "BB": ["a1", "n1"],
        "CC": ["c1", "c2", "c3", "c4"],
        UNCLUSTERED: ["a2", "a3"],
    }
    assert made.view.arrangement.lost == []
    made.again(FOUND)
    assert titles_of(made.view)["BB"] == ["a1", "b1", "b2", "n1"]


@pytest.mark.parametrize("heir", [None, "aa"])
def test_what_was_merged_stays_together_after_its_cluster_dissolved(heir: str | None) -> None:
    made = desk()
    made.rename("bb", "Cats")
    made.merge("bb", "cc")
    together = ["b1", "b2", "c1", "c2", "c3", "c4"]
    assert titles_of(made.view)["Cats"] == together
    found = {"aa": ["a1", "b1", "c2"], "cc": ["c1", "a3"]}
    made.again(clustering_of(found, successors={"bb": heir} if heir else {}))
    titles = titles_of(made.view)
    if heir:
        assert titles["AA"] == ["a1", "a3", *together]
        return
    assert titles["Cats"] == ["a3", *together]
    assert titles["AA"] == ["a1"]
    assert [change.action for change in made.view.arrangement.lost] == []
    made.again(FOUND)
    assert titles_of(made.view)["Cats"] == together


def test_a_cluster_that_a_clustering_finds_after_it_was_split_off_keeps_its_measures() -> None:
    made = desk()
    new = made.split("Kites", "c2", "c3")
    made.again(clustering_of({"cc": ["c1", "c4"], new: ["c2", "c3"]}))
    kites = made.view.clusters[new]
    assert (kites.title, kites.cohesion, kites.keywords) == ("Kites", 0.9, [new])
    assert kites.exemplar is not None


def test_changes_wait_for_a_clustering_while_there_is_none() -> None:
    made = desk()
    made.lock("bb")
    made.split("Kites", "c2", "c3")
    before = titles_of(made.view)
    made.again(None)
    assert titles_of(made.view) == {UNCLUSTERED: NAMES}
    made.again(FOUND)
    assert titles_of(made.view) == before


@pytest.mark.parametrize("later", [True, False])
def test_no_strangers_get_the_id_of_what_was_split_off(workspace: Path, later: bool) -> None:
    """Not even when it is renamed or locked, which notes what it is like."""
    made = desk()
    new = made.split("Kites", "c1", "c2", "c3")
    if later:
        made.rename(new, "Paper kites")
        made.lock(new)
        assert new in made.made[-1].sketches
    changes = LabelJournal(label_journal_path(workspace))
    changes.write(made.made)
    changes.refresh()

    alike = ["c1", "c2", "c3", "n1"]
    assert new not in recognise([alike], {}, changes.sketches).ids
    made.again(clustering_of({"dd": alike, "aa": ["a1", "a2"]}))
    title = "Paper kites" if later else "Kites"
    assert titles_of(made.view)[title] == ["c1", "c2", "c3"]
    assert titles_of(made.view)["DD"] == ["n1"]
