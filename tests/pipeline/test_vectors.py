"""Vectors: made once, and in step with the captions."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import numpy as np
import pytest

from pipeline.embeddings.run import prepare_captions
from pipeline.embeddings.store import embedders_with_vectors, store_of
from tests.support.vectors import animals, assert_right, captioned, embed, opened


def test_only_new_and_changed_captions_are_embedded(workspace: Path) -> None:
    captions = animals(20)
    assert embed(workspace, captions) == 20
    assert embed(workspace, captions) == 0

    captions |= {"003": "a lighthouse", "100": "a harbour at dusk"}
    assert embed(workspace, captions) == 2
    assert_right(workspace, captions)
    assert opened(workspace).rows == 22  # what no photo names any more stays


def test_photos_without_a_caption_have_no_vector(workspace: Path) -> None:
    assert embed(workspace, {"a": "a dog", "b": None, "c": ""}) == 1
    assert list(opened(workspace).held) == ["a.jpg"]


def test_a_library_without_captions_has_nothing_to_embed(workspace: Path) -> None:
    assert embed(workspace, {"a": None}) == 0
    assert embed(workspace, {}) == 0
    assert opened(workspace).manifest is None


def test_equal_captions_share_a_row(workspace: Path) -> None:
    embed(workspace, dict.fromkeys("abcdefgh", "a dog") | {"z": "a cat"})

    store = opened(workspace)
    assert store.rows == 2
    vectors, places = store.take([f"{name}.jpg" for name in "abz"])
    assert vectors.shape[0] == 2
    assert places[0] == places[1] != places[2]


def test_an_equal_caption_in_a_later_run_shares_the_row_too(workspace: Path) -> None:
    captions = animals(10)
    embed(workspace, captions)
    captions["new"] = captions["004"]
    assert embed(workspace, captions) == 1
    assert opened(workspace).rows == 10
    assert_right(workspace, captions)


def test_vectors_have_length_one_and_are_mapped_not_read(workspace: Path) -> None:
    embed(workspace, animals(30) | {"odd": "the of and"})

    vectors = opened(workspace).vectors()
    assert isinstance(vectors, np.memmap)
    assert vectors.mode == "r"
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_manifest_says_what_the_vectors_are(workspace: Path) -> None:
    embed(workspace, animals(5))

    directory = workspace / "embeddings" / "tfidf"
    manifest = msgspec.json.decode((directory / "manifest.json").read_bytes())
    width = opened(workspace).vectors().shape[1]
    assert manifest == {
        "version": 1,
        "embedder": "tfidf",
        "model": "tfidf-svd",
        "dimensions": width,
        "dtype": "float32",
        "unit_length": True,
        "learnt_from": 5,
    }
    assert (directory / "vectors.f32").stat().st_size == 5 * width * 4
    assert embedders_with_vectors(workspace) == ["tfidf"]


def test_only_the_owner_may_read_what_is_kept(workspace: Path) -> None:
    embed(workspace, animals(5))

    directory = workspace / "embeddings" / "tfidf"
    assert directory.stat().st_mode & 0o077 == 0
    files = list(directory.iterdir())
    assert {"manifest.json", "vectors.f32", "keys.jsonl", "learnt.bin"} <= {f.name for f in files}
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)


def test_names_of_models_lead_to_no_other_place(workspace: Path) -> None:
    for name in ("../../other", "a/b", "clip:/somewhere"):
        directory = store_of(workspace, name).directory.resolve()
        assert directory.parent == (workspace / "embeddings").resolve(), name


def test_models_whose_names_look_alike_have_two_places(workspace: Path) -> None:
    names = ("a/b", "a_b", "a:b", "A/b")
    directories = [store_of(workspace, name).directory for name in names]
    directories += [store_of(workspace, name, "pictures").directory for name in names]
    assert len({*directories}) == 2 * len(names)
    assert store_of(workspace, "a/b").directory == directories[0]


# Another model, another library


def test_another_model_empties_the_store(workspace: Path) -> None:
    embed(workspace, animals(5))
    manifest = workspace / "embeddings" / "tfidf" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("tfidf-svd", "of last year"))

    assert embed(workspace, animals(5)) == 5
    assert opened(workspace).rows == 5
    assert_right(workspace, animals(5))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', "\xff"])
def test_a_manifest_that_cannot_be_read_is_made_anew(workspace: Path, text: str) -> None:
    embed(workspace, animals(5))
    (workspace / "embeddings" / "tfidf" / "manifest.json").write_text(text, "latin-1")
    assert opened(workspace).held == {}
    assert embed(workspace, animals(5)) == 5


def learnt(workspace: Path) -> bytes:
    found = opened(workspace).learnt()
    assert found is not None
    return found


def test_what_was_learnt_is_kept_while_the_library_grows_by_less_than_half(
    workspace: Path,
) -> None:
    embed(workspace, animals(20))
    before = learnt(workspace)

    assert embed(workspace, animals(29)) == 9
    assert learnt(workspace) == before
    assert_right(workspace, animals(29))


def test_a_library_that_grew_by_more_is_learnt_anew(workspace: Path) -> None:
    embed(workspace, animals(20))
    before = learnt(workspace)

    assert embed(workspace, animals(31)) == 31
    assert learnt(workspace) != before
    assert opened(workspace).rows == 31
    assert_right(workspace, animals(31))


def test_a_library_that_grew_by_more_in_small_steps_is_learnt_anew(workspace: Path) -> None:
    made = {}
    for count in (20, 25, 29, 31, 40, 47):
        made[count] = embed(workspace, animals(count))
        store = opened(workspace)
        assert store.manifest is not None
        assert store.manifest.learnt_from == (20 if count < 31 else 31 if count < 47 else 47)
    assert made == {20: 20, 25: 5, 29: 4, 31: 31, 40: 9, 47: 47}
    assert_right(workspace, animals(47))


def test_captions_that_all_changed_are_learnt_anew(workspace: Path) -> None:
    embed(workspace, dict.fromkeys(animals(20), "a mock caption"))
    assert embed(workspace, animals(20)) == 20
    assert_right(workspace, animals(20))
    assert opened(workspace).vectors().shape[1] > 10  # not all along the axis of the unknown


@pytest.mark.parametrize("damage", [None, b"", b"no msgpack"])
def test_what_was_learnt_and_cannot_be_read_is_learnt_anew(
    workspace: Path, damage: bytes | None
) -> None:
    embed(workspace, animals(8))
    path = workspace / "embeddings" / "tfidf" / "learnt.bin"
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    assert embed(workspace, animals(8)) == 8
    assert_right(workspace, animals(8))


def test_whoever_has_the_store_open_sees_that_it_was_emptied(workspace: Path) -> None:
    embed(workspace, animals(10))
    looking = opened(workspace)
    assert len(looking.held) == 10

    embed(workspace, animals(40))  # more than before: the file only ever seems to grow
    looking.refresh()
    assert looking.held == opened(workspace).held
    assert len(looking.held) == 40
    assert looking.vectors().shape == opened(workspace).vectors().shape


def test_the_store_that_a_job_filled_knows_every_row(workspace: Path) -> None:
    embed(workspace, animals(10))
    embedding = prepare_captions(workspace, "tfidf", captioned(animals(40)))
    asyncio.run(embedding.job("a-run").run())
    embedding.store.refresh()
    assert len(embedding.store.held) == 40
