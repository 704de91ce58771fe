"""Masks come with captions, and what the backend or a broken journal left does not come at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.encoders.t5 import T5Tokenizer
from pipeline.datasets.merge import Merge, Merged
from pipeline.jobs.pause_point import PausePoint
from tests.support.datasets import (
    caption_of,
    feature_of,
    keep,
    place_images,
    read_dataset,
    record,
    results_for,
    size_of,
    surveyed,
    write_dataset,
)

FOX = "The quick brown fox jumps over the lazy dog"


def merged(
    dataset: Path, images: Path, passes: str, tokenizer: T5Tokenizer | None, *anew: str
) -> Merged:
    """Write what there is into a dataset."""
    survey = surveyed(dataset, images, passes, anew=anew)
    results = results_for(dataset, passes, tokenizer=tokenizer, anew=anew)
    return Merge(dataset, survey, results, PausePoint()).run()


@pytest.mark.parametrize("mask", [None, ...])
@pytest.mark.parametrize("caption", [FOX, "", "é 😀 \n", "word " * 500, "</s><pad>"])
def test_every_caption_has_its_mask(
    dataset: Path, images: Path, tokenizer: T5Tokenizer, caption: str, mask: object
) -> None:
    write_dataset(dataset, record(caption=caption, t5_attention_mask=mask))
    merged(dataset, images, "t5", tokenizer)

    (found,) = read_dataset(dataset)
    assert found["t5_attention_mask"] == tokenizer.masks([caption])[0]
    assert len(found["t5_attention_mask"]) == 77
    assert sum(found["t5_attention_mask"]) >= 1  # the end of the text is a token, too


@pytest.mark.parametrize("caption", [None, ..., 7, ["x"]])
def test_without_a_caption_there_is_no_mask(
    dataset: Path, images: Path, tokenizer: T5Tokenizer, caption: object
) -> None:
    write_dataset(dataset, record(caption=caption, t5_attention_mask=...))
    before = dataset.read_bytes()

    assert merged(dataset, images, "t5", tokenizer) == Merged(done=True)
    assert dataset.read_bytes() == before


def test_a_mask_waits_for_the_caption_that_is_to_come(
    dataset: Path, images: Path, tokenizer: T5Tokenizer
) -> None:
    write_dataset(dataset, record(caption="", t5_attention_mask=...))
    assert merged(dataset, images, "caption,t5", tokenizer) == Merged(done=True)

    keep(dataset, caption_of("a.jpg", FOX))
    assert merged(dataset, images, "caption,t5", tokenizer).enriched == {1}
    (found,) = read_dataset(dataset)
    assert found["caption"] == FOX
    assert found["t5_attention_mask"] == tokenizer.masks([FOX])[0]


def test_each_of_many_records_has_the_mask_of_its_own_caption(
    dataset: Path, images: Path, tokenizer: T5Tokenizer
) -> None:
    names = [f"{number:02d}.jpg" for number in range(30)]
    place_images(images, *names)
    captions = ["fox " * (number % 9) for number in range(30)]
    lines = [
        record(name, caption=caption, t5_attention_mask=... if number % 3 else [1] * 77)
        for number, (name, caption) in enumerate(zip(names[:20], captions, strict=False))
    ]
    write_dataset(dataset, record(), *lines)
    keep(dataset, *map(caption_of, names[20:], captions[20:]))
    merged(dataset, images, "caption,t5", tokenizer)

    found = {each["image_path"]: each for each in read_dataset(dataset)}
    right = tokenizer.masks(captions)
    for number, name in enumerate(names):
        kept = number < 20 and number % 3 == 0
        waits = number < 20 and not captions[number]
        if not waits:
            assert found[name]["t5_attention_mask"] == ([1] * 77 if kept else right[number])


def test_a_new_caption_makes_the_old_mask_stale_and_leaves_it(dataset: Path, images: Path) -> None:
    write_dataset(dataset, record())
    keep(dataset, caption_of("a.jpg", FOX), anew=True)
    done = merged(dataset, images, "caption", None, "caption")

    assert done.outdated == {"t5": {1}}
    assert read_dataset(dataset) == [record(caption=FOX)]


def test_a_mask_that_is_made_anew_with_its_caption_is_not_stale(
    dataset: Path, images: Path, tokenizer: T5Tokenizer
) -> None:
    write_dataset(dataset, record())
    keep(dataset, caption_of("a.jpg", FOX), anew=True)
    done = merged(dataset, images, "caption,t5", tokenizer, "caption", "t5")

    (found,) = read_dataset(dataset)
    assert found["t5_attention_mask"] == tokenizer.masks([FOX])[0]
    assert done.outdated == {}


def test_a_caption_that_came_out_the_same_leaves_no_mask_stale(dataset: Path, images: Path) -> None:
    write_dataset(dataset, record(width=...))
    keep(dataset, caption_of("a.jpg", "a dog"), anew=True)
    keep(dataset, size_of("a.jpg", (1216, 832)))
    done = merged(dataset, images, "dimensions,caption", None, "caption")

    assert (done.enriched, done.outdated) == ({1}, {})


def test_what_is_paid_for_counts_whatever_its_crc_says(dataset: Path, images: Path) -> None:
    write_dataset(dataset, record(width=..., caption=None))
    sizes = keep(dataset, size_of("a.jpg", (640, 480)))
    captions = keep(dataset, caption_of("a.jpg", FOX))
    sizes.write_bytes(sizes.read_bytes().replace(b"640", b"641"))
    captions.write_bytes(captions.read_bytes().replace(b"fox", b"cat"))

    merged(dataset, images, "dimensions,caption", None)
    (after,) = read_dataset(dataset)
    assert after["width"] == 641
    assert after["caption"] == FOX.replace("fox", "cat")


def test_no_key_comes_into_a_dataset(
    dataset: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-" + "k" * 40
    monkeypatch.setenv("OPENAI_API_KEY", key)
    write_dataset(dataset, record(caption=None))
    keep(dataset, caption_of("a.jpg", f"a note that says {key}"))
    merged(dataset, images, "caption", None)

    assert key.encode() not in dataset.read_bytes()


def test_the_room_asked_for_is_enough(dataset: Path, images: Path, tokenizer: T5Tokenizer) -> None:
    names = [f"{number:03d}.jpg" for number in range(50)]
    place_images(images, *names)
    write_dataset(dataset, record(), *({"image_path": name} for name in names[:25]))
    keep(dataset, *(size_of(name, (4000, 3000)) for name in names))
    keep(dataset, *(feature_of(name, [1.0 / 3] * 50) for name in names))
    keep(dataset, *(caption_of(name, "a dog " * 30) for name in names))
    survey = surveyed(dataset, images)
    merge = Merge(dataset, survey, results_for(dataset, tokenizer=tokenizer), PausePoint())
    needed = merge.needed()
    merge.run()

    assert dataset.stat().st_size <= needed
