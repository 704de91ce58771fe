"""What a user asked an enrichment to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from backends.base import Options
from pipeline.datasets.patch_files import name_of

if TYPE_CHECKING:
    from pipeline.datasets.passes.base import Pass


class EnrichRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked for.

    Attributes:
        workspace: Directory with the log and `run.json`.
        input_dir: Directory with the images; only ever read.
        dataset: The JSONL file.
        passes: What to make.
        anew: Names of passes whose results are made again although they are there.
        patches_dir: Directory for patch files.
        backup: Directory for patch files that are replaced, None to keep none of them.
        dino_model: Id of the DINO on the hub, or its directory.
        dino_revision: Commit, tag or branch on the hub.
        t5_model: Id of the T5 tokenizer on the hub, or its directory.
        backend: Name of the captioning backend; None where nobody named one, so that captions
            come from the captions journal alone.
        options: Options of the captioning backend; their device is also DINO's.
        budget: US dollars that the captions may cost.
        captions_journal: Journal whose captions are taken before any is made, None for none.
    """

    workspace: Path
    input_dir: Path
    dataset: Path
    passes: tuple[type[Pass], ...]
    anew: frozenset[str] = frozenset()
    patches_dir: Path
    backup: Path | None = None
    dino_model: str
    dino_revision: str | None = None
    t5_model: str
    backend: str | None
    options: Options = Options()
    budget: float | None = None
    captions_journal: Path | None = None

    @property
    def dino(self) -> str:
        """What features are known by: the model, and its revision where one is named."""
        return name_of(self.dino_model, self.dino_revision)
