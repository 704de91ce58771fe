"""Detectors: words of a vocabulary to boxes in the picture."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blake3 import blake3
from numpy.typing import NDArray
from PIL import Image

from backends.detectors.base import Detector, Proposal
from backends.detectors.boxes import best_proposals
from backends.detectors.grounding_dino import Prompt, make_prompts
from backends.detectors.vocabulary import clean_vocabulary
from backends.errors import BackendLost, ModelError, SetupError
from backends.registry import make_detector
from tests.support.encoders import change_weights, noise, run_script
from tests.support.hub_server import COMMIT, HubServer
from tests.support.tiny_detectors import (
    EDGE,
    PROMPT_TOKENS,
    save_tiny_grounding_dino,
    save_tiny_owl,
    save_tiny_siglip,
)

pytestmark = pytest.mark.usefixtures("offline")

FAMILIES = ("owlv2", "owlvit", "grounding-dino")
WORDS = ("dog", "traffic light", "red cat")
ALL = 10**6

Find = Callable[[str], Path]


def save(family: str, directory: Path) -> Path:
    if family == "siglip":
        return save_tiny_siglip(directory)
    if family == "grounding-dino":
        return save_tiny_grounding_dino(directory)
    return save_tiny_owl(directory, "owlv2" if family == "owlv2" else "owlvit")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Find:
    """Return a function that saves a model once."""
    root = tmp_path_factory.mktemp("detectors")

    def find(family: str) -> Path:
        directory = root / family
        return directory if directory.exists() else save(family, directory)

    return find


def opened(directory: Path, words: tuple[str, ...] = WORDS, **options: Any) -> Detector:
    options = {"threshold": 0.0, "proposals": ALL, "device": "cpu", **options}
    detector = make_detector(str(directory), words, **options)
    detector.open()
    return detector


def by_label(proposals: list[Proposal]) -> dict[str, NDArray[np.float64]]:
    """Return rows of score and box for each label."""
    labels = sorted({proposal.label for proposal in proposals})
    return {
        label: np.array([(found.score, *found.box) for found in proposals if found.label == label])
        for label in labels
    }


def assert_alike(found: list[Proposal], expected: list[Proposal]) -> None:
    ours, theirs = by_label(found), by_label(expected)
    assert ours.keys() == theirs.keys()
    for label, rows in ours.items():
        np.testing.assert_allclose(rows, theirs[label], rtol=1e-3, atol=1e-3)


# --- boxes


def raw_output(directory: Path, picture: Image.Image) -> tuple[Any, Any]:
    """Return scores of `WORDS` and boxes from 0 to 1, by the library's own way to ask."""
    import torch
    from transformers import AutoModelForZeroShotObjectDetection, AutoTokenizer

    architecture: Any = AutoModelForZeroShotObjectDetection
    model = architecture.from_pretrained(directory).eval()
    tokenizer = AutoTokenizer.from_pretrained(directory)
    text: Any
    if model.config.model_type == "grounding-dino":
        text = tokenizer(". ".join(WORDS) + ".", return_tensors="pt")
        shape = (96, 64) if picture.width > picture.height else (64, 96)
    else:
        prompts = [f"a photo of a {word}" for word in WORDS]
        text = tokenizer(prompts, padding="max_length", max_length=24, return_tensors="pt")
        shape = (EDGE, EDGE)
    kind = Image.Resampling.BICUBIC if model.config.model_type == "owlvit" else None
    levels = np.asarray(picture)
    if model.config.model_type == "owlv2":
        below, right = (max(picture.size) - side for side in levels.shape[:2])
        levels = np.pad(levels, ((0, below), (0, right), (0, 0)), constant_values=128)
    scaled = Image.fromarray(levels).resize(shape, kind or Image.Resampling.BILINEAR)
    mean, std = (
        ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        if model.config.model_type == "grounding-dino"
        else (
            [0.48145466, 0.4578275, 0.40821073],
            [0.26862954, 0.26130258, 0.27577711],
        )
    )
    pixels = ((np.asarray(scaled) / 255 - mean) / std).transpose(2, 0, 1)[None]
    with torch.inference_mode():
        output = model(pixel_values=torch.from_numpy(pixels).float(), **text)
    scores = output.logits[0].sigmoid().numpy()
    if model.config.model_type == "grounding-dino":
        # [CLS] dog . traffic light . red cat . [SEP]
        scores = np.stack([scores[:, 1], scores[:, 3:5].mean(1), scores[:, 6:8].mean(1)], axis=1)
    return scores, output.pred_boxes[0].numpy()


