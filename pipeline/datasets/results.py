"""What there is to put into records: from side journals, captions known before, and arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from backends.encoders.t5 import T5Tokenizer
from backends.keys import scrub
from journal import CaptionRecord, split_path
from pipeline.datasets.buckets import bucket_name, bucket_of
from pipeline.datasets.side_journals import FeatureJournal, SideJournal
from pipeline.datasets.side_records import SizeRecord
from pipeline.datasets.survey import Lacking
from pipeline.photos.geometry import Size

FIELD_ORDER = (
    "image_path",
    "raw_path",
    "dinov3_embedding",
    "caption",
    "t5_attention_mask",
    "height",
    "width",
    "aspect_bucket",
    "image_id",
)
"""Of a new record; the order of an old one stays."""

_encode = msgspec.json.Encoder().encode


class Results:
    """Knows for each record what it can be given.

    Args:
        sizes: Sizes that were read.
        features: Features that were made.
        captions: Captions that were made.
        known_captions: Captions from the captions journal, by key.
        tokenizer: Makes the masks, None where none are wanted.
    """

    def __init__(
        self,
        sizes: SideJournal[SizeRecord],
        features: FeatureJournal,
        captions: SideJournal[CaptionRecord],
        known_captions: Mapping[str, str],
        tokenizer: T5Tokenizer | None,
    ) -> None:
        self.sizes = sizes
        self.features = features
        self.captions = captions
        self.known_captions = known_captions
        self.tokenizer = tokenizer

    def refresh(self) -> None:
        """Take in what was made since."""
        for journal in (self.sizes, self.features, self.captions):
            journal.refresh()

    def size(self, entry: Lacking) -> Size | None:
        """Return width and height of an image, None where they are not known."""
        if entry.size is not None:
            return entry.size
        found = self.sizes.read(entry.key)
        if found is None or found.width is None or found.height is None:
            return None
        return found.width, found.height

    def bucket(self, entry: Lacking) -> Size | None:
        """Return the bucket of an image, None where it is not known."""
        if entry.bucket is not None:
            return entry.bucket
        size = self.size(entry)
        return None if size is None else bucket_of(size)

    def would_change(self, entry: Lacking) -> bool:
        """Tell whether there is anything to put into a record, without reading it."""
        key, lacking = entry.key, entry.lacking
        has_size = entry.size is not None or self.sizes.made(key)
        has_caption = key in self.known_captions or self.captions.made(key)
        return (
            entry.line == 0
            or ("image_id" in lacking)
            or (has_size and not lacking.isdisjoint({"height", "width", "aspect_bucket"}))
            or ("dinov3_embedding" in lacking and self.features.has_embedding(key))
            or ("caption" in lacking and has_caption)
            or (
                "t5_attention_mask" in lacking
                and self.tokenizer is not None
                and (has_caption if "caption" in lacking else entry.has_caption)
            )
        )

    def fields(self, entry: Lacking) -> dict[str, bytes]:
        """Return the JSON values to put into a record, by field; not yet its mask."""
        values: dict[str, object] = {}
        size = self.size(entry)
        if size is not None:
            bucket = bucket_name(bucket_of(size))
            values |= {"height": size[1], "width": size[0], "aspect_bucket": bucket}
        values["image_id"] = entry.image_id
        if "dinov3_embedding" in entry.lacking:
            values["dinov3_embedding"] = self.features.embedding(entry.key)
        if "caption" in entry.lacking:
            values["caption"] = self._caption(entry.key)
        return {
            name: _encode(value)
            for name, value in values.items()
            if name in entry.lacking and value is not None
        }

    def _caption(self, key: str) -> str | None:
        known = self.known_captions.get(key)
        if known is not None:
            return known
        made = self.captions.read(key)
        return None if made is None or made.caption is None else scrub(made.caption)

    def masks(self, captions: Sequence[str]) -> list[bytes]:
        """Return the JSON of the attention mask of each caption."""
        assert self.tokenizer is not None
        return [_encode(mask) for mask in self.tokenizer.masks(captions)]


def new_line(entry: Lacking, fields: Mapping[str, bytes]) -> bytes:
    """Return the line of a record that was not there before."""
    rel_path, raw_path = split_path(entry.path)
    values = {"image_path": _encode(rel_path), **fields}
    if raw_path is not None:
        values["raw_path"] = _encode(raw_path)
    members = (b'"%b":%b' % (name.encode(), values[name]) for name in FIELD_ORDER if name in values)
    return b"{" + b",".join(members) + b"}"
