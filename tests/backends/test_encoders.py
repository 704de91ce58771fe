"""Encoders: features of the very pixels given, masks that are Transformers' own."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from backends.embedders.base import ENVIRONMENT
from backends.encoders.dino import IMAGENET, DinoEncoder, Features
from backends.encoders.dino_config import DEFAULTS, OPEN_MODEL, DinoConfig, read_config
from backends.encoders.t5 import MAX_LENGTH, T5Tokenizer
from backends.errors import BackendLost, ModelError, SetupError
from tests.support import hub_server
from tests.support.hub_server import COMMIT, HubServer
from tests.support.tiny_dino import MEAN, STD, Family, save_tiny_dino
from tests.support.tiny_t5 import CAPTIONS, save_tiny_t5

ROOT = Path(__file__).parents[2]

WIDTH = 32

CLEAN_ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("HF_") and name not in ENVIRONMENT
}


class Kind(NamedTuple):
    """A tiny model."""

    family: Family
    patch_size: int
    registers: int

    def __str__(self) -> str:
        return f"{self.family}-{self.patch_size}-{self.registers}"


DINOV2 = Kind("dinov2", 14, 0)
WITH_REGISTERS = Kind("dinov2_with_registers", 14, 4)
DINOV3 = Kind("dinov3_vit", 16, 4)
KINDS = (
    DINOV2,
    WITH_REGISTERS,
    DINOV3,
    Kind("dinov3_vit", 16, 0),
    Kind("dinov3_vit", 14, 4),
    Kind("dinov2", 16, 0),
    Kind("dinov2_with_registers", 16, 2),
)

PATCHES = {
    14: {
        (1022, 1022): 5329,
        (1218, 826): 5133,
        (826, 1218): 5133,
        (1274, 770): 5005,
        (770, 1274): 5005,
        (1344, 700): 4800,
        (700, 1344): 4800,
    },
    16: {
        (1024, 1024): 4096,
        (1216, 832): 3952,
        (832, 1216): 3952,
        (1280, 768): 3840,
        (768, 1280): 3840,
        (1344, 704): 3696,
        (704, 1344): 3696,
    },
}
"""By patch size, then by width and height of the seven inputs."""


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    """Nothing is downloaded, and what encoders set is undone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        yield


Find = Callable[[Kind], DinoEncoder]


@pytest.fixture(scope="module")
def encoder_of(tmp_path_factory: pytest.TempPathFactory) -> Find:
    """Return a function that opens a kind of encoder once."""
    directory, found = tmp_path_factory.mktemp("models"), dict[Kind, DinoEncoder]()

    def find(kind: Kind) -> DinoEncoder:
        if kind not in found:
            found[kind] = opened(save_kind(kind, directory / str(kind)))
        return found[kind]

    return find


@pytest.fixture
def dino_files(tmp_path: Path) -> Path:
    """Return a model that a test may spoil."""
    return save_kind(DINOV3, tmp_path / "dino")


def save_kind(kind: Kind, directory: Path) -> Path:
    family, patch_size, registers = kind
    return save_tiny_dino(
        directory, family=family, patch_size=patch_size, registers=registers, width=WIDTH
    )


def opened(directory: Path, batch_size: int | None = None) -> DinoEncoder:
    encoder = DinoEncoder(read_config(str(directory)), device="cpu", batch_size=batch_size)
    encoder.open()
    return encoder


def noise(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """Return a picture of coloured speckles, each some pixels wide."""
    width, height = size
    levels = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, 3), np.uint8)
    return Image.fromarray(levels).resize(size, Image.Resampling.NEAREST)


def size_in_patches(encoder: DinoEncoder, columns: int, rows: int) -> tuple[int, int]:
    patch = encoder.config.patch_size
    return columns * patch, rows * patch


def features(encoder: DinoEncoder, *pictures: Image.Image) -> list[Features]:
    results = encoder.encode(pictures)
    assert all(isinstance(result, Features) for result in results), results
    return [result for result in results if isinstance(result, Features)]


def change(file: Path, **settings: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **settings}))


def change_weights(directory: Path, changed: Callable[[dict[str, NDArray[Any]]], object]) -> None:
    from safetensors.numpy import load_file, save_file

    weights = load_file(directory / "model.safetensors")
    changed(weights)
    save_file(weights, directory / "model.safetensors", {"format": "pt"})