@pytest.mark.parametrize("size", [(180, 120), (120, 180)])
@pytest.mark.parametrize("family", FAMILIES)
def test_boxes_are_the_models_in_pixels_of_the_picture(
    family: str, size: tuple[int, int], saved: Find
) -> None:
    picture = noise(size, seed=4)
    scores, boxes = raw_output(saved(family), picture)
    width, height = (max(size), max(size)) if family == "owlv2" else size
    expected = []
    for own, (x, y, across, down) in zip(scores, boxes.tolist(), strict=True):
        x0, x1 = (min(max((x + way * across / 2) * width, 0), size[0]) for way in (-1, 1))
        y0, y1 = (min(max((y + way * down / 2) * height, 0), size[1]) for way in (-1, 1))
        if x1 - x0 >= 1 and y1 - y0 >= 1:
            expected += [
                Proposal((x0, y0, x1, y1), word, float(score))
                for word, score in zip(WORDS, own, strict=True)
            ]
    expected.sort(key=lambda proposal: -proposal.score)

    [found] = opened(saved(family)).detect([picture])

    assert len(found) > 20
    assert np.ptp([proposal.score for proposal in found]) > 0.05
    assert_alike(found, expected)


def test_only_what_can_be_seen_is_proposed() -> None:
    boxes = np.array(
        [
            [-5, -5, 20, 20],
            [10, 10, 90, 70],
            [30, 10, 30.5, 40],  # half a pixel
            [40, 10, 20, 40],  # turned around
            [60, 60, 99, 99],  # beyond the bottom
            [1, 1, np.nan, 9],
            [-np.inf, 0, np.inf, 5],
        ]
    )
    scores = np.array(
        [[0.3, np.nan], [0.9, 0.2], [1, 1], [1, 1], [1, 1], [1, 1], [0.1, 0.3]], np.float32
    )

    found = best_proposals(scores, boxes, (80, 60), ("cat", "dog"), threshold=0.2, most=9)

    assert [(proposal.label, proposal.box) for proposal in found] == [
        ("cat", (10, 10, 80, 60)),
        ("cat", (0, 0, 20, 20)),
        ("dog", (0, 0, 80, 5)),
        ("dog", (10, 10, 80, 60)),
    ]
    assert best_proposals(scores, boxes, (80, 60), "cd", threshold=0.2, most=1)[0].score == (
        pytest.approx(0.9)
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_is_as_one_by_one(family: str, saved: Find) -> None:
    sizes = [(96, 64), (64, 96), (96, 64), (81, 81), (96, 64), (33, 120), (1, 90), (3, 3)]
    pictures = [noise((128, 128), seed).resize(size) for seed, size in enumerate(sizes)]

    together = opened(saved(family), batch_size=3).detect(pictures)

    single = opened(saved(family), batch_size=1)
    for found, picture in zip(together, pictures, strict=True):
        assert_alike(found, single.detect([picture])[0])
        for x0, y0, x1, y1 in (proposal.box for proposal in found):
            assert 0 <= x0 < x1 <= picture.width
            assert 0 <= y0 < y1 <= picture.height
    assert len({len(found) for found in together}) > 1
    assert single.detect([]) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_the_best_are_kept(family: str, saved: Find) -> None:
    picture = noise((180, 120))
    [everything] = opened(saved(family)).detect([picture])
    limit = everything[9].score
    scores = [proposal.score for proposal in everything]

    [few] = opened(saved(family), proposals=7).detect([picture])
    [sure] = opened(saved(family), threshold=limit).detect([picture.convert("RGBA")])

    assert scores == sorted(scores, reverse=True)
    assert few == everything[:7]
    assert sure == [proposal for proposal in everything if proposal.score >= limit]


def test_a_picture_without_pixels_is_refused(saved: Find) -> None:
    with pytest.raises(ValueError, match="without pixels"):
        opened(saved("owlv2")).detect([noise((32, 32)), Image.new("RGB", (0, 5))])


# --- words


@pytest.mark.parametrize(
    ("words", "clean"),
    [
        (["dog"], ("dog",)),
        ([" traffic \n\tlight ", "dog", "", "  ", "Dog", "DOG"], ("traffic light", "dog")),
        (["a\x1b[31mb", "caf\u00e9", "\ud800x", "狗"], ("a [31mb", "café", "x", "狗")),
        (["STRASSE", "straße"], ("STRASSE",)),
    ],
)
def test_words_are_made_fit(words: list[str], clean: tuple[str, ...]) -> None:
    assert clean_vocabulary(words) == clean


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"vocabulary": []}, "vocabulary is empty"),
        ({"vocabulary": ["", " \n", "\x00"]}, "vocabulary is empty"),
        ({"threshold": 1.5}, "from 0 to 1"),
        ({"threshold": float("nan")}, "from 0 to 1"),
        ({"proposals": 0}, "at least one proposal"),
        ({"batch_size": 0}, "at least one picture"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], error: str, saved: Find) -> None:
    with pytest.raises(ValueError, match=error):
        make_detector(str(saved("grounding-dino")), **{"vocabulary": WORDS, **options})


