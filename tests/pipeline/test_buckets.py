"""The seven buckets, and the patches that two patch sizes make of them."""

from __future__ import annotations

import pytest

from pipeline.datasets.buckets import (
    BUCKETS,
    bucket_name,
    bucket_of,
    parse_bucket,
)
from pipeline.datasets.patch_grid import grid, input_size, patch_count
from pipeline.photos.geometry import Size

AT_14 = [
    ("1024x1024", "1022x1022", "73x73", 5329),
    ("1216x832", "1218x826", "87x59", 5133),
    ("832x1216", "826x1218", "59x87", 5133),
    ("1280x768", "1274x770", "91x55", 5005),
    ("768x1280", "770x1274", "55x91", 5005),
    ("1344x704", "1344x700", "96x50", 4800),
    ("704x1344", "700x1344", "50x96", 4800),
]

AT_16 = [
    ("1024x1024", "1024x1024", "64x64", 4096),
    ("1216x832", "1216x832", "76x52", 3952),
    ("832x1216", "832x1216", "52x76", 3952),
    ("1280x768", "1280x768", "80x48", 3840),
    ("768x1280", "768x1280", "48x80", 3840),
    ("1344x704", "1344x704", "84x44", 3696),
    ("704x1344", "704x1344", "44x84", 3696),
]


def two(text: str) -> Size:
    """Return the numbers of `1x2`."""
    width, height = text.split("x")
    return int(width), int(height)


@pytest.mark.parametrize(
    ("patch_size", "bucket", "sides", "patches", "count"),
    [(14, *row) for row in AT_14] + [(16, *row) for row in AT_16],
)
def test_every_row_of_the_table(
    patch_size: int, bucket: str, sides: str, patches: str, count: int
) -> None:
    assert two(bucket) in BUCKETS
    assert input_size(two(bucket), patch_size) == two(sides)
    assert grid(two(bucket), patch_size) == two(patches)
    assert patch_count(two(bucket), patch_size) == count


def test_the_table_has_all_buckets() -> None:
    assert [two(row[0]) for row in AT_14] == [two(row[0]) for row in AT_16] == list(BUCKETS)


CLEAR = {
    (1, 1): "1024x1024",
    (4032, 3024): "1216x832",
    (1000, 1000): "1024x1024",
    (6000, 4000): "1216x832",
    (1600, 1000): "1280x768",
    (1920, 1080): "1280x768",
    (2000, 1000): "1344x704",
    (20_000, 500): "1344x704",
    (50_000, 1): "1344x704",
    (1100, 1000): "1024x1024",
}


@pytest.mark.parametrize(("size", "name"), CLEAR.items())
def test_the_bucket_of_a_size_and_of_the_same_on_its_side(size: Size, name: str) -> None:
    width, height = two(name)
    assert bucket_of(size) == (width, height)
    assert bucket_of(size[::-1]) == (height, width)


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_is_its_own_and_its_name_reads_back(bucket: Size) -> None:
    assert bucket_of(bucket) == bucket
    assert bucket_of((3 * bucket[0], 3 * bucket[1])) == bucket
    assert parse_bucket(bucket_name(bucket)) == bucket


def test_buckets_of_others_are_read_too() -> None:
    assert parse_bucket("640x1536") == (640, 1536)
    assert parse_bucket("2048x2048") == (2048, 2048)


@pytest.mark.parametrize("name", ["8192x8192", "63x640", "4096x1025"])
def test_what_is_far_too_large_or_too_thin_is_no_bucket(name: str) -> None:
    assert parse_bucket(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "1024",
        "1024x",
        "x1024",
        "0x1024",
        "-1x5",
        "1024X1024",
        "1024 x 1024",
        " 1024x1024",
        "1024x1024\n",
        "1024x1024x3",
        "01024x1024",
        "8193x1024",
        "9999x9999",
        "99999x10",
        "１０２４x1024",
        "1e3x1e3",
        "square",
    ],
)
def test_what_names_no_bucket(name: str) -> None:
    assert parse_bucket(name) is None
