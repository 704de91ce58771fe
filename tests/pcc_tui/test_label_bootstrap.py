"""`labels bootstrap`: captions and detected labels together; names go out and come back."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from journal import CaptionRecord
from pipeline.embeddings.store import store_of
from tests.conftest import Pcc
from tests.support.apps import write_records
from tests.support.caches import Fields, detection, outcome, write_cache
from tests.support.clusters import (
    EACH,
    SUBJECTS,
    cluster_of,
    photo_name,
    photo_names,
    record,
    subject_records,
    title_by_photo,
)

SEEN = {"beach": "surfboard", "dog": "dog", "train": "locomotive"}
"""What was detected in the photos of some subjects; the others have nothing."""

UNCAPTIONED = [f"2022/new{number}.jpg" for number in range(EACH)]
"""Photos without a caption, in which locomotives were seen."""


def table(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a table by the id of their cluster."""
    with path.open(newline="") as file:
        return {row["cluster_id"]: row for row in csv.DictReader(file)}


@pytest.fixture
def labelled(workspace: Path) -> Path:
    """A workspace with sixty captions, and a cache in which three subjects were detected."""
    failed = [
        CaptionRecord(rel_path=path, caption=None, status="error_api") for path in UNCAPTIONED
    ]
    write_records(workspace, *subject_records(), *failed)
    outcomes: list[Fields | bytes] = []
    detections: list[Fields | bytes] = []
    seen = {name: word for subject, word in SEEN.items() for name in photo_names(subject)}
    seen |= dict.fromkeys(UNCAPTIONED, SEEN["train"])
    for name, word in seen.items():
        outcomes.append(outcome(name, lines=1))
        detections.append(detection(name, 0, word))
        detections.append(detection(name, 1, "ghost"))  # of a killed worker; it does not count
    write_cache(workspace / "cache", outcomes, detections)
    return workspace


def test_names_are_suggested_corrected_and_brought_back(pcc: Pcc, labelled: Path) -> None:
    done = pcc("labels", "bootstrap", "--embedder", "tfidf")
    assert done.returncode == 0, done.stderr
    [back] = re.findall("^  pcc (labels import .+)$", done.stdout, re.M)

    rows = table(labelled / "labels_bootstrap.csv")
    surfers = rows[cluster_of(labelled, photo_name("beach", 0))]
    assert surfers["title"] == "surfboard"
    assert surfers["labels"] == "surfboard 100%"
    assert surfers["titled_before"] == title_by_photo(labelled)[photo_name("beach", 0)]
    cakes = rows[cluster_of(labelled, photo_name("cake", 0))]
    assert (cakes["title"], cakes["labels"]) == (cakes["titled_before"], "")
    assert not any("ghost" in row["labels"] for row in rows.values())

    text = (labelled / "labels_bootstrap.csv").read_text().replace(",surfboard,", ",Surfing,")
    (labelled / "reviewed.csv").write_text(text)
    assert pcc(*back.split()).returncode == 0
    assert pcc("labels", "import", "reviewed.csv").returncode == 0

    titles = title_by_photo(labelled)
    assert {titles[name] for name in photo_names("beach")} == {"Surfing"}
    assert pcc("labels", "bootstrap", "--force").returncode == 0
    again = table(labelled / "labels_bootstrap.csv")
    named = again[cluster_of(labelled, photo_name("beach", 0))]
    assert named["title"] == "Surfing", "people's word stands"


@pytest.mark.parametrize("named", ["cat", "dog", "horse"])
def test_names_are_kept_while_both_ways_to_cluster_take_turns(
    pcc: Pcc, workspace: Path, named: str
) -> None:
    """The captions of thirty photos are alike, and what was seen in them parts the thirty."""
    seen = {
        word: [f"2023/{word}{number}.jpg" for number in range(EACH)]
        for word in ("cat", "dog", "horse")
    }
    alike = [record(name, "A day out with friends.") for names in seen.values() for name in names]
    write_records(workspace, *subject_records(), *alike)
    outcomes = [outcome(name, lines=1) for names in seen.values() for name in names]
    detections = [detection(name, 0, word) for word, names in seen.items() for name in names]
    write_cache(workspace / "cache", [*outcomes], [*detections])
    (workspace / "pcc.toml").write_text('embedder = "tfidf"\n')
    bootstrap, cluster = ("labels", "bootstrap"), ("cluster",)
    assert pcc(*bootstrap).returncode == 0
    leaf = cluster_of(workspace, seen[named][0])
    assert pcc("labels", "rename", leaf, "My animals").returncode == 0

    for command in (cluster, bootstrap, cluster, bootstrap):
        assert pcc(*command).returncode == 0
        titles = title_by_photo(workspace)
        if command is bootstrap:
            called = {name for name, title in titles.items() if title == "My animals"}
            assert called == set(seen[named])


def test_photos_without_a_caption_are_clustered_by_what_was_seen(pcc: Pcc, labelled: Path) -> None:
    assert pcc("labels", "bootstrap", "--embedder", "tfidf").returncode == 0

    titles = title_by_photo(labelled)
    with_nothing = {"no caption", "unclustered"}
    assert not {titles[name] for name in UNCAPTIONED} & with_nothing
    store = store_of(labelled, "tfidf", "labels")
    assert len(store.held) == EACH * len(SUBJECTS) + len(UNCAPTIONED)
    assert store_of(labelled, "tfidf").manifest is None, "captions alone are another thing"


def test_the_table_may_be_json(pcc: Pcc, labelled: Path) -> None:
    done = pcc("labels", "bootstrap", "--embedder", "tfidf", "--out", "names.json", "--json")

    told = json.loads(done.stdout)
    assert told["file"] == "names.json"
    assert told["labelled"] == EACH * (len(SEEN) + 1)
    rows = json.loads((labelled / "names.json").read_text())
    assert "surfboard" in {row["title"] for row in rows}
    imported = json.loads(pcc("labels", "import", "names.json", "--json").stdout)
    assert not imported["refused"]


@pytest.mark.parametrize(
    ("change", "words"),
    [({"phase": 1}, "phase 1"), ({"version": 9}, "version 9"), ({"schema_hash": "x"}, "schema x")],
)
def test_another_kind_of_cache_is_refused_by_name(
    pcc: Pcc, workspace: Path, change: dict[str, Any], words: str
) -> None:
    write_records(workspace, *subject_records())
    write_cache(workspace / "cache", **change)

    done = pcc("labels", "bootstrap", "--cache", "cache")

    assert (done.returncode, words in done.stderr) == (64, True), done.stderr


def test_without_a_cache_it_says_so(pcc: Pcc, workspace: Path) -> None:
    write_records(workspace, *subject_records())

    done = pcc("labels", "bootstrap", "--cache", "nowhere")

    assert done.returncode == 64
    assert "there is no cache at nowhere" in done.stderr
