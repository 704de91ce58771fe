"""Detector, labeller and reader together, through the command line, with tiny random models."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from journal import CaptionRecord, scan
from pipeline.ingest.cache.records import Detection, Embedding
from pipeline.ingest.cache.region_vectors import RegionVectors
from tests.support.apps import write_records
from tests.support.drawn_text import draw_line
from tests.support.ingesting import Ingest, open_to_others, tree
from tests.support.tiny_detectors import WIDTH, save_tiny_owl, save_tiny_siglip

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""What turns an upright picture into the one a file of that EXIF orientation stores."""

SIZE = (480, 320)
LARGE = 6
PROPOSALS = 4


def save_turned(upright: Image.Image, orientation: int, path: Path) -> None:
    """Store a picture as a camera does that was held otherwise."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright.transpose(TURNS[orientation]).save(path, exif=exif)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Return the options that name tiny models."""
    root = tmp_path_factory.mktemp("models")
    (root / "owl").mkdir()
    (root / "siglip").mkdir()
    return (
        *("--detector", str(save_tiny_owl(root / "owl", "owlv2"))),
        *("--labeller", str(save_tiny_siglip(root / "siglip"))),
        *("--vocabulary", "dog,cat", "--threshold", "0", "--proposals", str(PROPOSALS)),
    )


@pytest.fixture(scope="module")
def at_once(
    models: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Ingest, dict[str, Any]]]:
    """Return a library that went through all stages in one run, and the report of it."""
    with Ingest(tmp_path_factory.mktemp("at-once")) as ingest:
        drawn = draw_line("Seven stars", 40, canvas=SIZE, paper=(200, 220, 240)).image
        drawn.save(ingest.photos / "1.png")
        for orientation in TURNS:
            save_turned(drawn, orientation, ingest.photos / f"{orientation}.png")
        width, height = SIZE
        large = drawn.resize((LARGE * width, LARGE * height), Image.Resampling.NEAREST)
        large.save(ingest.photos / "large.png", compress_level=1)
        shutil.copy(ingest.photos / "1.png", ingest.photos / "same.png")
        write_records(
            ingest.workspace,
            CaptionRecord(rel_path="3.png", caption="stars", status="success", backend="mock"),
        )
        before = tree(ingest.photos)
        report = ingest.report("run", *models)
        assert tree(ingest.photos) == before
        yield ingest, report


def regions(ingest: Ingest) -> dict[str, list[Detection]]:
    """Return the regions of each photo, the surest first; of those that stand twice the last."""
    found: dict[str, dict[str, Detection]] = {}
    for region in ingest.detections():
        found.setdefault(region.rel_path, {})[region.region_id] = region
        region.item_hash = None  # what was done at once and in turn differs in that alone
    return {path: [by_name[name] for name in sorted(by_name)] for path, by_name in found.items()}


def vectors(ingest: Ingest) -> dict[tuple[str, str], Any]:
    """Return the embedding of each region."""
    store = RegionVectors(ingest.cache / "embeddings")
    array = np.fromfile(store.rows, "<f4").reshape(-1, WIDTH)
    return {one.identity(): array[one.row] for _, one in scan(store.keys, Embedding)}


def test_stages_through_the_command_line(
    at_once: tuple[Ingest, dict[str, Any]], models: tuple[str, ...], tmp_path: Path
) -> None:
    """One test: each process of the suite that had a part of it would make the library anew."""
    ingest, report = at_once
    check_outcomes(ingest, report)
    check_coordinates(ingest)
    check_embeddings(ingest)
    check_that_turns_equal_all_at_once(ingest, models, tmp_path)


def check_outcomes(ingest: Ingest, report: dict[str, Any]) -> None:
    """All stages of each photo are there, once."""
    assert report["by_status"] == {"success": 10}
    assert report["photos"] == 10
    ingest.assert_each_once()
    ended = {(one.rel_path, one.stage): one for one in ingest.outcomes()}
    assert len(ended) == 10 * 3
    assert {one.copied_from for (path, _), one in ended.items() if path == "same.png"} == {"1.png"}
    found = regions(ingest)
    assert found.keys() == {path for path, _ in ended} - {"same.png"}
    for path, things in found.items():
        assert 0 < len(things) <= PROPOSALS
        assert ended[path, "detect"].lines == ended[path, "label"].lines == len(things)
        for thing in things:
            assert thing.caption == ("stars" if path == "3.png" else None)
            assert {label.source for label in thing.labels} == {"label", "detect"}
            assert {label.label for label in thing.labels} <= {"dog", "cat"}
    status = ingest.report("status")
    assert status["models"].keys() == {"detect", "label", "ocr"}
    assert status["queue"]["done"] == 9
    manifest = json.loads((ingest.cache / "manifest.json").read_bytes())
    assert all(facts["hashes"] for facts in manifest["models"].values())
    assert open_to_others(ingest.cache) == []


