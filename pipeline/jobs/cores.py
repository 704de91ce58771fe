"""How many cores this process may use, and how many decoding processes follow from that."""

from __future__ import annotations

import os

from pipeline.photos.memory import USUAL_BYTES, usable_memory

MOST_DECODERS = 16
"""The most decoding processes of a job, however many cores there are."""


def decoder_count() -> int:
    """Return one decoding process for each core this process may use, at most 16.

    Where memory is scarce there are fewer, since a system without memory kills processes.
    """
    return max(1, min(MOST_DECODERS, usable_cores(), usable_memory() // USUAL_BYTES))


def usable_cores() -> int:
    """Return the cores this process may use, where the system tells, else all there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
