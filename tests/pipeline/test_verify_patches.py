"""Checking patch files whose model, records or place is not what it should be, and masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backends.encoders.t5 import T5Tokenizer
from pipeline.datasets.patch_files import PatchFiles
from pipeline.datasets.verify import Verifier
from pipeline.jobs.pause_point import GivenUp, PausePoint
from tests.pipeline.test_verify import Checked, cut, misalign, overwrite
from tests.support.datasets import DINO_14, patches_for, record, write_dataset

FOX = "The quick brown fox jumps over the lazy dog"


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    return Checked(tmp_path)


@pytest.fixture
def patched(checked: Checked) -> Checked:
    checked.write_patches()
    return checked


def test_without_a_manifest_the_patches_of_any_dino_will_do(patched: Checked) -> None:
    (patched.files.directory / "patches.json").unlink()
    assert patched.check().ok

    other = PatchFiles(patched.files.directory, DINO_14)
    other.write("a", patches_for(other, (1216, 832)))
    assert patched.check().ok
    misalign(patched)
    report = patched.check()
    assert report.buckets["1216x832"].stale == 1
    assert report.buckets["1216x832"].shape is None
    assert not report.ok


def test_with_a_manifest_only_its_models_shape_will_do(patched: Checked) -> None:
    other = PatchFiles(patched.files.directory, DINO_14)
    other.write("a", patches_for(other, (1216, 832)))

    assert patched.check().buckets["1216x832"].stale == 1


def test_a_manifest_alone_makes_all_patches_missing(patched: Checked) -> None:
    for path in patched.files.directory.glob("*.npy"):
        path.unlink()
    report = patched.check()

    assert sum(row.missing for row in report.buckets.values()) == 3
    assert not report.ok


def test_files_of_no_record_are_counted(patched: Checked) -> None:
    patched.files.write("z", patches_for(patched.files, (1024, 1024)))
    (patched.files.directory / ".a.npy.123.tmp").touch()
    report = patched.check()

    assert report.orphans == 1
    assert report.ok


@pytest.mark.parametrize("image_id", [..., None, 7, "../images/a", "", "a\0", "x" * 300])
def test_an_id_that_names_no_file_has_no_patches(patched: Checked, image_id: object) -> None:
    patched.records[0] = record("a.jpg", image_id=image_id)
    report = patched.check(discard=patched.images / "discarded")

    assert report.buckets["1216x832"].missing == 1
    assert report.orphans == 1
    assert not report.ok


def test_records_without_a_bucket_stand_in_a_row_of_their_own(patched: Checked) -> None:
    patched.records[0] = record("a.jpg", aspect_bucket=...)
    report = patched.check()

    assert (report.buckets["none"].records, report.buckets["none"].whole) == (1, 1)
    assert report.lacking == {"aspect_bucket": 1}


def test_discarded_files_are_moved_and_whole_ones_stay(patched: Checked, tmp_path: Path) -> None:
    cut(patched)
    patched.files.write("b", np.full((7, 2), 1, np.float16))
    report = patched.check(discard=tmp_path / "bin")

    assert report.discarded == 2
    assert sorted(path.name for path in (tmp_path / "bin").iterdir()) == ["a.npy", "b.npy"]
    assert [path.name for path in patched.files.directory.glob("*.npy")] == ["c.npy"]
    second = patched.check(discard=tmp_path / "bin")
    assert (second.discarded, second.buckets["1216x832"].missing) == (0, 1)


def test_files_with_nan_are_discarded_too(patched: Checked, tmp_path: Path) -> None:
    overwrite(float("nan"))(patched)

    assert patched.check(discard=tmp_path / "bin").discarded == 1
    assert (tmp_path / "bin" / "a.npy").exists()


def test_nothing_moves_unless_asked(patched: Checked) -> None:
    cut(patched)
    before = {path: path.read_bytes() for path in patched.files.directory.iterdir()}
    patched.check()

    assert {path: path.read_bytes() for path in patched.files.directory.iterdir()} == before


def test_one_broken_file_of_many_records_is_discarded_once(
    patched: Checked, tmp_path: Path
) -> None:
    patched.records = [record(f"{number}.jpg", image_id="a") for number in range(60)]
    cut(patched)
    report = patched.check(discard=tmp_path / "bin")

    assert report.discarded == 1
    assert report.shared_ids == ["a"]
    assert not report.ok


def masked(caption: str, tokenizer: T5Tokenizer) -> dict[str, object]:
    """Return a record whose mask is that of its caption."""
    return record("a.jpg", caption=caption, t5_attention_mask=tokenizer.masks([caption])[0])


def test_masks_of_their_captions_are_ok(checked: Checked, tokenizer: T5Tokenizer) -> None:
    checked.records = [masked(FOX, tokenizer)]
    report = checked.check(tokenizer=tokenizer)

    assert (report.stale_masks, report.ok) == (0, True)


def test_masks_of_other_captions_are_stale(checked: Checked, tokenizer: T5Tokenizer) -> None:
    stale = masked(FOX, tokenizer) | {"caption": "a dog"}
    checked.records = [stale, record("b.jpg", t5_attention_mask=tokenizer.masks(["a dog"])[0])]
    report = checked.check(tokenizer=tokenizer)

    assert report.stale_masks == 1
    assert not report.ok
    assert checked.check().stale_masks is None


def test_of_many_masks_each_is_compared_with_its_own(
    checked: Checked, tokenizer: T5Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.datasets.verify.CAPTIONS_AT_ONCE", 7)
    captions = ["fox " * (number % 5) + "." for number in range(40)]
    right = tokenizer.masks(captions)
    checked.records = [
        record(f"{number}.jpg", caption=caption, t5_attention_mask=right[number - number % 10 // 9])
        for number, caption in enumerate(captions)
    ]

    assert checked.check(tokenizer=tokenizer).stale_masks == 4


@pytest.mark.parametrize("last", [{}, {"t5_attention_mask": ...}, {"caption": None}])
def test_the_mask_of_an_earlier_record_does_not_count(
    checked: Checked, tokenizer: T5Tokenizer, last: dict[str, object]
) -> None:
    whole = masked("a dog", tokenizer)
    checked.records = [
        masked(FOX, tokenizer) | {"caption": "a dog"},
        record("a.jpg", **{**whole, **last}),
    ]

    assert checked.check(tokenizer=tokenizer).stale_masks == 0


def test_a_check_can_be_given_up(patched: Checked, tmp_path: Path) -> None:
    cut(patched)
    write_dataset(patched.dataset, *patched.records)
    verifier = Verifier(
        patched.dataset, patched.images, patched.files.directory, None, tmp_path / "bin"
    )
    pause_point = PausePoint()
    pause_point.close()

    with pytest.raises(GivenUp):
        verifier.run(pause_point)
    assert not (tmp_path / "bin").exists()
