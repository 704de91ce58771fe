"""The options of `pcc ingest`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from journal import read_whole, what_failed
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.options import SiteOptions, require_text
from pcc_tui.cli.output import fail
from pcc_tui.settings import MOST_WORKERS

if TYPE_CHECKING:
    from pipeline.ingest.cache.records import StageName


@dataclasses.dataclass(frozen=True)
class CacheOptions:
    """Which cache, and which queue."""

    cache: Annotated[
        Optional[Path],
        typer.Option(help="Directory of the results.", show_default="WORKSPACE/cache"),
    ] = None
    queue: Annotated[
        str,
        typer.Option(
            envvar="PCC_QUEUE",
            help="Who does what: sqlite, in the cache, or the redis:// address of a server.",
        ),
    ] = "sqlite"

    def directory(self, site: SiteOptions) -> Path:
        """Return the directory of the cache; end with a usage error if there is a file."""
        cache = self.cache or site.workspace / "cache"
        require_text("--cache", str(cache))
        if cache.exists() and not cache.is_dir():
            fail(f"{cache} is a file; --cache names a directory", ExitCode.USAGE)
        return cache


@dataclasses.dataclass(frozen=True)
class LookingOptions:
    """What to look for."""

    stages: Annotated[str, typer.Option(help="Of detect, label and ocr.")] = "detect,label,ocr"
    vocabulary: Annotated[
        Optional[str],
        typer.Option(help="Words to look for, comma between.", show_default="everyday things"),
    ] = None
    vocabulary_file: Annotated[
        Optional[Path], typer.Option(help="A file with the words, one a line.")
    ] = None
    proposals: Annotated[
        int, typer.Option(min=1, max=900, help="Most that the detector proposes for a photo.")
    ] = 100
    threshold: Annotated[
        Optional[float],
        typer.Option(min=0.0, max=1.0, help="Least score.", show_default="0.1; 0.25 for DINO"),
    ] = None
    retry_errors: Annotated[
        bool, typer.Option("--retry-errors", help="Try again what failed or was parked.")
    ] = False
    redo: Annotated[bool, typer.Option("--redo", help="Do everything again.")] = False

    def chosen(self) -> tuple[StageName, ...]:
        """Return the stages in their order; end with a usage error if there is no such stage."""
        from pipeline.ingest.cache.records import STAGES

        names = set(filter(None, self.stages.replace(" ", "").split(",")))
        for name in sorted(names - set(STAGES)):
            fail(f"--stages knows {', '.join(STAGES)}, not {name!r}", ExitCode.USAGE)
        if not names:
            fail(f"--stages names at least one of {', '.join(STAGES)}", ExitCode.USAGE)
        return tuple(stage for stage in STAGES if stage in names)

    def words(self) -> tuple[str, ...]:
        """Return the words to look for."""
        from pipeline.ingest.vision.words import EVERYDAY

        if self.vocabulary and self.vocabulary_file:
            fail("--vocabulary and --vocabulary-file exclude each other", ExitCode.USAGE)
        if self.vocabulary_file is None:
            require_text("--vocabulary", self.vocabulary or "")
            return EVERYDAY if self.vocabulary is None else tuple(self.vocabulary.split(","))
        try:
            return tuple(read_whole(self.vocabulary_file).decode("utf-8-sig").splitlines())
        except OSError as error:
            fail(f"--vocabulary-file {what_failed(error)}", ExitCode.USAGE)
        except UnicodeDecodeError as error:
            fail(
                f"--vocabulary-file {self.vocabulary_file} cannot be read: {error}", ExitCode.USAGE
            )


@dataclasses.dataclass(frozen=True)
class ModelOptions:
    """Who looks."""

    detector: Annotated[
        Optional[str],
        typer.Option(help="An OWL-ViT, OWLv2 or Grounding DINO.", show_default="OWLv2 base"),
    ] = None
    detector_revision: Annotated[
        Optional[str], typer.Option(help="Commit or tag of its repository.")
    ] = None
    labeller: Annotated[
        Optional[str], typer.Option(help="A SigLIP.", show_default="SigLIP base")
    ] = None
    labeller_revision: Annotated[
        Optional[str], typer.Option(help="Commit or tag of its repository.")
    ] = None
    ocr_engine: Annotated[str, typer.Option(help="What reads.")] = "rapidocr"
    ocr_model: Annotated[
        Optional[Path], typer.Option(help="Another recognition model for it, a file.")
    ] = None
    device: Annotated[
        Optional[str],
        typer.Option(help="Where detector and labeller run.", show_default="a GPU"),
    ] = None
    batch_size: Annotated[
        Optional[int],
        typer.Option(min=1, max=256, help="Photos at once.", show_default="what fits"),
    ] = None
    workers: Annotated[
        int, typer.Option(min=1, max=MOST_WORKERS, help="Processes, each with its own models.")
    ] = 1
