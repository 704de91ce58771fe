"""The label of each photo: the text that reports show beside the photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from pipeline.captions.library import LibraryPhoto


class PhotoTexts(msgspec.Struct):
    """The labels of the photos of a library.

    Attributes:
        texts: Label of each photo, by place; empty if captioning the photo failed.
        captioned: Number of photos with a caption.
        errors: Number of photos whose captioning failed.
        fallbacks: Number of photos without a caption, labelled with a word of the vocabulary.
        described_places: Places of photos without a caption that have a basic description.
    """

    texts: list[str]
    captioned: int = 0
    errors: int = 0
    fallbacks: int = 0
    described_places: set[int] = msgspec.field(default_factory=set)

    @property
    def described(self) -> int:
        """Number of photos with a basic description."""
        return len(self.described_places)

    @property
    def summary(self) -> str:
        """The line that ends every report."""
        return (
            f"{self.captioned} captioned, {self.errors} errors, "
            f"{self.fallbacks} vocabulary fallbacks"
        )

    @property
    def warning(self) -> str | None:
        """A sentence about photos without a label, None where every photo has one."""
        if not self.errors:
            return None
        again = "`pcc run --retry-status error_api,error_model --retry-only`"
        return f"{self.errors:,} photos failed and have no label; {again} retries them"


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
        elif photo.key in words:
            text = words[photo.key]
            labels.fallbacks += 1
        elif photo.key in descriptions:
            text = descriptions[photo.key]
            labels.described_places.add(len(labels.texts))
        labels.texts.append(text)
    return labels
