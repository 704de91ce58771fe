"""Images depend on seed and index alone, and every split is balanced."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from blake3 import blake3

from pipeline.synth.drawing import CONTRAST, form_table, images_of, labels_of, shades_of
from pipeline.synth.primitives import CLASSES
from pipeline.synth.train_val_test import splits_of
from pipeline.synth.twins import count_twins, hash_images

ROOT = Path(__file__).parents[2]
TWO_TO_64 = 2**64
FINGERPRINT = "d732e73166a90bf4cd059072d79ab86af4a4e29f045082940c70cdd83fd270cc"
"""Of the first thousand images and labels of seed 42; it changes with the version alone."""


def philox(counter: int, key: tuple[int, int]) -> list[int]:
    """Return what Philox4x64-10 makes of a counter (Salmon et al., 2011), in plain Python."""
    words = [counter, 0, 0, 0]
    first, second = key
    for _ in range(10):
        high, low = divmod(0xD2E7470EE14C6C93 * words[0], TWO_TO_64)
        top, bottom = divmod(0xCA5A826395121157 * words[2], TWO_TO_64)
        words = [top ^ words[1] ^ first, bottom, high ^ words[3] ^ second, low]
        first = (first + 0x9E3779B97F4A7C15) % TWO_TO_64
        second = (second + 0xBB67AE8584CAA73B) % TWO_TO_64
    return words


def draw(seed: int, stream: int, number: int) -> int:
    return philox(number // 4 + 1, (seed, stream))[number % 4]


def plain_image(seed: int, index: int, label: int) -> list[int]:
    """Draw an image without numpy."""
    table, drawn = form_table(), draw(seed, 0, index)
    fields = [drawn >> shift & 0xFFFF for shift in (48, 32, 16, 0)]
    group = int(table.first_group[label]) + (fields[0] * int(table.groups[label]) >> 16)
    form = int(table.first_form[group]) + (fields[1] * int(table.forms[group]) >> 16)
    background = fields[2] >> 8
    allowed = [shade for shade in range(256) if abs(shade - background) >= CONTRAST]
    foreground = allowed[fields[3] * len(allowed) >> 16]
    return [
        int(Fraction(foreground * weight + background * (255 - weight), 255) + Fraction(1, 2))
        for weight in map(int, table.weights[form])
    ]


@pytest.mark.parametrize("seed", [0, 42, 2**64 - 1])
def test_images_are_what_plain_python_draws(seed: int) -> None:
    for split in splits_of(200):
        labels = labels_of(seed, split, 0, split.size)
        images = images_of(seed, split, 0, split.size)
        for index in range(0, split.size, 3):
            block = index // CLASSES * CLASSES
            keys = [draw(seed, split.number + 1, block + place) for place in range(CLASSES)]
            order = sorted(range(CLASSES), key=keys.__getitem__)
            assert labels[index] == order[index - block]
            plain = plain_image(seed, split.start + index, int(labels[index]))
            assert images[index].reshape(-1).tolist() == plain


def fingerprint() -> str:
    found = blake3()
    for split in splits_of(1000):
        found.update(labels_of(42, split, 0, split.size).tobytes())
        found.update(images_of(42, split, 0, split.size).tobytes())
    return found.hexdigest()


def test_the_images_of_this_version_stay_as_they_are() -> None:
    assert fingerprint() == FINGERPRINT


def test_another_process_draws_the_same() -> None:
    code = "from tests.pipeline.test_synth_drawing import fingerprint; print(fingerprint())"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == FINGERPRINT


@pytest.mark.parametrize("chunk", [1, 3, 10, 64, 997])
def test_chunks_make_no_difference(chunk: int) -> None:
    split = splits_of(1200)[0]
    parts = list(split.spans(chunk))
    images = np.concatenate([images_of(7, split, *part) for part in parts])
    labels = np.concatenate([labels_of(7, split, *part) for part in parts])

    assert (images == images_of(7, split, 0, split.size)).all()
    assert (labels == labels_of(7, split, 0, split.size)).all()


@pytest.mark.parametrize(
    "number", [*range(1, 31), 99, 100, 101, 12_345, 10**6, 10**7 + 3, 10**17 + 1]
)
def test_splits_are_exact_and_follow_each_other(number: int) -> None:
    train, val, test = splits_of(number)

    assert train.size == Fraction(8, 10) * number // 1
    assert val.size == Fraction(1, 10) * number // 1
    assert train.size + val.size + test.size == number
    assert (train.start, val.start, test.start) == (0, train.size, train.size + val.size)


@pytest.mark.parametrize("number", [1, 2, 9, 10, 11, 25, 99, 1234])
def test_classes_are_balanced_in_every_split(number: int) -> None:
    for split in splits_of(number):
        counts = np.bincount(labels_of(3, split, 0, split.size), minlength=CLASSES)
        assert len(counts) == CLASSES
        assert counts.max() - counts.min() <= 1


def test_labels_are_in_no_fixed_order() -> None:
    blocks = labels_of(42, splits_of(1000)[0], 0, 800).reshape(-1, CLASSES)

    assert len({tuple(block) for block in blocks.tolist()}) > 75
    assert all(len(set(column)) == CLASSES for column in blocks.T.tolist())


def test_every_pair_of_shades_is_far_enough_apart() -> None:
    first, second = np.meshgrid(np.arange(0, 2**16, 256), np.arange(0, 2**16, 16))
    background, foreground = shades_of(first.reshape(-1), second.reshape(-1))

    assert {*background.tolist()} == {*range(256)} == {*foreground.tolist()}
    assert abs(background - foreground).min() == CONTRAST


def test_no_image_is_blank() -> None:
    images = images_of(42, splits_of(20_000)[0], 0, 16_000).reshape(-1, 256)

    assert (images.max(axis=1) - images.min(axis=1) >= CONTRAST).all()


def test_other_seeds_give_other_images() -> None:
    split = splits_of(1000)[0]
    assert (images_of(1, split, 0, 800) != images_of(2, split, 0, 800)).any(axis=(1, 2)).all()


def test_equal_pictures_are_counted_and_others_are_not() -> None:
    split = splits_of(10_000)[0]
    images = images_of(42, split, 0, split.size)
    altered = images[:256].copy()
    altered.reshape(256, 256)[np.arange(256), np.arange(256)] ^= 0x80
    both = np.concatenate([images, altered])

    assert len(np.unique(hash_images(both))) == len({image.tobytes() for image in both})
    assert count_twins(hash_images(images[:50]), np.sort(hash_images(images[25:]))) >= 25
    assert count_twins(hash_images(images[:5]), np.empty(0, np.uint64)) == 0
