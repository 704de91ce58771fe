"""Reading a dataset: which record lacks what."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from pipeline.datasets.errors import UnknownPass
from pipeline.datasets.passes import DEFAULT_PASSES, choose_passes
from pipeline.datasets.patch_files import PatchFiles
from pipeline.photos.walk import walk_photos
from tests.support.datasets import (
    DINO_16,
    NO_PATHS,
    entry_of,
    lacking,
    patches_for,
    place_images,
    record,
    surveyed,
    write_dataset,
)

MISSING: dict[tuple[str, str], set[str]] = {
    ("migrate", "aspect_bucket"): {"absent"},
    ("migrate", "image_id"): {"absent"},
    ("dimensions", "height"): {"absent"},
    ("dimensions", "width"): {"absent"},
    ("embedding", "dinov3_embedding"): {"absent", "null", "empty"},
    ("caption", "caption"): {"absent", "null", "empty"},
    ("t5", "t5_attention_mask"): {"absent", "null"},
}
VALUES: dict[str, Any] = {"absent": ..., "null": None}
EMPTY = {"caption": "", "dinov3_embedding": [], "t5_attention_mask": []}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return place_images(tmp_path / "images", "a.jpg")


@pytest.mark.parametrize("state", ["absent", "null", "empty"])
@pytest.mark.parametrize(("name", "field"), MISSING)
def test_when_a_field_is_missing(
    tmp_path: Path, images: Path, name: str, field: str, state: str
) -> None:
    value = VALUES.get(state, EMPTY.get(field, ""))
    dataset = write_dataset(tmp_path / "d.jsonl", record(**{field: value}))
    survey = surveyed(dataset, images, name)

    is_missing = state in MISSING[name, field]
    assert lacking(survey) == ({"a.jpg": {field}} if is_missing else {})
    if is_missing:
        assert entry_of(survey, "a.jpg").present == ({field} if state != "absent" else set())


@pytest.mark.parametrize("name", ["migrate", "dimensions", "embedding", "caption", "t5", None])
def test_a_whole_record_lacks_nothing(tmp_path: Path, images: Path, name: str | None) -> None:
    dataset = write_dataset(tmp_path / "d.jsonl", record())
    survey = surveyed(dataset, images, name)

    assert survey.all_entries() == []
    assert (survey.records, survey.total) == (1, 1)


def test_a_pass_looks_at_its_own_fields_alone(tmp_path: Path, images: Path) -> None:
    dataset = write_dataset(tmp_path / "d.jsonl", {"image_path": "a.jpg"})

    for name in ("migrate", "dimensions", "embedding", "caption", "t5"):
        fields = {field for each, field in MISSING if each == name}
        assert lacking(surveyed(dataset, images, name)) == {"a.jpg": fields}
    assert lacking(surveyed(dataset, images)) == {"a.jpg": {field for _, field in MISSING}}


def test_passes_by_name() -> None:
    def names(text: str | None) -> list[str]:
        return [each.name for each in choose_passes(text)]

    assert names(None) == list(DEFAULT_PASSES)
    assert names("dinov3") == names("patches, embedding") == ["migrate", "embedding", "patches"]
    assert names("t5,migrate") == ["migrate", "t5"]
    for text in ("", ",", "captions", "t5,nothing", "T5"):
        with pytest.raises(UnknownPass, match="dinov3"):
            choose_passes(text)


def test_images_without_a_record_are_new(tmp_path: Path) -> None:
    images = place_images(tmp_path / "images", "b.jpg", "a.jpg", "sub/c.png", "notes.txt")
    dataset = write_dataset(tmp_path / "d.jsonl", record("a.jpg"))
    survey = surveyed(dataset, images, "dimensions")

    assert [entry.path for entry in survey.new] == ["b.jpg", "sub/c.png"]
    assert lacking(survey) == {path: {"height", "width"} for path in ("b.jpg", "sub/c.png")}
    assert (survey.records, survey.total) == (1, 3)


def test_no_dataset_yet_is_an_empty_one(tmp_path: Path, images: Path) -> None:
    for dataset in (tmp_path / "absent.jsonl", write_dataset(tmp_path / "d.jsonl")):
        survey = surveyed(dataset, images)
        assert (survey.records, survey.total, len(survey.new)) == (0, 1, 1)
    assert surveyed(tmp_path / "absent.jsonl", images).fingerprint is None


def test_of_several_records_the_last_counts(tmp_path: Path, images: Path) -> None:
    dataset = write_dataset(
        tmp_path / "d.jsonl",
        record(caption=...),
        record("b.jpg"),
        record("./a.jpg", height=...),
        record(f"{images}/a.jpg", width=...),
    )
    survey = surveyed(dataset, images)

    assert survey.superseded == [1, 3]
    assert survey.records == 2
    assert [(entry.line, set(entry.lacking)) for entry in survey.entries.values()] == [
        (4, {"width"})
    ]


def test_a_whole_record_supersedes_one_that_lacks_something(tmp_path: Path, images: Path) -> None:
    dataset = write_dataset(tmp_path / "d.jsonl", record(caption=...), record())
    survey = surveyed(dataset, images)

    assert survey.all_entries() == []
    assert survey.superseded == [1]


@pytest.mark.parametrize(
    "path", ["./a.jpg", "sub/../a.jpg", "{images}/a.jpg", "{images}/./a.jpg", "{images}/x/../a.jpg"]
)
def test_a_path_spelt_otherwise_is_the_same_image(tmp_path: Path, images: Path, path: str) -> None:
    spelt = path.format(images=images)
    dataset = write_dataset(tmp_path / "d.jsonl", record(spelt, width=...))
    survey = surveyed(dataset, images, "dimensions")

    assert survey.new == []
    assert survey.missing == []
    assert lacking(survey) == {"a.jpg": {"width"}}


@pytest.mark.parametrize("spelt", ["{images}/../images", "{images}/", "{images}/./"])
def test_an_input_directory_spelt_otherwise_is_the_same(
    tmp_path: Path, images: Path, spelt: str
) -> None:
    dataset = write_dataset(tmp_path / "d.jsonl", record(f"{images}/a.jpg", width=...))
    survey = surveyed(dataset, Path(spelt.format(images=images)), "dimensions")

    assert lacking(survey) == {"a.jpg": {"width"}}


def test_images_elsewhere_are_found_by_their_absolute_path(tmp_path: Path, images: Path) -> None:
    elsewhere = place_images(tmp_path / "images too", "b.jpg")
    here, gone = f"{elsewhere}/b.jpg", f"{elsewhere}/gone.jpg"
    dataset = write_dataset(
        tmp_path / "d.jsonl", record(here, width=...), record(gone, width=...), record()
    )
    survey = surveyed(dataset, images, "dimensions")

    assert entry_of(survey, here).on_disk
    assert not entry_of(survey, gone).on_disk
    assert survey.missing == [gone]
    assert survey.outside == []


def test_what_climbs_out_is_reported_and_never_looked_at(tmp_path: Path, images: Path) -> None:
    place_images(tmp_path, "secret.jpg")
    dataset = write_dataset(tmp_path / "d.jsonl", record("../secret.jpg", width=...), record())
    survey = surveyed(dataset, images, "dimensions")

    assert survey.outside == [1]
    assert survey.missing == ["../secret.jpg"]
    assert not any(entry.on_disk for entry in survey.all_entries())


def test_missing_images_are_named_once_and_kept(tmp_path: Path, images: Path) -> None:
    dataset = write_dataset(
        tmp_path / "d.jsonl", record(), record("gone.jpg", width=...), record("lost/b.jpg")
    )
    survey = surveyed(dataset, images)

    assert survey.missing == ["gone.jpg", "lost/b.jpg"]
    assert survey.records == 3
    assert lacking(survey) == {"gone.jpg": {"width"}}


def test_a_missing_image_of_two_records_is_one_missing_image(tmp_path: Path, images: Path) -> None:
    dataset = write_dataset(tmp_path / "d.jsonl", record(), record("gone.jpg"), record("gone.jpg"))

    assert surveyed(dataset, images).missing == ["gone.jpg"]


@pytest.mark.parametrize("path", NO_PATHS.values(), ids=NO_PATHS)
def test_a_path_that_can_be_none_is_a_missing_image(
    tmp_path: Path, images: Path, path: str
) -> None:
    dataset = write_dataset(tmp_path / "d.jsonl", record(), record(path, width=...))

    assert surveyed(dataset, images).missing == [path]


def test_a_folder_is_no_image(tmp_path: Path, images: Path) -> None:
    (images / "sub.jpg").mkdir()
    dataset = write_dataset(tmp_path / "d.jsonl", record(), record("sub.jpg"))

    assert surveyed(dataset, images).missing == ["sub.jpg"]


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("in_record", ["NFC", "NFD"])
def test_composed_and_decomposed_names_are_one_image(
    tmp_path: Path, on_disk: Any, in_record: Any
) -> None:
    name = "café à la crème.jpg"
    images = place_images(tmp_path / "images", unicodedata.normalize(on_disk, name))
    written = record(unicodedata.normalize(in_record, name), width=...)
    dataset = write_dataset(tmp_path / "d.jsonl", json.dumps(written, ensure_ascii=False).encode())
    survey = surveyed(dataset, images, "dimensions")

    assert (survey.new, survey.missing) == ([], [])
    assert lacking(survey) == {unicodedata.normalize(on_disk, name): {"width"}}


def test_names_that_are_not_utf8_are_known_by_their_bytes(tmp_path: Path, images: Path) -> None:
    names = [os.fsdecode(b"caf\xe9.jpg"), os.fsdecode(b"caf\xea.jpg")]
    place_images(images, *names)
    dataset = write_dataset(
        tmp_path / "d.jsonl", record("caf\ufffd.jpg", raw_path="Y2Fm6S5qcGc=", width=...), record()
    )
    survey = surveyed(dataset, images, "dimensions")

    assert [entry.path for entry in survey.entries.values()] == names[:1]
    assert [entry.path for entry in survey.new] == names[1:]
    assert survey.missing == []


BROKEN = {
    "no JSON": b"hello",
    "cut": b'{"image_path": "a.jpg", "capt',
    "no path": b'{"caption": "x"}',
    "NaN": b'{"image_path": "a.jpg", "x": NaN}',
    "invalid UTF-8": b'{"image_path": "\xff.jpg"}',
    "an invalid caption": b'{"image_path": "z.jpg", "caption": "\xff"}',
    "an invalid bucket": b'{"image_path": "z.jpg", "aspect_bucket": "\xff"}',
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_lines_without_a_record_are_reported_by_number(
    tmp_path: Path, images: Path, line: bytes
) -> None:
    dataset = write_dataset(tmp_path / "d.jsonl", b"", line, b" \t\r", record(), line)
    survey = surveyed(dataset, images)

    assert survey.malformed == [2, 5]
    assert (survey.records, survey.new) == (1, [])


def test_a_size_beyond_all_numbers_is_no_size(tmp_path: Path, images: Path) -> None:
    line = b'{"image_path": "a.jpg", "height": 1e999, "width": 1}'
    survey = surveyed(write_dataset(tmp_path / "d.jsonl", line), images, "embedding")

    assert survey.malformed or entry_of(survey, "a.jpg").size is None


def test_crlf_and_a_mark_at_the_start(tmp_path: Path, images: Path) -> None:
    lines = (b"\xef\xbb\xbf" + json.dumps(record()).encode() + b"\r", b"\r")
    survey = surveyed(write_dataset(tmp_path / "d.jsonl", *lines), images)

    assert (survey.records, survey.malformed, survey.all_entries()) == (1, [], [])


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("migrate", {"aspect_bucket"}),
        ("dimensions", {"height", "width"}),
        ("embedding", {"dinov3_embedding"}),
        ("caption", {"caption"}),
        ("t5", {"t5_attention_mask"}),
    ],
)
def test_what_is_asked_for_anew_is_lacking_though_it_is_there(
    tmp_path: Path, images: Path, name: str, fields: set[str]
) -> None:
    dataset = write_dataset(tmp_path / "d.jsonl", record())
    survey = surveyed(dataset, images, anew=[name])

    assert lacking(survey) == {"a.jpg": fields}
    assert entry_of(survey, "a.jpg").present == fields


def test_an_absent_id_is_given_also_when_buckets_are_made_anew(
    tmp_path: Path, images: Path
) -> None:
    dataset = write_dataset(tmp_path / "d.jsonl", record(image_id=...))

    survey = surveyed(dataset, images, "migrate", anew=["migrate"])
    assert lacking(survey) == {"a.jpg": {"aspect_bucket", "image_id"}}


def test_sizes_and_buckets_that_are_to_be_made_anew_are_not_believed(
    tmp_path: Path, images: Path
) -> None:
    dataset = write_dataset(tmp_path / "d.jsonl", record(aspect_bucket="704x1344", caption=...))

    plain = entry_of(surveyed(dataset, images), "a.jpg")
    assert (plain.size, plain.bucket) == ((1216, 832), (704, 1344))
    buckets = entry_of(surveyed(dataset, images, anew=["migrate"]), "a.jpg")
    assert (buckets.size, buckets.bucket) == ((1216, 832), (1216, 832))
    both = entry_of(surveyed(dataset, images, anew=["migrate", "dimensions"]), "a.jpg")
    assert (both.size, both.bucket) == (None, None)


@pytest.mark.parametrize("bucket", ["square", "", None, 7, ["1024x1024"], "0x0"])
def test_a_bucket_without_sides_is_reported_and_kept(
    tmp_path: Path, images: Path, bucket: object
) -> None:
    dataset = write_dataset(tmp_path / "d.jsonl", record(aspect_bucket=bucket))
    survey = surveyed(dataset, images)

    assert survey.odd_buckets == [1]
    assert survey.all_entries() == []


def test_ids_that_several_records_have_are_reported_once(tmp_path: Path) -> None:
    names = ("a.jpg", "b.jpg", "c.jpg")
    images = place_images(tmp_path / "images", *names)
    lines = [record(name, image_id="same") for name in names]
    dataset = write_dataset(tmp_path / "d.jsonl", *lines)

    assert surveyed(dataset, images).shared_ids == ["same"]
    assert surveyed(dataset, images, "caption").shared_ids == []  # nobody asked for ids


def test_the_id_of_a_superseded_record_is_not_shared(tmp_path: Path) -> None:
    images = place_images(tmp_path / "images", "a.jpg", "b.jpg")
    lines = (record("a.jpg", image_id="x"), record("a.jpg"), record("b.jpg", image_id="x"))
    dataset = write_dataset(tmp_path / "d.jsonl", *lines)

    assert surveyed(dataset, images).shared_ids == []


def test_patches_are_wanted_where_no_whole_file_is(tmp_path: Path) -> None:
    names = ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg")
    images = place_images(tmp_path / "images", *names)
    files = PatchFiles(tmp_path / "patches", DINO_16)
    files.begin(anew=False)
    files.write("a", patches_for(files, (1216, 832)))
    files.write("b", patches_for(files, (1024, 1024)))
    hostile = record("d.jpg", image_id="../d")
    unknown = record("e.jpg", aspect_bucket=..., height=...)
    lines = (record("a.jpg"), record("b.jpg"), record("c.jpg"), hostile, unknown)
    dataset = write_dataset(tmp_path / "d.jsonl", *lines)

    survey = surveyed(dataset, images, "patches", files=files)
    wanted = {entry.path for entry in survey.all_entries() if entry.files}
    assert wanted == {"b.jpg", "c.jpg", "e.jpg"}
    assert survey.unusable_ids == [4]
    assert "a.jpg" not in lacking(survey)
    again = surveyed(dataset, images, "patches", files=files, anew=["patches"])
    assert {entry.path for entry in again.all_entries() if entry.files} == wanted | {"a.jpg"}


def test_new_images_are_in_the_order_of_the_walk(tmp_path: Path) -> None:
    images = place_images(
        tmp_path / "images", *(f"{number % 7}/{number}.jpg" for number in range(60))
    )
    survey = surveyed(tmp_path / "absent.jsonl", images)

    assert [entry.path for entry in survey.new] == walk_photos(images).paths


@pytest.mark.parametrize("value", [b"[NaN]", b"Infinity", b'"\\ud83d"'])
def test_an_image_of_a_line_that_only_others_can_read_gets_no_second_record(
    tmp_path: Path, value: bytes
) -> None:
    images = place_images(tmp_path / "images", "a.jpg", "b.jpg")
    dataset = write_dataset(tmp_path / "d.jsonl", b'{"image_path":"a.jpg","x":%b}' % value)
    survey = surveyed(dataset, images)

    assert [entry.path for entry in survey.new] == ["b.jpg"]
    assert survey.malformed == ([1] if value != b'"\\ud83d"' else survey.malformed)


def test_an_input_directory_with_two_paths_holds_each_image_once(tmp_path: Path) -> None:
    images = place_images(tmp_path / "images", "a.jpg")
    link = tmp_path / "link"
    link.symlink_to(images)
    dataset = write_dataset(tmp_path / "d.jsonl", {"image_path": str(images / "a.jpg")})

    assert surveyed(dataset, link).new == []
