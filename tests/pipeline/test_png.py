"""PNGs: metadata wherever they stand, however long they are, and chunks that are damaged."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from backends.base import PictureSpec
from pipeline.photos.errors import CorruptImageError
from pipeline.photos.exporting import EXPORT
from pipeline.photos.images import load_photo, read_size
from tests.support.drawn_pictures import ORIENTATION, STORED

WIDTH, HEIGHT = 40, 60
WHOLE = PictureSpec(max_edge=1024)
CROP = PictureSpec(max_edge=30, crop=(20, 30))


def upright() -> Image.Image:
    """Return a picture that is red above and blue below."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), (20, 20, 220))
    picture.paste((220, 20, 20), (0, 0, WIDTH, HEIGHT // 2))
    return picture


def chunk(kind: bytes, data: bytes, damage: int = 0) -> bytes:
    checksum = zlib.crc32(kind + data) ^ damage
    return len(data).to_bytes(4) + kind + data + checksum.to_bytes(4)


def exif(orientation: int, made: str | None = None) -> bytes:
    told = Image.Exif()
    told[ORIENTATION] = orientation
    if made is not None:
        told[0x0132] = made
    return told.tobytes()


def raw_profile(data: bytes) -> bytes:
    """Return data as ImageMagick keeps them in a text."""
    digits = data.hex()
    rows = [digits[start : start + 72] for start in range(0, len(digits), 72)]
    return f"\nexif\n{len(data):8}\n".encode() + "\n".join(rows).encode() + b"\n"


def xmp(orientation: int) -> bytes:
    return b"<rdf:Description tiff:Orientation='%d'/>" % orientation


RAW = b"Raw profile type exif\0"
PACKET = b"XML:com.adobe.xmp\0"
TURNING = {
    "eXIf": chunk(b"eXIf", exif(6)[6:]),
    "eXIf with the letters of a JPEG": chunk(b"eXIf", exif(6)),
    "tEXt": chunk(b"tEXt", RAW + raw_profile(exif(6))),
    "zTXt": chunk(b"zTXt", RAW + b"\0" + zlib.compress(raw_profile(exif(6)))),
    "APP1": chunk(b"tEXt", RAW.replace(b"exif", b"APP1") + raw_profile(exif(6))),
    "XMP": chunk(b"iTXt", PACKET + b"\0\0\0\0" + xmp(6)),
    "packed XMP": chunk(b"iTXt", PACKET + b"\1\0\0\0" + zlib.compress(xmp(6))),
    "EXIF wins": chunk(b"iTXt", PACKET + b"\0\0\0\0" + xmp(3)) + chunk(b"eXIf", exif(6)[6:]),
}


def png(picture: Image.Image, inserted: bytes, before: bytes) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    data = buffer.getvalue()
    place = data.index(before) - 4
    return data[:place] + inserted + data[place:]


def red_above(picture: Image.Image) -> bool:
    top = picture.getpixel((picture.width // 2, picture.height // 4))
    low = picture.getpixel((picture.width // 2, picture.height * 3 // 4))
    assert isinstance(top, tuple)
    assert isinstance(low, tuple)
    return top[0] > 150 > top[2] and low[2] > 150 > low[0]


@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("name", TURNING)
def test_there_is_one_answer_to_which_way_up_a_png_is(
    tmp_path: Path, name: str, before: bytes
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(upright().transpose(STORED[6]), TURNING[name], before))

    whole, crop, export = (load_photo(path, spec) for spec in (WHOLE, CROP, EXPORT))

    assert read_size(path) == (whole.facts.width, whole.facts.height) == (WIDTH, HEIGHT)
    assert (whole.picture.width, whole.picture.height) == (WIDTH, HEIGHT)
    assert red_above(whole.picture.image())
    assert red_above(crop.picture.image())
    with Image.open(BytesIO(export.picture.data)) as made:
        assert made.size == (WIDTH, HEIGHT)
        assert red_above(made.convert("RGB"))


def test_what_stands_behind_the_pixels_or_in_a_raw_profile_tells_the_time_too(
    tmp_path: Path,
) -> None:
    told = exif(1, "2024:05:06 07:08:09")
    for inserted in (chunk(b"eXIf", told[6:]), chunk(b"tEXt", RAW + raw_profile(told))):
        (tmp_path / "a.png").write_bytes(png(upright(), inserted, b"IEND"))

        assert load_photo(tmp_path / "a.png", WHOLE).facts.taken == "2024-05-06T07:08:09"


LONG = b"{'nodes': [1, 2, 3]}" * 100_000
UNNEEDED = {
    "a long text": chunk(b"zTXt", b"workflow\0\0" + zlib.compress(LONG)),
    "a long international text": chunk(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(LONG)),
    "a long plain text": chunk(b"tEXt", b"workflow\0" + LONG),
    "a bomb of a text": chunk(b"zTXt", RAW + b"\0" + zlib.compress(bytes(64 << 20))),
    "a bomb of a profile": chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(64 << 20))),
    "a long profile that is none": chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2_000_000))),
    "a wrong checksum of a size": chunk(b"pHYs", bytes(9), damage=1),
    "a wrong checksum of a text": chunk(b"tEXt", b"Comment\0hello", damage=1),
    "a wrong checksum of EXIF data": chunk(b"eXIf", exif(6)[6:], damage=1),
    "too short a chunk": chunk(b"gAMA", b"\0"),
    "an animation out of order": chunk(b"acTL", b"\0\0\0\2\0\0\0\0") + chunk(b"fcTL", bytes(26)),
    "nothing that is known": chunk(b"prVt", LONG),
}


@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("name", UNNEEDED)
def test_a_chunk_that_is_not_needed_costs_no_photo(
    tmp_path: Path, name: str, before: bytes
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(upright(), UNNEEDED[name], before))

    assert load_photo(path, WHOLE).picture.data == upright().tobytes()
    assert read_size(path) == (WIDTH, HEIGHT)
    with Image.open(BytesIO(load_photo(path, EXPORT).picture.data)) as made:
        assert red_above(made.convert("RGB"))


def test_a_long_profile_counts(tmp_path: Path) -> None:
    """It has red and blue changed over, and stands behind two megabytes that mean nothing."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    profile += bytes(2_000_000)
    profile[:4] = len(profile).to_bytes(4)
    packed = chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(profile)))
    (tmp_path / "a.png").write_bytes(png(upright(), packed, b"IDAT"))

    assert not red_above(load_photo(tmp_path / "a.png", WHOLE).picture.image())


@pytest.mark.parametrize("kind", [b"IHDR", b"PLTE"])
def test_damage_that_matters_is_told_as_what_it_is(tmp_path: Path, kind: bytes) -> None:
    data = bytearray(png(upright().convert("P"), b"", b"IEND"))
    length = int.from_bytes(data[data.index(kind) - 4 : data.index(kind)])
    data[data.index(kind) + 4 + length] ^= 1
    (tmp_path / "a.png").write_bytes(data)

    with pytest.raises(CorruptImageError, match=f"chunk {kind.decode()} of this PNG is damaged"):
        load_photo(tmp_path / "a.png", WHOLE)