def run_script(script: str, *arguments: str, **environment: str) -> str:
    """Return what a script prints in a process of its own, and nothing must complain."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**CLEAN_ENVIRONMENT, **environment},
    )
    assert not done.stderr  # no bar, no table
    return done.stdout


# --- config.json


def test_reading_a_configuration_loads_nothing_heavy(dino_files: Path) -> None:
    script = (
        "import sys\n"
        "from backends.encoders.dino_config import read_config\n"
        "import backends.encoders.dino, backends.encoders.t5\n"
        "print(read_config(sys.argv[1]).width, *sys.modules)"
    )
    width, *modules = run_script(script, str(dino_files)).split()

    assert width == str(WIDTH)
    assert not {"torch", "transformers", "numpy", "huggingface_hub", "PIL"} & {*modules}


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_configuration_is_read(kind: Kind, tmp_path: Path) -> None:
    directory = str(save_kind(kind, tmp_path))

    family, patch_size, registers = kind
    expected = DinoConfig(directory, family, patch_size, WIDTH, 1 + registers)
    assert read_config(directory) == expected


@pytest.mark.parametrize("model_type", DEFAULTS)
def test_what_a_configuration_leaves_out_is_what_transformers_takes(
    model_type: str, tmp_path: Path
) -> None:
    from transformers import AutoConfig

    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))

    config, theirs = read_config(str(tmp_path)), AutoConfig.from_pretrained(tmp_path)

    assert config.patch_size == theirs.patch_size
    assert config.width == theirs.hidden_size
    assert config.leading_tokens == 1 + getattr(theirs, "num_register_tokens", 0)


def test_a_patch_may_be_given_by_both_sides(dino_files: Path) -> None:
    change(dino_files / "config.json", patch_size=[16, 16])

    encoder = opened(dino_files)

    assert encoder.config.patch_size == 16
    [found] = features(encoder, noise((48, 32)))
    assert found.patches.shape == (6, WIDTH)


BROKEN = {
    "": "broken",
    "{": "broken",
    "[]": "holds no settings",
    '"dinov2"': "holds no settings",
    "{}": "names no model type",
    '{"model_type": 7}': "names no model type",
    '{"model_type": null}': "names no model type",
    '{"model_type": "dinov3_convnext"}': "dinov3_convnext",
    '{"model_type": "clip"}': "dinov2, dinov2_with_registers and dinov3_vit work",
    '{"model_type": "a\\nb\\u001b[31m"}': r"'a\\nb\\x1b\[31m'",
    '{"model_type": "dinov2", "patch_size": 0}': "patch_size",
    '{"model_type": "dinov2", "patch_size": "14"}': "patch_size",
    '{"model_type": "dinov2", "patch_size": true}': "patch_size",
    '{"model_type": "dinov2", "patch_size": null}': "patch_size",
    '{"model_type": "dinov2", "patch_size": [14]}': "patch_size",
    '{"model_type": "dinov2", "patch_size": [14, 16]}': "not square: 14 x 16",
    '{"model_type": "dinov2", "hidden_size": -1}': "hidden_size",
    '{"model_type": "dinov2", "hidden_size": 1e400}': "hidden_size",
    '{"model_type": "dinov2", "hidden_size": ' + "9" * 5000 + "}": "broken",
    '{"model_type": "dinov3_vit", "num_register_tokens": -1}': "num_register_tokens",
    '{"model_type": "dinov3_vit", "num_channels": 1}': "num_channels",
    '{"a":' * 100_000: "broken",
    " " * (1 << 20) + "{}": "too large",
    "\ud800": "broken",
}


@pytest.mark.parametrize(("content", "told"), BROKEN.items(), ids=map(str, range(len(BROKEN))))
def test_a_broken_configuration_is_told_in_one_line(
    content: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_bytes(content.encode("utf-8", "surrogatepass"))

    with pytest.raises(SetupError, match=told) as caught:
        read_config(str(tmp_path))

    assert str(caught.value).isprintable()


def test_no_configuration_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"has no config\.json; download it anew"):
        read_config(str(tmp_path))
    with pytest.raises(SetupError, match="no such directory and no such model"):
        read_config(str(tmp_path / "nothing"))


# --- the hub

LOAD = """
import sys
from backends.encoders.dino import DinoEncoder
from backends.encoders.dino_config import read_config
from backends.errors import SetupError
for model in sys.argv[2:]:
    try:
        config = read_config(model)
        print(config.patch_size, config.leading_tokens)
        if sys.argv[1] == "all":
            encoder = DinoEncoder(config, device="cpu")
            encoder.open()
            print("opened", *encoder.remarks)
    except SetupError as error:
        print(error)
