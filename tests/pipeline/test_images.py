"""Bytes of any kind to an upright RGB picture, or one error of ours."""

from __future__ import annotations

import os
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

import pillow_heif
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from backends.base import PictureSpec
from pipeline.photos import images
from pipeline.photos.errors import CorruptImageError
from pipeline.photos.images import load_photo, read_size
from tests.support import drawn_pictures
from tests.support.damage import damaged
from tests.support.photos import noise_jpeg

pillow_heif.register_heif_opener()

RGB = PictureSpec(1024)
JPEG = PictureSpec(1024, "jpeg")
CANARY = "CANARY-51.4778N"

RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 180, 20), (20, 20, 220), (255, 255, 255)


def quarters(size: tuple[int, int] = (120, 80)) -> Image.Image:
    """Return red top left, green top right, blue bottom left, white bottom right."""
    image = Image.new("RGB", size)
    wide, high = size[0] // 2, size[1] // 2
    for left, top, colour in ((0, 0, RED), (wide, 0, GREEN), (0, high, BLUE), (wide, high, WHITE)):
        image.paste(colour, (left, top, left + wide, top + high))
    return image


def corners(image: Image.Image) -> list[str]:
    """Name the colours of the four corners, row by row."""
    named = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}

    def nearest(x: float, y: float) -> str:
        pixel = pixel_at(image, int(x * image.width), int(y * image.height))
        return min(named, key=lambda name: distance(pixel, named[name]))

    return [nearest(0.1, 0.1), nearest(0.9, 0.1), nearest(0.1, 0.9), nearest(0.9, 0.9)]


def pixel_at(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """Return one pixel of an RGB image."""
    pixel = image.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return tuple(map(int, pixel))


def distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Return the largest difference of two colours in any channel."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def save(path: Path, image: Image.Image, kind: str, **options: Any) -> Path:
    image.save(path, kind, **options)
    return path


STORED = {1: None, **drawn_pictures.STORED}
"""How a camera stores an upright scene under each EXIF orientation."""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", STORED)
def test_every_orientation_comes_out_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    turn = STORED[orientation]
    stored = quarters() if turn is None else quarters().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "x", stored, kind, exif=exif)
    loaded = load_photo(path, RGB)

    assert (loaded.picture.width, loaded.picture.height) == (120, 80)
    assert (loaded.facts.width, loaded.facts.height) == (120, 80)
    assert corners(loaded.picture.image()) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_heic_is_turned_once_not_twice(tmp_path: Path, orientation: int) -> None:
    turn = STORED[orientation]
    stored = quarters((256, 160)) if turn is None else quarters((256, 160)).transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "x.heic", stored, "HEIF", exif=exif.tobytes())
    loaded = load_photo(path, RGB)

    assert (loaded.picture.width, loaded.picture.height) == (256, 160)
    assert corners(loaded.picture.image()) == ["red", "green", "blue", "white"]


def test_large_pictures_shrink_and_small_ones_stay(tmp_path: Path) -> None:
    (tmp_path / "large.jpg").write_bytes(noise_jpeg(1, (3000, 2000)))
    (tmp_path / "small.jpg").write_bytes(noise_jpeg(1, (300, 200)))

    large, small = (load_photo(tmp_path / name, RGB) for name in ("large.jpg", "small.jpg"))
    assert (large.picture.width, large.picture.height) == (1024, 683)
    assert (large.facts.width, large.facts.height) == (3000, 2000)
    assert (small.picture.width, small.picture.height) == (300, 200)


