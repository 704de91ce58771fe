"""From the bytes of an image file to an upright RGB picture; no other code opens image files."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import cast

from blake3 import blake3
from PIL import Image, ImageCms, UnidentifiedImageError

from backends.base import Encoding, Facts, Picture, PictureSpec, encode_picture
from pipeline.photos.errors import CorruptImageError, StorageError, is_storage_error
from pipeline.photos.exporting import cut_metadata, encode_export
from pipeline.photos.facts import ORIENTATION, UPRIGHT_FORMATS, read_facts
from pipeline.photos.geometry import Size, centred_box, cover, fit_within
from pipeline.photos.phash import perceptual_hash
from pipeline.photos.photo import LoadedPhoto

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""Formats that are opened, beside HEIF and JXL; photo libraries need no others."""

MOST_FILE_BYTES = 1 << 30

MOST_PIXELS = 128_000_000
MOST_JPEG_PIXELS = 256_000_000
"""Limit for a JPEG, checked in the header before decoding. Phones make JPEGs of up to 200
megapixels, and only a JPEG is scaled down while the decoder reads it."""

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JXL_STARTS = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")

Image.MAX_IMAGE_PIXELS = None  # our own limits stand above


def load_photo(path: str | Path, spec: PictureSpec) -> LoadedPhoto:
    """Read, hash and decode an image file.

    The result is upright (EXIF orientation applied), in sRGB, alpha flattened on
    white, the first frame of several, and scaled down to `spec.max_edge`, or
    cropped as `spec.crop` says. An `export` is the picture in full size. Neither an
    `export` nor a `file` has a perceptual hash.

    Raises:
        CorruptImageError: the file cannot be opened or decoded.
    """
    name = os.fspath(path)
    with _naming_the_cause(name):
        return _load(_read(name), os.path.basename(name), spec)


def read_size(path: str | Path) -> Size:
    """Return width and height in pixels, upright, from the header of an image file.

    Raises:
        CorruptImageError: the file cannot be opened.
    """
    name = os.fspath(path)
    with _naming_the_cause(name), open(_descriptor(name), "rb") as file:
        start = file.read(64)
        file.seek(0)
        with Image.open(file, formats=_formats_for(start)) as image:
            width, height = image.size
            return (height, width) if _turn_of(image) in _QUARTER_TURNS else (width, height)


@contextmanager
def _naming_the_cause(path: str) -> Iterator[None]:
    """Turn every error with a file into a CorruptImageError, or that of storage into its own."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        # Hostile files raise OSError, ValueError, EOFError, SyntaxError, struct.error and others.
        kind = StorageError if is_storage_error(error, path) else CorruptImageError
        raise kind(path, f"{type(error).__name__}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "no image, or one of an unknown format"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, MemoryError):
        return "decoding needs more memory than a decoder may take"
    return str(error) or "no reason given"


def _descriptor(path: str) -> int:
    """Open a regular file; a FIFO or device is refused at once instead of waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise ValueError("not a regular file")


