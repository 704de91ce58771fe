"""Writing results into a dataset: one rewrite, or none."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

import journal.reader
from journal import DiskFull, rewrite
from pipeline.datasets import merge as merging
from pipeline.datasets.draft import Draft
from pipeline.datasets.errors import DatasetChanged
from pipeline.datasets.merge import Merge, Merged
from pipeline.datasets.results import Results
from pipeline.jobs.pause_point import GivenUp, PausePoint
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


def merged(
    dataset: Path,
    images: Path,
    passes: str | None = None,
    *,
    pause_point: PausePoint | None = None,
    **options: Any,
) -> Merged:
    """Write what there is into a dataset."""
    anew = options.pop("anew", ())
    survey = surveyed(dataset, images, passes, anew=anew)
    results = results_for(dataset, passes, anew=anew, **options)
    return Merge(dataset, survey, results, pause_point or PausePoint()).run()


def state_of(path: Path) -> tuple[int, int, str]:
    """Return what would differ if a file had been written."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, blake3(path.read_bytes()).hexdigest()


def litter(dataset: Path) -> list[str]:
    """Return what lies beside a dataset that does not belong there."""
    usual = {dataset.name, dataset.name + ".enriching"}
    return [path.name for path in dataset.parent.iterdir() if path.name not in usual]


LACKING = record(width=..., height=...)
SIZE = size_of("a.jpg", (640, 480))


def test_results_come_into_their_records_and_nothing_else_changes(
    dataset: Path, images: Path
) -> None:
    place_images(images, "b.jpg")
    odd = b'{"image_path" : "./b.jpg", "x":1e-05,  "dinov3_embedding": [ ], "image_id":"b"}\r'
    write_dataset(dataset, LACKING, b"no record", b"", odd, record("gone.jpg", width=...))
    keep(dataset, SIZE, size_of("b.jpg", (3, 4)))
    keep(dataset, feature_of("b.jpg", [0.5, 1e-05]))
    keep(dataset, caption_of("b.jpg", "two cats"))
    before = dataset.read_bytes().splitlines(keepends=True)
    done = merged(dataset, images)

    lines = dataset.read_bytes().splitlines(keepends=True)
    assert lines[0] == before[0].replace(b"}", b',"height":480,"width":640}')
    assert lines[1:3] == before[1:3]
    assert lines[3] == (
        b'{"image_path" : "./b.jpg", "x":1e-05,  "dinov3_embedding": [0.5,0.00001],'
        b' "image_id":"b","height":4,"width":3,"aspect_bucket":"832x1216","caption":"two cats"}\r\n'
    ).replace(b"0.00001", lines[3].split(b"[0.5,")[1].split(b"]")[0])
    assert lines[4:] == before[4:]
    assert (done.new, done.enriched) == (0, {1, 4})
    assert litter(dataset) == []


def test_of_two_records_of_an_image_the_earlier_one_is_not_touched(
    dataset: Path, images: Path
) -> None:
    write_dataset(dataset, LACKING, record(width=..., caption="another"))
    keep(dataset, SIZE)
    before = dataset.read_bytes().splitlines()
    done = merged(dataset, images, "dimensions")

    assert dataset.read_bytes().splitlines() == [
        before[0],
        before[1].replace(b"}", b',"width":640}'),
    ]
    assert done.enriched == {2}


def test_new_images_are_appended_in_one_order_of_fields(dataset: Path, images: Path) -> None:
    place_images(images, "sub/é.jpg")
    write_dataset(dataset, record())
    keep(dataset, size_of("sub/é.jpg", (1024, 1024)))
    keep(dataset, feature_of("sub/é.jpg", [1.0]))
    done = merged(dataset, images, known={"sub/é.jpg": "a dog"})

    first, second = dataset.read_bytes().splitlines()
    assert json.loads(first) == record()
    assert second.decode() == (
        '{"image_path":"sub/é.jpg","dinov3_embedding":[1.0],"caption":"a dog","height":1024,'
        '"width":1024,"aspect_bucket":"1024x1024","image_id":"sub__é"}'
    )
    assert (done.new, done.enriched) == (1, set())


def test_a_name_that_is_not_utf8_gets_a_record_that_is_found_again(
    dataset: Path, images: Path
) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    place_images(images, name)
    write_dataset(dataset, record())
    keep(dataset, size_of(name, (5, 6)))
    merged(dataset, images, "migrate,dimensions")

    assert read_dataset(dataset)[1]["raw_path"] == "Y2Fm6S5qcGc="
    again = surveyed(dataset, images, "migrate,dimensions")
    assert (again.all_entries(), again.missing) == ([], [])


