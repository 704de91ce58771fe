"""Exported images: coded pixels as they were, and not a byte of metadata."""

from __future__ import annotations

import re
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from random import Random

import pillow_heif
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from backends.base import Picture
from pipeline.photos.errors import CorruptImageError
from pipeline.photos.exporting import AS_IT_IS, EXPORT, cut_metadata
from pipeline.photos.images import load_photo
from tests.support.damage import damaged
from tests.support.photos import noise_jpeg

pillow_heif.register_heif_opener()

CANARY = b"CANARY-51.4778N"
GPS = {1: "N", 2: (51.0, 28.0, 40.0), 3: "W", 4: (0.0, 0.0, 5.0)}
ORIENTATION, ARTIST, GPS_IFD = 0x0112, 0x013B, 0x8825


def picture_of(size: tuple[int, int] = (96, 64), seed: int = 1) -> Image.Image:
    return Image.open(BytesIO(noise_jpeg(seed, size))).convert("RGB")


def exif(orientation: int = 1) -> Image.Exif:
    """Return EXIF that says who and where."""
    made = Image.Exif()
    made[ORIENTATION], made[ARTIST] = orientation, CANARY.decode()
    made[GPS_IFD] = GPS
    return made


def export(data: bytes, folder: Path, name: str = "a.jpg") -> Picture:
    (folder / name).write_bytes(data)
    return load_photo(folder / name, EXPORT).picture


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(data: bytes) -> bytes:
    with Image.open(BytesIO(data)) as image:
        return image.tobytes()


def segments(data: bytes) -> list[int]:
    """Return the markers of a JPEG before its first scan."""
    found, position = [], 2
    while data[position + 1] != 0xDA:
        found.append(data[position + 1])
        position += 2 + int.from_bytes(data[position + 2 : position + 4])
    return found


JPEGS: list[dict[str, object]] = [{}, {"progressive": True}, {"restart_marker_rows": 1}]


@pytest.mark.parametrize("options", JPEGS)
def test_a_jpeg_keeps_its_coded_pixels_and_nothing_else(
    tmp_path: Path, options: dict[str, object]
) -> None:
    plain = saved(picture_of(), "JPEG", **options)
    full = saved(
        picture_of(), "JPEG", exif=exif(), comment=CANARY, xmp=b"<x>" + CANARY + b"</x>", **options
    )
    iptc = b"\xff\xed" + (len(CANARY) + 16).to_bytes(2) + b"Photoshop 3.0\0" + CANARY
    full = full[:2] + iptc + full[2:] + b"video" + CANARY
    made = export(full, tmp_path)

    assert full.count(CANARY) == 5
    assert CANARY not in made.data
    assert b"Exif" not in made.data
    assert made.data == plain
    assert (made.width, made.height, made.encoding) == (96, 64, "jpeg")


def test_thumbnails_in_jfif_go(tmp_path: Path) -> None:
    plain = saved(picture_of(), "JPEG")
    thumbnail = bytes(3 * 4 * 4)
    jfif = b"\xff\xe0" + (16 + len(thumbnail)).to_bytes(2) + plain[6:18] + b"\4\4" + thumbnail
    extension = b"\xff\xe0" + (8 + len(CANARY)).to_bytes(2) + b"JFXX\0\x10" + CANARY
    made = export(plain[:2] + jfif + extension + plain[20:], tmp_path)

    assert made.data == plain


def test_fill_bytes_and_several_tables_are_no_trouble(tmp_path: Path) -> None:
    plain = saved(picture_of(), "JPEG", progressive=True)
    comment = b"\xff\xff\xff\xfe" + (2 + len(CANARY)).to_bytes(2) + CANARY
    scan = plain.index(b"\xff\xda", plain.index(b"\xff\xda") + 2)

    assert export(plain[:scan] + comment + plain[scan:], tmp_path).data == plain


def test_only_the_first_of_several_pictures_goes_along(tmp_path: Path) -> None:
    several = saved(
        picture_of(), "MPO", save_all=True, append_images=[picture_of(seed=2)], exif=exif()
    )
    made = export(several, tmp_path)

    assert len(made.data) < len(several) * 0.6
    assert pixels(made.data) == pixels(several)
    assert 0xE2 not in segments(made.data)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_photo_is_turned(tmp_path: Path, orientation: int) -> None:
    data = saved(picture_of(), "JPEG", exif=exif(orientation), quality=95)
    made = export(data, tmp_path)
    upright = load_photo(tmp_path / "a.jpg", AS_IT_IS).facts

    assert (made.width, made.height) == (upright.width, upright.height)
    assert CANARY not in made.data
    with Image.open(BytesIO(made.data)) as image:
        assert image.size == (made.width, made.height)
        assert ORIENTATION not in image.getexif()


