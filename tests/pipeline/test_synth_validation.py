"""Every defect of a set is found, whoever made it, and none is a traceback."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from blake3 import blake3
from PIL import Image

from pipeline.synth.drawing import images_of, labels_of
from pipeline.synth.errors import DatasetUnusable
from pipeline.synth.findings import Validation
from pipeline.synth.reading import read_split
from pipeline.synth.report_sheet import HEIGHT, WIDTH
from pipeline.synth.train_val_test import splits_of
from pipeline.synth.validation import validate_dataset
from tests.pipeline.test_synth_files import make

NUMBER = 300
TRAIN = splits_of(NUMBER)[0]

Arrays = dict[str, Any]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("synth") / "set", NUMBER)


@pytest.fixture
def dataset(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "set")


def arrays() -> Arrays:
    return {
        "images": images_of(42, TRAIN, 0, TRAIN.size),
        "labels": labels_of(42, TRAIN, 0, TRAIN.size),
    }


def replace(dataset: Path, data: bytes, name: str = "train.npz") -> None:
    """Put a file into a set, with the right checksum."""
    (dataset / name).write_bytes(data)
    change(
        dataset, lambda meta: meta["checksums"].update({name: f"blake3:{blake3(data).hexdigest()}"})
    )


def change(dataset: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    path = dataset / "metadata.json"
    metadata = json.loads(path.read_text())
    edit(metadata)
    path.write_text(json.dumps(metadata))


def saved(save: Callable[..., None] = np.savez, **members: Any) -> bytes:
    file = io.BytesIO()
    save(file, **members)
    return file.getvalue()


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return file.getvalue()


def npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


def defects(dataset: Path) -> list[str]:
    found = validate_dataset(dataset)
    assert found.valid == (not found.defects)
    return found.defects


def only(dataset: Path) -> str:
    [defect] = defects(dataset)
    return defect


@pytest.mark.parametrize("number", [1, 2, 10, 11, 299])
def test_what_we_make_is_valid(tmp_path: Path, number: int) -> None:
    found = validate_dataset(make(tmp_path / "set", number))

    assert found.valid
    assert (found.defects, found.notes) == ([], [])
    assert (found.version, found.seed, found.num_images) == ("1.0.0", 42, number)
    assert {name: split.images for name, split in found.splits.items()} == {
        split.name: split.size for split in splits_of(number)
    }
    assert sum(sum(split.classes) for split in found.splits.values()) == number


def test_the_report_shows_the_images(dataset: Path) -> None:
    found = validate_dataset(dataset)
    assert found.report == str(dataset / "validation_report.png")
    with Image.open(found.report) as sheet:
        assert sheet.size == (WIDTH, HEIGHT)
        shades = {colour for _, colour in sheet.getcolors(1 << 20) or []}
    kept = {int(shade) for image in images_of(42, TRAIN, 0, 100) for shade in np.unique(image)}
    assert {(shade, shade, shade) for shade in kept} <= shades
    assert sorted(path.name for path in dataset.iterdir()) == sorted(
        ["metadata.json", "test.npz", "train.npz", "val.npz", "validation_report.png"]
    )


def test_equal_pictures_are_told_and_no_defect(tmp_path: Path) -> None:
    number = 60_000
    found = validate_dataset(make(tmp_path / "set", number, chunk_size=8192))
    looks = [
        [image.tobytes() for image in images_of(42, split, 0, split.size)]
        for split in splits_of(number)
    ]
    train, val, test = looks

    assert found.valid
    assert found.equal_pictures == {
        "val_in_train": sum(look in set_ for set_ in [set(train)] for look in val),
        "test_in_train": sum(look in set_ for set_ in [set(train)] for look in test),
        "test_in_val": sum(look in set_ for set_ in [set(val)] for look in test),
    }
    assert found.equal_pictures["val_in_train"] > 0


@pytest.mark.parametrize("name", ["train.npz", "val.npz", "test.npz"])
@pytest.mark.parametrize("where", [0.0, 0.3, 0.999])
def test_a_flipped_byte_is_found(dataset: Path, name: str, where: float) -> None:
    path = dataset / name
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= 1
    path.write_bytes(data)

    assert defects(dataset)[0] == f"{name} does not have the checksum in metadata.json"


@pytest.mark.parametrize("name", ["train.npz", "val.npz", "test.npz", "metadata.json"])
def test_a_missing_file_is_found(dataset: Path, name: str) -> None:
    (dataset / name).unlink()
    assert only(dataset) == f"{name} is missing"


@pytest.mark.parametrize("size", [0, 10, 1000, 60_000])
def test_a_truncated_file_is_found(dataset: Path, size: int) -> None:
    data = (dataset / "train.npz").read_bytes()
    replace(dataset, data[:size])
    assert "train.npz cannot be read" in only(dataset)


def test_a_pixel_that_the_seed_does_not_give_is_found(dataset: Path) -> None:
    made = arrays()
    made["images"][7, 3, 3] ^= 1
    made["images"][9] = made["images"][8]
    replace(dataset, saved(**made))
    assert only(dataset) == ("train.npz: 2 images are not those of seed 42, the first at index 7")


def test_a_label_out_of_range_is_found(dataset: Path) -> None:
    made = arrays()
    made["labels"][5] = 10
    replace(dataset, saved(**made))
    first, *_ = defects(dataset)
    assert first == "train.npz: 1 labels are not below 10, the number of classes"


def test_classes_out_of_balance_are_found(dataset: Path) -> None:
    made = arrays()
    made["labels"][made["labels"] == 4] = 5
    replace(dataset, saved(**made))
    assert "train.npz: classes are not balanced, one has 0 images and one 48" in defects(dataset)


def test_a_split_that_holds_another_is_found(dataset: Path) -> None:
    replace(dataset, (dataset / "val.npz").read_bytes(), "test.npz")
    found = validate_dataset(dataset)

    assert found.equal_pictures["test_in_val"] == 30
    assert any("test.npz: 30 images are not those of seed 42" in text for text in found.defects)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (
            lambda made: {**made, "labels": made["labels"].astype(np.int64)},
            "labels has dtype '<i8'",
        ),
        (lambda made: {**made, "images": made["images"].astype("f4")}, "images has dtype '<f4'"),
        (lambda made: {**made, "images": made["images"][:-1]}, "images has shape (239, 16, 16)"),
        (
            lambda made: {**made, "images": made["images"].reshape(-1, 256)},
            "images has shape (240, 256)",
        ),
        (lambda made: {**made, "labels": made["labels"][:, None]}, "labels has shape (240, 1)"),
        (lambda made: {**made, "images": np.asfortranarray(made["images"])}, "in Fortran order"),
        (lambda made: {**made, "labels": made["labels"].astype(object)}, "labels has dtype '|O'"),
        (lambda made: {"images": made["images"]}, "does not hold exactly"),
        (lambda made: {**made, "more": made["labels"]}, "does not hold exactly"),
    ],
)
def test_arrays_of_another_kind_are_refused(
    dataset: Path, edit: Callable[[Arrays], Arrays], words: str
) -> None:
    replace(dataset, saved(**edit(arrays())))
    assert words in only(dataset)


def test_a_compressed_file_is_refused(dataset: Path) -> None:
    replace(dataset, saved(np.savez_compressed, **arrays()))
    assert only(dataset) == "train.npz: images.npy is compressed"


GIANT = "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999, 16, 16), }"
OURS = "{'descr': '|u1', 'fortran_order': False, 'shape': (240, 16, 16), }"
LABELS = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (240,), }", bytes(240))


HOSTILE = {
    "empty": b"",
    "no entries": b"PK\x05\x06" + bytes(18),
    "zeros": bytes(100_000),
    "noise": Random(1).randbytes(5000),
    "no members": zipped(),
    "empty members": zipped(labels=b"", images=b""),
    "format 2": zipped(labels=LABELS, images=b"\x93NUMPY\x02\x00" + bytes(50)),
    "giant shape": zipped(labels=LABELS, images=npy(GIANT)),
    "no data": zipped(labels=LABELS, images=npy(OURS)),
    "a byte too many": zipped(labels=LABELS, images=npy(OURS, bytes(61_441))),
    "records": zipped(labels=LABELS, images=npy("{'descr': [('a', '|O')], 'shape': (1,)}")),
    "code": zipped(labels=LABELS, images=npy("__import__('os').abort()")),
    "deep": zipped(labels=LABELS, images=npy("(" * 9000)),
    "long header": zipped(labels=LABELS, images=b"\x93NUMPY\x01\x00\xff\xff" + bytes(50)),
    "long number": zipped(labels=LABELS, images=npy(OURS.replace("240", "9" * 5000))),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_a_defect_in_a_line(dataset: Path, kind: str) -> None:
    replace(dataset, HOSTILE[kind])
    assert "\n" not in only(dataset)
    assert only(dataset).startswith("train.npz")


def test_a_giant_directory_is_not_read(dataset: Path) -> None:
    """The end record of a sparse file claims a directory of almost four gigabytes."""
    size = 4_000_000_000
    end = b"PK\x05\x06" + bytes(4) + b"\xff\xfe" * 2 + size.to_bytes(4, "little") + bytes(6)
    with (dataset / "train.npz").open("wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(end)
    with pytest.raises(DatasetUnusable, match="too large"):
        next(read_split(dataset / "train.npz", 240, 100))


def test_a_lying_checksum_inside_the_zip_is_found(dataset: Path) -> None:
    data = bytearray(zipped(labels=LABELS, images=npy(OURS, bytes(61_440))))
    data[2000] ^= 1
    replace(dataset, bytes(data))
    assert "Bad CRC-32" in only(dataset)


@pytest.mark.parametrize("kind", ["fifo", "directory", "loop", "endless device"])
def test_what_is_no_file_is_refused(dataset: Path, kind: str) -> None:
    path = dataset / "val.npz"
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    else:
        path.symlink_to("/dev/zero")
    assert only(dataset).startswith("val.npz ")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"version": 1}',
        b" " * 2_000_000,
        b"null",
        b"1" * 100_000,
    ],
)
def test_hostile_metadata_is_a_defect_in_a_line(dataset: Path, data: bytes) -> None:
    (dataset / "metadata.json").write_bytes(data)
    assert "\n" not in only(dataset)
    assert only(dataset).startswith("metadata.json")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda meta: meta.pop("timestamp"), "timestamp"),
        (lambda meta: meta.update(more=1), "more"),
        (lambda meta: meta["dataset_info"].update(train_count=239), "dataset_info"),
        (lambda meta: meta["generation_params"].update(num_images=0), "num_images is 0"),
        (lambda meta: meta["generation_params"].update(num_images=-(2**60)), "num_images is -"),
        (lambda meta: meta["generation_params"].update(num_images=10**30), "dataset_info"),
        (lambda meta: meta["generation_params"].update(seed=10**30), "seed is 1000"),
        (lambda meta: meta.update(timestamp="yesterday"), "timestamp"),
        (lambda meta: meta["generation_params"].update(grid_size=32), "grid_size is 32, not 16"),
        (lambda meta: meta["generation_params"]["splits"].update(val=0.2), "splits"),
        (lambda meta: meta["memory_info"].update(total_bytes=1), "total_bytes is 1"),
        (lambda meta: meta["file_format"].update(dtype="float32"), "file_format"),
        (lambda meta: meta["classes"]["disc"].update(label=4), "labels"),
        (lambda meta: meta["classes"]["disc"].update(forms=4), "classes are not those"),
        (lambda meta: meta["checksums"].pop("val.npz"), "checksums"),
        (lambda meta: meta["checksums"].update({"val.npz": "blake3:00"}), "checksum"),
    ],
)
def test_metadata_that_is_wrong_is_found(
    dataset: Path, edit: Callable[[dict[str, Any]], object], words: str
) -> None:
    change(dataset, edit)
    assert words in defects(dataset)[0]


def test_more_images_promised_than_there_are_is_found(dataset: Path) -> None:
    def promise(meta: dict[str, Any]) -> None:
        meta["generation_params"]["num_images"] = 10**18

    change(dataset, promise)
    assert any("train.npz: labels has shape (240,)" in text for text in defects(dataset))


def test_a_set_of_the_earlier_name_is_checked_image_by_image(dataset: Path) -> None:
    change(dataset, lambda meta: meta.update(version="pcc-synth-1"))
    assert validate_dataset(dataset).notes == []

    made = arrays()
    made["images"][0] ^= 255
    replace(dataset, saved(**made))
    assert any("are not those of seed" in text for text in defects(dataset))


def test_a_set_of_another_version_is_checked_as_far_as_it_goes(dataset: Path) -> None:
    change(dataset, lambda meta: meta.update(version="theirs-7"))
    made = arrays()
    made["images"][0] ^= 255
    replace(dataset, saved(**made))
    found: Validation = validate_dataset(dataset)

    assert found.valid
    assert "cannot be compared" in found.notes[0]


def test_a_directory_that_cannot_be_written_is_still_checked(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pipeline.synth.report_sheet.atomic_rewrite", refuse)
    found = validate_dataset(dataset)

    assert found.valid
    assert found.report is None
    [note] = found.notes
    assert note.startswith("the report could not be written: Permission denied; ")
