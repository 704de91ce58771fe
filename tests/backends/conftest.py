"""Fixtures for tests of encoders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.encoders.dino import DinoEncoder
from tests.support.encoders import (
    DINOV3,
    Find,
    Kind,
    opened,
    save_kind,
)
from tests.support.enriching_models import nothing_downloaded
from tests.support.protocols import PROTOCOLS, Protocol


@pytest.fixture(scope="module")
def offline() -> Iterator[None]:
    """Nothing is downloaded, and what encoders set is undone."""
    with nothing_downloaded():
        yield


@pytest.fixture(scope="module")
def encoder_of(tmp_path_factory: pytest.TempPathFactory) -> Find:
    """Return a function that opens a kind of encoder once."""
    directory, found = tmp_path_factory.mktemp("models"), dict[Kind, DinoEncoder]()

    def find(kind: Kind) -> DinoEncoder:
        if kind not in found:
            found[kind] = opened(save_kind(kind, directory / str(kind)))
        return found[kind]

    return find


@pytest.fixture
def dino_files(tmp_path: Path) -> Path:
    """Return a model that a test may spoil."""
    return save_kind(DINOV3, tmp_path / "dino")


@pytest.fixture(params=list(PROTOCOLS))
def protocol(request: pytest.FixtureRequest) -> Protocol:
    """Each vendor's protocol in turn."""
    return PROTOCOLS[request.param]