@pytest.mark.parametrize("family", ["owlv2", "owlvit"])
def test_owl_looks_for_each_word_by_itself(family: str, saved: Find) -> None:
    picture = noise((180, 120))
    [together] = opened(saved(family)).detect([picture])
    [alone] = opened(saved(family), ("traffic light",)).detect([picture])

    assert_alike([found for found in together if found.label == "traffic light"], alone)


def test_prompts_hold_all_words_in_as_few_as_it_takes() -> None:
    phrases = [[7], [8, 9], [10, 11, 12], [13]]

    def prompts(longest: int) -> list[Prompt]:
        return make_prompts("abcd", phrases, start=1, stop=3, end=2, longest=longest)

    assert prompts(8) == [
        Prompt([1, 7, 3, 8, 9, 3, 2], ["a", "b"], [(1, 2), (3, 5)]),
        Prompt([1, 10, 11, 12, 3, 13, 3, 2], ["c", "d"], [(1, 4), (5, 6)]),
    ]
    assert [prompt.words for prompt in prompts(7)] == [["a", "b"], ["c"], ["d"]]
    assert [prompt.words for prompt in prompts(6)] == [["a"], ["b"], ["c"], ["d"]]


def test_a_prompt_is_what_the_tokenizer_makes_of_it(saved: Find) -> None:
    """Words that hold delimiters or special tokens neither end a phrase nor a prompt."""
    words = ("Dog", "traffic light", "st. bernard?", "[SEP]")
    detector: Any = opened(saved("grounding-dino"), words)
    spelt = "dog. traffic light. st  bernard . [ sep ]."

    [prompt] = detector._encoded

    assert prompt.tokens == detector._tokenizer(spelt)["input_ids"]
    assert prompt.words == list(words)
    assert {found.label for found in detector.detect([noise((180, 120))])[0]} == {*words}


def test_a_vocabulary_longer_than_the_prompt_is_read_in_turns(saved: Find) -> None:
    words = ("dog", "traffic light", "sign", "bicycle", "cat", "red", "blue", "umbrella", "a-b")
    picture = noise((180, 120))
    detector: Any = opened(saved("grounding-dino"), words)
    prompts = detector._encoded
    assert len(prompts) == 2
    assert all(len(prompt.tokens) <= PROMPT_TOKENS for prompt in prompts)

    [found] = detector.detect([picture])

    apart = [
        proposal
        for prompt in prompts
        for proposal in opened(saved("grounding-dino"), tuple(prompt.words)).detect([picture])[0]
    ]
    assert_alike(found, sorted(apart, key=lambda proposal: -proposal.score))
    assert {proposal.label for proposal in found} == {*words}


@pytest.mark.parametrize(
    ("family", "word", "error"),
    [
        ("owlv2", "x" * 40, "too long for .*: with its prompt it takes"),
        ("grounding-dino", "x" * 40, "too long for .*: with its prompt it takes"),
        ("grounding-dino", "🦊", "cannot read '🦊'"),
        ("grounding-dino", "..?", r"cannot read '\.\.\?'"),
    ],
)
def test_a_word_that_cannot_be_read_is_named(
    family: str, word: str, error: str, saved: Find
) -> None:
    with pytest.raises(SetupError, match=error):
        opened(saved(family), ("dog", word))


# --- which files


def test_a_directory_is_known_by_its_files(saved: Find, tmp_path: Path) -> None:
    files = saved("owlvit")
    copy = shutil.copytree(files, tmp_path / "mirror")
    hashed = blake3()
    decisive = ("config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors")
    for name in filter(lambda name: (files / name).exists(), decisive):
        data = (files / name).read_bytes()
        hashed.update(f"{name}\n{len(data)}\n".encode() + data)
    digest = hashed.hexdigest()

    (copy / "pytorch_model.safetensors").write_bytes(b"of no matter")

    first, mirrored = opened(files), opened(copy)
    change_weights(copy, lambda weights: weights.update(scale=np.zeros(1, np.float32)))
    changed = opened(copy)

    assert first.version == f"owlvit:owlvit@{digest[:12]}"
    assert mirrored.version == f"owlvit:mirror@{digest[:12]}"
    assert first.hashes() == mirrored.hashes() == {"blake3": digest}
    assert changed.hashes() != first.hashes()


WARM_UP = """
import sys
from PIL import Image
from backends import registry
from backends.detectors import checkpoint, grounding_dino, owl, siglip
from tests.support.hub_server import COMMIT
assert not {"torch", "transformers", "numpy", "huggingface_hub"} & {*sys.modules}
checkpoint.REVISIONS["tiny/model-pinned"] = COMMIT
grey = Image.new("RGB", (64, 48), "grey")
for model in sys.argv[1:]:
    looker = (
        siglip.RegionLabeller(model, ["dog"], device="cpu")
        if model.endswith("siglip")
        else registry.make_detector(model, ["dog"], device="cpu")
    )
    looker.open()
    (looker.label if model.endswith("siglip") else looker.detect)([grey])
    print(looker.version, looker.hashes().get("revision"), looker.hashes()["blake3"])
"""


