"""Chunks: events, each small enough for one look; and when a photo was taken."""

from __future__ import annotations

import os
from calendar import timegm
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from pipeline.clusters.chunk_file import chosen_chunk_size, chunks_of, chunks_path, write_chunks
from pipeline.clusters.chunks import CHUNK_SIZE, cut
from pipeline.clusters.moments import dated, moments
from pipeline.clusters.view import ClusterView
from tests.support.placed import clustering_of, library_photo

HOUR = 3600.0
DAY = 24 * HOUR


def chunks(times: list[float | None], size: int = CHUNK_SIZE) -> list[list[int]]:
    return cut(range(len(times)), lambda place: times[place], lambda place: f"{place:04d}", size)


def test_nothing_has_no_chunks() -> None:
    assert chunks([]) == []


def test_one_photo_is_one_chunk() -> None:
    assert chunks([5.0]) == [[0]]
    assert chunks([None]) == [[0]]


def test_two_outings_are_two_chunks() -> None:
    first = [60.0 * number for number in range(10)]
    second = [5 * DAY + 60.0 * number for number in range(10)]
    assert chunks([*first, *second]) == [[*range(10)], [*range(10, 20)]]


def test_a_short_pause_is_part_of_an_event() -> None:
    bursts = [20 * 60.0 * burst + number for burst in range(3) for number in range(8)]
    assert len(chunks([*bursts])) == 1


def test_photos_that_are_always_days_apart_are_one_event() -> None:
    assert len(chunks([3 * DAY * number for number in range(20)])) == 1


def test_photos_stand_in_the_order_they_were_taken() -> None:
    assert chunks([30.0, 10.0, 20.0, 10.0]) == [[1, 3, 2, 0]]  # of equal moments, by name


def test_undated_photos_stand_apart_by_name() -> None:
    assert chunks([5.0, None, 4.0, None]) == [[2, 0], [1, 3]]


@pytest.mark.parametrize(
    ("count", "size", "sizes"),
    [
        (50, 50, [50]),
        (51, 50, [26, 25]),
        (101, 50, [34, 33, 34]),
        (5, 1, [1] * 5),
        (7, 3, [2, 3, 2]),
    ],
)
def test_a_long_event_is_cut_into_parts_about_as_long(
    count: int, size: int, sizes: list[int]
) -> None:
    made = chunks([float(number) for number in range(count)], size)
    assert sorted(map(len, made)) == sorted(sizes)
    assert [place for chunk in made for place in chunk] == [*range(count)]


@pytest.mark.parametrize("seed", range(60))
def test_every_photo_is_in_exactly_one_chunk(seed: int) -> None:
    random = Random(seed)
    count, size = random.randrange(1, 300), random.choice([1, 2, 3, 7, 50])
    times: list[float | None] = [
        random.choice([None, random.uniform(0, 90), random.expovariate(1 / DAY), -1e9, 0.0])
        for _ in range(count)
    ]
    made = chunks(times, size)
    assert sorted(place for chunk in made for place in chunk) == [*range(count)]
    assert all(0 < len(chunk) <= size for chunk in made)
    timed = [times[place] for chunk in made for place in chunk if times[place] is not None]
    assert timed == sorted(timed, key=lambda time: time or 0)
    assert made == chunks(times, size)


# When a photo was taken


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("IMG_20190501_123456.jpg", "2019-05-01T12:34:56"),
        ("20190501-123456.heic", "2019-05-01T12:34:56"),
        ("2019-05-01 12.34.56.jpg", "2019-05-01T12:34:56"),
        ("PXL_20190501_123456789.jpg", "2019-05-01T12:34:56"),
        ("IMG-20190501-WA0012.jpg", "2019-05-01T00:00:00"),
        ("2019.05.01 beach.png", "2019-05-01T00:00:00"),
        ("trip/Screenshot_2019-05-01-12-34-56.png", "2019-05-01T12:34:56"),
        ("20240229.jpg", "2024-02-29T00:00:00"),
        ("20230229.jpg", None),
        ("20190631_120000.jpg", None),
        ("20191301.jpg", None),
        ("20190001.jpg", None),
        ("18991231.jpg", None),
        ("120190501.jpg", None),
        ("1556712896.jpg", None),
        ("IMG_2019.jpg", None),
        ("20190501/IMG_7.jpg", None),
        ("٢٠١٩٠٥٠١.jpg", None),
    ],
)
def test_dates_in_names(name: str, moment: str | None) -> None:
    assert dated(library_photo(name)) == moment


