"""Greys of every number format, and colour profiles by what they do."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from backends.base import PictureSpec
from pipeline.photos.errors import CorruptImageError
from pipeline.photos.images import load_photo

SPEC = PictureSpec(max_edge=1024)
WIDTH, HEIGHT = 128, 8
RAMP = np.tile(np.arange(WIDTH) / (WIDTH - 1), (HEIGHT, 1))

UNSIGNED, SIGNED, FLOAT = 1, 2, 3
WHITES = {
    "i1": (SIGNED, 2**7 - 1),
    "u2": (UNSIGNED, 2**16 - 1),
    "i2": (SIGNED, 2**15 - 1),
    "u4": (UNSIGNED, 2**32 - 1),
    "i4": (SIGNED, 2**31 - 1),
    "f4": (FLOAT, 1.0),
    "f8": (FLOAT, 1.0),
}


def tiff(numbers: NDArray[np.generic], kind: int, *, min_is_white: bool, packed: bool) -> bytes:
    """Return a grey TIFF of one strip."""
    order = "<" if numbers.dtype.byteorder in "=<" else ">"
    data = numbers.tobytes()
    data = zlib.compress(data) if packed else data
    height, width = numbers.shape
    tags = (
        *((256, width), (257, height), (258, numbers.itemsize * 8), (259, 8 if packed else 1)),
        *((262, 0 if min_is_white else 1), (273, 8 + 2 + 12 * 10 + 4), (277, 1), (278, height)),
        *((279, len(data)), (339, kind)),
    )
    entries = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in tags)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(tags))
    return head + entries + bytes(4) + data


def levels(path: Path) -> NDArray[np.uint8]:
    """Return the grey levels of a photo, a row of them, as it is loaded."""
    return np.asarray(load_photo(path, SPEC).picture.image())[HEIGHT // 2, :, 0]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("min_is_white", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", WHITES)
def test_a_grey_ramp_is_a_ramp_in_every_number_format(
    tmp_path: Path, name: str, order: str, min_is_white: bool, packed: bool
) -> None:
    kind, white = WHITES[name]
    ramp = 1 - RAMP if min_is_white else RAMP
    numbers = (ramp * white).astype(order + name)
    (tmp_path / "a.tif").write_bytes(tiff(numbers, kind, min_is_white=min_is_white, packed=packed))

    assert np.abs(levels(tmp_path / "a.tif") - RAMP[0] * 255).max() <= (3 if name == "i1" else 1)


@pytest.mark.parametrize(
    ("scale", "first"),
    [(1, 1.02), (1, np.nan), (1, np.inf), (1, -3), (1, 900), (255, 255.5), (65535, 65536)],
)
def test_a_few_floats_beyond_the_others_change_no_other_pixel(
    tmp_path: Path, scale: float, first: float
) -> None:
    numbers = (RAMP * scale).astype("<f4")
    numbers[0, 0] = first
    (tmp_path / "a.tif").write_bytes(tiff(numbers, FLOAT, min_is_white=False, packed=False))

    assert np.abs(levels(tmp_path / "a.tif") - RAMP[0] * 255).max() <= 1


@pytest.mark.parametrize(("name", "most"), [("u2", 255), ("u4", 255), ("u4", 65535)])
def test_numbers_kept_in_larger_ones_have_their_own_white(
    tmp_path: Path, name: str, most: int
) -> None:
    numbers = (RAMP * most).astype("<" + name)
    (tmp_path / "a.tif").write_bytes(tiff(numbers, UNSIGNED, min_is_white=False, packed=False))

    assert np.abs(levels(tmp_path / "a.tif") - RAMP[0] * 255).max() <= 1


def test_a_tiff_of_a_kind_that_nobody_decodes_says_so(tmp_path: Path) -> None:
    numbers = RAMP.astype("<f2")
    (tmp_path / "a.tif").write_bytes(tiff(numbers, FLOAT, min_is_white=False, packed=False))

    with pytest.raises(CorruptImageError, match="unknown pixel mode"):
        load_photo(tmp_path / "a.tif", SPEC)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_colour_that_stands_for_transparent_is_white(tmp_path: Path, mode: str) -> None:
    picture = Image.new(mode, (4, 4))
    key = 0 if mode == "L" else (0, 0, 0)
    picture.save(tmp_path / "a.png", transparency=key)

    assert set(load_photo(tmp_path / "a.png", SPEC).picture.data) == {255}


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


def profile(name: str, gamma: float, *, wide: bool = False, grey: bool = False) -> bytes:
    """Return a profile of three primaries, or of greys, and a gamma, under any name."""

    def number(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    srgb = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
    p3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
    text = name.encode() + b"\0"
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + len(text).to_bytes(4) + text + bytes(78 - len(text) % 4),
        b"wtpt": b"XYZ \0\0\0\0" + number(0.9642) + number(1) + number(0.8249),
    }
    for letter, primary in zip(b"rgb", p3 if wide else srgb, strict=True):
        tags[bytes((letter,)) + b"XYZ"] = b"XYZ \0\0\0\0" + b"".join(map(number, primary))
        tags[bytes((letter,)) + b"TRC"] = curve
    if grey:
        tags[b"kTRC"] = curve
    table, body = len(tags).to_bytes(4), b""
    for tag, data in tags.items():
        place = 128 + 4 + 12 * len(tags) + len(body)
        table += tag + struct.pack(">II", place, len(data))
        body += data + bytes(-len(data) % 4)
    size = 128 + len(table) + len(body)
    head = struct.pack(
        ">I4sI4s4s4s", size, b"lcms", 0x02100000, b"mntr", b"GRAY" if grey else b"RGB ", b"XYZ "
    )
    head += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += number(0.9642) + number(1) + number(0.8249)
    return head.ljust(128, b"\0") + table + body


@pytest.mark.parametrize("name", ["Linear sRGB", "sRGB-elle-V2-g10.icc", "anything"])
def test_linear_light_is_converted_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    grey = Image.new("RGB", (4, 4), (55, 55, 55))
    grey.save(tmp_path / "a.png", icc_profile=profile(name, 1.0))

    assert load_photo(tmp_path / "a.png", SPEC).picture.data[0] == pytest.approx(128, abs=2)


@pytest.mark.parametrize("kind", ["L", "LA", "key", "16 bits"])
def test_a_profile_of_greys_counts_whatever_says_what_is_transparent(
    tmp_path: Path, kind: str
) -> None:
    icc = profile("grey", 1.0, grey=True)
    grey = Image.new("L", (4, 4), 55)
    if kind == "16 bits":
        rows = (b"\0" + bytes((55, 55, 255, 255)) * 4) * 4
        png = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 4, 0, 0, 0))
        png += chunk(b"iCCP", b"grey\0\0" + zlib.compress(icc))
        png += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + png)
    elif kind == "key":
        grey.save(tmp_path / "a.png", icc_profile=icc, transparency=3)
    else:
        grey.convert(kind).save(tmp_path / "a.png", icc_profile=icc)

    assert load_photo(tmp_path / "a.png", SPEC).picture.data[0] == pytest.approx(128, abs=2)


def test_wide_colours_are_converted_whatever_they_are_called(tmp_path: Path) -> None:
    wide = Image.new("RGB", (4, 4), (200, 100, 80))
    wide.save(tmp_path / "a.png", icc_profile=profile("Wide sRGB", 2.2, wide=True))

    assert load_photo(tmp_path / "a.png", SPEC).picture.data[0] > 210


def test_srgb_under_another_name_leaves_every_pixel(tmp_path: Path) -> None:
    colours = Image.frombytes("RGB", (16, 16), np.arange(768, dtype=np.uint8).tobytes())
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    renamed = data.replace("sRGB".encode("utf-16-be"), "othr".encode("utf-16-be"))
    buffer = BytesIO()
    colours.save(buffer, "PNG", icc_profile=renamed)
    (tmp_path / "a.png").write_bytes(buffer.getvalue())

    assert data != renamed
    assert load_photo(tmp_path / "a.png", SPEC).picture.data == colours.tobytes()
