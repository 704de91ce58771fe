"""What an enrichment is asked to do, and what of it there is to do. Nothing is loaded for it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from backends.base import Options
from backends.encoders.dino_config import DinoConfig, read_config
from backends.encoders.t5 import T5Tokenizer
from backends.registry import backend_class
from journal import WriterLock, clear_leftovers
from pipeline.captions.library import read_library
from pipeline.captions.plan import Maker
from pipeline.captions.prompt_file import prompt_hash
from pipeline.datasets.passes import CAPTION, EMBEDDING, PATCHES, T5, Pass
from pipeline.datasets.patch_files import PatchFiles, name_of, read_manifest
from pipeline.datasets.results import Results
from pipeline.datasets.side_journals import SideJournal, SideJournals
from pipeline.datasets.survey import DatasetGaps, Lacking, Surveyor, fingerprint
from pipeline.photos.walk import walk_photos

FEATURES = frozenset({"embedding", "patches"})


class EnrichRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked for.

    Attributes:
        workspace: Where the log and `run.json` stand.
        input_dir: Where the images are; only ever read.
        dataset: The JSONL file.
        passes: What to make.
        anew: Names of passes whose results are made again although they are there.
        patches_dir: Where patch files go.
        backup: Where patch files go that are replaced, None to keep none.
        dino_model: Id on the hub, or a directory.
        dino_revision: Commit, tag or branch on the hub.
        t5_model: Id on the hub, or a directory.
        backend: Name of the captioning backend.
        options: What that is told; its device is also DINO's.
        budget: US dollars the captions may cost.
        captions_journal: Whose captions are taken before any is made, None for none.
    """

    workspace: Path
    input_dir: Path
    dataset: Path
    passes: tuple[Pass, ...]
    anew: frozenset[str] = frozenset()
    patches_dir: Path
    backup: Path | None = None
    dino_model: str
    dino_revision: str | None = None
    t5_model: str
    backend: str
    options: Options = Options()
    budget: float | None = None
    captions_journal: Path | None = None

    @property
    def dino(self) -> str:
        """What features are known by: the model, and its revision where one is named."""
        return name_of(self.dino_model, self.dino_revision)


class ToDo(msgspec.Struct):
    """Images for which something is to be computed, before headers are read.

    Attributes:
        sizes: Whose header is to be read.
        features: To run through DINO.
        patches: Patch files among what that makes.
        patch_bytes: What those take.
        captions: To caption.
        masks: Whose caption is to be tokenized, of those that have one.
        broken: That could not be read before, and have not changed.
    """

    sizes: list[Lacking] = []
    features: list[Lacking] = []
    patches: int = 0
    patch_bytes: int = 0
    captions: list[Lacking] = []
    masks: int = 0
    broken: int = 0