def test_a_second_merge_writes_no_byte(dataset: Path, images: Path) -> None:
    write_dataset(dataset, LACKING)
    keep(dataset, SIZE)
    merged(dataset, images, "dimensions")
    before = state_of(dataset)

    assert merged(dataset, images, "dimensions") == Merged(done=True)
    assert state_of(dataset) == before


def test_where_nothing_waits_nothing_is_written(dataset: Path, images: Path) -> None:
    write_dataset(dataset, LACKING, record("gone.jpg", caption=None))
    before = state_of(dataset)

    assert merged(dataset, images, "dimensions,caption") == Merged(done=True)
    assert state_of(dataset) == before
    assert litter(dataset) == []


def test_permissions_are_kept_and_a_new_dataset_is_private(dataset: Path, images: Path) -> None:
    write_dataset(dataset, LACKING).chmod(0o644)
    keep(dataset, SIZE)
    merged(dataset, images, "dimensions")
    assert dataset.stat().st_mode & 0o777 == 0o644

    dataset.unlink()
    merged(dataset, images, "dimensions")
    assert dataset.stat().st_mode & 0o777 == 0o600
    assert read_dataset(dataset) == [{"image_path": "a.jpg", "height": 480, "width": 640}]


@pytest.mark.parametrize("ending", [b"", b"\n", b"\n\n", b"\r\n"])
def test_the_end_of_the_file_stays_as_it_is(dataset: Path, images: Path, ending: bytes) -> None:
    dataset.write_bytes(json.dumps(LACKING).encode() + ending)
    keep(dataset, SIZE)
    merged(dataset, images, "dimensions")

    expected = json.dumps(LACKING)[:-1].encode() + b',"height":480,"width":640}' + ending
    assert dataset.read_bytes() == expected


RECORDED = b'{"image_path":"k.jpg","image_id":"k"}\n'


@pytest.mark.parametrize("last", [b'{"image_path": "z.jpg"}', b"no record", b"\xff\xfe", b" "])
def test_new_records_start_a_line_of_their_own(dataset: Path, images: Path, last: bytes) -> None:
    dataset.write_bytes(RECORDED + last)
    merged(dataset, images, "migrate")

    assert dataset.read_bytes() == (
        RECORDED + last.replace(b'"}', b'","image_id":"z"}') + b"\n"
        b'{"image_path":"a.jpg","image_id":"a"}\n'
    )


