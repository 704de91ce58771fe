"""What a check of a set found."""

from __future__ import annotations

import msgspec


class SplitFindings(msgspec.Struct, kw_only=True):
    """What was read of one split.

    Attributes:
        images: Number of images that were read.
        classes: Number of images of each label, label 0 first.
    """

    images: int = 0
    classes: list[int]


class Validation(msgspec.Struct, kw_only=True, tag_field="kind", tag="synth-validate"):
    """What was found, as `--json` prints it.

    Attributes:
        directory: Directory of the set.
        valid: Whether there is no defect.
        defects: What is wrong, a sentence each.
        notes: What is worth knowing and no defect, a sentence each.
        version: Version of the generator, None if unknown.
        seed: Seed of the set, None if unknown.
        num_images: Number of images that the metadata promises.
        splits: What was read of each split, by name.
        equal_pictures: For `val_in_train`, `test_in_train` and `test_in_val`, how many pictures
            of the first split are equal to one of the second. That is no defect: a point has
            only so many forms.
        report: Path of the sheet, None if the sheet could not be written.
        seconds: Wall-clock time in seconds.
    """

    directory: str
    valid: bool = False
    defects: list[str] = []
    notes: list[str] = []
    version: str | None = None
    seed: int | None = None
    num_images: int = 0
    splits: dict[str, SplitFindings] = {}
    equal_pictures: dict[str, int] = {}
    report: str | None = None
    seconds: float = 0.0