@pytest.mark.parametrize(
    ("taken", "moment"),
    [
        ("2020-02-03T04:05:06", "2020-02-03T04:05:06"),
        ("2020-02-03T04:05:06+05:30", "2020-02-03T04:05:06"),
        ("2020-02-30T04:05:06", "2019-05-01T00:00:00"),
        ("last summer", "2019-05-01T00:00:00"),
        ("", "2019-05-01T00:00:00"),
        (None, "2019-05-01T00:00:00"),
    ],
)
def test_the_file_is_asked_before_its_name(taken: str | None, moment: str) -> None:
    assert dated(library_photo("20190501.jpg", taken=taken)) == moment


def test_a_photo_without_a_date_is_as_old_as_its_file(tmp_path: Path) -> None:
    photos = [library_photo(name) for name in ("old.jpg", "20190501.jpg", "gone.jpg", "far.jpg")]
    for name, when in {"old.jpg": 86_400 * 365, "20190501.jpg": 7, "far.jpg": 2**50}.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (when, when))
    photos.append(library_photo("../outside.jpg"))

    moment = moments(photos, tmp_path)

    local = datetime.fromtimestamp(86_400 * 365).timetuple()
    assert moment(0) == float(timegm(local))
    assert moment(1) == datetime(2019, 5, 1).replace(tzinfo=None).timestamp() + zone_of(2019)
    assert moment(2) is None
    assert moment(3) is None or moment(3) != moment(0)  # some file systems keep no such date
    assert moment(4) is None
    assert moments(photos, None)(0) is None


def zone_of(year: int) -> float:
    """Return by how many seconds this machine's clock is ahead of UTC."""
    day = datetime(year, 5, 1)
    return timegm(day.timetuple()) - day.timestamp()


# The file


def test_chunks_on_disk_name_every_photo_once(workspace: Path) -> None:
    names = [f"201905{day:02d}_1200{second:02d}.jpg" for day in (1, 20) for second in range(8)]
    photos = [*map(library_photo, names), library_photo("z.jpg", None, status="error_api")]
    clustering = clustering_of({"aaaa": names[:12], "bbbb": names[12:]})
    view = ClusterView(photos, clustering, moment=moments(photos, None), chunk_size=3)

    assert write_chunks(workspace, view, 3) == len(list(chunks_of(view)))

    assert chosen_chunk_size(workspace) == 3
    made = list(chunks_of(view))
    assert sorted(path for chunk in made for path in chunk.photos) == sorted([*names, "z.jpg"])
    assert [chunk.chunk for chunk in made][:3] == ["aaaa-001", "aaaa-002", "aaaa-003"]
    assert made[-1].chunk == "no-caption-001"
    assert (made[-1].first, made[-1].last) == (None, None)
    assert made[0].first == "2019-05-01T12:00:00"
    for place, photo in enumerate(photos):
        (chunk,) = [chunk for chunk in made if photo.rel_path in chunk.photos]
        assert chunk.chunk == view.chunk_of(place)


@pytest.mark.parametrize("text", [None, b"", b"{}", b"\xff", b'{"chunk_size":"3","chunks":1}\n'])
def test_without_a_readable_file_the_size_is_the_default(
    workspace: Path, text: bytes | None
) -> None:
    if text is not None:
        chunks_path(workspace).write_bytes(text)
    assert chosen_chunk_size(workspace) == CHUNK_SIZE
