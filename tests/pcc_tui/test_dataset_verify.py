"""`pcc dataset verify`: the table, the document, the exit code, each kind of damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.datasets.buckets import BUCKETS, bucket_name
from tests.conftest import Pcc
from tests.support.enriching import record, save_patches, tree, write_dataset

VERIFY = ("dataset", "verify")

SHAPES_14 = (5329, 5133, 5133, 5005, 5005, 4800, 4800)
SHAPES_16 = (4096, 3952, 3952, 3840, 3840, 3696, 3696)
"""Patches of the buckets, in their order, by the patch size."""

MANIFEST = {
    "version": 1,
    "model": "somewhere/dino",
    "model_type": "dinov3_vit",
    "patch_size": 16,
    "width": 32,
    "leading_tokens": 5,
    "dtype": "float16",
}


@pytest.fixture
def dataset(workspace: Path) -> Path:
    """Return a dataset of one whole record for each bucket, whose patch files are whole, too."""
    path, patches = workspace / "dataset.jsonl", workspace / "dinov3_patches"
    records = []
    for bucket, count in zip(map(bucket_name, BUCKETS), SHAPES_16, strict=True):
        records.append(record(f"{bucket}.jpg", aspect_bucket=bucket))
        save_patches(patches / f"{bucket}.npy", (count, 32))
    write_dataset(path, *records)
    (patches / "patches.json").write_text(json.dumps(MANIFEST))
    return path


@pytest.fixture
def patches(workspace: Path) -> Path:
    """Return where the patch files of the workspace are."""
    return workspace / "dinov3_patches"


def spoil(patches: Path) -> None:
    """Spoil a patch file of each bucket but two."""
    save_patches(patches / "1024x1024.npy", (196, 1024))
    whole = (patches / "1216x832.npy").read_bytes()
    (patches / "1216x832.npy").write_bytes(whole[:-1])
    save_patches(patches / "832x1216.npy", (3952, 32), fill=float("nan"))
    save_patches(patches / "1280x768.npy", (3840, 32), fill=float("-inf"))
    (patches / "768x1280.npy").unlink()
    (patches / "1344x704.npy").write_bytes(b"")


def test_nothing_amiss_is_0_and_the_table_has_each_bucket(pcc: Pcc, dataset: Path) -> None:
    before = tree(dataset.parent)
    done = pcc(*VERIFY)

    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["Nothing", "is", "amiss:", "7", "records", "in", "dataset.jsonl"]
    assert lines[1] == [
        "bucket",
        "records",
        "shape",
        "whole",
        "missing",
        "stale",
        "truncated",
        "NaN",
    ]
    for line, bucket, count in zip(lines[2:9], BUCKETS, SHAPES_16, strict=True):
        shape = [str(count), "x", "32"]
        assert line == [bucket_name(bucket), "1", *shape, "1", "0", "0", "0", "0"]
    assert tree(dataset.parent) == before


def test_each_kind_of_spoilt_patch_file_is_counted_in_its_bucket(
    pcc: Pcc, dataset: Path, patches: Path
) -> None:
    spoil(patches)
    save_patches(patches / "nobody.npy", (3952, 32))
    done = pcc(*VERIFY, dataset, "--json")

    assert done.returncode == 1
    report = json.loads(done.stdout)
    kinds = ("whole", "missing", "stale", "truncated", "nan")
    found = {
        name: next(kind for kind in kinds if row[kind]) for name, row in report["buckets"].items()
    }
    assert found == {
        "1024x1024": "stale",
        "1216x832": "truncated",
        "832x1216": "nan",
        "1280x768": "nan",
        "768x1280": "missing",
        "1344x704": "truncated",
        "704x1344": "whole",
    }
    assert report["ok"] is False
    assert report["orphans"] == 1
    assert report["buckets"]["1024x1024"]["shape"] == [4096, 32]
    assert report["examples"]["patches nan"] == ["832x1216.jpg", "1280x768.jpg"]


@pytest.mark.parametrize("patch_size", [14, 16])
def test_without_a_manifest_a_shape_of_either_patch_size_will_do(
    pcc: Pcc, dataset: Path, patches: Path, patch_size: int
) -> None:
    (patches / "patches.json").write_bytes(b"spoilt")
    if patch_size == 14:
        for bucket, count in zip(BUCKETS, SHAPES_14, strict=True):
            save_patches(patches / f"{bucket_name(bucket)}.npy", (count, 8))
    assert pcc(*VERIFY).returncode == 0
    save_patches(patches / "1024x1024.npy", (196, 1024))
    done = pcc(*VERIFY, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["buckets"]["1024x1024"]["stale"] == 1


def test_discarded_files_are_moved_away_and_nothing_else_is(
    pcc: Pcc, dataset: Path, patches: Path, tmp_path: Path
) -> None:
    spoil(patches)
    data = dataset.read_bytes()
    done = pcc(*VERIFY, "--discard", tmp_path / "bin", "--json")

    assert json.loads(done.stdout)["discarded"] == 5
    assert {path.name for path in patches.iterdir()} == {"704x1344.npy", "patches.json"}
    assert len(list((tmp_path / "bin").iterdir())) == 5
    assert dataset.read_bytes() == data
    again = json.loads(pcc(*VERIFY, "--json").stdout)
    assert sum(row["missing"] for row in again["buckets"].values()) == 6


def test_a_spoilt_file_of_two_records_is_discarded_once(
    pcc: Pcc, dataset: Path, patches: Path, tmp_path: Path
) -> None:
    """They share an id, so they share the file."""
    with dataset.open("ab") as file:
        for number in range(100):  # more than are looked at in one go
            copy = record(f"{number}.jpg", image_id="1024x1024", aspect_bucket="1024x1024")
            file.write(json.dumps(copy).encode() + b"\n")
    spoil(patches)
    done = pcc(*VERIFY, "--discard", tmp_path / "bin")

    assert done.returncode == 1
    assert done.stderr == ""
    assert "1 ids belong to several records: 1024x1024" in done.stdout
    assert len(list((tmp_path / "bin").iterdir())) == 5


DAMAGE: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("a size of words", {"height": "48"}, "height"),
    ("half a size", {"width": 1.5}, "width"),
    ("a caption of numbers", {"caption": [1]}, "caption"),
    ("no bucket", {"aspect_bucket": "wide"}, "aspect_bucket"),
    ("a bucket beyond all measure", {"aspect_bucket": "9999x9999"}, "aspect_bucket"),
    ("an id of null", {"image_id": None}, "image_id"),
    ("a mask too short", {"t5_attention_mask": [1] * 76}, "t5_attention_mask"),
    ("a mask of twos", {"t5_attention_mask": [2] * 77}, "t5_attention_mask"),
    ("an embedding of words", {"dinov3_embedding": ["0.5"]}, "dinov3_embedding"),
)


def test_each_damaged_field_is_named(pcc: Pcc, workspace: Path) -> None:
    path = workspace / "dataset.jsonl"
    write_dataset(
        path, *(record(f"{number}.jpg", **fields) for number, (_, fields, _) in enumerate(DAMAGE))
    )
    done = pcc(*VERIFY, "--json")
    assert done.returncode == 1
    counts: dict[str, int] = {}
    for _, _, field in DAMAGE:
        counts[field] = counts.get(field, 0) + 1
    assert json.loads(done.stdout)["damaged"] == counts


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (b"junk", "1 lines hold no record: 2"),
        (record("b.jpg", dinov3_embedding=[0.5]), "2 lengths of embeddings: 1 of 2, 1 of 1"),
        (record("b.jpg", image_id="a"), "1 ids belong to several records: a"),
        (record("b.jpg", caption=...), "1 records lack caption, which others have"),
    ],
)
def test_one_thing_amiss_is_1_and_told(
    pcc: Pcc, workspace: Path, item: dict[str, Any] | bytes, words: str
) -> None:
    write_dataset(workspace / "dataset.jsonl", record("a.jpg"), item)
    done = pcc(*VERIFY)
    assert (done.returncode, done.stderr) == (1, "")
    assert words in done.stdout
    assert "Something is amiss" in done.stdout


def test_images_that_are_not_there_are_counted_where_their_directory_is_given(
    pcc: Pcc, workspace: Path, tmp_path: Path
) -> None:
    write_dataset(workspace / "dataset.jsonl", record("a.jpg"), record("a.jpg"))
    assert pcc(*VERIFY).returncode == 0
    done = pcc(*VERIFY, "--input-dir", tmp_path)
    assert done.returncode == 1
    assert "1 records whose image is not there" in done.stdout
    assert "1 lines have another record of their image further down" in done.stdout
    (tmp_path / "a.jpg").write_bytes(b"")
    assert pcc(*VERIFY, "--input-dir", tmp_path).returncode == 0


HOSTILE = (
    b'{"image_path":"a.jpg","caption":"\xff\xfe"}',
    b'{"image_path":"b.jpg","caption":"\\ud800"}',
    b'{"image_path":"\\ud800.jpg","image_id":"\\udc00"}',
    b'{"image_path":"c.jpg","image_id":"' + b"x" * 300 + b'"}',
    b'{"image_path":"d.jpg","image_id":"../../../escaped"}',
    b'{"image_path":"e.jpg","image_id":"nul\\u0000"}',
    b'{"image_path":"f.jpg","width":' + b"9" * 5000 + b',"height":1e999}',
    b'{"image_path":"g.jpg","dinov3_embedding":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b'{"image_path":"h.jpg","aspect_bucket":"\\u001b[31mred\\n\\u202e"}',
    b'{"image_path":"i\\u0000.jpg","raw_path":"!"}',
    b'{"image_path":"","raw_path":"Lw=="}',
    b'{"image_path":"j.jpg","t5_attention_mask":[1e400]}',
    b'{"image_path":"' + b"k" * 70_000 + b'.jpg"}',
    b"[" * 100_000,
)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_hostile_line_keeps_no_other_from_being_checked(
    pcc: Pcc, dataset: Path, tmp_path: Path, number: int
) -> None:
    whole = dataset.read_bytes()
    dataset.write_bytes(HOSTILE[number] + b"\n" + whole)
    checked = pcc(*VERIFY, "--input-dir", tmp_path, "--json")
    assert checked.returncode == 1, checked.stderr
    assert checked.stderr == ""
    report = json.loads(checked.stdout)
    assert report["records"] + len(report["malformed"]) == 8
    assert sum(row["whole"] for row in report["buckets"].values()) == 7
    shown = pcc(*VERIFY)
    assert shown.returncode == 1
    assert not set(shown.stdout) & {"\x1b", "\u202e", "\0"}


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_a_hostile_line_keeps_no_other_from_being_enriched(
    pcc: Pcc, workspace: Path, photos: Callable[..., Path], number: int
) -> None:
    dataset = workspace / "dataset.jsonl"
    last = json.dumps(record("IMG_00000.jpg", height=...)).encode()
    dataset.write_bytes(HOSTILE[number] + b"\n" + last)
    passes = ("--pass-filter", "migrate,dimensions,caption,t5", "--backend", "mock")
    done = pcc("dataset", "enrich", "--input-dir", photos(1), *passes)
    assert done.returncode == 0, done.stderr
    first, second = dataset.read_bytes().split(b"\n")
    assert first.startswith(HOSTILE[number].rstrip(b"}"))
    assert second == last[:-1] + b',"height":48}'


def test_what_cannot_be_checked_is_64(pcc: Pcc, pcc_process: Pcc, workspace: Path) -> None:
    for arguments in (
        ["nowhere.jsonl"],
        [workspace],
        [],
        ["--frobnicate"],
    ):
        done = pcc(*VERIFY, *arguments)
        assert done.returncode == 64
        assert done.stderr.count("\n") == 1
    write_dataset(workspace / "dataset.jsonl", record("a.jpg"))
    assert pcc(*VERIFY, "--input-dir", "nowhere").returncode == 64
    offline = {"HF_HUB_OFFLINE": "1"}
    done = pcc_process(*VERIFY, "--masks", "--t5-model", "no/where", environment=offline)
    assert done.returncode == 64
    assert "no/where" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_object_array_is_not_unpickled(pcc: Pcc, dataset: Path, patches: Path) -> None:
    np.save(patches / "1024x1024.npy", np.array([{"a": 1}], object), allow_pickle=True)
    report = json.loads(pcc(*VERIFY, "--json").stdout)
    assert report["buckets"]["1024x1024"]["truncated"] == 1