"""


def test_the_hub_is_asked_for_one_file_and_only_once(dino_files: Path, tmp_path: Path) -> None:
    with HubServer(dino_files) as hub:
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        first = run_script(LOAD, "config", "tiny/model", **own)
        asked = [*hub.requests]
        again = run_script(LOAD, "config", "tiny/model", **own)

        assert first == again == "16 5\n"
        assert hub.requests == asked
    assert {path for _, path in asked} == {"/tiny/model/resolve/main/config.json"}
    assert run_script(LOAD, "config", "tiny/model", **own, HF_HUB_OFFLINE="1") == first


def test_a_model_from_the_hub_opens_without_it_later(dino_files: Path, tmp_path: Path) -> None:
    (dino_files / "preprocessor_config.json").unlink()
    with HubServer(dino_files) as hub:
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        first = run_script(LOAD, "all", "tiny/model", **own)

    assert first == "16 5\nopened\n"
    assert run_script(LOAD, "all", "tiny/model", **own) == first  # the hub has gone
    assert not [path for _, path in hub.requests if path.endswith((".bin", ".py"))]


def test_what_the_hub_refuses_is_told(
    dino_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = hub_server.find
    monkeypatch.setattr(
        hub_server,
        "find",
        lambda directory, path: "GatedRepo" if "gated" in path else served(directory, path),
    )
    with HubServer(dino_files) as hub:
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        gated, unknown = run_script(LOAD, "config", "its/gated", "its/other", **own).splitlines()
    offline = run_script(LOAD, "config", "its/third", **own, HF_HUB_OFFLINE="1")

    assert "its/gated is gated: accept its licence on https://huggingface.co/its/gated" in gated
    assert "`hf auth login`" in gated
    assert f"--dino-model {OPEN_MODEL}" in gated
    assert "no such directory and no such model on the hub" in unknown
    assert "cannot be reached" in offline


def test_a_revision_is_taken(dino_files: Path, tmp_path: Path) -> None:
    script = LOAD.replace("read_config(model)", f"read_config(model, {COMMIT!r})")
    with HubServer(dino_files) as hub:
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        assert run_script(script, "config", "tiny/model", **own) == "16 5\n"
    assert {path for _, path in hub.requests} == {f"/tiny/model/resolve/{COMMIT}/config.json"}


# --- features


@pytest.mark.parametrize(
    ("kind", "size", "patches"),
    [
        pytest.param(kind, size, patches, id=f"{kind}-{size[0]}x{size[1]}")
        for kind in KINDS
        for size, patches in PATCHES[kind.patch_size].items()
    ],
)
def test_each_bucket_has_its_number_of_patches(
    kind: Kind, size: tuple[int, int], patches: int, encoder_of: Find
) -> None:
    [found] = features(encoder_of(kind), noise(size))

    assert found.patches.shape == (patches, WIDTH)
    assert found.patches.dtype == np.float16
    assert found.embedding.shape == (WIDTH,)
    assert found.embedding.dtype == np.float32


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_features_are_the_models_without_its_leading_tokens(kind: Kind, encoder_of: Find) -> None:
    import torch
    from transformers import AutoModel

    encoder = encoder_of(kind)
    picture = noise(size_in_patches(encoder, 5, 3))
    pixels = ((np.asarray(picture) / 255 - MEAN) / STD).transpose(2, 0, 1)[None]
    model = AutoModel.from_pretrained(encoder.config.model).eval()
    with torch.inference_mode():
        raw = model(pixel_values=torch.from_numpy(pixels).float())

    [found] = features(encoder, picture)

    tokens = raw.last_hidden_state[0].numpy()
    assert len(tokens) == 1 + kind.registers + 15
    np.testing.assert_allclose(found.patches, tokens[-15:], rtol=1e-2, atol=1e-2)
    np.testing.assert_allclose(found.embedding, tokens[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("size", [(9, 4), (3, 7)])
def test_patches_come_row_by_row(kind: Kind, size: tuple[int, int], encoder_of: Find) -> None:
    encoder, (columns, rows) = encoder_of(kind), size
    patch = encoder.config.patch_size
    plain = noise(size_in_patches(encoder, *size))
    [before] = features(encoder, plain)

    corners = [(0, 0), (columns - 1, 0), (0, rows - 1), (columns - 1, rows - 1)]
    for column, row in [*corners, (columns - 2, 1)]:
        marked = plain.copy()
        spot = (column * patch, row * patch)
        marked.paste((255, 255, 0), (*spot, spot[0] + patch, spot[1] + patch))
        [after] = features(encoder, marked)

        changed = np.linalg.norm(after.patches.astype(float) - before.patches, axis=1)
        assert changed.argmax() == row * columns + column
        assert not np.allclose(after.embedding, before.embedding, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_same_patches_in_another_shape_are_another_picture(
    kind: Kind, encoder_of: Find
) -> None:
    encoder = encoder_of(kind)
    patch = encoder.config.patch_size
    wide = noise(size_in_patches(encoder, 9, 4))
    high = Image.new("RGB", size_in_patches(encoder, 4, 9))
    for place in range(36):
        (row, column), (to_row, to_column) = divmod(place, 9), divmod(place, 4)
        left, top = column * patch, row * patch
        piece = wide.crop((left, top, left + patch, top + patch))
        high.paste(piece, (to_column * patch, to_row * patch))

    lying, standing = features(encoder, wide)[0], features(encoder, high)[0]

    assert not np.allclose(lying.patches, standing.patches, atol=0.05)


@pytest.mark.parametrize("kind", [DINOV2, WITH_REGISTERS], ids=str)
@pytest.mark.parametrize("ramp_down", [True, False])
def test_positions_are_stretched_over_the_grid(kind: Kind, ramp_down: bool, tmp_path: Path) -> None:
    """Where learnt positions differ along one side alone, so do the features of one colour."""

    def make_ramp(weights: dict[str, NDArray[Any]]) -> None:
        rows, columns = np.mgrid[:8, :8]
        levels = (rows if ramp_down else columns).reshape(1, 64, 1)
        direction = np.random.default_rng(5).normal(size=WIDTH)
        weights["embeddings.position_embeddings"][:, 1:] = levels * direction

    save_kind(kind, tmp_path)
    change_weights(tmp_path, make_ramp)
    encoder = opened(tmp_path)
    [found] = features(encoder, Image.new("RGB", size_in_patches(encoder, 19, 12), "green"))

    grid = found.patches.reshape(12, 19, WIDTH).astype(float)
    down, across = (np.abs(np.diff(grid, axis=axis)).max(axis=(0, 1)).max() for axis in (0, 1))
    along, aside = (down, across) if ramp_down else (across, down)
    assert along > 0.05
    assert aside < 0.005


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_batch_is_as_one_by_one(kind: Kind, encoder_of: Find, tmp_path: Path) -> None:
    single = encoder_of(kind)
    batching = opened(Path(single.config.model), batch_size=3)
    pictures = [noise(size_in_patches(single, 6, 4), seed) for seed in range(7)]

    together = features(batching, *pictures)
    alone = [found for picture in pictures for found in features(single, picture)]

    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.embedding, other.embedding, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(one.patches, other.patches, rtol=1e-2, atol=1e-2)
    assert np.ptp([found.embedding for found in together], axis=0).max() > 0.01


def test_no_pictures_have_no_features(encoder_of: Find) -> None:
    assert encoder_of(DINOV3).encode([]) == []


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_batch_without_pictures_is_refused(batch_size: int, dino_files: Path) -> None:
    with pytest.raises(ValueError, match="at least one picture"):
        DinoEncoder(read_config(str(dino_files)), batch_size=batch_size)


@pytest.mark.parametrize(
    "pictures",
    [
        [Image.new("RGB", (1216, 833))],
        [Image.new("RGB", (14, 14))],
        [Image.new("RGB", (0, 16))],
        [Image.new("RGB", (8, 32))],
        [Image.new("RGB", (32, 16)), Image.new("RGB", (16, 32))],
        [Image.new("L", (32, 32))],
        [Image.new("RGBA", (32, 32))],
    ],
)
def test_what_does_not_fit_the_patches_is_refused(
    pictures: list[Image.Image], encoder_of: Find
) -> None:
    with pytest.raises(ValueError, match=r"RGB and of one size|no multiple of patches of 16"):
        encoder_of(DINOV3).encode(pictures)


def test_colours_are_scaled_as_the_model_was_trained(dino_files: Path) -> None:
    file = dino_files / "preprocessor_config.json"
    picture = noise((48, 32))
    [trained] = features(opened(dino_files), picture)
    change(file, image_mean=[0.5, 0.5, 0.5], image_std=[0.5, 0.5, 0.5])
    [other] = features(opened(dino_files), picture)
    file.unlink()
    [unsaid] = features(opened(dino_files), picture)

    assert tuple(map(list, IMAGENET)) == (MEAN, STD)
    np.testing.assert_array_equal(trained.embedding, unsaid.embedding)
    assert not np.allclose(trained.embedding, other.embedding, atol=1e-3)


@pytest.mark.parametrize(
    "std", [0.5, [1, 1], [1, 1, 0], [1, 1, "1"], [1, 1, float("nan")], [1, 1, True], None]
)
def test_a_broken_scale_of_colours_is_refused(std: object, dino_files: Path) -> None:
    change(dino_files / "preprocessor_config.json", image_std=std)

    with pytest.raises(SetupError, match=r"preprocessor_config\.json of .* is broken"):
        opened(dino_files)


def test_opening_and_encoding_prints_nothing(
    dino_files: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()  # of saving

    encoder = opened(dino_files)
    features(encoder, noise((32, 48)))

    assert capfd.readouterr() == ("", "")
    assert encoder.remarks == []


def test_a_slow_machine_is_remarked(dino_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.encoders.dino.choose_device", lambda asked: asked or "cpu")
    encoder = DinoEncoder(read_config(str(dino_files)))
    encoder.open()

    [remark] = encoder.remarks
    assert "runs on the CPU" in remark


# --- what goes wrong with a picture


def test_weights_that_are_no_numbers_give_no_features(dino_files: Path) -> None:
    def spoil(weights: dict[str, NDArray[Any]]) -> None:
        weights["norm.bias"][3] = np.nan

    change_weights(dino_files, spoil)

    results = opened(dino_files).encode([noise((32, 32))] * 2)

    assert [type(result) for result in results] == [ModelError] * 2
    assert "not finite" in str(results[0])


def test_what_float16_cannot_hold_gives_no_features(dino_files: Path) -> None:
    def enlarge(weights: dict[str, NDArray[Any]]) -> None:
        weights["norm.weight"] *= 1e6

    change_weights(dino_files, enlarge)

    [result] = opened(dino_files).encode([noise((32, 32))])

    assert isinstance(result, ModelError)


BRIGHT = Image.new("RGB", (32, 32), "white")


def fail_at_bright(encoder: DinoEncoder, fail: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Return a forward pass that lets `fail` have a batch with a white picture in it."""
    forward = encoder._model.forward

    def forward_or_fail(pixel_values: Any) -> Any:
        bright = pixel_values.amin(dim=(1, 2, 3)) > 2
        output = forward(pixel_values)
        return fail(output, bright) if bright.any() else output

    return forward_or_fail


