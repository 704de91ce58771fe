"""Checking a dataset: every defect is found, counted, and makes it not ok."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.encoders.t5 import T5Tokenizer
from pipeline.datasets.buckets import BUCKETS, bucket_name
from pipeline.datasets.patch_files import PatchFiles
from pipeline.datasets.verify import Verifier, is_finite
from pipeline.datasets.verify_report import VerifyReport
from pipeline.jobs.pause_point import PausePoint
from tests.support.datasets import (
    DINO_16,
    NO_PATHS,
    patches_for,
    place_images,
    record,
    write_dataset,
)

WIDE = (1216, 832)


class Checked:
    """A dataset of three images with all that belongs to it, and its check."""

    def __init__(self, directory: Path) -> None:
        self.dataset = directory / "d.jsonl"
        self.images = place_images(directory / "images", "a.jpg", "b.jpg", "c.jpg")
        self.files = PatchFiles(directory / "patches", DINO_16)
        self.records: list[Mapping[str, Any] | bytes] = [
            record("a.jpg"),
            record("b.jpg", aspect_bucket="1024x1024", height=900, width=900),
            record("c.jpg", aspect_bucket="704x1344", height=1920, width=1000),
        ]

    def write_patches(self) -> None:
        self.files.begin(anew=False)
        for image_id, bucket in zip("abc", (WIDE, (1024, 1024), (704, 1344)), strict=True):
            self.files.write(image_id, patches_for(self.files, bucket))

    def check(
        self,
        *,
        tokenizer: T5Tokenizer | None = None,
        discard: Path | None = None,
        images: bool = True,
    ) -> VerifyReport:
        write_dataset(self.dataset, *self.records)
        verifier = Verifier(
            self.dataset,
            self.images if images else None,
            self.files.directory,
            tokenizer,
            discard,
        )
        verifier.run(PausePoint())
        return verifier.report


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    return Checked(tmp_path)


@pytest.fixture
def patched(checked: Checked) -> Checked:
    checked.write_patches()
    return checked


def test_a_clean_set_is_ok(patched: Checked) -> None:
    report = patched.check()

    assert report.ok
    assert report.records == 3
    assert report.patches_checked
    assert list(report.buckets) == [bucket_name(bucket) for bucket in BUCKETS]
    assert report.buckets["1216x832"].records == report.buckets["1216x832"].whole == 1
    assert report.buckets["1216x832"].shape == (3952, 2)
    assert report.buckets["1280x768"].records == 0
    assert report.embedding_widths == {2: 3}
    assert (report.missing_images, report.stale_masks) == (0, None)
    assert report.examples == {}


def test_a_set_without_patches_is_ok(checked: Checked) -> None:
    report = checked.check(images=False)

    assert report.ok
    assert not report.patches_checked
    assert report.missing_images is None


def test_an_empty_set_is_ok(checked: Checked) -> None:
    checked.records = []
    report = checked.check()

    assert (report.ok, report.records, report.not_made) == (True, 0, [])


def test_fields_that_no_record_has_are_not_made_and_no_defect(checked: Checked) -> None:
    checked.records = [{"image_path": name} for name in ("a.jpg", "b.jpg")]
    report = checked.check()

    assert report.ok
    assert set(report.not_made) == set(record()) - {"image_path"}
    assert report.lacking == {}
    assert report.buckets["none"].records == 2


DAMAGE: dict[str, tuple[str, Any]] = {
    "a bucket of no size": ("aspect_bucket", "square"),
    "a null bucket": ("aspect_bucket", None),
    "a bucket of another type": ("aspect_bucket", 7),
    "a null height": ("height", None),
    "a height in words": ("height", "832"),
    "a fraction": ("width", 1216.5),
    "a boolean": ("width", True),
    "no width at all": ("width", 0),
    "less than that": ("height", -832),
    "a caption of numbers": ("caption", [1]),
    "a null id": ("image_id", None),
    "an id of another type": ("image_id", 7),
    "a short mask": ("t5_attention_mask", [1] * 76),
    "a long mask": ("t5_attention_mask", [1] * 78),
    "an empty mask": ("t5_attention_mask", []),
    "a mask of other numbers": ("t5_attention_mask", [2] * 77),
    "a mask of booleans": ("t5_attention_mask", [True] * 77),
    "a mask in words": ("t5_attention_mask", "1" * 77),
    "an embedding of words": ("dinov3_embedding", ["0.5", "0.5"]),
    "an embedding with a hole": ("dinov3_embedding", [0.5, None]),
    "a nested embedding": ("dinov3_embedding", [[0.5, 0.5]]),
    "a number for an embedding": ("dinov3_embedding", 0.5),
}


@pytest.mark.parametrize(("field", "value"), DAMAGE.values(), ids=DAMAGE)
def test_values_of_another_kind_are_damage(checked: Checked, field: str, value: Any) -> None:
    checked.records[0] = record(**{field: value})
    report = checked.check()

    assert report.damaged == {field: 1}
    assert report.examples[f"damaged {field}"] == ["a.jpg"]
    assert not report.ok


@pytest.mark.parametrize("field", sorted(set(record()) - {"image_path"}))
def test_a_field_that_others_have_is_lacking(checked: Checked, field: str) -> None:
    checked.records[1] = record("b.jpg", **{field: ...})
    report = checked.check()

    assert report.lacking == {field: 1}
    assert report.examples[f"without {field}"] == ["b.jpg"]
    assert not report.ok


@pytest.mark.parametrize(
    ("field", "value"), [("caption", ""), ("caption", None), ("dinov3_embedding", [])]
)
def test_what_says_nothing_is_lacking(checked: Checked, field: str, value: Any) -> None:
    checked.records[1] = record("b.jpg", **{field: value})
    report = checked.check()

    assert report.lacking == {field: 1}
    assert not report.ok


def test_embeddings_of_several_lengths_are_a_defect(checked: Checked) -> None:
    checked.records[1] = record("b.jpg", dinov3_embedding=[1.0, 2.0, 3.0])
    report = checked.check()

    assert report.embedding_widths == {2: 2, 3: 1}
    assert not report.ok


def test_missing_images_are_a_defect(checked: Checked) -> None:
    (checked.images / "c.jpg").unlink()
    checked.records.append(record("../c.jpg"))
    report = checked.check()

    assert report.missing_images == 2
    assert report.examples == {"image not there": ["c.jpg", "../c.jpg"]}
    assert not report.ok


@pytest.mark.parametrize("in_record", ["NFC", "NFD"])
@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
def test_an_image_is_there_however_its_name_is_composed(
    checked: Checked, on_disk: Any, in_record: Any
) -> None:
    place_images(checked.images, unicodedata.normalize(on_disk, "café.jpg"))
    checked.records[0] = record(unicodedata.normalize(in_record, "café.jpg"))

    assert checked.check().missing_images == 0


def test_an_image_whose_name_is_not_utf8_is_there(checked: Checked) -> None:
    place_images(checked.images, os.fsdecode(b"caf\xe9.jpg"))
    checked.records[0] = record("caf\ufffd.jpg", raw_path="Y2Fm6S5qcGc=")

    assert checked.check().ok


@pytest.mark.parametrize("path", NO_PATHS.values(), ids=NO_PATHS)
def test_a_path_that_can_be_none_is_a_missing_image(checked: Checked, path: str) -> None:
    checked.records[0] = record(path)

    assert checked.check().missing_images == 1


BROKEN = {
    "no JSON": b"hello",
    "NaN in an embedding": b'{"image_path": "x.jpg", "dinov3_embedding": [NaN]}',
    "Infinity in an embedding": b'{"image_path": "x.jpg", "dinov3_embedding": [Infinity]}',
    "invalid UTF-8": b'{"image_path": "x.jpg", "aspect_bucket": "\xff"}',
    "an invalid id": b'{"image_path": "x.jpg", "image_id": "\xff"}',
    "cut": json.dumps(record()).encode()[:-5],
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_lines_that_do_not_parse_are_a_defect(checked: Checked, line: bytes) -> None:
    checked.records[1:1] = [line, b""]
    report = checked.check()

    assert report.malformed == [2]
    assert report.records == 3
    assert not report.ok


@pytest.mark.parametrize("number", [b"1e999", b"-1e999"])
def test_numbers_beyond_all_floats_are_a_defect(checked: Checked, number: bytes) -> None:
    line = json.dumps(record(dinov3_embedding=[7.5, 1.0])).encode()
    checked.records[0] = line.replace(b"7.5", number)

    assert not checked.check().ok


def test_an_earlier_record_is_reported_and_no_longer_counts(checked: Checked) -> None:
    checked.records.insert(0, record("./a.jpg", height="x", image_id="b"))
    report = checked.check()

    assert report.superseded == [1]
    assert (report.records, report.damaged, report.shared_ids) == (3, {}, [])
    assert report.ok


def test_ids_that_several_records_have_are_a_defect(checked: Checked) -> None:
    checked.records = [record(name, image_id="x") for name in ("a.jpg", "b.jpg", "c.jpg")]
    report = checked.check()

    assert report.shared_ids == ["x"]
    assert not report.ok


def overwrite(value: float) -> Callable[[Checked], None]:
    """Return what puts a number into the middle of the patches of a.jpg."""

    def change(checked: Checked) -> None:
        patches = patches_for(checked.files, WIDE)
        patches[1234, 1] = value
        checked.files.write("a", patches)

    return change


def cut(checked: Checked) -> None:
    path = checked.files.path("a")
    os.truncate(path, path.stat().st_size - 1)


def fill(data: bytes) -> Callable[[Checked], None]:
    """Return what puts other bytes where the patches of a.jpg were."""

    def change(checked: Checked) -> None:
        checked.files.path("a").write_bytes(data)

    return change


def misalign(checked: Checked) -> None:
    np.save(checked.files.path("a"), np.zeros((196, 1024), np.float16))


PATCH_DEFECTS: dict[str, tuple[str, Callable[[Checked], None]]] = {
    "missing": ("missing", lambda checked: checked.files.path("a").unlink()),
    "misaligned": ("stale", misalign),
    "cut": ("truncated", cut),
    "empty": ("truncated", fill(b"")),
    "garbage": ("truncated", fill(b"x" * 99)),
    "NaN": ("nan", overwrite(float("nan"))),
    "-NaN": ("nan", overwrite(-float("nan"))),
    "infinity": ("nan", overwrite(float("inf"))),
    "-infinity": ("nan", overwrite(-float("inf"))),
}


@pytest.mark.parametrize(("state", "spoil"), PATCH_DEFECTS.values(), ids=PATCH_DEFECTS)
def test_each_defect_of_a_patch_file_is_found(
    patched: Checked, state: str, spoil: Callable[[Checked], None]
) -> None:
    spoil(patched)
    report = patched.check()

    row = report.buckets["1216x832"]
    states = ("whole", "missing", "stale", "truncated", "nan")
    assert {name: getattr(row, name) for name in states if getattr(row, name)} == {state: 1}
    assert report.examples == {f"patches {state}": ["a.jpg"]}
    assert not report.ok


@pytest.mark.parametrize("value", [0.0, -0.0, 65504.0, -65504.0, 6e-8])
def test_numbers_at_the_ends_of_float16_are_numbers(patched: Checked, value: float) -> None:
    overwrite(value)(patched)

    assert patched.check().ok


def test_what_cannot_be_read_is_not_finite(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"garbage")

    assert not is_finite(tmp_path / "a.npy")
    assert not is_finite(tmp_path / "absent.npy")
