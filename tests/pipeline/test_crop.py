"""Pictures cropped to a bucket: the very pixels a plain computation gives."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from backends.base import PictureSpec
from pipeline.datasets.buckets import BUCKETS, bucket_of
from pipeline.datasets.patch_grid import input_size
from pipeline.photos.geometry import Size
from pipeline.photos.images import load_photo, read_size
from tests.support.drawn_pictures import ORIENTATION, STORED

NEAR = {"PNG": 1.0, "JPEG": 2.5}
"""Mean difference of two pictures, of 255, that resampling or coding may make."""

RED, GREEN, BLUE, MAGENTA = (230, 20, 20), (20, 200, 20), (20, 20, 230), (230, 20, 230)
GREY = (128, 128, 128)


def scene(size: Size) -> Image.Image:
    """Return a picture in which no place looks like another, with a marked corner.

    Its waves are some thirty pixels long: a shift of a few pixels shows.
    """
    width, height = size
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    waves = 0.5 + 0.25 * (np.sin(width * across / 5) + np.sin(height * down / 4))
    levels = np.stack([across, down, waves], axis=-1) * 220 + 15
    image = Image.fromarray(levels.round().astype(np.uint8), "RGB")
    image.paste(RED, (0, 0, max(1, width // 8), max(1, height // 8)))
    return image


def plainly(upright: Image.Image, bucket: Size, size: Size | None = None) -> Image.Image:
    """Return what the bucket shows of a picture, computed in floating point in one step."""
    scale = max(bucket[0] / upright.width, bucket[1] / upright.height)
    wide, high = round(upright.width * scale), round(upright.height * scale)
    covering = upright.convert("RGB").resize((wide, high), Image.Resampling.LANCZOS)
    left, top = (wide - bucket[0]) // 2, (high - bucket[1]) // 2
    cut = covering.crop((left, top, left + bucket[0], top + bucket[1]))
    return cut if size is None else cut.resize(size, Image.Resampling.BICUBIC)


def loaded(path: Path, bucket: Size, size: Size | None = None) -> Image.Image:
    picture = load_photo(path, PictureSpec(max(bucket), crop=bucket, resize=size)).picture
    assert (picture.width, picture.height) == (size or bucket)
    return picture.image()


def pixels(image: Image.Image) -> NDArray[np.float64]:
    return np.asarray(image.convert("RGB"), np.float64)


def assert_alike(one: Image.Image, other: Image.Image, near: float) -> None:
    assert one.size == other.size
    assert np.abs(pixels(one) - pixels(other)).mean() <= near


def save(path: Path, image: Image.Image, kind: str, **options: Any) -> Path:
    quality: dict[str, Any] = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    image.save(path, kind, **{**quality, **options})
    return path


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(1600, 1200), (1200, 1600), (1100, 1100), (1900, 800)])
def test_the_crop_is_the_middle_of_what_covers_the_bucket(
    tmp_path: Path, kind: str, size: Size
) -> None:
    upright = scene(size)
    path = save(tmp_path / "x", upright, kind)
    bucket = bucket_of(size)

    assert_alike(loaded(path, bucket), plainly(upright, bucket), NEAR[kind])


def test_a_jpeg_that_is_scaled_while_it_is_decoded_shows_the_same_middle(tmp_path: Path) -> None:
    upright = scene((2400, 1500))
    path = save(tmp_path / "x.jpg", upright, "JPEG")

    assert_alike(loaded(path, (352, 256)), plainly(upright, (352, 256)), NEAR["JPEG"])


@pytest.mark.parametrize("patch_size", [14, 16])
@pytest.mark.parametrize("bucket", BUCKETS)
def test_then_it_is_scaled_to_whole_patches(tmp_path: Path, bucket: Size, patch_size: int) -> None:
    upright = scene((bucket[0] + 300, bucket[1] + 40))
    path = save(tmp_path / "x.png", upright, "PNG", compress_level=1)
    size = input_size(bucket, patch_size)

    assert_alike(loaded(path, bucket, size), plainly(upright, bucket, size), NEAR["PNG"])


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_gives_the_same_crop(tmp_path: Path, kind: str, orientation: int) -> None:
    upright = scene((900, 500))
    stored = upright.transpose(STORED[orientation]) if orientation in STORED else upright
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    path = save(tmp_path / "x", stored, kind, exif=exif)
    bucket = (704, 512)

    assert read_size(path) == (900, 500)
    assert_alike(loaded(path, bucket), plainly(upright, bucket), NEAR[kind])
    assert_alike(loaded(path, bucket, (700, 518)), plainly(upright, bucket, (700, 518)), NEAR[kind])


def test_marks_inside_the_crop_are_seen_and_those_outside_are_not(tmp_path: Path) -> None:
    bucket = (1024, 1024)
    upright = Image.new("RGB", (1536, 1024), GREY)  # 256 pixels go on either side
    upright.paste(RED, (240, 0, 256, 1024))
    upright.paste(GREEN, (256, 0, 272, 1024))
    upright.paste(BLUE, (1264, 0, 1280, 1024))
    upright.paste(MAGENTA, (1280, 0, 1296, 1024))
    cut = loaded(save(tmp_path / "x.png", upright, "PNG"), bucket)

    row = pixels(cut)[512]
    assert np.abs(row[:16] - GREEN).max() <= 1
    assert np.abs(row[-16:] - BLUE).max() <= 1
    assert np.abs(row[16:-16] - GREY).max() <= 1


def test_a_picture_of_the_buckets_size_is_left_as_it_is(tmp_path: Path) -> None:
    upright = scene((1216, 832))
    path = save(tmp_path / "x.png", upright, "PNG")

    np.testing.assert_array_equal(pixels(loaded(path, (1216, 832))), pixels(upright))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(8, 8), (64, 48), (300, 500), (1000, 900)])
def test_small_pictures_are_scaled_up(tmp_path: Path, kind: str, size: Size) -> None:
    path = save(tmp_path / "x", scene(size), kind)
    with Image.open(path) as stored:
        upright = stored.convert("RGB")
    bucket = bucket_of(size)

    assert_alike(loaded(path, bucket), plainly(upright, bucket), 1.0)


@pytest.mark.parametrize("size", [(6000, 300), (300, 6000)])
def test_panoramas_show_their_middle(tmp_path: Path, size: Size) -> None:
    upright = scene(size)
    path = save(tmp_path / "x.png", upright, "PNG", compress_level=1)
    bucket = bucket_of(size)

    assert_alike(loaded(path, bucket), plainly(upright, bucket), NEAR["PNG"])


@pytest.mark.parametrize("size", [(1, 1), (1, 24), (24, 1), (2, 9)])
def test_pictures_of_a_pixels_width(tmp_path: Path, size: Size) -> None:
    colours = np.zeros((size[1], size[0], 3), np.uint8)
    colours[..., 0] = np.linspace(40, 220, size[0] * size[1]).reshape(size[1], size[0])
    upright = Image.fromarray(colours, "RGB")
    path = save(tmp_path / "x.png", upright, "PNG")
    bucket = bucket_of(size)

    assert_alike(loaded(path, bucket), plainly(upright, bucket), 1.0)


def test_a_thin_line_takes_no_more_memory_than_a_photo(tmp_path: Path) -> None:
    """A line of 1 x 300 covers a bucket only at 704 x 211,200, nearly all of which is cut off."""
    column = np.repeat(np.linspace(0, 255, 300).astype(np.uint8)[:, None, None], 3, axis=2)
    path = save(tmp_path / "x.png", Image.fromarray(column, "RGB"), "PNG")
    before = peak_memory()
    cut = loaded(path, (704, 1344))

    assert abs(pixels(cut).mean() - 127.5) < 3
    assert peak_memory() - before < 150 << 20


def peak_memory() -> int:
    """Return the most bytes this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white_in_the_crop(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (400, 200), (0, 0, 0, 0))
    image.paste((90, 90, 90, 255), (200, 0, 400, 200))
    options: dict[str, Any] = {}
    if mode == "P":
        image = image.convert("RGB").quantize(4)
        options["transparency"] = image.getpixel((0, 0))
    else:
        image = image.convert(mode)
    cut = pixels(loaded(save(tmp_path / "x.png", image, "PNG", **options), (704, 512)))

    assert np.abs(cut[:, :330] - 255).max() <= 1
    assert np.abs(cut[:, -330:] - 90).max() <= 1


def test_grey_and_sixteen_bits_are_cropped_alike(tmp_path: Path) -> None:
    upright = scene((800, 600)).convert("L")
    eight = save(tmp_path / "8.png", upright, "PNG")
    wide = Image.fromarray(np.asarray(upright).astype(np.uint16) * 257)
    sixteen = save(tmp_path / "16.png", wide, "PNG")

    assert_alike(loaded(eight, (704, 512)), plainly(upright, (704, 512)), 1.0)
    assert_alike(loaded(sixteen, (704, 512)), plainly(upright, (704, 512)), 1.0)


def test_facts_are_those_of_the_file_and_not_of_the_crop(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jpg", scene((900, 500)), "JPEG")
    spec = PictureSpec(1024, crop=(704, 512), resize=(700, 518))

    facts = load_photo(path, spec).facts
    assert (facts.width, facts.height) == (900, 500)