def test_scaled_decoding_shows_the_same_picture(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jpg", quarters((4000, 3000)), "JPEG")
    picture = load_photo(path, PictureSpec(256)).picture

    assert corners(picture.image()) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize(
    ("mode", "fill", "expected"),
    [
        ("L", 100, (100, 100, 100)),
        ("1", 1, (255, 255, 255)),
        ("LA", (100, 255), (100, 100, 100)),
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (255, 0, 0, 255), (255, 0, 0)),
        ("RGBA", (0, 0, 0, 128), (127, 127, 127)),
        ("I;16", 40_000, (155, 155, 155)),
    ],
)
def test_modes_become_rgb(
    tmp_path: Path, mode: str, fill: object, expected: tuple[int, int, int]
) -> None:
    path = save(tmp_path / "x.png", Image.new(mode, (40, 30), fill), "PNG")  # type: ignore[arg-type]
    picture = load_photo(path, RGB).picture

    assert distance(pixel_at(picture.image(), 20, 15), expected) <= 1


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_palettes_with_transparency_are_flattened_on_white(tmp_path: Path, kind: str) -> None:
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, 250, 10, 10])
    image.paste(0, (0, 0, 10, 20))
    path = save(tmp_path / "x", image, kind, transparency=0)
    picture = load_photo(path, RGB).picture.image()

    assert picture.getpixel((2, 10)) == (255, 255, 255)
    assert picture.getpixel((17, 10)) == (250, 10, 10)


@pytest.mark.parametrize("mode", ["I", "F", "CMYK"])
def test_wide_and_print_modes_of_tiff(tmp_path: Path, mode: str) -> None:
    fill: Any = {"I": 32_768, "F": 0.5, "CMYK": (0, 255, 255, 0)}[mode]
    image = Image.new(mode, (40, 30), fill)
    if mode == "F":
        image.paste(1, (0, 0, 5, 5))
    picture = load_photo(save(tmp_path / "x.tif", image, "TIFF"), RGB).picture

    expected = (255, 0, 0) if mode == "CMYK" else (127, 127, 127)
    assert distance(pixel_at(picture.image(), 20, 15), expected) <= 2


def test_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, BLUE)]
    path = save(tmp_path / "x.gif", frames[0], "GIF", save_all=True, append_images=frames[1:])

    assert corners(load_photo(path, RGB).picture.image())[0] == "red"


def swapped_profile() -> bytes:
    """Return the sRGB profile with its red and blue primaries exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile).replace(b"s\0R\0G\0B", b"t\0e\0s\0t").replace(b"sRGB", b"test")


def test_colours_are_converted_to_srgb(tmp_path: Path) -> None:
    image = Image.new("RGB", (20, 20), (200, 100, 20))
    path = save(tmp_path / "x.png", image, "PNG", icc_profile=swapped_profile())
    picture = load_photo(path, RGB).picture

    assert distance(pixel_at(picture.image(), 9, 9), (20, 100, 200)) <= 3


def test_broken_profile_costs_nothing(tmp_path: Path) -> None:
    path = save(tmp_path / "x.jpg", quarters(), "JPEG", icc_profile=b"no profile at all" * 20)

    assert corners(load_photo(path, RGB).picture.image())[0] == "red"


def with_metadata(kind: str) -> bytes:
    """Return an image with a canary in every kind of metadata the format has."""
    exif = Image.Exif()
    exif[0x010E] = CANARY
    exif.get_ifd(0x8825).update({1: "N", 2: (51.0, 28.0, 40.0), 3: "W", 4: (0.0, 0.0, 5.0)})
    profile = CANARY.encode() * 9
    options: dict[str, Any] = {"exif": exif, "icc_profile": profile, "xmp": CANARY.encode()}
    if kind == "JPEG":
        options["comment"] = CANARY
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", CANARY)
        text.add_itxt("XML:com.adobe.xmp", CANARY)
        options = {"pnginfo": text, "exif": exif, "icc_profile": profile}
    buffer = BytesIO()
    quarters().save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_no_byte_of_metadata_is_left(tmp_path: Path, kind: str) -> None:
    data = with_metadata(kind)
    assert CANARY.encode() in data
    (tmp_path / "x").write_bytes(data)
    sent = load_photo(tmp_path / "x", JPEG).picture.data

    assert CANARY.encode() not in sent
    for marker in (b"\xff\xe1", b"\xff\xe2", b"\xff\xed", b"\xff\xfe", b"Exif", b"http"):
        assert marker not in sent[:1000].partition(b"\xff\xda")[0]
    with Image.open(BytesIO(sent)) as reread:
        assert not dict(reread.getexif())
        assert set(reread.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_digest_is_of_the_file_and_phash_of_the_picture(tmp_path: Path) -> None:
    data = noise_jpeg(3, (400, 300))
    (tmp_path / "a.jpg").write_bytes(data)
    (tmp_path / "b.jpg").write_bytes(data + b"!")
    Image.open(BytesIO(data)).resize((200, 150)).save(tmp_path / "c.png")
    (tmp_path / "d.jpg").write_bytes(noise_jpeg(4, (400, 300)))
    a, b, c, d = (load_photo(tmp_path / name, RGB) for name in ("a.jpg", "b.jpg", "c.png", "d.jpg"))

    def differing_bits(one: str, other: str) -> int:
        return (int(one, 16) ^ int(other, 16)).bit_count()

    assert a.digest.startswith("blake3:")
    assert a.digest != b.digest
    assert a.phash == b.phash
    assert len(a.phash) == 16
    assert differing_bits(a.phash, c.phash) <= 6
    assert differing_bits(a.phash, d.phash) >= 14


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG."""
    return len(data).to_bytes(4, "big") + kind + data + crc32(kind + data).to_bytes(4, "big")


