"""Datasets of a few lines, results that wait to be merged, and small patch files."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from backends.base import Options
from backends.encoders.dino_config import DinoConfig
from backends.encoders.t5 import T5Tokenizer
from journal import CaptionRecord, seal, split_path
from pipeline.captions.plan import Maker
from pipeline.captions.prompt_file import prompt_hash
from pipeline.datasets.features import FeatureJournal, FeatureProducer
from pipeline.datasets.gaps import DatasetGaps, Lacking
from pipeline.datasets.passes import choose_passes
from pipeline.datasets.passes.caption import CaptionProducer
from pipeline.datasets.passes.t5 import T5Pass
from pipeline.datasets.patch_files import PatchFiles
from pipeline.datasets.request import EnrichRequest
from pipeline.datasets.results import Results
from pipeline.datasets.side_journals import SideJournal
from pipeline.datasets.side_records import FeatureRecord, SizeRecord
from pipeline.datasets.survey import Surveyor
from pipeline.jobs.progress import Progress
from pipeline.photos.geometry import Size
from pipeline.photos.walk import walk_photos

AT = "2030-01-01T00:00:00Z"
"""A time later than the files of a test."""

MAKER = Maker("mock", None, prompt_hash(Options().prompt))

DINO_16 = DinoConfig("tiny-16", "dinov3_vit", 16, 2, 5)
DINO_14 = DinoConfig("tiny-14", "dinov2", 14, 2, 1)

WHOLE = {
    "image_path": "a.jpg",
    "dinov3_embedding": [0.5, -0.25],
    "caption": "a dog",
    "t5_attention_mask": [1] * 3 + [0] * 74,
    "height": 832,
    "width": 1216,
    "aspect_bucket": "1216x832",
    "image_id": "a",
}
"""A record that lacks nothing."""


NO_PATHS = {
    "long": "x" * 300,
    "deep": "x/" * 3000,
    "in a file": "a.jpg/b.jpg",
    "NUL": "a\0.jpg",
    "empty": "",
}
"""Values that cannot be the path of an image."""


def record(path: str = "a.jpg", /, **changes: Any) -> dict[str, Any]:
    """Return a record that lacks nothing, with changes; `...` removes a field."""
    image_id = posixpath.splitext(path)[0].replace("/", "__")
    changed = {**WHOLE, "image_path": path, "image_id": image_id, **changes}
    return {name: value for name, value in changed.items() if value is not ...}


def line_of(fields: Mapping[str, Any] | bytes) -> bytes:
    """Return a record as a line without its newline; bytes are returned unchanged."""
    return fields if isinstance(fields, bytes) else json.dumps(fields).encode()


def write_dataset(path: Path, *lines: Mapping[str, Any] | bytes) -> Path:
    """Write a dataset with some lines, and return the path."""
    path.write_bytes(b"".join(line_of(line) + b"\n" for line in lines))
    return path


def read_dataset(path: Path) -> list[dict[str, Any]]:
    """Return the records of a dataset."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def place_images(directory: Path, *names: str) -> Path:
    """Make empty files with the names of images, and return the directory."""
    directory.mkdir(exist_ok=True)
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return directory


def request_for(
    dataset: Path, images: Path, passes: str | None = None, anew: Iterable[str] = (), **more: Any
) -> EnrichRequest:
    """Return the wish for some passes over a dataset."""
    wanted: dict[str, Any] = {
        "workspace": dataset.parent,
        "input_dir": images,
        "dataset": dataset,
        "passes": choose_passes(passes),
        "anew": frozenset(anew),
        "patches_dir": dataset.parent / "patches",
        "dino_model": DINO_16.model,
        "t5_model": "none",
        "backend": MAKER.backend,
    }
    return EnrichRequest(**{**wanted, **more})


def surveyed(
    dataset: Path,
    images: Path,
    passes: str | None = None,
    *,
    anew: Iterable[str] = (),
    files: PatchFiles | None = None,
) -> DatasetGaps:
    """Return what a dataset lacks for some passes."""
    where = {} if files is None else {"patches_dir": files.directory}
    results = Results(request_for(dataset, images, passes, anew, **where))
    return Surveyor(results, walk_photos(images).paths).survey()


