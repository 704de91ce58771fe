"""DINO: features of the very pixels given."""

from __future__ import annotations

import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from backends.encoders.dino import IMAGENET, DinoEncoder, Features
from backends.encoders.dino_config import read_config
from backends.errors import BackendLost, ModelError, SetupError
from tests.support.encoders import (
    DINOV2,
    DINOV3,
    KINDS,
    WIDTH,
    WITH_REGISTERS,
    Find,
    Kind,
    change,
    change_weights,
    features,
    noise,
    opened,
    save_kind,
    size_in_patches,
)
from tests.support.tiny_dino import MEAN, STD

pytestmark = pytest.mark.usefixtures("offline")

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

    with pytest.raises(SetupError, match=rf"{name}.*; .* install .*\[datasets\]'"):
        encoder.open()
