"""Which detector a model is."""

from __future__ import annotations

from collections.abc import Sequence

from backends.detectors.base import PROPOSALS, Detector
from backends.detectors.checkpoint import GROUNDING_DINO, OWLV2, find_checkpoint
from backends.detectors.grounding_dino import GroundingDinoDetector
from backends.detectors.owl import OwlDetector
from backends.errors import SetupError

DETECTORS: tuple[type[Detector], ...] = (OwlDetector, GroundingDinoDetector)


def make_detector(
    model: str,
    vocabulary: Sequence[str],
    *,
    revision: str | None = None,
    device: str | None = None,
    threshold: float | None = None,
    proposals: int = PROPOSALS,
    batch_size: int | None = None,
) -> Detector:
    """Return a detector, made but not yet open; of its model `config.json` alone is read.

    Args:
        model: Id on the hub, or a directory.
        vocabulary: Plain words, such as "dog" and "traffic light".
        revision: Commit, tag or branch on the hub, None for the one that is pinned.
        device: Where it runs, None for the best there is.
        threshold: The lowest score that is proposed; None for 0.1 with OWL, 0.25 with
            Grounding DINO.
        proposals: The most a picture keeps; a box with two labels counts twice.
        batch_size: Pictures at once, None for what suits the device.

    Raises:
        ValueError: the vocabulary is empty, or a number is out of range.
        SetupError: there is no such model, or it is none that looks for words.
    """
    model_type = find_checkpoint(model, revision).model_type
    for detector in DETECTORS:
        if model_type in detector.model_types:
            return detector(
                model,
                vocabulary,
                revision=revision,
                device=device,
                threshold=threshold,
                proposals=proposals,
                batch_size=batch_size,
            )
    raise SetupError(
        f"{model} is of the type {model_type[:60]!r}, which does not look for words; "
        f"OWL-ViT, OWLv2 and Grounding DINO do, such as {OWLV2} and {GROUNDING_DINO}"
    )
