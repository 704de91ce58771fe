"""Errors of the datasets package.

DatasetError
├── UnknownPass      no pass has that name
├── OtherPatches     the patch files are another model's
├── MixedPatches     some patch files are still another model's
├── OtherShards      the directory holds shards of something else
└── DatasetChanged   somebody wrote the dataset while it was worked on
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path


class DatasetError(Exception):
    """Base of everything this package raises on purpose."""


class UnknownPass(DatasetError):
    """Raised for a name that no pass has."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"there is no pass {name!r}; there are {', '.join(known)}")


class OtherPatches(DatasetError):
    """Raised when patches of one model were to join those of another."""

    def __init__(self, directory: Path, theirs: str, ours: str) -> None:
        super().__init__(
            f"the patches in {directory} are by {theirs}, all or some, and these would be by "
            f"{ours}; --redo patches makes all of them anew, --patches-dir names another place"
        )


class MixedPatches(DatasetError):
    """Raised when patches are asked for while not all are of one model."""

    def __init__(self, model: str, revision: str | None) -> None:
        named = f"--dino-model {shlex.quote(model)}"
        if revision is not None:
            named += f" --dino-revision {shlex.quote(revision)}"
        super().__init__(
            f"some patch files are not yet by {model}; "
            f"`pcc dataset enrich --redo patches {named}` makes the rest"
        )


class OtherShards(DatasetError):
    """Raised when shards were to join those of another dataset or another state of it."""

    def __init__(self, directory: Path, why: str) -> None:
        super().__init__(
            f"{directory} holds {why}; give another --out, or remove that directory first"
        )


class DatasetChanged(DatasetError):
    """Raised when the dataset is not the file it was when the work began."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} was changed by somebody else meanwhile and is left as it is; "
            "what was made is kept: the same command goes on"
        )