def lacking(survey: DatasetGaps) -> dict[str, set[str]]:
    """Return what each record lacks, by the path of its image."""
    return {entry.path: set(entry.lacking) for entry in survey.all_entries()}


def results_for(
    dataset: Path,
    passes: str | None = None,
    *,
    known: Mapping[str, str] | None = None,
    tokenizer: T5Tokenizer | None = None,
    anew: Iterable[str] = (),
) -> Results:
    """Return what waits to be merged into a dataset; no masks without a tokenizer."""
    request = request_for(dataset, dataset.parent, passes, anew)
    if tokenizer is None:
        without = tuple(each for each in request.passes if each is not T5Pass)
        request = msgspec.structs.replace(request, passes=without)
    results = Results(request)
    if known is not None:
        results.producer(CaptionProducer).known = dict(known)
    masks = results.chosen(T5Pass)
    if masks is not None and tokenizer is not None:
        masks.tokenizer = tokenizer
    return results


def size_journal(dataset: Path) -> SideJournal[SizeRecord]:
    """Return the sizes that wait to be merged into a dataset."""
    return Results(request_for(dataset, dataset.parent, "dimensions")).sizes.journal


def feature_journal(
    dataset: Path,
    model: str = DINO_16.model,
    *,
    anew: bool = False,
    merges_embeddings: bool = True,
) -> FeatureJournal:
    """Return the features of a model that wait to be merged into a dataset."""
    redo = ("embedding",) if anew else ()
    request = request_for(dataset, dataset.parent, "embedding", redo, dino_model=model)
    path = Results(request).producer(FeatureProducer).journal.path
    return FeatureJournal(path, model, merges_embeddings=merges_embeddings)


def caption_journal(
    dataset: Path, *, anew: bool = False, backend: str = "mock", prompt: str | None = None
) -> SideJournal[CaptionRecord]:
    """Return the captions that wait to be merged into a dataset."""
    redo = ("caption",) if anew else ()
    options = Options() if prompt is None else Options(prompt=prompt)
    request = request_for(
        dataset, dataset.parent, "caption", redo, backend=backend, options=options
    )
    return Results(request).producer(CaptionProducer).journal


def keep(dataset: Path, *records: msgspec.Struct, anew: bool = False) -> Path:
    """Write results of one kind into their side journal, and return the path of the journal."""
    path = {
        SizeRecord: size_journal(dataset).path,
        FeatureRecord: feature_journal(dataset, anew=anew).path,
        CaptionRecord: caption_journal(dataset, anew=anew).path,
    }[type(records[0])]
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as file:
        file.writelines(seal(msgspec.json.encode(each)) for each in records)
    return path


def size_of(path: str, size: Size | None) -> SizeRecord:
    """Return the record of a size, or of a header that could not be read."""
    rel_path, raw_path = split_path(path)
    if size is None:
        return SizeRecord(
            rel_path=rel_path, raw_path=raw_path, status="error_corrupt", at=AT, error="broken"
        )
    width, height = size
    return SizeRecord(
        rel_path=rel_path, raw_path=raw_path, status="success", at=AT, width=width, height=height
    )


def feature_of(path: str, embedding: Sequence[float] | None) -> FeatureRecord:
    """Return the record of a pooled feature, or of only a patch file if there is no feature."""
    vector = None if embedding is None else list(embedding)
    return FeatureRecord(rel_path=path, status="success", at=AT, model="tiny-16", embedding=vector)


def caption_of(path: str, caption: str) -> CaptionRecord:
    """Return the record of a caption."""
    return CaptionRecord(
        rel_path=path,
        caption=caption,
        status="success",
        at=AT,
        backend=MAKER.backend,
        prompt=MAKER.prompt,
    )


def patches_for(files: PatchFiles, bucket: Size, value: float = 1.0) -> np.ndarray[Any, Any]:
    """Return patches of the shape of a bucket."""
    return np.full(files.shape(bucket), value, np.float16)


def new_progress() -> Progress:
    """Return the progress of a job without photos."""
    return Progress(run="r1", stage="write", backend="write", total=0, skipped={})


def entry_of(survey: DatasetGaps, path: str) -> Lacking:
    """Return what one record lacks, by the path of its image."""
    return next(entry for entry in survey.all_entries() if entry.path == path)
