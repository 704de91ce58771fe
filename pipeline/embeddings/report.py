"""What `pcc embed` did."""

from __future__ import annotations

import msgspec


class EmbedReport(msgspec.Struct, kw_only=True, tag_field="kind", tag="embed"):
    """What `pcc embed` did, as `--json` prints it.

    Attributes:
        embedder: What made the vectors.
        model: Its model.
        captions: Captions that have a vector now.
        pictures: Pictures that have one.
        embedded: Vectors made by this command.
        failed: Inputs without one.
        seconds: Wall-clock time in seconds.
    """

    embedder: str
    model: str
    captions: int = 0
    pictures: int = 0
    embedded: int = 0
    failed: int = 0
    seconds: float = 0.0
