"""Captioning one photo with one backend, before money is spent on a run."""

from __future__ import annotations

from pathlib import Path

import msgspec

from backends.base import Captioner
from journal import CaptionRecord
from pipeline.captions.stage import CaptionStage
from pipeline.jobs.stage import Decoded
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.photo import Photo


class Trial(msgspec.Struct, kw_only=True, tag_field="kind", tag="try"):
    """The result of a trial, as `pcc try --json` prints it.

    Attributes:
        rel_path: Relative path of the photo.
        raw_path: Base64 of the path's bytes, if they are not UTF-8.
        caption: The caption, None if the answer was not a caption.
        error: Why there is no caption.
        seconds: Time that the backend took.
        tokens_in: Tokens of picture and prompt.
        tokens_out: Tokens of the answer.
        cost_usd: Price of the call in US dollars.
    """

    rel_path: str
    raw_path: str | None = None
    caption: str | None
    error: str | None = None
    seconds: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None


async def caption_one(captioner: Captioner, photos_dir: Path, path: str) -> Trial:
    """Caption one photo; nothing is written.

    Args:
        captioner: The backend, which is not open yet.
        photos_dir: The photos directory.
        path: The relative path of the photo, as the system spells the path.

    Raises:
        SetupError: the backend cannot be opened.
        CallError: the call of the backend failed.
        CorruptImageError: the photo cannot be decoded.
        DecoderUnavailable: no decoding process starts.
    """
    stage = CaptionStage(captioner, run="trial", prompt="")
    async with DecoderPool(photos_dir, captioner.picture, processes=1) as decoders:
        loaded = await decoders.decode(path)
    try:
        await stage.open()
        [outcome] = await stage.process([Decoded(Photo.at(path), loaded)])
    finally:
        await stage.close()
    if isinstance(outcome, Exception):
        raise outcome
    return trial_of(outcome)


def trial_of(record: CaptionRecord) -> Trial:
    """Return the part of a record that is about the caption, without the maker."""
    return Trial(
        rel_path=record.rel_path,
        raw_path=record.raw_path,
        caption=record.caption,
        error=record.error,
        seconds=record.seconds,
        tokens_in=record.tokens_in,
        tokens_out=record.tokens_out,
        cost_usd=record.cost_usd,
    )
