"""From the bytes of an image file to an upright RGB picture; no other code opens image files."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from blake3 import blake3
from PIL import Image, UnidentifiedImageError

from backends.base import Encoding, Facts, Picture, PictureSpec, encode_picture
from pipeline.photos.colour import flatten, foreign_profile, is_opaque, to_eight_bits, to_srgb
from pipeline.photos.errors import CorruptImageError, StorageError, is_storage_error
from pipeline.photos.exporting import cut_metadata, encode_export
from pipeline.photos.facts import read_facts
from pipeline.photos.geometry import Size, centred_box, cover, fit_within
from pipeline.photos.jpeg_end import with_its_end
from pipeline.photos.opening import open_image
from pipeline.photos.orientation import QUARTER_TURNS, SIDES, turn_of, upright_size
from pipeline.photos.phash import perceptual_hash
from pipeline.photos.photo import LoadedPhoto

MOST_FILE_BYTES = 1 << 30

MOST_PIXELS = 128_000_000
MOST_JPEG_PIXELS = 256_000_000
"""Limit for a JPEG, checked in the header before decoding. Phones make JPEGs of up to 200
megapixels, and only a JPEG is scaled down while the decoder reads it."""

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
    with (
        _naming_the_cause(name),
        open(_descriptor(name), "rb") as file,
        open_image(file) as image,
    ):
        return upright_size(image)


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
    digest = f"blake3:{blake3(data).hexdigest()}"
    try:
        facts, picture, phash = _take(data, name, spec)
    except OSError:
        ended = with_its_end(data)
        if ended is None:
            raise
        facts, picture, phash = _take(ended, name, spec)
    return LoadedPhoto(picture, facts, digest, phash)


def _take(data: bytes, name: str, spec: PictureSpec) -> tuple[Facts, Picture, str]:
    """Return what a file tells, the picture that is wanted, and its perceptual hash."""
    with open_image(BytesIO(data)) as image:
        _refuse_bomb(image)
        facts = read_facts(image, name)
        if spec.encoding == "export":
            return facts, _export(image, data), ""
        if spec.encoding == "file":
            _check(image)
            return facts, _file(data, facts), ""
        if spec.crop is None:
            upright = _decode(image, fit_within(image.size, spec.max_edge))
        else:
            upright = _crop(image, spec.crop, spec.resize or spec.crop)
    return facts, encode_picture(upright, spec.encoding), perceptual_hash(upright)


def _export(image: Image.Image, data: bytes) -> Picture:
    """Return the image as a file that holds only pixels and looks the same in every reader.

    Simple readers ignore orientation, profile and transparency. So the coded pixels are
    kept if the file is upright, in sRGB and opaque; otherwise the image is encoded again.
    """
    stands = turn_of(image) is None and foreign_profile(image.info.get("icc_profile")) is None
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
            return is_opaque(image)
    except Exception:
        return False  # decoding the whole file later reports what is wrong


def _check(image: Image.Image) -> None:
    """Decode an image to the end, a JPEG at the scale at which decoding is fastest."""
    image.draft("L", (1, 1))
    image.load()


def _file(data: bytes, facts: Facts) -> Picture:
    return Picture(facts.width, facts.height, "file", data)


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
    turn = turn_of(image)
    turned = turn in QUARTER_TURNS
    covering = cover(image.size[::-1] if turned else image.size, box)
    left, top, right, bottom = centred_box(covering, box)
    margins = (left, top, covering[0] - right, covering[1] - bottom)
    stored_margins = [margins[side] for side in SIDES[turn]]
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
    turn = turn_of(image)
    profile = image.info.get("icc_profile")
    rgb = to_srgb(flatten(scale(to_eight_bits(image))), profile)
    return rgb if turn is None else rgb.transpose(turn)
