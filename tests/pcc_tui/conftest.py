"""Fixtures for tests of commands and screens: libraries, and what is made of them once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

from pipeline.datasets.buckets import BUCKETS, bucket_name
from tests.support.clusters import SUBJECTS, make_clustered, photo_names
from tests.support.enriching import grow_old
from tests.support.enriching_models import Model, few_photos, model_maker, nothing_downloaded
from tests.support.ingesting import Ingest
from tests.support.photos import noise_jpeg
from tests.support.tiny_t5 import save_tiny_t5


@pytest.fixture(scope="session", autouse=True)
def _styles_parsed_once() -> Iterator[None]:
    """Let all apps of a session share the rules that Textual parses, as the screens of one do."""
    parse, known = Stylesheet._parse_rules, dict[Any, list[RuleSet]]()

    def parsed(sheet: Stylesheet, *given: Any, **named: Any) -> list[RuleSet]:
        key = (frozenset(sheet._variables.items()), given, frozenset(named.items()))
        if key not in known:
            known[key] = parse(sheet, *given, **named)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parsed)
        yield


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


@pytest.fixture
def ingest(tmp_path: Path) -> Iterator[Ingest]:
    """Return an empty workspace beside an empty library."""
    with Ingest(tmp_path) as ingest:
        yield ingest


@pytest.fixture(scope="module")
def offline() -> Iterator[None]:
    """Nothing is downloaded, and what encoders set is undone."""
    with nothing_downloaded():
        yield


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Return a function that saves a tiny DINO, once."""
    return model_maker(tmp_path_factory.mktemp("dinos"))


@pytest.fixture(scope="session")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny tokenizer."""
    return save_tiny_t5(tmp_path_factory.mktemp("t5") / "t5")


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Return a folder of four images of the smallest bucket."""
    return few_photos(tmp_path / "few")


@pytest.fixture
def all_shapes(tmp_path: Path) -> Path:
    """Return a folder with an image of each bucket's shape."""
    folder = tmp_path / "library"
    folder.mkdir()
    for number, (width, height) in enumerate(BUCKETS):
        data = noise_jpeg(number, (width // 8, height // 8))
        (folder / f"{bucket_name((width, height))}.jpg").write_bytes(data)
    grow_old(folder)
    return folder


@pytest.fixture
def patches(workspace: Path) -> Path:
    """Return where the patch files of the workspace are."""
    return workspace / "dinov3_patches"
