"""What a detector is, and what it finds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import msgspec

from backends.detectors.running import VocabularyModel

if TYPE_CHECKING:
    from PIL.Image import Image

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels, inside the picture that was given, with x0 < x1 and y0 < y1."""

PROPOSALS = 100
"""The most proposals for a picture, unless another number is asked for."""


class Proposal(NamedTuple):
    """One thing that may be in a picture.

    Attributes:
        box: Where the thing is.
        label: A word of the vocabulary.
        score: How sure the model is, from 0 to 1; scores of different models cannot be compared.
    """

    box: Box
    label: str
    score: float


class Label(msgspec.Struct, frozen=True):
    """What a region may be.

    Attributes:
        label: A word of the vocabulary.
        score: How sure the model is, from 0 to 1.
    """

    label: str
    score: float


class Detector(VocabularyModel):
    """Finds the things that a vocabulary names.

    Args:
        model: Id of the model on the hub, or its directory; or the name that the user chose.
        vocabulary: Plain words, such as "dog" and "traffic light".
        revision: Commit, tag or branch on the hub, None for the one that is pinned.
        device: Device that the model runs on, None for the best there is.
        threshold: The lowest score that is proposed, None for the usual one of the family.
        proposals: The most proposals for a picture; a box with two labels counts twice.
        batch_size: Pictures in a batch, None for what suits the device.

    Raises:
        ValueError: the vocabulary is empty, or a number is out of range.
    """

    usual_threshold: ClassVar[float]
    """The lowest score that is proposed unless the user asks for another."""

    def __init__(
        self,
        model: str,
        vocabulary: Sequence[str],
        *,
        revision: str | None = None,
        device: str | None = None,
        threshold: float | None = None,
        proposals: int = PROPOSALS,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(model, vocabulary, revision=revision, device=device, batch_size=batch_size)
        self.threshold = self.usual_threshold if threshold is None else threshold
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"a threshold is from 0 to 1, not {self.threshold}")
        if proposals < 1:
            raise ValueError(f"a picture keeps at least one proposal, not {proposals}")
        self.proposals = proposals

    @abstractmethod
    def detect(self, pictures: Sequence[Image]) -> list[list[Proposal]]:
        """Return what may be in each upright picture, the best first.

        Several boxes may mean one thing, and one box may come with several labels.

        Raises:
            ValueError: a picture has no pixels.
            ModelError: the model failed; a call for each picture alone tells at which.
            BackendLost: the device has failed for good.
        """