@pytest.fixture
def short_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take lines of more than 8 KiB for overlong."""
    monkeypatch.setattr(journal.reader, "CHUNK_BYTES", 4096)
    monkeypatch.setattr(journal.reader, "MAX_LINE_BYTES", 8192)
    monkeypatch.setattr(merging, "COPIED_AT_ONCE", 1000)


OVERLONG = b'{"image_path":"a.jpg","x":"' + b"\xff\0y" * 9000 + b'"}'


@pytest.mark.usefixtures("short_lines")
def test_overlong_lines_are_copied_byte_for_byte(dataset: Path, images: Path) -> None:
    write_dataset(dataset, OVERLONG, LACKING, OVERLONG, OVERLONG, b"no record")
    keep(dataset, SIZE)
    before = dataset.read_bytes()
    merged(dataset, images, "dimensions")

    expected = before.replace(b'"image_id": "a"}', b'"image_id": "a","height":480,"width":640}')
    assert dataset.read_bytes() == expected
    assert expected != before


@pytest.mark.usefixtures("short_lines")
@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_new_records_are_not_glued_to_an_overlong_line(
    dataset: Path, images: Path, ending: bytes
) -> None:
    dataset.write_bytes(RECORDED + OVERLONG + ending)
    merged(dataset, images, "migrate")

    new = b'{"image_path":"a.jpg","image_id":"a"}\n'
    assert dataset.read_bytes() == RECORDED + OVERLONG + b"\n" + new


def test_small_blocks_give_the_same_file(
    dataset: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number:03d}.jpg" for number in range(40)]
    place_images(images, *names)
    lines = [record(name, width=...) for name in names[:30]]
    keep(dataset, *(size_of(name, (number + 1, 9)) for number, name in enumerate(names)))
    write_dataset(dataset, *lines)
    merged(dataset, images, "dimensions")
    large = dataset.read_bytes()

    monkeypatch.setattr(merging, "BLOCK_BYTES", 500)
    monkeypatch.setattr(merging, "BLOCK_ENTRIES", 3)
    write_dataset(dataset, *lines)
    merged(dataset, images, "dimensions")
    assert dataset.read_bytes() == large


def test_an_error_in_the_middle_leaves_the_old_file(
    dataset: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place_images(images, "b.jpg")
    write_dataset(dataset, LACKING, record("b.jpg", width=...))
    keep(dataset, SIZE, size_of("b.jpg", (1, 2)))
    monkeypatch.setattr(merging, "BLOCK_BYTES", 1)
    before = state_of(dataset)
    asked: list[str] = []
    fill = Results.fill

    def fail_at_b(self: Results, drafts: Sequence[Draft]) -> None:
        paths = [draft.entry.path for draft in drafts]
        asked.extend(paths)
        if "b.jpg" in paths:
            raise RuntimeError("halfway")
        fill(self, drafts)

    monkeypatch.setattr(Results, "fill", fail_at_b)
    with pytest.raises(RuntimeError):
        merged(dataset, images, "dimensions")
    assert asked == ["a.jpg", "b.jpg"]
    assert state_of(dataset) == before
    assert litter(dataset) == []


def test_a_dataset_that_somebody_else_wrote_is_left_as_it_is(dataset: Path, images: Path) -> None:
    write_dataset(dataset, LACKING)
    keep(dataset, SIZE)
    survey = surveyed(dataset, images, "dimensions")
    write_dataset(dataset, LACKING, b"theirs")

    with pytest.raises(DatasetChanged, match=r"d\.jsonl"):
        Merge(dataset, survey, results_for(dataset, "migrate,dimensions"), PausePoint()).run()
    assert dataset.read_bytes().endswith(b"theirs\n")
    assert litter(dataset) == []


class Meddler(PausePoint):
    """Writes the dataset while it is copied."""

    def __init__(self, dataset: Path) -> None:
        super().__init__()
        self.dataset = dataset

    def go_through(self, done: int) -> None:
        if not self.dataset.read_bytes().endswith(b"theirs\n"):
            with self.dataset.open("ab") as file:
                file.write(b"theirs\n")


def test_what_is_written_meanwhile_is_not_lost(
    dataset: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(dataset, LACKING, b"more")
    keep(dataset, SIZE)
    monkeypatch.setattr(merging, "BLOCK_BYTES", 1)

    with pytest.raises(DatasetChanged):
        merged(dataset, images, "dimensions", pause_point=Meddler(dataset))
    assert dataset.read_bytes().endswith(b"more\ntheirs\n")
    assert litter(dataset) == []


def test_one_that_appears_meanwhile_is_not_replaced(dataset: Path, images: Path) -> None:
    survey = surveyed(dataset, images, "migrate")
    dataset.write_bytes(RECORDED)

    with pytest.raises(DatasetChanged):
        Merge(dataset, survey, results_for(dataset, "migrate,dimensions"), PausePoint()).run()
    assert dataset.read_bytes() == RECORDED


@pytest.mark.parametrize("lines", [(LACKING, LACKING), ()], ids=["old records", "new ones"])
def test_given_up_it_leaves_the_old_file(
    dataset: Path, images: Path, monkeypatch: pytest.MonkeyPatch, lines: tuple[Any, ...]
) -> None:
    write_dataset(dataset, *lines)
    keep(dataset, SIZE)
    monkeypatch.setattr(merging, "BLOCK_BYTES", 1)
    before = state_of(dataset)
    pause_point = PausePoint()
    pause_point.close()

    with pytest.raises(GivenUp):
        merged(dataset, images, "dimensions", pause_point=pause_point)
    assert state_of(dataset) == before
    assert litter(dataset) == []


def test_without_room_the_old_file_stays_and_the_need_is_told(
    dataset: Path, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(dataset, LACKING)
    keep(dataset, SIZE)
    before = state_of(dataset)
    monkeypatch.setattr(rewrite, "free_bytes", lambda directory: 10)

    with pytest.raises(DiskFull, match=r"needed [\d,]+ bytes and 10 are free"):
        merged(dataset, images, "dimensions")
    assert state_of(dataset) == before
