"""The options of `pcc dataset enrich`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Optional

import typer

from backends.encoders.dino_config import DEFAULT_MODEL
from backends.encoders.t5 import DEFAULT_TOKENIZER
from pipeline.datasets.passes import DEFAULT_PASSES, PASSES, TOGETHER

NAMES = f"{', '.join(PASSES)}; {', '.join(TOGETHER)} for embedding and patches at once"


@dataclasses.dataclass(frozen=True)
class DatasetOptions:
    """Which dataset, and what to make."""

    input_dir: Annotated[
        Optional[Path],
        typer.Option(help="The images; only ever read.", show_default="the photos directory"),
    ] = None
    output_jsonl: Annotated[
        Optional[Path],
        typer.Option(
            help="The dataset; made if it is not there.", show_default="WORKSPACE/dataset.jsonl"
        ),
    ] = None
    pass_filter: Annotated[
        Optional[str],
        typer.Option(help=f"Only these: {NAMES}.", show_default=",".join(DEFAULT_PASSES)),
    ] = None
    redo: Annotated[
        Optional[str],
        typer.Option(help="Make these anew although they are there. Same names."),
    ] = None
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what is missing, and make nothing.")
    ] = False
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Name every line and image that is passed over.")
    ] = False
    budget: Annotated[
        Optional[float], typer.Option(min=0, help="US dollars the captions may cost.")
    ] = None


@dataclasses.dataclass(frozen=True)
class EncoderOptions:
    """What looks at pictures and captions."""

    dino_model: Annotated[
        Optional[str],
        typer.Option(
            help="A DINOv3 or DINOv2: id on the hub, or a directory.", show_default=DEFAULT_MODEL
        ),
    ] = None
    dino_revision: Annotated[
        Optional[str], typer.Option(help="Commit or tag of its repository.")
    ] = None
    t5_model: Annotated[
        Optional[str],
        typer.Option(
            help="The T5 tokenizer: id on the hub, or a directory.",
            show_default=DEFAULT_TOKENIZER,
        ),
    ] = None
    patches_dir: Annotated[
        Optional[Path],
        typer.Option(help="Patch files.", show_default="dinov3_patches beside the dataset"),
    ] = None
    backup: Annotated[
        Optional[Path], typer.Option(help="Where patch files go that are replaced.")
    ] = None
