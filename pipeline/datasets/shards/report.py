"""What `pcc dataset shards` did."""

from __future__ import annotations

import msgspec

from pipeline.datasets.shards.index import Format


class ShardReport(msgspec.Struct, kw_only=True, tag_field="kind", tag="dataset-shards"):
    """What `pcc dataset shards` did, as `--json` prints it.

    Attributes:
        ending: `done`, `stopped`, or `nothing to do`.
        run: Id of the run, None where there was nothing to do.
        directory: Directory of the shards.
        format: Format of the shards.
        urls: What to give to a reader: a pattern in braces for WebDataset, a glob for Parquet.
        complete: Whether all samples are in the shards.
        samples: Number of samples in all shards.
        shards: Number of shards.
        bytes: Size of all shards.
        made: Number of samples that this run added.
        skipped: Number of records that are no sample, by reason.
        without_patches: Number of samples without patches, by reason.
        named: Lines and images that this run passed over, the first thousand of each reason.
        warnings: Sentences about the images.
        seconds: Wall-clock time in seconds.
    """

    ending: str
    run: str | None = None
    directory: str
    format: Format
    urls: str | None
    complete: bool
    samples: int
    shards: int
    bytes: int
    made: int = 0
    skipped: dict[str, int] = {}
    without_patches: dict[str, int] = {}
    named: dict[str, list[str]] = {}
    warnings: list[str] = []
    seconds: float = 0.0
