"""What `pcc embed` did."""

from __future__ import annotations

import msgspec


class EmbedReport(msgspec.Struct, kw_only=True, tag_field="kind", tag="embed"):
    """The result of `pcc embed`, as `--json` prints it.

    Attributes:
        embedder: Name of the embedder that made the vectors.
        model: Model of the embedder.
        captions: Captions that have a vector.
        pictures: Pictures that have a vector.
        embedded: Vectors made by this command.
        failed: Captions and pictures for which no vector could be made.
        seconds: Wall-clock time in seconds.
    """

    embedder: str
    model: str
    captions: int = 0
    pictures: int = 0
    embedded: int = 0
    failed: int = 0
    seconds: float = 0.0
