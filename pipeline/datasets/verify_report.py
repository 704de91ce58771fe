"""What a check of a dataset found."""

from __future__ import annotations

import msgspec

MOST_EXAMPLES = 10


class BucketRow(msgspec.Struct, kw_only=True):
    """The patch files of one bucket.

    Attributes:
        records: Number of records in the bucket.
        shape: (patches, width) that a file must have, None where no model is known.
        whole: Number of files of that shape and of full length with nothing but finite numbers.
        missing: Number of records without a file.
        stale: Number of files of another shape.
        truncated: Number of files that are too short, or no array at all.
        nan: Number of files with a NaN or an infinity.
    """

    records: int = 0
    shape: tuple[int, int] | None = None
    whole: int = 0
    missing: int = 0
    stale: int = 0
    truncated: int = 0
    nan: int = 0


class VerifyReport(msgspec.Struct, kw_only=True, tag_field="kind", tag="dataset-verify"):
    """What a check found, as `--json` prints it.

    Attributes:
        ok: Whether nothing is missing, stale or damaged; False while that is not known.
        finished: Whether everything was checked.
        records: Number of images with a record.
        buckets: Patch files by bucket; `none` stands for records without a bucket.
        patches_checked: Whether there are patch files to check at all.
        lacking: Number of records without a field that others have, by field.
        not_made: Fields that no record has.
        damaged: Number of records whose value of a field is not of its kind, by field.
        embedding_widths: Number of records by the length of their embedding.
        stale_masks: Number of records whose mask is not that of their caption; None if the
            masks were not checked.
        missing_images: Number of records whose image is not there; None if the images were
            not looked for.
        malformed: Lines that hold no record.
        superseded: Lines whose image has another record further down.
        shared_ids: Ids that several records have.
        mixed_models: Whether some patch files are still of another model.
        patches_by: The model whose patch files they are to be, None where no file tells.
        patches_revision: Its revision, where one was named.
        discarded: Number of patch files that were moved away.
        orphans: Number of patch files that belong to no record.
        examples: Some paths or ids for each kind of defect.
    """

    ok: bool = False
    finished: bool = False
    records: int = 0
    buckets: dict[str, BucketRow] = {}
    patches_checked: bool = False
    lacking: dict[str, int] = {}
    not_made: list[str] = []
    damaged: dict[str, int] = {}
    embedding_widths: dict[int, int] = {}
    stale_masks: int | None = None
    missing_images: int | None = None
    malformed: list[int] = []
    superseded: list[int] = []
    shared_ids: list[str] = []
    mixed_models: bool = False
    patches_by: str | None = None
    patches_revision: str | None = None
    discarded: int = 0
    orphans: int = 0
    examples: dict[str, list[str]] = {}

    def has_defects(self) -> bool:
        """Tell whether anything is missing, stale or damaged."""
        rows = self.buckets.values() if self.patches_checked else ()
        return bool(
            self.lacking
            or self.damaged
            or len(self.embedding_widths) > 1
            or self.stale_masks
            or self.missing_images
            or self.malformed
            or self.mixed_models
            or self.shared_ids
            or any(row.missing or row.stale or row.truncated or row.nan for row in rows)
        )

    def add_example(self, kind: str, name: str) -> None:
        """Note the path of a record with some defect, unless there are enough."""
        examples = self.examples.setdefault(kind, [])
        if len(examples) < MOST_EXAMPLES:
            examples.append(name)
