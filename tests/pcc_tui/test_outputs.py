"""What a command is told to write never lands in the photos, nor over anything of another kind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Pcc

ENRICH = ("dataset", "enrich", "--pass-filter", "migrate,dimensions", "--yes")

OUTPUTS: dict[str, tuple[str, ...]] = {
    "journal": ("run", "--backend", "mock", "--captions-jsonl"),
    "dataset": (*ENRICH, "--output-jsonl"),
    "page": ("compare", "--with", "mock", "--samples", "--page"),
    "labels": ("labels", "export", "--out"),
    "names": ("labels", "bootstrap", "--out"),
}
"""Commands that write a file, by what is in the file; the path comes last."""

DIRECTORIES: dict[str, tuple[str, ...]] = {
    "workspace": ("run", "--backend", "mock", "--workspace"),
    "vectors": ("embed", "--embedder", "tfidf", "--workspace"),
    "reports": ("report", "--out"),
    "shards": ("dataset", "shards", "--out"),
    "patches": ("dataset", "enrich", "--pass-filter", "patches", "--yes", "--patches-dir"),
    "synthetic set": ("synth", "generate", "--num-images", "10", "--yes", "--output-dir"),
    "cache": ("ingest", "run", "--stages", "ocr", "--cache"),
    "demo": ("demo",),
}
"""Commands that write a directory, by what is in it; the path comes last."""


@pytest.fixture
def library(clustered: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Return a workspace with captions, clusters and a dataset, and a library beside it."""
    photos = tmp_path / "library"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(b"\xff\xd8\xff a photo")
    return clustered, photos


def _everything(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("what", [*OUTPUTS, *DIRECTORIES])
def test_nothing_is_written_inside_the_photos(
    pcc: Pcc, library: tuple[Path, Path], what: str
) -> None:
    workspace, photos = library
    (workspace / "dataset.jsonl").write_text('{"image_path":"a.jpg"}\n')
    command = (OUTPUTS | DIRECTORIES)[what]
    target = photos / ("out.csv" if what in OUTPUTS else "out")
    site = () if command[-1] in ("--workspace", "demo") else ("--workspace", workspace)
    told = pcc(*command, target, *site, environment={"PHOTOS_DIR": str(photos)})

    assert told.returncode == 64, told
    assert "photos directory" in told.stderr
    assert "--workspace DIR" in told.stderr
    assert [*photos.iterdir()] == [photos / "a.jpg"]


@pytest.mark.parametrize("what", OUTPUTS)
@pytest.mark.parametrize("stands", ["photo", "journal", "link"])
def test_nothing_of_another_kind_is_written_over(
    pcc: Pcc, library: tuple[Path, Path], tmp_path: Path, what: str, stands: str
) -> None:
    workspace, photos = library
    target = {
        "photo": tmp_path / "copy.jpg",
        "journal": workspace / "edits.jsonl",
        "link": tmp_path / "link.csv",
    }[stands]
    shutil.copy(photos / "a.jpg", tmp_path / "copy.jpg")
    (workspace / "edits.jsonl").write_text('{"rel_path":"a.jpg","caption":"c","at":"now"}\n')
    (tmp_path / "link.csv").symlink_to(workspace / "edits.jsonl")
    before = _everything(tmp_path / "copy.jpg"), (workspace / "edits.jsonl").read_bytes()
    told = pcc(*OUTPUTS[what], target, "--workspace", workspace, "--photos-dir", photos)

    assert told.returncode == 64, told
    assert f"{target} is" in told.stderr
    assert "left as it is" in told.stderr
    assert (_everything(tmp_path / "copy.jpg"), (workspace / "edits.jsonl").read_bytes()) == before


def test_a_workspace_in_the_photos_can_still_be_read(pcc: Pcc, photos: Callable[..., Path]) -> None:
    library = photos(1)
    assert pcc("plan", "--workspace", library, "--photos-dir", library).returncode == 0
    assert [path.name for path in library.iterdir()] == [f"{next(library.iterdir()).name}"]
