"""The label of each photo: the text that reports show beside the photo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from journal import RETRYABLE
from pipeline.captions.library import LibraryPhoto


class PhotoTexts(msgspec.Struct):
    """The labels of the photos of a library.

    Attributes:
        texts: Label of each photo, by place; empty if captioning the photo failed.
        captioned: Number of photos with a caption.
        errors: Number of photos whose captioning failed, by any reason.
        fallbacks: Number of photos without a caption, labelled with a word of the vocabulary.
        described_places: Places of photos without a caption that have a basic description.
        retryable: Number of photos whose captioning failed for a reason other than the file, by
            status.
    """

    texts: list[str]
    captioned: int = 0
    errors: int = 0
    fallbacks: int = 0
    described_places: set[int] = msgspec.field(default_factory=set)
    retryable: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def described(self) -> int:
        """Number of photos with a basic description."""
        return len(self.described_places)

    @property
    def summary(self) -> str:
        """The line that ends every report; its numbers add up to all photos."""
        unlabelled = len(self.texts) - sum(
            (self.captioned, self.errors, self.fallbacks, self.described)
        )
        return (
            f"{self.captioned} captioned, {self.errors} errors, "
            f"{self.fallbacks} vocabulary fallbacks"
            + (f", {self.described} described" if self.described else "")
            + (f", {unlabelled} without a label" if unlabelled > 0 else "")
        )

    @property
    def warning(self) -> str | None:
        """What to do about photos that failed and have no label, None where there are none."""
        failed = self.retryable.total()
        unreadable = self.errors - failed
        sentences = []
        if failed:
            statuses = ",".join(sorted(self.retryable))
            again = f"`pcc run --retry-status {statuses} --retry-only`"
            sentences.append(f"{failed:,} photos failed and have no label; {again} retries them")
        if unreadable:
            sentences.append(
                f"{unreadable:,} photos cannot be read and have no label; only a file that was "
                "mended or replaced is worth another attempt"
            )
        return "; ".join(sentences) or None


def make_photo_texts(
    photos: Sequence[LibraryPhoto], words: Mapping[str, str], descriptions: Mapping[str, str]
) -> PhotoTexts:
    """Return the labels of a library.

    Args:
        photos: The library.
        words: The nearest word of the vocabulary by key, for photos without a caption.
        descriptions: Basic descriptions by key, for photos without a caption.
    """
    labels = PhotoTexts([])
    for photo in photos:
        text = ""
        if photo.caption is not None:
            text = photo.caption
            labels.captioned += 1
        elif photo.status is not None and photo.status != "success":
            labels.errors += 1
            if photo.status in RETRYABLE:
                labels.retryable[photo.status] += 1
        elif photo.key in words:
            text = words[photo.key]
            labels.fallbacks += 1
        elif photo.key in descriptions:
            text = descriptions[photo.key]
            labels.described_places.add(len(labels.texts))
        labels.texts.append(text)
    return labels
