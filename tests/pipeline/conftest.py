"""Fixtures for tests of datasets and imports."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.encoders.t5 import T5Tokenizer
from tests.support.datasets import place_images
from tests.support.imported import write_three_photos
from tests.support.tiny_t5 import save_tiny_t5


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> T5Tokenizer:
    """Return a tiny tokenizer, opened once."""
    made = T5Tokenizer(str(save_tiny_t5(tmp_path_factory.mktemp("t5"))))
    made.open()
    return made


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Return a folder with one image."""
    return place_images(tmp_path / "images", "a.jpg")


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Return where a dataset is about to be, in a directory of its own."""
    (tmp_path / "set").mkdir()
    return tmp_path / "set" / "d.jsonl"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Return where a database is to be."""
    return tmp_path / "cache.sqlite"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return a cache of three photos, the last of which is a copy of the first."""
    return write_three_photos(tmp_path / "cache")
