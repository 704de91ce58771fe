"""PNG files by their chunks: what a decoder needs of one, and the metadata wherever that stands.

Pillow reads every chunk, and gives a picture up for a text that is long, or for a wrong checksum
in a chunk that nobody needs. Metadata behind the pixels it finds only after all pixels. So a
decoder gets the chunks that make the picture, and the metadata is read here. An ancillary chunk
with a wrong checksum is left out, as libpng leaves it out.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from io import SEEK_END, BytesIO
from typing import BinaryIO, NamedTuple

PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_END = b"\0\0\0\0IEND\xaeB`\x82"

PIXELS, END = b"IDAT", b"IEND"
NO_PIXELS = b"\0\0\0\0IDAT\x35\xaf\x06\x1e"
BESIDE_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS"})
"""Chunks beside those with the pixels that decide what is seen."""

MOST_BYTES = 16 << 20
"""Bytes of one piece of metadata, packed or unpacked, that are read at most."""

PIECE = 1 << 20

_RAW_PROFILES = (b"Raw profile type exif", b"Raw profile type APP1", b"Raw profile type xmp")
"""Keywords under which ImageMagick keeps EXIF and XMP data, in hexadecimal digits."""

EXIF_START = b"Exif\0\0"
XMP_START = b"http://ns.adobe.com/xap/1.0/\0"


class Chunk(NamedTuple):
    """Where a chunk of a PNG file stands.

    Attributes:
        kind: Four letters; the first is a capital in a chunk that every decoder must know.
        start: Byte offset of the content; its length and its kind stand before it.
        length: Bytes of the content; a checksum of four bytes follows.
    """

    kind: bytes
    start: int
    length: int

    @property
    def end(self) -> int:
        """Byte offset behind the checksum."""
        return self.start + self.length + 4

    def read(self, file: BinaryIO) -> bytes | None:
        """Return the content; None if it is too long for metadata, or its checksum is wrong."""
        if self.length > MOST_BYTES:
            return None
        file.seek(self.start)
        data, checksum = file.read(self.length), file.read(4)
        is_right = zlib.crc32(data, zlib.crc32(self.kind)).to_bytes(4) == checksum
        return data if is_right else None


class Png(NamedTuple):
    """A PNG file, taken apart.

    Attributes:
        picture: A PNG file with nothing but the picture.
        exif: EXIF data as they stand in a JPEG; empty where there are none.
        xmp: An XMP packet; empty where there is none.
        profile: A colour profile; empty where there is none.
    """

    picture: BytesIO
    exif: bytes
    xmp: bytes
    profile: bytes


def take_apart(file: BinaryIO, *, pixels: bool = True) -> Png:
    """Take a PNG file apart.

    Args:
        file: The file.
        pixels: Whether to read the pixels; without them, the picture tells its size alone.

    Raises:
        ValueError: a chunk is damaged without which there is no picture.
    """
    picture = BytesIO(PNG_START)
    picture.seek(0, SEEK_END)
    found: dict[str, bytes] = {}
    for chunk in find_chunks(file):
        if chunk.kind == PIXELS:
            if pixels:
                _copy(file, chunk, picture)
            else:
                picture.write(NO_PIXELS)
            continue
        data = chunk.read(file)
        if data is None:
            if chunk.kind in BESIDE_PIXELS and chunk.kind.isupper():
                raise ValueError(f"the chunk {chunk.kind.decode()} of this PNG is damaged")
        elif chunk.kind in BESIDE_PIXELS:
            _copy(file, chunk, picture)
        else:
            for name, told in _metadata(chunk.kind, data):
                found.setdefault(name, told)
    picture.seek(0)
    exif = found.get("eXIf") or found.get("exif") or b""
    return Png(
        picture, EXIF_START + exif if exif else b"", found.get("xmp", b""), found.get("icc", b"")
    )


def find_chunks(file: BinaryIO) -> Iterator[Chunk]:
    """Yield the chunks of a PNG file, its end among them, or those before it is cut off."""
    position, kind = len(PNG_START), b""
    while kind != END:
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            return
        kind = head[4:]
        chunk = Chunk(kind, position + 8, int.from_bytes(head[:4]))
        yield chunk
        position = chunk.end


def _copy(file: BinaryIO, chunk: Chunk, target: BytesIO) -> None:
    """Copy a whole chunk, or what there is of one."""
    file.seek(chunk.start - 8)
    left = chunk.length + 12
    while left and (piece := file.read(min(left, PIECE))):
        left -= target.write(piece)


def _metadata(kind: bytes, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what a chunk tells, under the name by which it counts."""
    name, _, rest = data.partition(b"\0")
    if kind == b"eXIf":
        yield "eXIf", data.removeprefix(EXIF_START)
    elif kind == b"iCCP":
        yield "icc", _unpacked(rest[1:])
    elif kind == b"iTXt" and name == b"XML:com.adobe.xmp":
        text = rest[2:].split(b"\0", 2)[-1]
        yield "xmp", _unpacked(text) if rest[:1] == b"\1" else text
    elif kind == b"tEXt" and name in _RAW_PROFILES:
        yield _raw_profile(rest)
    elif kind == b"zTXt" and name in _RAW_PROFILES:
        yield _raw_profile(_unpacked(rest[1:]))


def _raw_profile(text: bytes) -> tuple[str, bytes]:
    """Return what ImageMagick kept: a line with a name, one with a length, and the digits."""
    try:
        data = bytes.fromhex("".join(text.decode("ascii").split("\n")[3:]))
    except ValueError:
        return "exif", b""
    if data.startswith(EXIF_START) or data[:2] in (b"II", b"MM"):
        return "exif", data.removeprefix(EXIF_START)
    return "xmp", data.removeprefix(XMP_START)


def _unpacked(packed: bytes) -> bytes:
    """Return compressed data; none where they are damaged or too long."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, MOST_BYTES)
    except zlib.error:
        return b""
    return b"" if unpacker.unconsumed_tail else data
