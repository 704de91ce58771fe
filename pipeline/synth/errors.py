"""Errors of the synth package.

SynthError
├── DatasetExists    the directory to write is there already
└── DatasetUnusable  a file of a dataset is not what it should be
"""

from __future__ import annotations

from pathlib import Path

from pipeline.jobs.errors import JobError


class SynthError(JobError):
    """Base of everything this package raises on purpose."""


class DatasetExists(SynthError):
    """Raised when a path that should become a dataset is taken; nothing is overwritten."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already and is left as it is; give another --output-dir")


class DatasetUnusable(SynthError):
    """Raised when a file of a dataset cannot be read as what it should be."""
