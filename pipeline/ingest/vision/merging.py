"""From the proposals of detectors to the things in a picture, each with all its labels."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from backends.detectors.base import Box, Label, Proposal

SAME_LABEL_IOU = 0.5
"""Overlap above which two boxes of one label mean one thing, as PASCAL VOC counts a hit."""

ANY_LABEL_IOU = 0.7
"""Overlap above which boxes of different labels mean one thing; a rider is not the horse."""


class Region(msgspec.Struct, frozen=True):
    """One thing in a picture.

    Attributes:
        box: Box of the best proposal: x0, y0, x1, y1 in pixels.
        labels: What the thing may be, each label once, the best first.
    """

    box: Box
    labels: tuple[Label, ...]


def merge(
    proposals: Sequence[Proposal],
    *,
    same_label_iou: float = SAME_LABEL_IOU,
    any_label_iou: float = ANY_LABEL_IOU,
    limit: int | None = None,
) -> list[Region]:
    """Return the things that proposals mean, the best first, in whatever order they come.

    Greedy non-maximum suppression (Felzenszwalb et al. 2010), first among the proposals of
    each label, then among the proposals that are left. In the second step a box is not
    dropped, but gives its label to the thing that it overlaps most. Only the box of the
    best proposal counts: a thing does not grow along a chain of boxes.

    Args:
        proposals: Proposals of one or several detectors for one picture.
        same_label_iou: Overlap above which boxes of one label mean one thing, from 0 to 1.
        any_label_iou: Overlap above which boxes of different labels mean one thing.
        limit: Number of things to return at most, None for all.
    """
    ranked = sorted(proposals, key=_rank)
    return _joined(_suppressed(ranked, same_label_iou), any_label_iou)[:limit]


def overlap(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes (Everingham et al. 2010), 0 to 1."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (_area(one) + _area(other) - common)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _rank(proposal: Proposal) -> tuple[float, str, Box]:
    return -proposal.score, proposal.label, proposal.box


def _suppressed(ranked: Sequence[Proposal], most: float) -> list[Proposal]:
    """Return the proposals that overlap no better proposal of the same label."""
    kept: list[Proposal] = []
    boxes = dict[str, list[Box]]()
    for proposal in ranked:
        better = boxes.setdefault(proposal.label, [])
        if all(overlap(proposal.box, box) <= most for box in better):
            better.append(proposal.box)
            kept.append(proposal)
    return kept


def _joined(ranked: Sequence[Proposal], most: float) -> list[Region]:
    """Return the things whose boxes overlap no box of a better thing."""
    boxes: list[Box] = []
    labels: list[dict[str, float]] = []
    for proposal in ranked:
        overlaps = [overlap(proposal.box, box) for box in boxes]
        nearest = max(range(len(boxes)), key=overlaps.__getitem__, default=None)
        if nearest is not None and overlaps[nearest] > most:
            labels[nearest].setdefault(proposal.label, proposal.score)
        else:
            boxes.append(proposal.box)
            labels.append({proposal.label: proposal.score})
    return [
        Region(box, tuple(Label(label, score) for label, score in found.items()))
        for box, found in zip(boxes, labels, strict=True)
    ]