def test_a_png_keeps_its_coded_pixels_and_nothing_else(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", CANARY.decode())
    texts.add_text("Long", CANARY.decode() * 99, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", CANARY.decode())
    full = saved(picture_of(), "PNG", pnginfo=texts, exif=exif(), dpi=(72, 72)) + CANARY
    made = export(full, tmp_path, "a.png")

    assert made.encoding == "png"
    assert pixels(made.data) == picture_of().tobytes()
    assert made.data == saved(picture_of(), "PNG", dpi=(72, 72))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA"])
def test_opaque_pngs_of_any_mode_stay(tmp_path: Path, mode: str) -> None:
    data = saved(picture_of().convert(mode), "PNG")

    assert export(data, tmp_path, "a.png").data == data


def test_what_is_transparent_stands_on_white(tmp_path: Path) -> None:
    clear = saved(Image.new("RGBA", (32, 32), (0, 0, 0, 0)), "PNG")
    made = export(clear, tmp_path, "a.png")

    assert made.encoding == "jpeg"
    assert set(pixels(made.data)) == {255}


def test_sixteen_bit_grey_becomes_what_everyone_reads(tmp_path: Path) -> None:
    made = export(saved(Image.new("I;16", (32, 32), 32768), "PNG"), tmp_path, "a.png")

    assert made.encoding == "jpeg"
    assert set(pixels(made.data)) <= {127, 128}


def test_colours_are_right_without_a_profile(tmp_path: Path) -> None:
    """A profile with red and blue changed over, so that wrong colours cannot be missed."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    profile = profile.replace("sRGB".encode("utf-16-be"), "othr".encode("utf-16-be"))
    profile = profile.replace(b"sRGB", b"othr")
    made = export(
        saved(Image.new("RGB", (32, 32), (250, 10, 10)), "JPEG", icc_profile=bytes(profile)),
        tmp_path,
    )

    assert b"ICC_PROFILE" not in made.data
    with Image.open(BytesIO(made.data)) as image:
        red_now, _, blue_now = image.convert("RGB").getpixel((9, 9))  # type: ignore[misc]
    assert blue_now > 200 > 50 > red_now


def test_a_profile_of_srgb_goes_and_the_pixels_stay(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    full = saved(picture_of(), "JPEG", icc_profile=profile)

    assert export(full, tmp_path).data == saved(picture_of(), "JPEG")


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "GIF", "BMP", "AVIF", "HEIF"])
def test_other_formats_become_jpegs(tmp_path: Path, kind: str) -> None:
    made = export(saved(picture_of(), kind), tmp_path, "a.bin")

    assert made.encoding == "jpeg"
    with Image.open(BytesIO(made.data)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (96, 64))
        assert image.layer[0][1:3] == image.layer[1][1:3] == (1, 1)  # type: ignore[attr-defined]


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    made = export(saved(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG"), tmp_path)

    with Image.open(BytesIO(made.data)) as image:
        assert image.mode == "RGB"


@pytest.mark.parametrize("spec", [EXPORT, AS_IT_IS], ids=["export", "file"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_file_is_broken(tmp_path: Path, kind: str, spec: object) -> None:
    data = saved(picture_of((400, 300)), kind, exif=exif())
    for share in (0.05, 0.3, 0.6, 0.95):
        (tmp_path / "a").write_bytes(data[: int(len(data) * share)])
        with pytest.raises(CorruptImageError):
            load_photo(tmp_path / "a", spec)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", JPEGS)
def test_a_jpeg_that_lacks_its_last_two_bytes_alone_is_given_them(
    tmp_path: Path, options: dict[str, object]
) -> None:
    data = saved(picture_of(), "JPEG", **options)

    assert export(data[:-2], tmp_path).data == export(data, tmp_path).data
    assert load_photo(tmp_path / "a.jpg", AS_IT_IS).picture.data == data
    (tmp_path / "a.jpg").write_bytes(data[:-1])
    assert load_photo(tmp_path / "a.jpg", AS_IT_IS).picture.data == data


@pytest.mark.parametrize("options", JPEGS)
def test_a_jpeg_that_lacks_a_pixel_is_broken(tmp_path: Path, options: dict[str, object]) -> None:
    data = saved(picture_of(), "JPEG", **options)
    whole_scans = [found.start() for found in re.finditer(rb"\xff[\xc4\xda]", data)]
    for end in (*range(len(data) - 40, len(data) - 2), *whole_scans):
        with pytest.raises(CorruptImageError):
            export(data[:end], tmp_path)


def test_a_file_may_stay_as_it_is(tmp_path: Path) -> None:
    data = saved(picture_of(), "WEBP", exif=exif(6)) + CANARY
    (tmp_path / "a.webp").write_bytes(data)
    loaded = load_photo(tmp_path / "a.webp", AS_IT_IS)

    assert loaded.picture.data == data
    assert loaded.picture.encoding == "file"
    assert (loaded.picture.width, loaded.picture.height) == (64, 96)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_damage_never_gets_past_the_cutter_as_anything_but_an_image(
    tmp_path: Path, kind: str
) -> None:
    """Whatever is flipped or left out: a file that decodes, or one error of ours."""
    rng, data, exported = Random(5), saved(picture_of((64, 48)), kind, exif=exif()), 0
    for _ in range(300):
        with suppress(CorruptImageError):
            made = export(damaged(data, rng), tmp_path, "a.bin")
            with Image.open(BytesIO(made.data)) as image:
                image.load()
            exported += 1
    assert 5 < exported < 295, "too little, or too much, gets past"


def test_hostile_structures_end(tmp_path: Path) -> None:
    for data in (
        b"\xff\xd8",
        b"\xff\xd8" + b"\xff" * 1000,
        b"\xff\xd8\xff\xe1\x00\x00",
        b"\xff\xd8\xff\xe1\x00\x01\xff\xd9",
        b"\xff\xd8\xff\xda\x00\x08abcdef",
        b"\xff\xd8\xff\xd8\xff\xd8",
    ):
        assert cut_metadata(data, "JPEG") is None
    for data in (b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR", b"", b"\x89PNG"):
        assert cut_metadata(data, "PNG") is None
