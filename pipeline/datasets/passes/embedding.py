"""The pass `embedding`: the pooled feature that DINO sees in the crop of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from journal import UNREADABLE
from pipeline.datasets.draft import Draft
from pipeline.datasets.features import FeatureProducer
from pipeline.datasets.passes.base import Field, Pass

if TYPE_CHECKING:
    from pipeline.datasets.gaps import Lacking
    from pipeline.datasets.records import Record

EMBEDDING = "dinov3_embedding"


class EmbeddingPass(Pass):
    """Takes the pooled feature from the journal of features."""

    name = "embedding"
    about = "the pooled feature of DINO"
    fields = (Field(EMBEDDING, list[float]),)
    missing_if = "empty"
    made_by = FeatureProducer
    follows = ("migrate",)
    extra_for = "running DINO"
    producer: FeatureProducer

    def has_result(self, entry: Lacking) -> bool:
        """Tell whether an embedding waits in the journal."""
        return self.producer.journal.has_embedding(entry.key)

    def values(self, draft: Draft) -> dict[str, Any]:
        """Return the embedding."""
        return {EMBEDDING: self.producer.journal.embedding(draft.entry.key)}


def embedding_width(record: Record) -> int:
    """Return how many numbers the embedding of a record has, 0 without a sound embedding."""
    if EmbeddingPass.missing_fields(record):
        return 0
    try:
        return len(msgspec.json.decode(record.raw(EMBEDDING), type=list[float]))
    except UNREADABLE:
        return 0
