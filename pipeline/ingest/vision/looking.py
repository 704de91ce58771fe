"""What is in a photo: proposals of a detector, merged to regions, each named by a labeller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from backends.detectors.base import Box, Detector, Label
from backends.detectors.siglip import RegionLabeller
from backends.errors import ModelError
from pipeline.ingest.cache.records import RegionLabel, StageName
from pipeline.ingest.vision.merging import merge

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

PADDING = 0.1
"""Share of the width and height of a region that is added on each side of the crop: a labeller
sees a little of what is around."""

AND = " + "
"""Stands between the versions of a detector and a labeller in `detector_version`."""

MOST_LABELS = 5
"""Labels of a labeller that are kept for each region."""


class Seen(NamedTuple):
    """A thing in a picture.

    Attributes:
        box: x0, y0, x1, y1 in pixels of the picture that was looked at.
        labels: Labels of the labeller, then of the detector; of each the likeliest first.
        found_by: The detector, and where a labeller named the thing, that one too.
        vector: Embedding by the labeller, None without one. Shape (dimensions,), float32.
    """

    box: Box
    labels: list[RegionLabel]
    found_by: str
    vector: NDArray[np.float32] | None = None


class Asked(NamedTuple):
    """A picture to look at.

    Attributes:
        picture: The picture.
        known: The things that are known already, None if things are to be found.
        named: Whether the labeller is to name the things.
    """

    picture: Image
    known: list[Seen] | None
    named: bool


class Looker:
    """Looks at pictures, several at a time. Its methods block.

    Args:
        detector: Finds regions, None where known regions are only to be labelled.
        labeller: Names regions, None where the words of the detector will do.
    """

    def __init__(self, detector: Detector | None, labeller: RegionLabeller | None) -> None:
        self.detector = detector
        self.labeller = labeller

    def look(self, asked: Sequence[Asked]) -> list[list[Seen] | Exception]:
        """Return the things in each picture, the surest first, or the error of that picture.

        Raises:
            BackendLost: the device has failed for good.
        """
        try:
            return list(self._look(asked))
        except ModelError as error:
            if len(asked) == 1:
                return [error]
        return [found for one in asked for found in self.look([one])]

    def _look(self, asked: Sequence[Asked]) -> list[list[Seen]]:
        new = iter(self._find([one.picture for one in asked if one.known is None]))
        seen = [next(new) if one.known is None else one.known for one in asked]
        to_name = [
            (one.picture, things) for one, things in zip(asked, seen, strict=True) if one.named
        ]
        named = iter(self._name(to_name))
        return [
            next(named) if one.named else things for one, things in zip(asked, seen, strict=True)
        ]

    def _find(self, pictures: Sequence[Image]) -> list[list[Seen]]:
        if not pictures:
            return []
        assert self.detector is not None
        return [
            [
                Seen(region.box, _named(region.labels, "detect"), self.detector.version)
                for region in merge(proposals)
            ]
            for proposals in self.detector.detect(pictures)
        ]

    def _name(self, seen: Sequence[tuple[Image, list[Seen]]]) -> list[list[Seen]]:
        """Return things with the words of the labeller; crops of all pictures share batches."""
        crops = [
            picture.crop(padded(thing.box, picture.size))
            for picture, things in seen
            for thing in things
        ]
        if not crops:
            return [things for _, things in seen]
        assert self.labeller is not None
        named = iter(self.labeller.label(crops, MOST_LABELS))
        return [[self._renamed(thing, *next(named)) for thing in things] for _, things in seen]

    def _renamed(self, thing: Seen, labels: list[Label], vector: NDArray[np.float32]) -> Seen:
        assert self.labeller is not None
        found = [label for label in thing.labels if label.source == "detect"]
        detector = thing.found_by.partition(AND)[0]
        by_both = f"{detector}{AND}{self.labeller.version}"
        return Seen(thing.box, [*_named(labels, "label"), *found], by_both, vector)


def padded(box: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return a region with what is around it, in whole pixels inside the picture.

    Args:
        box: x0, y0, x1, y1 in pixels of the picture.
        size: Width and height of the picture.
    """
    x0, y0, x1, y1 = box
    dx, dy = (x1 - x0) * PADDING, (y1 - y0) * PADDING
    left, top = max(0, int(x0 - dx)), max(0, int(y0 - dy))
    right, bottom = min(size[0], int(x1 + dx) + 1), min(size[1], int(y1 + dy) + 1)
    return min(left, size[0] - 1), min(top, size[1] - 1), max(right, 1), max(bottom, 1)


def _named(labels: Sequence[Label], source: StageName) -> list[RegionLabel]:
    return [RegionLabel(label.label, round(label.score, 4), source) for label in labels]
