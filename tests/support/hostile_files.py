"""A workspace with a file of every kind, and contents that nobody wrote on purpose."""

from __future__ import annotations

import json
from pathlib import Path

from backends.encoders.dino_config import DinoConfig
from pipeline.datasets.patch_files import PatchFiles
from tests.support.caches import detection, outcome, text, write_cache, write_vectors
from tests.support.clusters import make_clustered, photo_names, run_pcc
from tests.support.enriching import save_patches
from tests.support.photos import noise_jpeg

CONTENTS = {
    "brackets": b"[" * 5000 + b"\n",
    "nested": b'{"a":' * 200 + b"1" + b"}" * 200 + b"\n",
    "deeply nested": b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"\n",
    "digits": b'{"version": ' + b"9" * 5000 + b"}\n",
    "TOML digits": b"max_workers = " + b"9" * 5000 + b"\n",
    "TOML brackets": b"a = " + b"[" * 5000 + b"\n",
    "list": b"[]\n",
    "null": b"null\n",
    "object": b"{}\n",
    "NaN": b"NaN\n",
    "NULs": b"\0" * 100 + b"\n",
    "no UTF-8": b"\xff\xfe\xc3\x28\n",
    "empty": b"",
}

SHARDS = ("dataset", "shards", "--out", "shards")
ENRICH = ("dataset", "enrich", "--pass-filter", "migrate,dimensions", "--yes")
RUN = ("run", "--backend", "mock", "--limit", "1", "--force")

READERS: dict[str, list[tuple[str, ...]]] = {
    "captions.jsonl": [("stats",), ("journal", "check"), ("plan",), RUN],
    "edits.jsonl": [("plan",), ("labels", "list")],
    "prompts.json": [RUN],
    "captions.files": [("plan",)],
    "captioner.json": [("plan",), ("doctor",)],
    "run.json": [("doctor",), ("watch", "--once"), RUN],
    "captions.jsonl.lock": [RUN],
    "pcc.toml": [("doctor",), RUN],
    "prices.toml": [("models",)],
    "config.env": [("doctor",)],
    "clusters.jsonl": [("labels", "list"), ("search", "beach")],
    "labels.jsonl": [("labels", "list"), ("labels", "undo")],
    "chunks.jsonl": [("chunk",)],
    "embeddings/tfidf/manifest.json": [("embed",), ("search", "beach")],
    "embeddings/tfidf/keys.jsonl": [("embed",)],
    "embeddings/tfidf/learnt.bin": [("search", "beach", "--by", "meaning")],
    "embeddings/tfidf/vectors.f32": [("search", "beach")],
    "labels_clusters.csv": [("labels", "import", "labels_clusters.csv")],
    "labels.json": [("labels", "import", "labels.json")],
    "dataset.jsonl": [("dataset", "verify"), ENRICH],
    "dataset.jsonl.enriching/sizes.jsonl": [ENRICH],
    "shards/index.json": [SHARDS],
    "dinov3_patches/patches.json": [("dataset", "verify")],
    "dinov3_patches/2021__IMG_0000.npy": [("dataset", "verify")],
    "synth/metadata.json": [("synth", "validate", "synth")],
    "synth/train.npz": [("synth", "validate", "synth")],
    "cache/manifest.json": [("ingest", "status")],
    "cache/outcomes.jsonl": [("ingest", "status")],
    "cache/detections.jsonl": [("ingest", "import", "cache", "--db", "new.sqlite")],
    "cache/ocr.jsonl": [("ingest", "import", "cache", "--db", "new.sqlite")],
    "cache/embeddings/regions.json": [("ingest", "import", "cache", "--db", "new.sqlite")],
    "cache/embeddings/regions.jsonl": [("ingest", "import", "cache", "--db", "new.sqlite")],
    "cache/asked.json": [("ingest", "status")],
    "cache/queue.sqlite": [("ingest", "status")],
}
"""The commands that read a file, by the file."""

MADE_ANEW = (
    *("prompts.json", "captions.files", "captioner.json", "run.json", "captions.jsonl.lock"),
    *("chunks.jsonl", "cache/asked.json", "dataset.jsonl.enriching/sizes.jsonl"),
    *("embeddings/tfidf/keys.jsonl", "embeddings/tfidf/vectors.f32"),
)
"""Files that the next command makes again from others, so that damage is no loss to tell of."""


def make_workspace(workspace: Path, photos: Path) -> None:
    """Fill a workspace with a file of every kind, and a folder with its photos."""
    names = photo_names("beach")
    (photos / "2021").mkdir(parents=True)
    for number, name in enumerate(names):
        (photos / name).write_bytes(noise_jpeg(number, (48, 32)))
    make_clustered(workspace)
    (workspace / "pcc.toml").write_text(
        f'embedder = "tfidf"\nphotos_dir = {json.dumps(str(photos))}\n'
    )
    for command in (
        ("chunk",),
        ("labels", "export"),
        ("labels", "export", "--out", "labels.json", "--table", "photos"),
        ENRICH,
        SHARDS,
        ("synth", "generate", "--num-images", "20", "--output-dir", "synth", "--yes"),
    ):
        run_pcc(workspace, *command)
    patches = PatchFiles(workspace / "dinov3_patches", DinoConfig("tiny", "dinov2", 14, 2, 1))
    patches.begin(anew=False)
    save_patches(patches.path("2021__IMG_0000"), (4, 2))
    stages = ("detect", "label", "ocr")
    cache = write_cache(
        workspace / "cache",
        [outcome(name, stage, 1) for name in names for stage in stages],
        map(detection, names),
        map(text, names),
    )
    write_vectors(cache, {(name, "r0"): [1.0, 0.0] for name in names}, "model-1")