def check_coordinates(ingest: Ingest) -> None:
    """Boxes and texts are in pixels of the upright photo."""
    found = regions(ingest)
    boxes = {path: np.array([thing.bbox for thing in things]) for path, things in found.items()}
    for path in (f"{orientation}.png" for orientation in TURNS):
        assert boxes[path] == pytest.approx(boxes["1.png"], abs=0.11), path
    assert boxes["large.png"] / LARGE == pytest.approx(boxes["1.png"], abs=2)

    sizes = {one.rel_path: (one.width, one.height) for one in ingest.outcomes() if one.width}
    width, height = SIZE
    assert sizes == {
        path: (LARGE * width, LARGE * height) if path == "large.png" else SIZE for path in found
    }
    drawn = np.array(draw_line("Seven stars", 40, canvas=SIZE).quad)
    for text in ingest.texts():
        scale = LARGE if text.rel_path == "large.png" else 1
        assert text.text == "Seven stars", text
        assert np.array(text.quad) / scale == pytest.approx(drawn, abs=12), text


def check_embeddings(ingest: Ingest) -> None:
    """Rows fit their keys."""
    rows = vectors(ingest)
    assert rows.keys() == {thing.identity() for thing in ingest.detections()}
    assert np.linalg.norm(np.array(list(rows.values())), axis=1) == pytest.approx(1, abs=1e-5)
    size = (ingest.cache / "embeddings" / "regions.f32").stat().st_size
    assert size == len(rows) * WIDTH * 4
    for orientation in TURNS:
        assert rows[f"{orientation}.png", "r0"] == pytest.approx(rows["1.png", "r0"], abs=1e-3)


def check_that_turns_equal_all_at_once(
    whole: Ingest, models: tuple[str, ...], tmp_path: Path
) -> None:
    """Stage after stage gives what all at once give."""
    names = {"1.png", "3.png", "same.png"}
    with Ingest(tmp_path) as ingest:
        for name in names:
            shutil.copy(whole.photos / name, ingest.photos)
        shutil.copy(whole.workspace / "captions.jsonl", ingest.workspace)
        ingest("run", "--stages", "ocr")
        ingest("run", "--stages", "detect", *models)
        assert {label.source for one in ingest.detections() for label in one.labels} == {"detect"}
        assert not (ingest.cache / "embeddings").exists()
        ingest("run", "--stages", "label", *models)

        last = {one.identity(): one for one in ingest.outcomes()}
        expected = {one.identity(): one for one in whole.outcomes() if one.rel_path in names}
        assert {
            identity: (one.lines, one.copied_from, one.version) for identity, one in last.items()
        } == {
            identity: (one.lines, one.copied_from, one.version)
            for identity, one in expected.items()
        }
        wanted = {path: found for path, found in regions(whole).items() if path in names}
        assert regions(ingest) == wanted
        rows = {one: row for one, row in vectors(whole).items() if one[0] in names}
        assert vectors(ingest).keys() == rows.keys()
        for identity, row in vectors(ingest).items():
            assert row == pytest.approx(rows[identity], abs=1e-4)
        quads = {text.identity(): text.quad for text in whole.texts() if text.rel_path in names}
        assert {text.identity(): text.quad for text in ingest.texts()} == quads


def test_a_model_that_is_not_there_is_a_line(tmp_path: Path) -> None:
    with Ingest(tmp_path) as ingest:
        ingest.draw(1)
        model = "nobody/nothing"
        offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")}
        done = ingest("run", "--stages", "detect", "--detector", model, code=64, **offline)
        assert model in done.stderr
        assert done.stderr.count("\n") == 1
        assert ingest.count() == 0
        assert ingest.counts().leased == 0