def _read(path: str) -> bytes:
    with open(_descriptor(path), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_FILE_BYTES:
            raise ValueError(f"{size:,} bytes, at most {MOST_FILE_BYTES:,} are read")
        data = file.read(size)  # a file that grows meanwhile is read as it was
    if not data:
        raise ValueError("the file is empty")
    return data


def _load(data: bytes, name: str, spec: PictureSpec) -> LoadedPhoto:
    with Image.open(BytesIO(data), formats=_formats_for(data)) as image:
        _refuse_bomb(image)
        facts = read_facts(image, name)
        digest = f"blake3:{blake3(data).hexdigest()}"
        if spec.encoding == "export":
            return LoadedPhoto(_export(image, data), facts, digest, phash="")
        if spec.encoding == "file":
            _check(image)
            return LoadedPhoto(_file(data, facts), facts, digest, phash="")
        if spec.crop is None:
            upright = _decode(image, fit_within(image.size, spec.max_edge))
        else:
            upright = _crop(image, spec.crop, spec.resize or spec.crop)
    return LoadedPhoto(
        picture=encode_picture(upright, spec.encoding),
        facts=facts,
        digest=digest,
        phash=perceptual_hash(upright),
    )


def _export(image: Image.Image, data: bytes) -> Picture:
    """Return the image as a file that holds only pixels and looks the same in every reader.

    Simple readers ignore orientation, profile and transparency. So the coded pixels are
    kept if the file is upright, in sRGB and opaque; otherwise the image is encoded again.
    """
    stands = _turn_of(image) is None and _foreign_profile(image.info.get("icc_profile")) is None
    cut = cut_metadata(data, image.format or "") if stands else None
    if cut is not None and _is_plain(cut):
        encoding: Encoding = "png" if image.format == "PNG" else "jpeg"
        return Picture(image.width, image.height, encoding, cut)
    if image.width * image.height > MOST_PIXELS:
        raise ValueError(f"more than {MOST_PIXELS / 1e6:.0f} megapixels to be coded anew")
    return encode_export(_decode(image, image.size))


def _is_plain(data: bytes) -> bool:
    """Tell whether a JPEG or PNG decodes to its end, into opaque grey or RGB of 8 bits."""
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as image:
            if image.mode not in ("1", "L", "LA", "P", "PA", "RGB", "RGBA"):
                return False
            _check(image)
            return _is_opaque(image)
    except Exception:
        return False  # decoding the whole file later reports what is wrong


def _check(image: Image.Image) -> None:
    """Decode an image to the end, a JPEG at the scale at which decoding is fastest."""
    image.draft("L", (1, 1))
    image.load()


def _is_opaque(image: Image.Image) -> bool:
    if image.mode == "P" and "transparency" not in image.info:
        return True
    if image.mode not in ("P", "PA", "LA", "RGBA"):
        return True
    return image.convert("RGBA").getchannel("A").getextrema()[0] == 255


def _file(data: bytes, facts: Facts) -> Picture:
    return Picture(facts.width, facts.height, "file", data)


def _formats_for(data: bytes) -> tuple[str, ...]:
    """Return the formats to try; registers a decoder that Pillow lacks if the file needs one."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS and b"avif" not in data[12:64]:
        import pillow_heif

        pillow_heif.register_heif_opener()
        return ("HEIF",)
    if data.startswith(_JXL_STARTS):
        try:
            import pillow_jxl  # noqa: F401
        except ImportError:
            raise ValueError("JPEG XL needs its plug-in: pip install pillow-jxl-plugin") from None
        return ("JXL",)
    return FORMATS


def _refuse_bomb(image: Image.Image) -> None:
    most = MOST_JPEG_PIXELS if image.format in ("JPEG", "MPO") else MOST_PIXELS
    pixels = image.width * image.height
    if pixels > most:
        raise ValueError(f"{pixels / 1e6:.0f} megapixels, at most {most / 1e6:.0f} are decoded")


def _decode(image: Image.Image, size: Size) -> Image.Image:
    """Return the image as upright RGB, scaled to a size as the file stores it, before any turn."""
    image.draft("RGB", size)
    return _develop(
        image, lambda stored: stored.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    )


def _crop(image: Image.Image, box: Size, size: Size) -> Image.Image:
    """Return the middle of the image: scaled to cover a box, cut to it, then scaled to a size.

    Only the part that is kept is scaled, because scaling an extremely thin image as a
    whole would fill the memory.
    """
    turn = _turn_of(image)
    turned = turn in _QUARTER_TURNS
    covering = cover(image.size[::-1] if turned else image.size, box)
    left, top, right, bottom = centred_box(covering, box)
    margins = (left, top, covering[0] - right, covering[1] - bottom)
    stored_margins = [margins[side] for side in _SIDES[turn]]
    stored_cover, stored_box = (covering[::-1], box[::-1]) if turned else (covering, box)
    image.draft("RGB", stored_cover)

    def cut(stored: Image.Image) -> Image.Image:
        across, down = stored.width / stored_cover[0], stored.height / stored_cover[1]
        kept = (
            stored_margins[0] * across,
            stored_margins[1] * down,
            stored.width - stored_margins[2] * across,
            stored.height - stored_margins[3] * down,
        )
        return stored.resize(stored_box, Image.Resampling.LANCZOS, box=kept, reducing_gap=3.0)

    upright = _develop(image, cut)
    return upright if size == box else upright.resize(size, Image.Resampling.BICUBIC)


def _develop(image: Image.Image, scale: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Return the image as upright RGB in sRGB; the image is scaled before it is turned."""
    turn = _turn_of(image)
    profile = image.info.get("icc_profile")
    rgb = _to_srgb(_flatten(scale(_to_eight_bits(image))), profile)
    return rgb if turn is None else rgb.transpose(turn)


def _turn_of(image: Image.Image) -> Image.Transpose | None:
    """Return the turn that makes the image upright, None if the image is upright already."""
    if image.format in UPRIGHT_FORMATS:
        return None
    if image.format == "PNG" and "exif" not in image.info:
        return None  # searching for EXIF data behind the pixels would decode all pixels
    return _TURNS.get(image.getexif().get(ORIENTATION, 1))


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation to the turn that makes the picture upright."""

_SIDES: dict[Image.Transpose | None, tuple[int, int, int, int]] = {
    None: (0, 1, 2, 3),
    Image.Transpose.FLIP_LEFT_RIGHT: (2, 1, 0, 3),
    Image.Transpose.ROTATE_180: (2, 3, 0, 1),
    Image.Transpose.FLIP_TOP_BOTTOM: (0, 3, 2, 1),
    Image.Transpose.TRANSPOSE: (1, 0, 3, 2),
    Image.Transpose.ROTATE_270: (1, 2, 3, 0),
    Image.Transpose.TRANSVERSE: (3, 2, 1, 0),
    Image.Transpose.ROTATE_90: (3, 0, 1, 2),
}
"""Which side of the upright picture each stored side becomes: 0 left, 1 top, 2 right, 3 bottom."""

_QUARTER_TURNS = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
)


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Return the image in a mode with 8 bits a channel that can be resized smoothly."""
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        image.load()
        return image
    if image.mode.startswith("I") or image.mode == "F":
        wide = image.convert("F")
        _, most = cast("tuple[float, float]", wide.getextrema())
        scale = 255 / max(most, 65535.0 if most > 255 else 255.0 if most > 1 else 1.0)
        return wide.point(lambda value: value * scale + 0).convert("L")
    if image.mode == "P":
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode in ("PA", "La", "RGBa"):
        return image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def _flatten(image: Image.Image) -> Image.Image:
    """Return the image with transparency filled in white; CMYK stays, for its colour profile."""
    if image.mode not in ("LA", "RGBA"):
        return image
    colours = image.convert("RGBA")
    white = Image.new("RGBA", colours.size, "white")
    return Image.alpha_composite(white, colours).convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the image as RGB in the sRGB colour space; a broken profile is ignored."""
    source = _foreign_profile(profile) if image.mode in ("RGB", "L", "CMYK") else None
    if source is not None:
        try:
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            return converted or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return image.convert("RGB")


def _foreign_profile(profile: bytes | None) -> ImageCms.ImageCmsProfile | None:
    """Return a colour profile to convert from, None if the profile is absent, broken or sRGB."""
    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        return None if "sRGB" in ImageCms.getProfileDescription(source) else source
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
