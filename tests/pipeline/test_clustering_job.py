"""From vectors to `clusters.jsonl`: whole, the same each time, and sensible however small."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest

from pipeline.clusters.chunk_file import chosen_chunk_size, chunks_path
from pipeline.clusters.chunks import CHUNK_SIZE
from pipeline.clusters.clustering_job import ClusteringJob
from pipeline.clusters.comparison import ClusterReport, compare, count_clusters
from pipeline.clusters.errors import NoClusters
from pipeline.clusters.fitting import fit
from pipeline.clusters.measuring import measure_photos
from pipeline.clusters.opening import open_view, previous_clustering, search_embedder
from pipeline.clusters.run import ClusterRequest, prepare_clustering, run_clustering
from pipeline.clusters.settings import ClusterSettings
from pipeline.clusters.step import NOTHING
from pipeline.clusters.tree_file import (
    Clustering,
    clusters_path,
    read_clustering,
    write_clustering,
)
from pipeline.clusters.view import NO_CAPTION, ClusterView
from pipeline.embeddings.report import EmbedReport
from pipeline.embeddings.run import prepare_captions
from pipeline.jobs.run_job import JobResult
from tests.support.apps import caption, failure, write_records
from tests.support.placed import clustering_of
from tests.support.vectors import ANIMALS, Captions, captioned, embed, opened

SMALL = ClusterSettings(min_cluster_size=3)


def herds(each: int) -> dict[str, str | None]:
    """Return captions of ten subjects; what else they say has nothing in common."""
    return {
        f"{animal}{number:03d}": f"{animal} {animal}s meadow{number}"
        for animal in ANIMALS
        for number in range(each)
    }


def job_of(workspace: Path, captions: Captions, settings: ClusterSettings) -> ClusteringJob:
    embed(workspace, captions)
    prepared = prepare_captions(workspace, "tfidf", captioned(captions))
    prepared.lock.release()
    return ClusteringJob(
        captioned(captions), prepared.embedder, [prepared.store], settings, workspace
    )


def clustered(workspace: Path, captions: Captions, settings: ClusterSettings = SMALL) -> Clustering:
    """Cluster a library, in this process."""
    clustering_job = job_of(workspace, captions, settings)
    gathered = clustering_job.gather(force=True)
    assert gathered is not None
    request = gathered.fit_request()
    fitted = fit(request, lambda what, share: None) if request.places else NOTHING
    clustering_job.finish(gathered, fitted)
    found = read_clustering(clusters_path(workspace))
    assert found == clustering_job.clustering
    assert len(found.placed) == len([text for text in captions.values() if text])
    ids = {node.id for node in found.nodes}
    assert {placed.cluster for placed in found.placed} <= {*ids, None}
    assert all(node.parent in {*ids, None} for node in found.nodes)
    return found


def test_the_subjects_of_a_library_are_its_clusters(workspace: Path) -> None:
    found = clustered(workspace, herds(6))
    leaves = [node for node in found.nodes if node.leaf]
    assert sorted(node.keywords[0].removesuffix("s") for node in leaves) == sorted(ANIMALS)
    for leaf in leaves:
        members = [each.rel_path for each in found.placed if each.cluster == leaf.id]
        assert leaf.exemplar in members
        assert len({path[:3] for path in members}) == 1
        assert 0.3 < leaf.cohesion <= 1


def test_the_same_library_has_the_same_tree(workspace: Path) -> None:
    first = clustered(workspace, herds(6))
    assert not job_of(workspace, herds(6), SMALL).has_changed()
    assert job_of(workspace, herds(6), SMALL).gather() is None
    second = clustered(workspace, herds(6))
    first.head.at = second.head.at
    assert first == second
    assert job_of(workspace, herds(6), ClusterSettings(seed=1)).has_changed()
    assert job_of(workspace, herds(7), SMALL).has_changed()


def test_clusters_keep_their_ids_while_the_library_grows(workspace: Path) -> None:
    before = clustered(workspace, herds(6))
    after = clustered(workspace, herds(8))
    photos = captioned(herds(8))
    views = [ClusterView(photos, clustering) for clustering in (before, after)]
    report = count_clusters(views[1])
    compare(report, views[0], views[1], {placed.key for placed in before.placed})
    assert (report.kept, report.new, report.gone) == (10, 0, [])
    assert report.moved == 0


def test_photos_beyond_the_sample_are_assigned(workspace: Path) -> None:
    words = ("meadow", "gate", "pond", "hill", "barn", "path")
    captions: dict[str, str | None] = {
        f"{animal}{number:03d}": f"{animal} {animal}s {first} {second}"
        for animal in ANIMALS[:4]
        for number, (first, second) in enumerate(permutations(words, 2))
        if first < second or number % 2
    }
    found = clustered(workspace, captions, ClusterSettings(min_cluster_size=5, sample=60))
    assert found.head.fitted == 60
    assert len(found.placed) == len(captions) == 80
    mapped = [placed for placed in found.placed if placed.x is not None]
    assert len(mapped) == 60
    title = {node.id: node.keywords[0] for node in found.nodes if node.leaf}
    joined = [each for each in found.placed if each.x is None and each.cluster is not None]
    assert joined
    for placed in joined:
        assert placed.rel_path.startswith(title[placed.cluster or ""].removesuffix("s"))


@pytest.mark.parametrize(
    "captions",
    [
        {},
        {"a": None},
        {"a": "a dog"},
        {"a": "a dog", "b": "a cat"},
        dict.fromkeys("abcdefghij", "a dog"),
        dict.fromkeys("abcdefghij", "the of and"),
        dict(zip("abcdefghij", ANIMALS, strict=True)),
    ],
)
def test_small_and_dull_libraries_have_an_answer(workspace: Path, captions: Captions) -> None:
    found = clustered(workspace, captions, ClusterSettings())
    assert found.head.embedder == "tfidf"
    assert all(node.title for node in found.nodes)


def test_photos_are_measured_by_the_vectors_of_now(workspace: Path) -> None:
    head = clustered(workspace, herds(2)).head
    assert measure_photos(workspace, head, ["dog000.jpg", "gone.jpg"]) is not None
    assert measure_photos(workspace, head, ["gone.jpg"]) is None

    captions = herds(6)  # learnt anew, in a store that was open
    embed(workspace, captions)
    keys = [f"{name}.jpg" for name in captions]
    measured = measure_photos(workspace, head, keys)
    assert measured is not None
    assert None not in measured.distances
    alone = measure_photos(workspace, head, keys[-1:])
    assert alone is not None
    assert (alone.exemplar, alone.distances) == (0, [0.0])


@pytest.mark.parametrize("copies", [50, 3, 200])
def test_copies_do_not_melt_clusters(workspace: Path, copies: int) -> None:
    words = [f"{animal}{number}" for animal in ANIMALS for number in "ab"]
    captions: dict[str, str | None] = {
        f"{word}-{number:02d}": f"{word} {word}s {word}ish"
        for number in range(copies)
        for word in words
    }
    found = clustered(workspace, captions, ClusterSettings())
    assert found.head.fitted == 20 * min(copies, found.head.min_cluster_size)
    inside: dict[str | None, set[str]] = {}
    for placed in found.placed:
        inside.setdefault(placed.cluster, set()).add(placed.rel_path.split("-")[0])
    assert sorted(inside.values(), key=min) == [{word} for word in sorted(words)]
    assert len({(placed.x, placed.y) for placed in found.placed}) == 20


def test_vectors_made_in_any_order_are_fitted_alike(tmp_path: Path) -> None:
    captions = herds(6) | {"copy": herds(6)["dog000"]}
    backwards = dict(reversed(captions.items()))
    requests = []
    for name, given in {"one": captions, "two": backwards, "three": captions}.items():
        workspace = tmp_path / name
        workspace.mkdir()
        embed(workspace, given)
        if name == "three":  # the records of some are lost, and made again
            keys = opened(workspace).journal
            lines = keys.read_bytes().splitlines(keepends=True)
            keys.write_bytes(b"".join(lines[12:]))
            assert embed(workspace, captions) == 12
        gathered = job_of(workspace, captions, SMALL).gather()
        assert gathered is not None
        requests.append(gathered.fit_request())
    rows = {
        name: (tmp_path / name / "embeddings/tfidf/vectors.f32").read_bytes()
        for name in ("one", "two", "three")
    }
    assert len({*rows.values()}) == 3
    assert requests[0] == requests[1] == requests[2]


# The command


async def nobody(_sample: object) -> None:
    """Show a job to nobody."""


def run(workspace: Path, *, force: bool = False) -> JobResult[EmbedReport | ClusterReport]:
    request = ClusterRequest(
        workspace=workspace,
        journal=workspace / "captions.jsonl",
        photos_dir=None,
        embedder="tfidf",
        settings=SMALL,
        force=force,
    )
    prepared = prepare_clustering(request)
    try:
        return asyncio.run(run_clustering(prepared, nobody))
    finally:
        prepared.release()


def test_a_library_of_only_errors_is_told_of(workspace: Path) -> None:
    write_records(workspace, failure(0), failure(1))
    for changed in (True, False):
        report = run(workspace).report
        assert isinstance(report, ClusterReport)
        assert (report.photos, report.no_caption, report.clusters) == (2, 2, 0)
        assert report.changed is changed


def test_every_photo_has_its_place_after_the_library_doubled(workspace: Path) -> None:
    """What was learnt is learnt anew, and the vectors with it."""
    texts = [f"{animal} meadow{number}" for number in range(4) for animal in ANIMALS]
    write_records(workspace, *(caption(at, text) for at, text in enumerate(texts[:16])))
    assert run(workspace).report.embedded == 16
    write_records(workspace, *(caption(at, text) for at, text in enumerate(texts)))
    assert run(workspace).report.embedded == 40

    found = read_clustering(clusters_path(workspace))
    assert len(found.placed) == 40
    assert (
        Counter(open_view(workspace, workspace / "captions.jsonl", None).leaf_of)[NO_CAPTION] == 0
    )
    assert search_embedder(workspace) == "tfidf"


# The file


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"\xff\n", b'{"version":2}\n', None])
def test_clusters_that_cannot_be_read_are_told_of_and_made_anew(
    workspace: Path, damage: bytes | None
) -> None:
    captions = dict(zip("abcdefghij", ANIMALS, strict=True))
    clustered(workspace, captions)
    path = clusters_path(workspace)
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(path.read_bytes()[:-20] if damage is None else damage)
    with pytest.raises(NoClusters, match="makes it anew"):
        read_clustering(path)
    assert previous_clustering(workspace) is None
    clustered(workspace, captions)


def test_clusters_without_end_are_not_read_to_the_end(tmp_path: Path) -> None:
    with clusters_path(tmp_path).open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(NoClusters, match="cannot be read"):
        read_clustering(clusters_path(tmp_path))
    clusters_path(tmp_path).rename(chunks_path(tmp_path))
    assert chosen_chunk_size(tmp_path) == CHUNK_SIZE


@pytest.mark.parametrize(
    "parents", [("aa", None), ("gg", "bb"), ("bb", "aa"), (None, "aa"), ("zz", None)]
)
def test_clusters_that_make_no_tree_are_refused(
    workspace: Path, parents: tuple[str | None, str | None]
) -> None:
    """One that is its own parent would be climbed for ever."""
    found = clustering_of({"aa": ["a1"], "bb": ["b1"]})
    write_clustering(clusters_path(workspace), found)
    assert read_clustering(clusters_path(workspace)) == found
    for node, parent in zip(found.nodes, parents, strict=True):
        node.parent = parent
    write_clustering(clusters_path(workspace), found)
    with pytest.raises(NoClusters, match="makes no tree"):
        read_clustering(clusters_path(workspace))
    assert previous_clustering(workspace) is None


def test_without_clusters_the_command_that_makes_them_is_named(workspace: Path) -> None:
    with pytest.raises(NoClusters, match="`pcc cluster` makes them"):
        read_clustering(clusters_path(workspace))