def test_a_warm_up_complains_of_nothing(saved: Find, tmp_path: Path) -> None:
    """With any warning an error; some models come from the hub, one by its pinned commit."""
    models = [str(saved(family)) for family in ("siglip", "owlv2", "grounding-dino")]
    with HubServer(saved("owlvit")) as hub:
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        lines = run_script(WARM_UP, *models, "tiny/model", "tiny/model-pinned", **own).splitlines()

    versions, commits, digests = zip(*(line.split() for line in lines), strict=True)
    assert [version.partition("@")[0] for version in versions] == [
        "siglip:siglip",
        "owlv2:owlv2",
        "grounding-dino:grounding-dino",
        "owlvit:tiny/model",
        "owlvit:tiny/model-pinned",
    ]
    assert versions[3].endswith("@" + COMMIT[:12])
    assert commits == ("None", "None", "None", COMMIT, COMMIT)
    assert digests[3] == digests[4] == opened(saved("owlvit")).hashes()["blake3"]
    paths = [path for _, path in hub.requests]
    assert not [path for path in paths if path.endswith((".bin", ".py"))]
    assert {path for path in paths if "/main/" in path} == {"/tiny/model/resolve/main/config.json"}


def test_a_model_of_another_kind_is_refused(saved: Find) -> None:
    with pytest.raises(SetupError, match="'siglip', which does not look for words; OWL-ViT"):
        make_detector(str(saved("siglip")), WORDS)


@pytest.mark.parametrize("family", ["owlv2", "grounding-dino"])
def test_files_that_lack_something_are_refused(family: str, saved: Find, tmp_path: Path) -> None:
    files = shutil.copytree(saved(family), tmp_path / "model")
    change_weights(files, lambda weights: weights.pop(min(weights)))
    with pytest.raises(SetupError, match="lacks some of its weights; download it anew"):
        opened(files)

    (files / "model.safetensors").rename(files / "pytorch_model.bin")
    with pytest.raises(SetupError, match="has no safetensors, and other weights are not loaded"):
        opened(files)

    for name in ("tokenizer.json", "vocab.txt", "vocab.json", "merges.txt"):
        (files / name).unlink(missing_ok=True)
    with pytest.raises(SetupError, match="lacks its tokenizer"):
        opened(files)

    with pytest.raises(SetupError, match=r"no such directory|cannot be reached"):
        opened(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["torch", "transformers"])
def test_a_missing_package_is_named(
    name: str, saved: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = saved("owlv2")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, name, None)
        with pytest.raises(SetupError, match=rf"{name}.*; .* install .*\[detect\]'"):
            opened(files)


# --- what goes wrong


def test_a_batch_too_large_is_halved(saved: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    detector: Any = opened(saved("owlv2"), batch_size=8)
    pictures = [noise((64, 48), seed) for seed in range(11)]
    expected = detector.detect(pictures)
    embed, sizes = detector._network.image_embedder, list[int]()

    def embed_three(pixels: Any) -> Any:
        sizes.append(len(pixels))
        if len(pixels) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return embed(pixels)

    monkeypatch.setattr(detector._network, "image_embedder", embed_three)
    found = detector.detect(pictures)

    assert sizes == [8, 4, 2, 2, 2, 2, 2, 1]
    assert [remark.split()[0] for remark in detector.remarks] == ["8", "4"]
    for one, other in zip(found, expected, strict=True):
        assert_alike(one, other)


@pytest.mark.parametrize(
    ("raised", "error", "told"),
    [
        (ValueError("too bright\nfor me"), ModelError, "ValueError: too bright$"),
        (MemoryError("no room"), ModelError, "out of memory: no room$"),
        (RuntimeError("CUDA error: illegal access\nmore"), BackendLost, "illegal access$"),
    ],
)
def test_what_goes_wrong_is_told(
    raised: Exception,
    error: type[Exception],
    told: str,
    saved: Find,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise raised

    detector: Any = opened(saved("grounding-dino"))
    monkeypatch.setattr(detector._network, "forward", fail)

    with pytest.raises(error, match=told):
        detector.detect([noise((64, 48))])


def test_a_closed_detector_holds_no_model(saved: Find) -> None:
    detector: Any = opened(saved("owlv2"))
    before = detector.detect([noise((64, 48))])
    detector.close()
    assert (detector._network, detector._encoded) == (None, None)
    detector.open()
    assert detector.detect([noise((64, 48))]) == before
