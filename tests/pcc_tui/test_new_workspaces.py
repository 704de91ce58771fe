"""A workspace that is not there: made by what writes, left alone by what reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Pcc

WRITE = [
    ("run", "--backend", "mock"),
    ("run", "--backend", "mock", "--captions-jsonl", "elsewhere/sub/captions.jsonl"),
    ("embed", "--embedder", "tfidf"),
    ("cluster", "--embedder", "tfidf"),
    ("report", "--no-thumbnails"),
    ("dataset", "enrich", "--pass-filter", "migrate,dimensions", "--yes"),
    ("synth", "generate", "--num-images", "10", "--yes", "--no-validate"),
    ("estimate", "--pilot", "2", "--backend", "mock"),
]

READ = [
    ("plan",),
    ("stats",),
    ("journal", "check"),
    ("labels", "list"),
    ("labels", "undo"),
    ("labels", "bootstrap"),
    ("search", "dog"),
    ("chunk",),
    ("edit", "IMG_00000.jpg", "--caption", "x"),
    ("watch",),
    ("doctor",),
    ("ingest", "status"),
    ("dataset", "verify"),
    ("estimate",),
]


@pytest.mark.parametrize("command", WRITE, ids=" ".join)
def test_what_writes_makes_the_workspace(
    command: tuple[str, ...], photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    done = pcc(*command, "--workspace", "new/sub", "--photos-dir", photos(3))

    assert done.returncode == 0, done.stderr
    assert any((workspace / "new" / "sub").iterdir())


@pytest.mark.parametrize("command", READ, ids=" ".join)
def test_what_reads_makes_nothing(
    command: tuple[str, ...], photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    done = pcc(*command, "--workspace", "new/sub", "--photos-dir", photos(1))

    assert done.returncode in (0, 1, 64)
    assert done.stdout + done.stderr
    assert "[Errno" not in done.stderr
    assert "bug" not in done.stderr
    assert not any(workspace.iterdir())