def raise_value_error(*_: object) -> None:
    raise ValueError("too bright\nfor me")


def raise_memory_error(*_: object) -> None:
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory.")


def without_numbers(output: Any, bright: Any) -> Any:
    output.last_hidden_state[bright] = float("inf")
    return output


@pytest.mark.parametrize(
    ("fail", "told"),
    [
        (raise_value_error, "ValueError: too bright"),
        (raise_memory_error, "out of memory: CUDA out of memory"),
        (without_numbers, "not finite"),
    ],
)
def test_a_bad_picture_costs_no_other(
    fail: Callable[[Any, Any], Any], told: str, dino_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = opened(dino_files, batch_size=4)
    pictures = [noise((32, 32), seed) for seed in range(6)]
    expected = features(encoder, *pictures)
    monkeypatch.setattr(encoder._model, "forward", fail_at_bright(encoder, fail))

    results = encoder.encode([*pictures[:2], BRIGHT, *pictures[2:]])

    failed = results.pop(2)
    assert isinstance(failed, ModelError)
    assert str(failed).endswith(told)
    for found, own in zip(results, expected, strict=True):
        assert isinstance(found, Features)
        np.testing.assert_allclose(found.embedding, own.embedding, rtol=1e-3, atol=1e-4)


def test_a_batch_too_large_is_halved(dino_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = opened(dino_files, batch_size=8)
    pictures = [noise((32, 32), seed) for seed in range(11)]
    expected = features(encoder, *pictures)
    forward, sizes = encoder._model.forward, list[int]()

    def forward_of_three(pixel_values: Any) -> Any:
        sizes.append(len(pixel_values))
        if len(pixel_values) > 3:
            raise_memory_error()
        return forward(pixel_values)

    monkeypatch.setattr(encoder._model, "forward", forward_of_three)
    found = features(encoder, *pictures)

    assert sizes == [8, 4, 2, 2, 2, 2, 2, 1]
    assert encoder.batch_size == 2
    assert [remark.split()[0] for remark in encoder.remarks] == ["8", "4"]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.embedding, other.embedding, rtol=1e-3, atol=1e-4)


def test_a_device_that_failed_ends_it(dino_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nmore")

    encoder = opened(dino_files)
    monkeypatch.setattr(encoder._model, "forward", fail)

    with pytest.raises(BackendLost, match=r"illegal memory access was encountered$"):
        encoder.encode([noise((32, 32))])


def test_a_closed_encoder_holds_no_model(dino_files: Path) -> None:
    encoder = opened(dino_files)
    encoder.close()
    assert encoder._model is None
    encoder.open()
    features(encoder, noise((32, 32)))


# --- what is not loaded


class Trap:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_weights_are_never_unpickled(dino_files: Path, tmp_path: Path) -> None:
    (dino_files / "model.safetensors").unlink()
    trap = pickle.dumps({"norm.weight": Trap(tmp_path / "unpickled")})
    (dino_files / "pytorch_model.bin").write_bytes(trap)

    with pytest.raises(SetupError, match="has no safetensors, and other weights are not loaded"):
        opened(dino_files)
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize("kind", [DINOV2, WITH_REGISTERS, DINOV3], ids=str)
def test_weights_are_not_made_up(kind: Kind, tmp_path: Path) -> None:
    save_kind(kind, tmp_path)
    change_weights(tmp_path, lambda weights: weights.pop("embeddings.mask_token"))
    opened(tmp_path)  # it serves training alone
    change_weights(tmp_path, lambda weights: weights.pop("embeddings.cls_token"))

    with pytest.raises(SetupError, match="lacks some of its weights; download it anew"):
        opened(tmp_path)


def test_weights_of_another_shape_are_refused(dino_files: Path) -> None:
    change(dino_files / "config.json", hidden_size=64)

    with pytest.raises(SetupError, match=r"cannot be loaded|lacks some of its weights"):
        opened(dino_files)


def test_broken_weights_are_refused(dino_files: Path) -> None:
    weights = dino_files / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:9000])

    with pytest.raises(SetupError, match=r"cannot be loaded: .*--dino-model takes another"):
        opened(dino_files)


