"""Search: by words, by meaning, by both; and nothing where there is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.errors import SetupError
from pipeline.captions.library import LibraryPhoto
from pipeline.clusters.search import By, Searcher, folded
from tests.support.placed import library_photo
from tests.support.vectors import captioned, embed

CAPTIONS: dict[str, str | None] = {
    "bike1": "A red bicycle leans on a brick wall at night.",
    "bike2": "A red bicycle.",
    "bike3": "Two cyclists on a bicycle ride along a river.",
    "pasta": "A plate of pasta with basil on a wooden table.",
    "cafe": "Une tasse de café crème, Straße in Zürich.",
    "wine": "A bottle of red wine on a wooden table.",
    "copy": "A red bicycle.",
    "failed": None,
}


def searcher(workspace: Path, embedder: str | None = None) -> Searcher:
    return Searcher(captioned(CAPTIONS), workspace, embedder)


def names(searcher: Searcher, query: str, by: By = "words", most: int = 20) -> list[str]:
    found = [[*CAPTIONS][hit.place] for hit in searcher.search(query, by, most)]
    assert len({*found}) == len(found) <= most
    return found


@pytest.fixture
def vectors(workspace: Path) -> Searcher:
    """Return a searcher of a workspace that has vectors."""
    embed(workspace, CAPTIONS)
    return searcher(workspace, "tfidf")


# Words


def test_every_word_must_stand_in_caption_or_path(workspace: Path) -> None:
    here = searcher(workspace)
    assert names(here, "red bicycle") == ["copy", "bike2", "bike1"]  # short texts first
    assert names(here, "BICYCLE Red night") == ["bike1"]
    assert names(here, "red pasta") == []
    assert names(here, "failed.jpg") == ["failed"]
    assert names(here, "bike3 river") == ["bike3"]


@pytest.mark.parametrize(
    "query", ["cafe creme", "CAFÉ", "cafe\u0301", "zurich", "strasse", "ZÜRICH"]
)
def test_case_and_accents_do_not_matter(workspace: Path, query: str) -> None:
    assert names(searcher(workspace), query) == ["cafe"]


def test_folding_is_the_same_for_query_and_text() -> None:
    for text in ("İstanbul", "ﬁn", "Ⅳ", "Ångström", "ﷺ", "\ud800", "日本語", "STRASSE"):
        assert folded(folded(text)) == folded(text)
    assert folded("İ") == folded("i") == "i"


@pytest.mark.parametrize("query", ["", "   ", "\n"])
@pytest.mark.parametrize("by", ["words", "meaning", "both"])
def test_an_empty_query_finds_nothing(vectors: Searcher, query: str, by: By) -> None:
    assert vectors.search(query, by) == []


def test_nothing_is_found_in_an_empty_library(workspace: Path) -> None:
    embed(workspace, CAPTIONS)
    photos: list[LibraryPhoto] = []
    for embedder in (None, "tfidf"):
        assert Searcher(photos, workspace, embedder).search("red") == []


@pytest.mark.parametrize("by", ["words", "meaning", "both"])
def test_without_vectors_words_alone_are_searched(workspace: Path, by: By) -> None:
    for embedder in (None, "tfidf"):
        found = names(searcher(workspace, embedder), "red bicycle", by)
        assert found == ([] if by == "meaning" else ["copy", "bike2", "bike1"])


# Meaning


def test_meaning_finds_the_nearest_first(vectors: Searcher) -> None:
    hits = vectors.search("red bicycle", "meaning")
    found = [[*CAPTIONS][hit.place] for hit in hits]
    assert {*found[:2]} == {"bike2", "copy"}
    assert found[2] == "bike1"
    assert "pasta" not in found
    cosines = [hit.cosine or 0 for hit in hits]
    assert cosines == sorted(cosines, reverse=True)
    assert cosines[0] == pytest.approx(1, abs=1e-3)
    assert not any(hit.words for hit in hits)


def test_meaning_does_not_need_every_word(vectors: Searcher) -> None:
    assert names(vectors, "a bicycle under the stars at night") == []
    assert names(vectors, "a bicycle under the stars at night", "meaning")[0] == "bike1"


def test_a_word_that_no_caption_holds_means_nothing(workspace: Path) -> None:
    captions = {"dull": "The of and.", "odd": "...", "dog": "A dog.", "cat": "A cat."}
    embed(workspace, captions)
    here = Searcher(captioned(captions), workspace, "tfidf")
    for query in ("zeppelin", "the", "???"):  # nor are captions of such words like them
        assert here.search(query, "meaning") == []
    assert [hit.place for hit in here.search("the")] == [0]
    assert [hit.place for hit in here.search("zeppelin dog", "meaning")] == [2]


def test_both_put_what_has_the_words_and_the_meaning_first(vectors: Searcher) -> None:
    hits = vectors.search("red bicycle")
    found = [[*CAPTIONS][hit.place] for hit in hits]
    assert {*found[:2]} == {"bike2", "copy"}
    assert found[2] == "bike1"
    assert [hit.words for hit in hits] == [True] * 3 + [False] * (len(hits) - 3)
    assert {"bike3", "wine"} <= {*found}
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)


def test_both_find_paths_that_have_no_vector(vectors: Searcher) -> None:
    hits = vectors.search("failed wine wooden", "both")
    assert "failed" not in [[*CAPTIONS][hit.place] for hit in hits]
    assert names(vectors, "failed", "both")[0] == "failed"


def test_no_more_are_found_than_asked_for(vectors: Searcher) -> None:
    for by in ("words", "meaning", "both"):
        assert len(vectors.search("red bicycle", by, most=2)) == 2


def test_the_same_query_finds_the_same(vectors: Searcher, workspace: Path) -> None:
    again = searcher(workspace, "tfidf")
    for by in ("words", "meaning", "both"):
        assert vectors.search("a red table", by) == again.search("a red table", by)


def test_vectors_that_cannot_be_searched_are_told_of(vectors: Searcher, workspace: Path) -> None:
    (workspace / "embeddings" / "tfidf" / "learnt.bin").unlink()
    with pytest.raises(SetupError, match="`pcc embed --embedder tfidf` makes them anew"):
        vectors.search("red", "meaning")
    assert vectors.search("red", "words")


def test_photos_without_captions_are_found_by_path_alone(workspace: Path) -> None:
    embed(workspace, CAPTIONS)
    photos = [library_photo("bike1.jpg", None), library_photo("bike2.jpg", "A red bicycle.")]
    hits = Searcher(photos, workspace, "tfidf").search("bike1")
    assert [hit.place for hit in hits if hit.words] == [0]
    assert all(hit.cosine is None for hit in hits if hit.place == 0)
