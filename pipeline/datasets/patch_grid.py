"""The grid of patches that a vision transformer sees in a bucket, and how it is rounded."""

from __future__ import annotations

from pipeline.photos.geometry import Size, nearest_multiple


def input_size(bucket: Size, patch_size: int) -> Size:
    """Return the size that a cropped picture is scaled to for a model: whole patches on each side.

    Each side is rounded to the nearest multiple of the patch size, a tie goes up.
    """
    return nearest_multiple(bucket[0], patch_size), nearest_multiple(bucket[1], patch_size)


def grid(bucket: Size, patch_size: int) -> Size:
    """Return how many patches stand beside and below each other."""
    width, height = input_size(bucket, patch_size)
    return width // patch_size, height // patch_size


def patch_count(bucket: Size, patch_size: int) -> int:
    """Return the number of patches of a picture."""
    across, down = grid(bucket, patch_size)
    return across * down