class PreparedEnrichment(msgspec.Struct):
    """An enrichment that is planned, with nothing loaded yet.

    Attributes:
        request: What was asked for.
        survey: What the dataset lacks.
        results: What is there to fill it.
        to_do: What is not.
        patch_files: None where no pass makes any.
        side: The journals of results.
        warnings: Sentences about the walk.
        lock: Held while there is anything to do.
    """

    request: EnrichRequest
    survey: DatasetGaps
    results: Results
    to_do: ToDo
    patch_files: PatchFiles | None
    side: SideJournals
    warnings: list[str]
    lock: WriterLock | None = None

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to compute and nothing to write."""
        to_do = self.to_do
        return not (to_do.sizes or to_do.features or to_do.captions) and not any(
            map(self.results.would_change, self.survey.all_entries())
        )

    def keys(self) -> set[str]:
        """Return the keys of all images of the dataset, new ones among them."""
        return self.survey.keys.keys() | {entry.key for entry in self.survey.new}

    def has_merged_results(self) -> bool:
        """Tell whether a killed process left results that it had merged."""
        if not self.side.directory.exists() or self.request.anew:
            return False
        keys, results, passes = self.keys(), self.results, self.request.passes
        return (
            results.sizes.has_merged(keys)
            or (EMBEDDING in passes and results.features.has_merged(keys))
            or (CAPTION in passes and results.captions.has_merged(keys))
        )

    def let_go_of_results(self, *, whole: bool) -> None:
        """Remove what is merged from the side journals.

        What is made anew stays until all of it is: only the journal tells which is which.

        Args:
            whole: Whether everything that was to be made has been tried.
        """
        request, results, keys = self.request, self.results, self.keys()
        makes_features = EMBEDDING in request.passes or PATCHES in request.passes
        results.sizes.settle(keys)
        if makes_features and (whole or FEATURES.isdisjoint(request.anew)):
            results.features.settle(keys, embeddings=EMBEDDING in request.passes)
        if CAPTION in request.passes and (whole or "caption" not in request.anew):
            results.captions.settle(keys)

    def release(self) -> None:
        """Give the lock back."""
        if self.lock is not None:
            self.side.leave(self.lock)
            self.lock = None


def prepare_enrichment(request: EnrichRequest) -> PreparedEnrichment:
    """Find out what a dataset lacks; if it is anything, lock it.

    Raises:
        SetupError: the model's configuration cannot be read.
        OtherPatches: the patch files are another model's.
        PhotosDirMissing: the input directory cannot be read.
        JournalLocked: another process enriches this dataset.
    """
    prepared = survey_dataset(request)
    if prepared.is_done and not prepared.has_merged_results():
        return prepared
    lock = prepared.side.lock()
    try:
        if fingerprint(request.dataset) == prepared.survey.fingerprint:
            prepared = _plan(request, prepared.survey, prepared.patch_files, prepared.warnings)
        else:  # somebody was at work until just now
            prepared = survey_dataset(request)
        clear_leftovers(request.dataset.parent, request.dataset.name)
    except BaseException:
        prepared.side.leave(lock)
        raise
    prepared.lock = lock
    return prepared


def survey_dataset(request: EnrichRequest) -> PreparedEnrichment:
    """Find out what a dataset lacks; nothing is written.

    Raises:
        SetupError: the model's configuration cannot be read.
        OtherPatches: the patch files are another model's.
        PhotosDirMissing: the input directory cannot be read.
    """
    walked = walk_photos(request.input_dir)
    patch_files = _patch_files(request)
    surveyor = Surveyor(request.input_dir, walked.paths, request.passes, request.anew, patch_files)
    return _plan(request, surveyor.survey(request.dataset), patch_files, walked.warnings)


def _plan(
    request: EnrichRequest, survey: DatasetGaps, patch_files: PatchFiles | None, warnings: list[str]
) -> PreparedEnrichment:
    """Compare what a dataset lacks with what waits to be merged."""
    side = SideJournals(request.dataset)
    results = Results(
        side.sizes(),
        side.features(request.dino, anew=not FEATURES.isdisjoint(request.anew)),
        side.captions(caption_maker(request) if "caption" in request.anew else None),
        _known_captions(request, survey.all_entries()),
        T5Tokenizer(request.t5_model) if T5 in request.passes else None,
    )
    to_do = _to_do(request, survey, results, patch_files)
    return PreparedEnrichment(request, survey, results, to_do, patch_files, side, warnings)


def caption_maker(request: EnrichRequest) -> Maker:
    """Return who would make the captions."""
    kind, options = backend_class(request.backend), request.options
    return Maker(kind.name, kind.model_for(options), prompt_hash(options.prompt))


def dino_config(request: EnrichRequest) -> DinoConfig:
    """Return the configuration of the model, from the patch files where they are its own.

    Raises:
        SetupError: it cannot be read.
    """
    manifest = read_manifest(request.patches_dir)
    is_on_the_hub = not Path(request.dino_model).is_dir()  # to ask that takes a while
    if is_on_the_hub and manifest is not None and manifest.maker == request.dino:
        return manifest.config()
    return read_config(request.dino_model, request.dino_revision)


def _patch_files(request: EnrichRequest) -> PatchFiles | None:
    if PATCHES not in request.passes:
        return None
    files = PatchFiles(
        request.patches_dir, dino_config(request), request.backup, request.dino_revision
    )
    if "patches" not in request.anew:
        files.require_ours()
    return files


def _known_captions(request: EnrichRequest, entries: Iterable[Lacking]) -> dict[str, str]:
    """Return the captions of the captions journal for the records that want one."""
    if (
        request.captions_journal is None
        or CAPTION not in request.passes
        or "caption" in request.anew
    ):
        return {}
    wanted = {entry.key for entry in entries if "caption" in entry.lacking}
    return {
        photo.key: photo.caption
        for photo in (read_library(request.captions_journal) if wanted else [])
        if photo.caption is not None and photo.key in wanted
    }


def wants_features(entry: Lacking, results: Results, anew: frozenset[str]) -> tuple[bool, bool]:
    """Tell whether an image's embedding is to be made, and whether its patch file is."""
    features, key = results.features, entry.key
    embedding = "dinov3_embedding" in entry.lacking and not features.has_embedding(key)
    return embedding, entry.patches and not ("patches" in anew and features.has_patches(key))


def _to_do(
    request: EnrichRequest, survey: DatasetGaps, results: Results, files: PatchFiles | None
) -> ToDo:
    to_do = ToDo()
    broken = set[str]()

    def is_whole(entry: Lacking, journal: SideJournal[Any]) -> bool:
        gave_up = journal.gave_up(entry.key, request.input_dir / entry.path)
        if gave_up:
            broken.add(entry.key)
        return not gave_up

    for entry in survey.all_entries():
        to_do.masks += "t5_attention_mask" in entry.lacking and entry.has_caption
        if not entry.on_disk:
            continue
        wants_size = _wants_size(entry, results)
        has_header = (
            not wants_size or "dimensions" in request.anew or is_whole(entry, results.sizes)
        )
        if wants_size and has_header:
            to_do.sizes.append(entry)
        if _wants_caption(entry, results) and is_whole(entry, results.captions):
            to_do.captions.append(entry)
        embedding, patches = wants_features(entry, results, request.anew)
        if (embedding or patches) and has_header and is_whole(entry, results.features):
            to_do.features.append(entry)
            to_do.patches += patches
            if files is not None and patches:
                to_do.patch_bytes += files.bytes_to_come(entry.image_id, entry.bucket)
    to_do.broken = len(broken)
    return to_do


def _wants_size(entry: Lacking, results: Results) -> bool:
    if entry.size is not None or results.sizes.made(entry.key):
        return False
    for_the_bucket = "dinov3_embedding" in entry.lacking or entry.patches
    return not entry.lacking.isdisjoint({"height", "width", "aspect_bucket"}) or (
        for_the_bucket and entry.bucket is None
    )


def _wants_caption(entry: Lacking, results: Results) -> bool:
    known = entry.key in results.known_captions or results.captions.made(entry.key)
    return "caption" in entry.lacking and not known
