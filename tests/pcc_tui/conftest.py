"""Fixtures for tests of clusters: sixty photos, clustered once and copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.clusters import SUBJECTS, make_clustered, photo_names
from tests.support.photos import noise_jpeg


@pytest.fixture(scope="session")
def clustered_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace whose photos are in clusters; only ever copied."""
    workspace = tmp_path_factory.mktemp("clustered") / "workspace"
    make_clustered(workspace)
    return workspace


@pytest.fixture
def clustered(clustered_once: Path, workspace: Path) -> Path:
    """Return a workspace whose photos are in clusters; the photos are not there."""
    shutil.copytree(clustered_once, workspace, dirs_exist_ok=True)
    return workspace


@pytest.fixture
def sixty_photos(tmp_path: Path) -> Path:
    """Return a folder with the photos of such a workspace."""
    folder = tmp_path / "photos"
    (folder / "2021").mkdir(parents=True)
    names = [name for subject in SUBJECTS for name in photo_names(subject)]
    for number, name in enumerate(names):
        (folder / name).write_bytes(noise_jpeg(number, (48, 32)))
    return folder
