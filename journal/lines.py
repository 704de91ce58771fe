"""Bytes of one journal line: the seal that ends it, and what a crash leaves behind.

A sealed line is `{…,"crc":"xxxxxxxx"}`: the crc32 covers every byte before
`,"crc"`. JSON alone accepts about 60 % of single-bit flips as other valid JSON.
"""

from __future__ import annotations

import enum
import re
from zlib import crc32

import msgspec

BOM = b"\xef\xbb\xbf"

TORN_MARK = b" <torn>"
"""Ends a half line that a killed writer left; the next writer puts the mark there.

The mark tells an expected torn line from damage in the middle of the file.
"""

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises over bytes that are not what was asked for; each means damage."""

_SEAL = re.compile(rb',"crc":"([0-9a-f]{8})"\}\Z')
_SEAL_LENGTH = len(b',"crc":"00000000"}')
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Seal(enum.Enum):
    """What the crc of a line says."""

    INTACT = "intact"
    ABSENT = "no crc"
    BROKEN = "crc does not match"


def why_unreadable(error: Exception) -> str:
    """Return in people's words why bytes are not what was asked for, given what reading raised."""
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def seal(body: bytes) -> bytes:
    """Return the sealed line, newline included, of an encoded JSON object without a crc."""
    opened = body[:-1]
    return b'%b,"crc":"%08x"}\n' % (opened, crc32(opened))


def check_seal(line: bytes) -> Seal:
    """Compare a line, without its newline, with the crc it carries."""
    line = line.rstrip(b"\r")
    found = _SEAL.search(line, max(0, len(line) - _SEAL_LENGTH))
    if found is None:
        return Seal.ABSENT
    return Seal.INTACT if int(found[1], 16) == crc32(line[: found.start()]) else Seal.BROKEN


def reseal(line: bytes) -> bytes:
    """Seal a valid line anew; the bytes of every other field stay what they were."""
    fields = _FIELDS.decode(line)
    fields.pop("crc", None)
    return seal(msgspec.json.encode(fields))