def png_bomb(width: int, height: int) -> bytes:
    """Return a small PNG whose header promises a huge picture."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


BROKEN = {
    "zero bytes": b"",
    "text": b"this is no image",
    "a header only": noise_jpeg(1, (64, 48))[:200],
    "truncated": noise_jpeg(1, (640, 480))[:9000],
    "a bomb": png_bomb(40_000, 40_000),
    "a flat bomb": png_bomb(1 << 30, 1),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "a heic brand and nothing else": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    "a jxl start": b"\xff\x0a\x00\x00",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken_files_end_in_one_error_of_ours(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.jpg").write_bytes(data)

    with pytest.raises(CorruptImageError) as caught:
        load_photo(tmp_path / "x.jpg", RGB)
    assert caught.value.path == str(tmp_path / "x.jpg")
    assert ": " in caught.value.cause
    assert "0x" not in caught.value.cause


def test_bombs_are_refused_by_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.png").write_bytes(png_bomb(40_000, 40_000))
    monkeypatch.setattr(images, "_decode", lambda image, edge: pytest.fail("decoded"))

    with pytest.raises(CorruptImageError, match="1600 megapixels, at most 128"):
        load_photo(tmp_path / "x.png", RGB)


@pytest.mark.parametrize("kind", ["JPEG", "HEIF", "PNG", "WEBP", "TIFF"])
def test_a_damaged_file_is_loaded_or_refused_with_an_error_of_ours(
    tmp_path: Path, kind: str
) -> None:
    rng, path, loaded = Random(5), tmp_path / "x", 0
    data = with_metadata(kind)
    for _ in range(60):
        path.write_bytes(damaged(data, rng))
        with suppress(CorruptImageError):
            load_photo(path, RGB)
            loaded += 1
    assert 5 < loaded < 55, "too little, or too much, gets past"


def test_fifo_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.jpg")

    with pytest.raises(CorruptImageError, match="not a regular file"):
        load_photo(tmp_path / "x.jpg", RGB)


def test_vanished_file_and_folder_are_errors_of_ours(tmp_path: Path) -> None:
    with pytest.raises(CorruptImageError, match="No such file"):
        load_photo(tmp_path / "gone.jpg", RGB)
    with pytest.raises(CorruptImageError, match=r"IsADirectoryError|not a regular file"):
        load_photo(tmp_path, RGB)


def test_the_size_of_a_png_is_read_without_its_pixels(tmp_path: Path) -> None:
    path = tmp_path / "half.png"
    Image.effect_noise((400, 300), 80).save(path)
    path.write_bytes(path.read_bytes()[:5000])

    assert read_size(path) == (400, 300)
