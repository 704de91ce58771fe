"""The pass `t5`: the attention mask of the caption, computed while the dataset is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from backends.encoders.t5 import MAX_LENGTH, T5Tokenizer
from journal import UNREADABLE
from pipeline.datasets.draft import Draft
from pipeline.datasets.passes.base import Field, Pass
from pipeline.datasets.passes.caption import CAPTION, CaptionPass

if TYPE_CHECKING:
    from pipeline.datasets.records import Record
    from pipeline.datasets.results import Results

MASK = "t5_attention_mask"

Mask = Annotated[list[Literal[0, 1]], msgspec.Meta(min_length=MAX_LENGTH, max_length=MAX_LENGTH)]


class T5Pass(Pass):
    """Tokenizes the caption that a record has, or is about to get.

    A mask belongs to the caption that it was made from, so that a changed caption outdates
    it; `--redo t5` makes it anew.

    Attributes:
        tokenizer: The tokenizer; it is opened only if some caption is to be tokenized.
    """

    name = "t5"
    about = "attention mask of the caption"
    fields = (Field(MASK, Mask),)
    missing_if = "null"
    follows = ("caption",)
    reads = (CAPTION,)
    extra_for = "the T5 tokenizer"

    def __init__(self, results: Results) -> None:
        super().__init__(results)
        self.tokenizer = T5Tokenizer(results.request.t5_model)

    def has_work(self) -> bool:
        """Tell whether some caption is to be tokenized, be it one that is still to be made."""
        captions = self.results.chosen(CaptionPass)
        to_caption = [] if captions is None else captions.producer.to_do
        coming = {entry.key for entry in to_caption}
        return any(
            self.lacks_field(entry) and (entry.key in coming or self.can_fill(entry))
            for entry in self.results.entries
        )

    def prepare(self) -> None:
        """Load the tokenizer.

        Raises:
            SetupError: the tokenizer cannot be loaded.
        """
        if self.has_work():
            self.tokenizer.open()

    def fill(self, drafts: Sequence[Draft]) -> None:
        """Put masks into records, all captions tokenized at once; without a caption, no mask."""
        waiting = [
            (draft, caption)
            for draft in drafts
            if self.lacks_field(draft.entry) and (caption := draft.text(CAPTION)) is not None
        ]
        masks = self.tokenizer.masks([caption for _, caption in waiting])
        for (draft, _), mask in zip(waiting, masks, strict=True):
            draft.put({MASK: mask})


def recorded_mask(record: Record) -> list[int] | None:
    """Return the mask of a record, None where there is none or none that is sound."""
    try:
        mask: list[int] = msgspec.json.decode(record.raw(MASK) or b"null", type=Mask)
    except UNREADABLE:
        return None
    return mask
