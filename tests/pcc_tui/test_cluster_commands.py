"""embed, cluster, chunk and search as their users run them: in processes, over real files."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backends.installation import extra_line
from pipeline.clusters.chunk_file import Chunk
from pipeline.embeddings.store import store_of
from tests.conftest import Pcc
from tests.support.apps import caption, failure, write_records
from tests.support.clusters import (
    GROUP,
    SUBJECTS,
    TWO_DAYS,
    cluster_of,
    clusters_file,
    document,
    leaf_by_photo,
    photo_name,
    photo_names,
    record,
    subject_records,
)
from tests.support.in_process import hide_package

TFIDF = ("--embedder", "tfidf")


def test_mock_captions_of_a_partial_run(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    folder = photos(8)
    pcc("run", "--backend", "mock", "--photos-dir", folder, "--retry-list", first_five(workspace))
    done = pcc("cluster", *TFIDF, "--photos-dir", folder)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "To embed with tfidf: 5 captions, 0 are done" in done.stdout
    assert "5 photos clustered, 0 unclustered, 3 without a caption" in done.stdout
    listed = document(pcc("labels", "list", "--photos-dir", folder, "--json"))
    assert [(cluster["cluster_id"], cluster["size"]) for cluster in listed][1:] == [
        ("no caption", 3)
    ]
    assert listed[0]["size"] == 5


def first_five(workspace: Path) -> Path:
    """Write a list of five photos."""
    listed = workspace / "five"
    listed.write_text("".join(f"IMG_{number:05d}.jpg\n" for number in range(5)))
    return listed


@pytest.mark.parametrize("count", [1, 2, 10])
def test_small_libraries_have_sensible_clusters(pcc: Pcc, workspace: Path, count: int) -> None:
    write_records(workspace, *(caption(n, f"a boat, number {n}") for n in range(count)))
    report = document(pcc("cluster", *TFIDF, "--json"))

    assert report["photos"] == count
    assert report["clustered"] + report["unclustered"] == count
    assert report["no_caption"] == 0
    assert report["clusters"] >= 1
    assert document(pcc("report", "--json"))["captioned"] == count


def test_a_library_without_photos(pcc: Pcc, workspace: Path, tmp_path: Path) -> None:
    nothing = pcc("cluster", *TFIDF)
    assert nothing.returncode == 64
    assert "--photos-dir" in nothing.stderr
    (tmp_path / "empty").mkdir()
    for command in (("embed", *TFIDF), ("cluster", *TFIDF), ("chunk",), ("report",)):
        done = pcc(*command, "--photos-dir", tmp_path / "empty", "--json")
        json.loads(done.stdout)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), command
    assert document(pcc("search", "boat", "--json")) == []


def test_identical_captions_are_one_cluster_of_all(pcc: Pcc, workspace: Path) -> None:
    write_records(workspace, *(caption(n, "the same boat") for n in range(30)))
    report = document(pcc("cluster", *TFIDF, "--json"))

    assert (report["clusters"], report["clustered"], report["unclustered"]) == (1, 30, 0)
    assert store_of(workspace, "tfidf").rows == 1
    (cluster,) = document(pcc("labels", "list", "--json"))
    assert cluster["cohesion"] == pytest.approx(1, abs=1e-3)


def test_only_errors_stand_in_one_leaf(pcc: Pcc, workspace: Path) -> None:
    write_records(workspace, *map(failure, range(6)))
    report = document(pcc("cluster", *TFIDF, "--json"))

    assert (report["clusters"], report["no_caption"]) == (0, 6)
    for command in ("chunk", "report", "labels"):
        done = pcc(command, *(["list"] if command == "labels" else []))
        assert done.returncode == 0, done.stderr
    rows = (workspace / "cluster_export.csv").read_text().splitlines()
    assert rows[1].startswith("IMG_00000.jpg,,no caption,no-caption-001,,error_api,,")
    assert "0 captioned, 6 errors, 0 vocabulary fallbacks" in pcc("report").stdout
    assert "6 photos failed" in pcc("report").stderr


def test_six_subjects_are_found(clustered: Path) -> None:
    found = leaf_by_photo(clustered)
    for subject in SUBJECTS:
        assert len({found[name] for name in photo_names(subject)}) == (2 if subject == GROUP else 1)
    assert len(set(found.values())) == len(SUBJECTS) + 1
    nodes = {node.id: node for node in clusters_file(clustered).nodes}
    above = {nodes[str(found[name])].parent for name in photo_names(GROUP)}
    assert len(above) == 1
    assert None not in above


def test_only_the_journal_is_here(pcc: Pcc, clustered: Path, tmp_path: Path) -> None:
    settings = clustered / "pcc.toml"
    settings.write_text(settings.read_text() + 'photos_dir = "../gone"\n')
    commands: tuple[tuple[str, ...], ...] = (
        ("cluster", "--force"),
        ("chunk",),
        ("report",),
        ("search", "terrier"),
        ("labels", "list"),
    )
    for command in commands:
        done = pcc(*command, "--json")
        document(done)
        assert "going by the journal alone" in done.stderr
        assert "Traceback" not in done.stderr


def test_only_photos_are_here(photos: Callable[..., Path], pcc: Pcc, workspace: Path) -> None:
    folder = photos(3)
    report = document(pcc("cluster", *TFIDF, "--photos-dir", folder, "--json"))
    assert (report["photos"], report["clusters"], report["no_caption"]) == (3, 0, 3)

    written = document(pcc("report", "--photos-dir", folder, "--json"))
    assert (written["captioned"], written["described"]) == (0, 3)
    for row in (workspace / "cluster_export.csv").read_text().splitlines()[1:]:
        assert ",no caption," in row
        assert "landscape" in row  # what `basic` says of it


def test_same_captions_and_seed_same_tree(
    clustered_once: Path, pcc: Pcc, workspace: Path, tmp_path: Path
) -> None:
    write_records(workspace, *reversed(subject_records()))  # in another order, too
    document(pcc("cluster", *TFIDF, "--json"))
    first, second = (
        (folder / "clusters.jsonl").read_text().splitlines()
        for folder in (clustered_once, workspace)
    )
    heads = [json.loads(lines[0]) for lines in (first, second)]
    for head in heads:
        del head["at"]
    assert first[1:] == second[1:]
    assert heads[0] == heads[1]


def test_a_second_clustering_finds_nothing_to_do(pcc: Pcc, clustered: Path) -> None:
    before = (clustered / "clusters.jsonl").read_bytes()
    done = pcc("cluster")
    assert "Nothing has changed" in done.stdout
    assert (clustered / "clusters.jsonl").read_bytes() == before
    assert document(pcc("cluster", "--json"))["changed"] is False
    assert document(pcc("cluster", "--seed", "7", "--json"))["changed"] is True


def test_only_new_and_changed_captions_are_embedded(pcc: Pcc, clustered: Path) -> None:
    def embedded() -> Any:
        return document(pcc("embed", "--json"))["embedded"]

    assert embedded() == 0
    before = store_of(clustered, "tfidf")
    pcc("edit", photo_name("beach", 3), "--caption", "A train at a platform.")
    assert embedded() == 1
    after = store_of(clustered, "tfidf")
    changed = {key for key in after.held if after.held[key] != before.held[key]}
    assert changed == {photo_name("beach", 3)}
    write_records(clustered, record("new.jpg", "A terrier with a bone."))
    assert embedded() == 1
    assert embedded() == 0
    assert document(pcc("embed", "--json"))["captions"] == 61


def test_chunks_cut_at_a_large_gap_and_at_the_size(pcc: Pcc, clustered: Path) -> None:
    def chunks() -> list[list[str]]:
        _, *lines = (clustered / "chunks.jsonl").read_bytes().splitlines()
        market = cluster_of(clustered, photo_name(TWO_DAYS, 0))
        found = [msgspec.json.decode(line, type=Chunk) for line in lines]
        everything = [path for chunk in found for path in chunk.photos]
        assert sorted(everything) == sorted(leaf_by_photo(clustered))
        return [chunk.photos for chunk in found if chunk.cluster_id == market]

    document(pcc("chunk", "--json"))
    names = photo_names(TWO_DAYS)
    assert chunks() == [names[:5], names[5:]]
    told = pcc("chunk", "--chunk-size", "2")
    assert "chunks of at most 2 photos" in told.stdout
    assert sorted(len(chunk) for chunk in chunks()) == [1, 1, 2, 2, 2, 2]
    listed = document(pcc("labels", "list", "--json"))
    market = next(each for each in listed if each["cluster_id"] == cluster_of(clustered, names[0]))
    assert market["chunks"] == 6  # the size is remembered


def test_search_by_words_and_by_meaning(pcc: Pcc, clustered: Path) -> None:
    words = document(pcc("search", "GLÁCIER summit", "--by", "words", "--json"))
    assert {found["rel_path"] for found in words} == {
        name
        for name, made in zip(photo_names("mountain"), subject_records("mountain"), strict=True)
        if "glacier" in str(made.caption) and "summit" in str(made.caption)
    }
    near = document(pcc("search", "a train", "--by", "meaning", "--limit", "3", "--json"))
    assert {found["rel_path"] for found in near} <= set(photo_names("train"))
    assert all(found["cosine"] >= 0.2 for found in near)
    assert "Nothing found" in pcc("search", "zeppelin").stdout
    shutil.rmtree(clustered / "embeddings")
    (clustered / "clusters.jsonl").unlink()
    assert "By words alone" in pcc("search", "glacier").stdout
    assert pcc("search", "glacier", "--by", "meaning").returncode == 64


def test_photos_that_fit_nowhere_are_shown_or_assigned(pcc: Pcc, clustered: Path) -> None:
    odd = ("beach, the dog and the train", "cake, the mountain and the market", "stall, the bone")
    write_records(clustered, *(record(f"odd{n}.jpg", f"The {text}.") for n, text in enumerate(odd)))
    report = document(pcc("cluster", "--json"))
    assert report["clustered"] + report["unclustered"] == 63
    assert report["unclustered"] > 0
    listed = document(pcc("labels", "list", "--json"))
    assert listed[-1]["path"] == ["unclustered"]
    assigned = document(pcc("cluster", "--assign-noise", "--json"))
    assert (assigned["clustered"], assigned["unclustered"]) == (63, 0)


def test_what_is_written_is_for_its_owner_alone(pcc: Pcc, clustered: Path) -> None:
    for command in (("chunk",), ("report",), ("labels", "export"), ("labels", "undo")):
        pcc(*command)
    pcc("labels", "lock", cluster_of(clustered, photo_name("cake", 0)))
    made = [path for path in clustered.rglob("*") if path.name != "pcc.toml"]
    assert len(made) > 12
    for path in made:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize(
    "arguments",
    [
        ("embed", "--embedder", "word2vec"),
        ("cluster", "--min-cluster-size", "1"),
        ("cluster", "--seed", "-1"),
        ("cluster", "--sample", "many"),
        ("cluster", "--embedder", ""),
        ("chunk", "--chunk-size", "0"),
        ("report", "--format", "csv,pdf"),
        ("report", "--vocabulary", "/no/such/file"),
        ("report", "--out", "../photos/reports"),
        ("search", "x", "--by", "smell"),
        ("labels", "rename", "no such cluster", "title"),
        ("labels", "move", "--to", "unclustered", "2021/IMG_0000.jpg"),
        ("labels", "export", "--table", "chunks"),
        ("labels", "export", "--out", "../photos/labels.csv"),
        ("labels", "import", "/no/such/file"),
        ("labels", "undo"),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_a_line(
    pcc: Pcc, clustered: Path, sixty_photos: Path, arguments: tuple[str, ...]
) -> None:
    done = pcc(*arguments, "--photos-dir", sixty_photos)
    assert done.returncode == 64
    assert done.stdout == ""
    assert done.stderr.startswith("pcc: ")
    assert done.stderr.count("\n") == 1
    assert not list(sixty_photos.glob("*.csv"))
    assert not (sixty_photos / "reports").exists()


def test_without_the_extra_each_command_says_what_to_install(
    pcc: Pcc, clustered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_package(monkeypatch, "hdbscan")
    for command in ("embed", "cluster", "chunk", "report", "search x", "labels list"):
        done = pcc(*command.split())
        assert done.returncode == 64, command
        assert extra_line("clusters") in done.stderr


def test_before_the_first_clustering(pcc: Pcc, workspace: Path) -> None:
    write_records(workspace, *map(caption, range(3)))
    for command in (("chunk",), ("labels", "list"), ("labels", "export")):
        done = pcc(*command)
        assert done.returncode == 1
        assert "`pcc cluster` makes them" in done.stderr
    assert pcc("report").returncode == 0
    assert len((workspace / "cluster_export.csv").read_text().splitlines()) == 4
