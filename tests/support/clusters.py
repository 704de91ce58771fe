"""Workspaces with clusters: sixty captions of six clearly different subjects."""

from __future__ import annotations

import json
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

from journal import CaptionRecord
from pipeline.clusters.opening import open_view
from pipeline.clusters.tree_file import Clustering, clusters_path, read_clustering
from pipeline.clusters.view import ClusterView
from tests.conftest import CLEAN_ENVIRONMENT
from tests.support.apps import write_records
from tests.support.in_process import run_in_process

SUBJECTS = {
    "beach": ("beach", "waves", "sand", "seagulls", "surfers"),
    "dog": ("dog", "leash", "bone", "terrier", "puppy"),
    "train": ("train", "railway", "platform", "carriage", "conductor"),
    "cake": ("cake", "candles", "icing", "birthday", "cream"),
    "mountain": ("mountain", "snow", "summit", "glacier", "climbers"),
    "market": ("market", "stall", "fruit", "vendor", "baskets"),
}
"""Five words for each subject; three words in a caption give ten captions."""

GROUP = "dog"
"""A subject whose captions form two clusters of one group: with a dog and without a dog."""

TWO_DAYS = "market"
"""A subject whose photos were taken on two days, and so are in two chunks."""

EACH = 10


def subject_captions(subject: str) -> list[str]:
    """Return ten captions of a subject, no two alike."""
    captions = [f"The {a}, the {b} and the {c}." for a, b, c in combinations(SUBJECTS[subject], 3)]
    if subject == GROUP:
        return [f"{caption[:-1]} near the dog." for caption in captions]
    return captions


def photo_name(subject: str, number: int) -> str:
    """Return the path of a photo, which does not name the subject."""
    return f"2021/IMG_{list(SUBJECTS).index(subject):02d}{number:02d}.jpg"


def photo_names(subject: str) -> list[str]:
    """Return the paths of all photos of a subject."""
    return [photo_name(subject, number) for number in range(EACH)]


def record(path: str, text: str, taken: str | None = None) -> CaptionRecord:
    """Return the record of a success."""
    return CaptionRecord(rel_path=path, caption=text, status="success", backend="mock", taken=taken)


def subject_records(*subjects: str) -> list[CaptionRecord]:
    """Return the records of some subjects, or of all subjects if none is named."""
    made = []
    for subject in subjects or SUBJECTS:
        month = 1 + list(SUBJECTS).index(subject)
        for number, text in enumerate(subject_captions(subject)):
            day = 25 if subject == TWO_DAYS and number >= EACH // 2 else 11
            taken = f"2021-{month:02d}-{day}T10:{number:02d}:00"
            made.append(record(photo_name(subject, number), text, taken))
    return made


def run_pcc(workspace: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `pcc` in a workspace, and check that the command succeeds."""
    done = run_in_process([*map(str, arguments)], workspace, CLEAN_ENVIRONMENT, 120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def make_clustered(workspace: Path) -> None:
    """Write the sixty captions and cluster them."""
    write_records(workspace, *subject_records())
    (workspace / "pcc.toml").write_text('embedder = "tfidf"\n')
    run_pcc(workspace, "cluster")


def clusters_file(workspace: Path) -> Clustering:
    """Return the last clustering from disk."""
    return read_clustering(clusters_path(workspace))


def leaf_by_photo(workspace: Path) -> dict[str, str | None]:
    """Return the cluster that the last clustering found for each photo, None for noise."""
    return {placed.rel_path: placed.cluster for placed in clusters_file(workspace).placed}


def cluster_of(workspace: Path, photo: str) -> str:
    """Return the id of the cluster that the last clustering found for a photo."""
    found = leaf_by_photo(workspace)[photo]
    assert found is not None
    return found


def view_of(workspace: Path) -> ClusterView:
    """Return the clusters of a workspace with all changes by hand."""
    return open_view(workspace, workspace / "captions.jsonl", None)


def seen_by_photo(workspace: Path) -> dict[str, str]:
    """Return the id of the cluster that people see each photo in."""
    view = view_of(workspace)
    paths = (photo.rel_path for photo in view.photos)
    return dict(zip(paths, view.leaf_of, strict=True))


def title_by_photo(workspace: Path) -> dict[str, str]:
    """Return the title of the cluster that people see each photo in."""
    view = view_of(workspace)
    return {
        photo.rel_path: view.clusters[leaf].title
        for photo, leaf in zip(view.photos, view.leaf_of, strict=True)
    }


def document(done: subprocess.CompletedProcess[str]) -> Any:
    """Return the JSON document that a command printed, and nothing else."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
