"""What `pcc synth generate` did."""

from __future__ import annotations

import msgspec

from pipeline.synth.findings import Validation


class SynthReport(msgspec.Struct, kw_only=True, tag_field="kind", tag="synth-generate"):
    """What `pcc synth generate` did, as `--json` prints it.

    Attributes:
        ending: `done`, `stopped`, or `declined` where the question was answered with no.
        directory: Directory of the set, None if there is none.
        num_images: Number of images asked for.
        seed: Seed of the images.
        counts: Number of images of each split.
        total_bytes: Size of the images in bytes.
        seconds: Wall-clock time of making the set in seconds.
        rate: Images a second.
        validation: What the check of the new set found, None where it was not checked.
    """

    ending: str
    directory: str | None
    num_images: int
    seed: int
    counts: dict[str, int]
    total_bytes: int
    seconds: float = 0.0
    rate: float = 0.0
    validation: Validation | None = None
