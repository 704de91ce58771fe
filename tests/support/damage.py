"""Files with some bytes flipped and perhaps an end cut off, as a failing disk leaves them."""

from __future__ import annotations

from random import Random
from zlib import crc32

PNG = b"\x89PNG\r\n\x1a\n"


def damaged(data: bytes, rng: Random) -> bytes:
    """Return a file with one to thirty bytes flipped, and in one of four cases its end cut off.

    A PNG's checksums are put right again: with a wrong one no decoder looks further.
    """
    broken = bytearray(data)
    for _ in range(rng.choice((1, 1, 3, 30))):
        broken[rng.randrange(len(broken))] = rng.randrange(256)
    if data.startswith(PNG):
        _put_checksums_right(broken)
    return bytes(broken[: rng.randint(1, len(broken))] if rng.random() < 0.25 else broken)


def _put_checksums_right(png: bytearray) -> None:
    at = len(PNG)
    while at + 12 <= len(png):
        end = at + 8 + int.from_bytes(png[at : at + 4])
        png[end : end + 4] = crc32(png[at + 4 : end]).to_bytes(4)
        at = end + 4
