"""What a check of a set found."""

from __future__ import annotations

import msgspec


class SplitFindings(msgspec.Struct, kw_only=True):
    """What was read of one split.

    Attributes:
        images: How many images were read.
        classes: Images of each label, 0 first.
    """

    images: int = 0
    classes: list[int]


class Validation(msgspec.Struct, kw_only=True, tag_field="kind", tag="synth-validate"):
    """What was found, as `--json` prints it.

    Attributes:
        directory: The set.
        valid: Whether there is no defect.
        defects: A sentence each.
        notes: What is worth knowing and no defect.
        version: Of the generator, None if unknown.
        seed: Of the set, None if unknown.
        num_images: Images that metadata promises.
        splits: What was read, by name.
        equal_pictures: Of `val_in_train`, `test_in_train`, `test_in_val`: how many pictures of
            the first are equal to one of the second. No defect: a point has only so many forms.
        report: The sheet, None if it could not be written.
        seconds: It took.
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