def test_no_code_of_a_model_runs(dino_files: Path) -> None:
    change(dino_files / "config.json", auto_map={"AutoModel": "own.Model"})
    (dino_files / "own.py").write_text("raise SystemExit('it ran')\n")

    features(opened(dino_files), noise((32, 32)))  # as the DINO it says it is


def test_a_model_that_changed_meanwhile_is_refused(dino_files: Path) -> None:
    encoder = DinoEncoder(read_config(str(dino_files)))
    shutil.rmtree(dino_files)
    save_kind(Kind("dinov3_vit", 16, 2), dino_files)

    with pytest.raises(SetupError, match="has changed"):
        encoder.open()


@pytest.mark.parametrize("device", ["tpu", "cuda:99"])
def test_a_device_that_is_not_there_is_told(device: str, dino_files: Path) -> None:
    with pytest.raises(SetupError, match=f"--device {device}"):
        DinoEncoder(read_config(str(dino_files)), device=device).open()


@pytest.mark.parametrize("name", ["torch", "transformers"])
def test_a_missing_package_is_named(
    name: str, dino_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = DinoEncoder(read_config(str(dino_files)), device="cpu")
    monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(SetupError, match=rf"{name}.*; pip install 'pcc\[datasets\]'"):
        encoder.open()


# --- t5

ODD_CAPTIONS = (
    "",
    " ",
    "\n\t ",
    "a",
    *CAPTIONS,
    "word " * 75 + "word",
    " ".join(CAPTIONS * 5),
    "a</s>b",
    "</s>",
    "</s>" * 100,
    "<pad>",
    "a <pad> b <pad>",
    "<extra_id_0> and <extra_id_1>",
    "<unk>",
    "红色的自行车停在墙边",
    "🚲🐈‍⬛",
    "a\x00b\x00",
    "\x00",
    "\ufeffa",
    "e\u0301 \u202e \u200b",
    "x" * 100_000,
    "a red bicycle " * 8_000,
)


@pytest.fixture(scope="module")
def t5_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_t5(tmp_path_factory.mktemp("models") / "t5")


@pytest.fixture(scope="module")
def t5(t5_files: Path) -> T5Tokenizer:
    tokenizer = T5Tokenizer(str(t5_files))
    tokenizer.open()
    return tokenizer


def test_masks_are_those_of_transformers(t5: T5Tokenizer, t5_files: Path) -> None:
    from transformers import AutoTokenizer

    plain = AutoTokenizer.from_pretrained(t5_files)

    masks = t5.masks(ODD_CAPTIONS)

    for caption, mask in zip(ODD_CAPTIONS, masks, strict=True):
        own = plain(caption, max_length=77, padding="max_length", truncation=True)
        assert mask == own["attention_mask"], caption[:50]
        assert len(mask) == MAX_LENGTH
        assert mask == sorted(mask, reverse=True)
    lengths = [sum(mask) for mask in masks]
    assert lengths[0] == 1  # the token that ends it
    assert lengths[-1] == MAX_LENGTH
    assert len({*lengths}) > 8
    assert all(type(number) is int for number in masks[0])


def test_masks_of_nothing_are_none(t5: T5Tokenizer) -> None:
    assert t5.masks([]) == []


def test_lone_surrogates_count_as_what_cannot_be_read(t5: T5Tokenizer) -> None:
    spoilt = ["\ud800", "a \udc00 red", "\ud83d\udeb2 bicycle", "\ud800\ud800 \udfff"]
    read = ["\ufffd", "a \ufffd red", "🚲 bicycle", "\ufffd\ufffd \ufffd"]

    assert t5.masks(spoilt) == t5.masks(read)


def test_padding_is_on_the_right_whatever_the_files_say(
    t5: T5Tokenizer, t5_files: Path, tmp_path: Path
) -> None:
    directory = Path(shutil.copytree(t5_files, tmp_path / "t5"))
    change(directory / "tokenizer_config.json", padding_side="left")
    tokenizer = T5Tokenizer(str(directory))
    tokenizer.open()

    assert tokenizer.masks(CAPTIONS) == t5.masks(CAPTIONS)


T5 = """
import sys
blocked, *models = sys.argv[1:]
if blocked:
    sys.modules[blocked] = None
from backends.encoders.t5 import T5Tokenizer
from backends.errors import SetupError
assert "torch" not in sys.modules or blocked
for model in models:
    tokenizer = T5Tokenizer(model)
    try:
        tokenizer.open()
        print(sum(tokenizer.masks(["a red bicycle"])[0]))
    except SetupError as error:
        print(error)
"""


def test_a_tokenizer_needs_no_torch(t5: T5Tokenizer, t5_files: Path) -> None:
    quiet = {"TRANSFORMERS_VERBOSITY": "error"}  # it remarks that torch is not there
    length = sum(t5.masks(["a red bicycle"])[0])

    assert run_script(T5, "torch", str(t5_files), **quiet) == f"{length}\n"


def test_a_tokenizer_comes_from_the_hub_and_stays(
    t5: T5Tokenizer, t5_files: Path, tmp_path: Path
) -> None:
    names = ["tiny/model", "its/other"]
    with HubServer(t5_files) as hub:
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        first, unknown = run_script(T5, "", *names, **own).splitlines()
    again, absent = run_script(T5, "", *names, **own, HF_HUB_OFFLINE="1").splitlines()

    assert first == again == str(sum(t5.masks(["a red bicycle"])[0]))
    assert "the tokenizer its/other cannot be loaded: there is no such directory" in unknown
    assert "the model hub cannot be reached" in absent


def test_a_tokenizer_without_its_files_is_refused(t5_files: Path, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(t5_files, tmp_path / "t5"))
    (directory / "tokenizer.json").unlink()

    for lost in (directory, tmp_path / "nothing"):
        with pytest.raises(SetupError, match=r"lacks its tokenizer|cannot be loaded"):
            T5Tokenizer(str(lost)).open()


def test_a_tokenizer_names_the_package_it_misses(
    t5_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)

    with pytest.raises(SetupError, match=r"transformers.*; pip install 'pcc\[datasets\]'"):
        T5Tokenizer(str(t5_files)).open()
