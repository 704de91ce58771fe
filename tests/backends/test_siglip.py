"""SigLIP: how well words fit a region, each by its own sigmoid."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from backends.detectors.siglip import Labelled, RegionLabeller
from backends.errors import ModelError, SetupError
from tests.support.encoders import change, change_weights, noise
from tests.support.tiny_detectors import EDGE, WIDTH, save_tiny_owl, save_tiny_siglip

pytestmark = pytest.mark.usefixtures("offline")

WORDS = ("dog", "Red Dog", "t-shirt")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_siglip(tmp_path_factory.mktemp("labellers") / "siglip")


@pytest.fixture
def files(saved: Path, tmp_path: Path) -> Path:
    """Return a model that a test may spoil."""
    return shutil.copytree(saved, tmp_path / "siglip")


def opened(directory: Path, words: tuple[str, ...] = WORDS, **options: Any) -> RegionLabeller:
    labeller = RegionLabeller(str(directory), words, **{"device": "cpu", **options})
    labeller.open()
    return labeller


def scores(found: Labelled) -> dict[str, float]:
    return {label.label: label.score for label in found.labels}


def test_scores_are_the_models_own(saved: Path) -> None:
    import torch
    from transformers import PreTrainedTokenizerFast, SiglipModel

    crop = noise((80, 52))
    scaled = crop.resize((EDGE, EDGE), Image.Resampling.BICUBIC)
    pixels = (np.asarray(scaled) / 127.5 - 1).transpose(2, 0, 1)[None]
    loader: Any = PreTrainedTokenizerFast
    texts = [f"this is a photo of {word}" for word in ("dog", "red dog", "tshirt")]
    tokens = loader.from_pretrained(saved)(
        texts, padding="max_length", max_length=32, return_tensors="pt"
    )
    architecture: Any = SiglipModel
    with torch.inference_mode():
        raw = architecture.from_pretrained(saved).eval()(
            input_ids=tokens["input_ids"], pixel_values=torch.from_numpy(pixels).float()
        )
    expected = dict(zip(WORDS, raw.logits_per_image[0].sigmoid().tolist(), strict=True))

    [found] = opened(saved).label([crop])

    assert scores(found) == pytest.approx(expected, abs=1e-4)
    assert list(scores(found)) == sorted(expected, key=lambda word: -expected[word])
    assert np.ptp(list(expected.values())) > 0.001
    np.testing.assert_allclose(found.embedding, raw.image_embeds[0].numpy(), atol=1e-4)


def test_crops_of_any_size_and_mode_are_labelled_as_one_by_one(saved: Path) -> None:
    sizes = [(80, 52), (3, 3), (1, 1), (1, 90), (700, 40), (EDGE, EDGE), (5, 3)]
    crops = [noise((128, 128), seed).resize(size) for seed, size in enumerate(sizes)]
    crops += [crops[0].convert(mode) for mode in ("L", "RGBA", "P", "1")]
    single = opened(saved, batch_size=1)

    together = opened(saved, batch_size=4).label(crops)

    for found, crop in zip(together, crops, strict=True):
        [alone] = single.label([crop])
        assert found.embedding.shape == (WIDTH,)
        assert found.embedding.dtype == np.float32
        assert np.linalg.norm(found.embedding) == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(found.embedding, alone.embedding, atol=1e-4)
        assert scores(found) == pytest.approx(scores(alone), abs=1e-4)
    assert np.ptp([found.embedding for found in together[:7]], axis=0).max() > 0.1
    assert single.label([]) == []


def test_the_best_come_first(saved: Path) -> None:
    """However many words are encoded at once."""
    words = tuple(f"dog {a}{b}" for a in "abcdefghijklmnopq" for b in "abcdefghijklmnopq")
    crop = noise((64, 64))
    labeller = opened(saved, words)

    [found] = labeller.label([crop])
    [everything] = labeller.label([crop], top=10**6)

    assert found.labels == everything.labels[:5]
    assert scores(everything).keys() == {*words}
    assert len(words) > 256
    values = list(scores(everything).values())
    assert values == sorted(values, reverse=True)
    [alone] = opened(saved, (words[280],)).label([crop])
    assert scores(alone)[words[280]] == pytest.approx(scores(everything)[words[280]], abs=1e-4)


@pytest.mark.parametrize(
    ("crop", "top", "error"),
    [
        (Image.new("RGB", (0, 4)), 5, "without pixels"),
        (Image.new("RGB", (4, 4)), 0, "at least one label"),
    ],
)
def test_what_makes_no_sense_is_refused(
    crop: Image.Image, top: int, error: str, saved: Path
) -> None:
    with pytest.raises(ValueError, match=error):
        opened(saved).label([crop], top)


def test_it_needs_no_sentencepiece(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentencepiece", None)

    assert opened(saved).label([noise((64, 64))])


def test_a_word_that_is_too_long_is_named(saved: Path) -> None:
    with pytest.raises(SetupError, match=r"'xxxxx.*too long for .*of which the model reads 32"):
        opened(saved, ("dog", "x" * 80))


@pytest.mark.parametrize("name", ["tokenizer.json", "preprocessor_config.json"])
def test_files_that_lack_something_are_refused(name: str, files: Path) -> None:
    (files / name).unlink()

    with pytest.raises(SetupError, match=rf"lacks its {name}; download it anew"):
        opened(files)


def test_another_kind_of_model_is_refused(files: Path, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="is of the type 'owlv2', where siglip is wanted"):
        opened(save_tiny_owl(tmp_path / "owl", "owlv2"))
    change(files / "config.json", model_type="siglip2")
    with pytest.raises(SetupError, match="is of the type 'siglip2', where siglip is wanted"):
        opened(files)


def test_numbers_that_are_none_give_no_labels(files: Path) -> None:
    def spoil(weights: dict[str, NDArray[Any]]) -> None:
        weights["vision_model.post_layernorm.bias"][3] = np.nan

    change_weights(files, spoil)
    with pytest.raises(ModelError, match=r"siglip gave numbers that are not finite$"):
        opened(files).label([noise((64, 64))])
