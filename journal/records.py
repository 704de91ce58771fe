"""The records that journals hold, one a line, and the key they are known by."""

from __future__ import annotations

import base64
import os
import unicodedata
from datetime import UTC, datetime
from typing import Literal, Protocol, TypeVar

import msgspec

from journal.file_kinds import journal_kind

Figure = TypeVar("Figure", int, float)

Status = Literal["success", "error_corrupt", "error_api", "error_model"]

RETRYABLE: tuple[Status, ...] = ("error_api", "error_model")
"""Statuses for which another attempt may help; a broken file stays broken."""


class CaptionRecord(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """The outcome of one attempt to caption one photo.

    The first three fields are the contract with other programs and are always
    written; the other fields are left out when empty.

    Attributes:
        rel_path: POSIX path below the photos directory, in Unicode NFC.
        caption: The caption, or None when there is none.
        status: How the attempt ended.
        raw_path: Base64 of the path's bytes, only where they are not UTF-8.
        backend: Name of the backend.
        model: Id of the model, as given to the backend.
        prompt: Short hash of the prompt, whose text stands in `prompts.json`.
        run: Id of the run that made the record.
        at: When the record was made, in UTC, as RFC 3339 has it.
        seconds: Seconds from the hand-over to the backend until its answer.
        cost_usd: Price of the call in US dollars.
        tokens_in: Tokens of picture and prompt.
        tokens_out: Tokens of the answer.
        error: `Type: message`, at most 500 characters.
        digest: Content hash of the file with its algorithm, `blake3:<64 hex>`.
        copied_from: `rel_path` of the identical file whose caption this is.
        taken: Capture time as the file tells it, ISO 8601; no time zone is invented.
        phash: 64-bit perceptual hash, 16 hexadecimal digits.
    """

    rel_path: str
    caption: str | None
    status: Status
    raw_path: str | None = None
    backend: str | None = None
    model: str | None = None
    prompt: str | None = None
    run: str | None = None
    at: str | None = None
    seconds: float | None = None
    cost_usd: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    error: str | None = None
    digest: str | None = None
    copied_from: str | None = None
    taken: str | None = None
    phash: str | None = None


MOST_BELIEVED = 1e9
"""Tokens, seconds or US dollars; no attempt takes as many."""


class Keyed(Protocol):
    """A record that an index can hold, since it says which photo it is about."""

    @property
    def rel_path(self) -> str:
        """POSIX path relative to the photos directory."""

    @property
    def raw_path(self) -> str | None:
        """Base64 of the path's bytes where they are not UTF-8."""


class RecordHead(msgspec.Struct, gc=False):
    """What a resume scan needs of a record: its key and its status."""

    rel_path: str
    status: Status
    raw_path: str | None = None


class EditRecord(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """A caption written by hand; a null caption takes the edit back."""

    rel_path: str
    caption: str | None
    at: str
    raw_path: str | None = None


def believed(figure: Figure | None) -> Figure | None:
    """Return a figure of a record, None for one that no attempt can have: negative, or enormous.

    Other programs write journals too. Sums over what is believed stay finite, and no record
    lowers what a run has spent.
    """
    return figure if figure is not None and 0 <= figure <= MOST_BELIEVED else None


CAPTIONS = journal_kind("a captions journal", RecordHead)
EDITS = journal_kind("a journal of edits", EditRecord)


def record_key(rel_path: str, raw_path: str | None = None) -> str:
    """Return the key under which every journal knows a photo.

    Args:
        rel_path: POSIX path relative to the photos directory.
        raw_path: Base64 of the path's bytes where they are not UTF-8.

    Returns:
        `rel_path` in NFC, or for a raw path a string no real path can equal.
    """
    if raw_path is not None:
        return f"\0{raw_path}"
    return rel_path if rel_path.isascii() else unicodedata.normalize("NFC", rel_path)


def split_path(os_path: str) -> tuple[str, str | None]:
    """Turn a relative path as the system spells it into `rel_path` and `raw_path`.

    Args:
        os_path: Relative POSIX path, bytes that are not UTF-8 as surrogates
            (`os.fsdecode`).

    Returns:
        The readable path in NFC, and the base64 of the raw bytes or None.
    """
    if os_path.isascii():
        return os_path, None
    try:
        os_path.encode()
    except UnicodeEncodeError:
        raw = os_path.encode("utf-8", "surrogateescape")
        readable = unicodedata.normalize("NFC", raw.decode("utf-8", "replace"))
        return readable, base64.b64encode(raw).decode("ascii")
    return unicodedata.normalize("NFC", os_path), None


def system_path(rel_path: str, raw_path: str | None = None) -> str:
    """Return the path of a record as the system spells it: the other way of `split_path`.

    Args:
        rel_path: POSIX path relative to the photos directory.
        raw_path: Base64 of the path's bytes where they are not UTF-8.

    Raises:
        ValueError: `raw_path` is no base64.
    """
    if raw_path is None:
        return rel_path
    return os.fsdecode(base64.b64decode(raw_path, validate=True))


def utc_now() -> str:
    """Return this moment as records hold it: UTC, RFC 3339, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
