"""PNG files by their chunks: what a decoder needs of one, and the metadata wherever that stands.

Pillow reads every chunk, and gives a picture up for a text that is long, or for a wrong checksum
in a chunk that nobody needs. Metadata behind the pixels it finds only after all pixels. So a
decoder gets the chunks that make the picture, and the metadata is read here. An ancillary chunk
with a wrong checksum is left out, as libpng leaves it out.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterator
from io import SEEK_SET, RawIOBase
from typing import BinaryIO, NamedTuple

PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_END = b"\0\0\0\0IEND\xaeB`\x82"

PIXELS, END = b"IDAT", b"IEND"
HEAD_BYTES = 8
"""Length and kind, in front of the content of a chunk."""
TELLING = frozenset({b"eXIf", b"iCCP", b"iTXt", b"tEXt", b"zTXt"})
"""Chunks that may tell which way up the picture is, when it was taken, or what its colours are."""

BESIDE_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS"})
"""Chunks beside those with the pixels that decide what is seen."""

MOST_BYTES = 16 << 20
"""Bytes of one piece of metadata that are read at most, and of all of a file that are unpacked."""

_RAW_PROFILES = (b"Raw profile type exif", b"Raw profile type APP1", b"Raw profile type xmp")
"""Keywords under which ImageMagick keeps EXIF and XMP data, in hexadecimal digits."""

EXIF_START = b"Exif\0\0"
XMP_START = b"http://ns.adobe.com/xap/1.0/\0"


class PngChunk(NamedTuple):
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


class Kept(RawIOBase):
    """Some ranges of a file, one behind the other, to be read as a file; nothing is copied.

    Args:
        file: The file.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._ranges: list[tuple[int, int]] = []
        self._starts: list[int] = []
        self._size = self._position = 0

    def keep(self, start: int, end: int) -> None:
        """Add a range, by the byte offsets of its start and its end."""
        if self._ranges and self._ranges[-1][1] == start:
            self._ranges[-1] = self._ranges[-1][0], end
        else:
            self._ranges.append((start, end))
            self._starts.append(self._size)
        self._size += end - start

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Change the position."""
        self._position = offset + (0, self._position, self._size)[whence]
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, none at the end."""
        left = self._size - self._position if size < 0 else size
        parts = []
        while left > 0 and self._position < self._size:
            place = bisect_right(self._starts, self._position) - 1
            start, end = self._ranges[place]
            start += self._position - self._starts[place]
            self._file.seek(start)
            part = self._file.read(min(left, end - start))
            if not part:  # the file was cut off
                break
            parts.append(part)
            self._position += len(part)
            left -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class Png(NamedTuple):
    """A PNG file, taken apart.

    Attributes:
        picture: A PNG file with nothing but the picture.
        exif: EXIF data as they stand in a JPEG; empty where there are none.
        xmp: An XMP packet; empty where there is none.
        profile: A colour profile; empty where there is none.
    """

    picture: Kept
    exif: bytes
    xmp: bytes
    profile: bytes


def take_apart(file: BinaryIO) -> Png:
    """Take a PNG file apart; no pixel is read for it.

    Args:
        file: The file, from which the picture reads later on.

    Raises:
        ValueError: a chunk is damaged without which there is no picture.
    """
    picture = Kept(file)
    picture.keep(0, len(PNG_START))
    found: dict[str, bytes] = {}
    unpacker = _Unpacker()
    for chunk in find_chunks(file):
        if chunk.kind in TELLING:
            for name, told in _metadata(chunk.kind, chunk.read(file) or b"", unpacker):
                found.setdefault(name, told)
        elif chunk.kind == PIXELS or (chunk.kind in BESIDE_PIXELS and chunk.read(file) is not None):
            picture.keep(chunk.start - HEAD_BYTES, chunk.end)
        elif chunk.kind in BESIDE_PIXELS and chunk.kind.isupper():
            raise ValueError(f"the chunk {chunk.kind.decode()} of this PNG is damaged")
    exif = found.get("eXIf") or found.get("exif") or b""
    exif = EXIF_START + exif if exif else b""
    return Png(picture, exif, found.get("xmp", b""), found.get("icc", b""))


def find_chunks(file: BinaryIO) -> Iterator[PngChunk]:
    """Yield the chunks of a PNG file, its end among them, or those before it is cut off."""
    position, kind = len(PNG_START), b""
    while kind != END:
        file.seek(position)
        head = file.read(HEAD_BYTES)
        if len(head) < HEAD_BYTES:
            return
        kind = head[4:]
        chunk = PngChunk(kind, position + HEAD_BYTES, int.from_bytes(head[:4]))
        yield chunk
        position = chunk.end


def _metadata(kind: bytes, data: bytes, unpacker: _Unpacker) -> Iterator[tuple[str, bytes]]:
    """Yield what a chunk tells, under the name by which it counts."""
    name, _, rest = data.partition(b"\0")
    if kind == b"eXIf":
        yield "eXIf", data.removeprefix(EXIF_START)
    elif kind == b"iCCP":
        yield "icc", unpacker.unpack(rest[1:])
    elif kind == b"iTXt" and name == b"XML:com.adobe.xmp":
        text = rest[2:].split(b"\0", 2)[-1]
        yield "xmp", unpacker.unpack(text) if rest[:1] == b"\1" else text
    elif kind == b"tEXt" and name in _RAW_PROFILES:
        yield _raw_profile(rest)
    elif kind == b"zTXt" and name in _RAW_PROFILES:
        yield _raw_profile(unpacker.unpack(rest[1:]))


def _raw_profile(text: bytes) -> tuple[str, bytes]:
    """Return what ImageMagick kept: a line with a name, one with a length, and the digits."""
    try:
        data = bytes.fromhex("".join(text.decode("ascii").split("\n")[3:]))
    except ValueError:
        return "exif", b""
    if data.startswith(EXIF_START) or data[:2] in (b"II", b"MM"):
        return "exif", data.removeprefix(EXIF_START)
    return "xmp", data.removeprefix(XMP_START)


class _Unpacker:
    """Unpacks the metadata of one file, of which all together may be no longer than one may be."""

    def __init__(self) -> None:
        self._left = MOST_BYTES

    def unpack(self, packed: bytes) -> bytes:
        """Return compressed data; none where they are damaged or too long."""
        unpacker = zlib.decompressobj()
        try:
            data = unpacker.decompress(packed, max(1, self._left))
        except zlib.error:
            return b""
        self._left -= len(data)
        return b"" if unpacker.unconsumed_tail else data
