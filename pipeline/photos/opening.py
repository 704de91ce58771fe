"""From the bytes of an image file to an opened image of Pillow, whatever Pillow lacks for it."""

from __future__ import annotations

from typing import BinaryIO, cast

from PIL import Image, UnidentifiedImageError

from pipeline.photos.png import PNG_START, take_apart
from pipeline.photos.tiff import TIFF_STARTS, know_all_greys, prepare_tiff

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""Formats that are opened, beside HEIF and JXL; photo libraries need no others."""

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JXL_STARTS = (b"\xff\x0a", b"\x00\x00\x00\x0cJXL ")


def open_image(file: BinaryIO) -> Image.Image:
    """Return an image that is opened and not yet decoded.

    Args:
        file: The file; the image reads from it until the image is decoded.

    Raises:
        Exception: of many types; the file is no image, or one that nobody can open.
    """
    start = file.read(64)
    file.seek(0)
    if start.startswith(PNG_START):
        return _open_png(file)
    if start.startswith(TIFF_STARTS):
        know_all_greys()
    image = _open(file, start, _formats_for(start))
    if image.format == "TIFF":
        prepare_tiff(image)
    return image


def _open(file: BinaryIO, start: bytes, formats: tuple[str, ...]) -> Image.Image:
    """Open a file with Pillow; where no reader takes the file, raise the cause."""
    try:
        return Image.open(file, formats=formats)
    except UnidentifiedImageError:
        file.seek(0)
        # Pillow asks one reader after the other, and keeps the cause of none.
        for name in formats:
            reader, accepts = Image.OPEN[name]
            if accepts is not None and accepts(start[:16]) is True:
                reader(file, "")
        raise


def _formats_for(start: bytes) -> tuple[str, ...]:
    """Return the formats to try; registers a decoder that Pillow lacks if the file needs one."""
    if start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS and b"avif" not in start[12:]:
        import pillow_heif

        pillow_heif.register_heif_opener()
        return ("HEIF",)
    if start.startswith(_JXL_STARTS):
        try:
            import pillow_jxl  # noqa: F401
        except ImportError:
            raise ValueError("JPEG XL needs its plug-in: pip install pillow-jxl-plugin") from None
        return ("JXL",)
    return FORMATS


def _open_png(file: BinaryIO) -> Image.Image:
    """Open a PNG whose metadata are read here, wherever they stand and however long they are."""
    png = take_apart(getattr(file, "raw", file))  # a buffer would be filled anew for each chunk
    image = _open(cast("BinaryIO", png.picture), PNG_START, ("PNG",))
    # Pillow searches a PNG without EXIF data to its end, and for that decodes all pixels.
    image.info["exif"] = png.exif
    if png.xmp:
        image.info["xmp"] = png.xmp
    if png.profile:
        image.info["icc_profile"] = png.profile
    return image
