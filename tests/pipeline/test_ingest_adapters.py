"""Importing a cache of another form: refused by name, or read by an adapter."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.cache.manifest import dataset_digest
from pipeline.ingest.errors import CacheRefused
from tests.support.caches import line, outcome, write_cache
from tests.support.imported import ask, dump, take_in


@pytest.mark.parametrize(
    ("more", "found", "way_out"),
    [
        ({"phase": 1}, "of phase 1, not 2", "--adapt phase-1"),
        ({"phase": 3}, "of phase 3, not 2", "another --cache"),
        ({"version": 7}, "of version 7, not 1", "--adapt schema"),
        ({"schema_hash": "blake3:00"}, "of schema blake3:00, not blake3:", "--adapt schema"),
        ({"dataset_digest": "blake3:11"}, "manifest says blake3:11", "--adapt digest"),
        ({"cache_id": "c-2"}, "holds the cache c-1, not c-2", "--db"),
    ],
)
def test_a_cache_of_another_form_is_refused_by_name(
    cache: Path, db: Path, more: dict[str, Any], found: str, way_out: str
) -> None:
    take_in(cache, db)
    before = db.read_bytes()
    manifest = json.loads((cache / "manifest.json").read_text())
    (cache / "manifest.json").write_text(json.dumps(manifest | more))

    with pytest.raises(CacheRefused) as refusal:
        take_in(cache, db)
    assert found in str(refusal.value)
    assert way_out in str(refusal.value)
    assert db.read_bytes() == before


def test_what_is_no_cache_or_needs_no_adapter_is_refused(cache: Path, db: Path) -> None:
    for adapter in ("phase-1", "schema", "digest"):
        with pytest.raises(CacheRefused, match=f"leave out --adapt {adapter}"):
            take_in(cache, db, adapter)
    for there, why in (("[1]", "phase nothing"), ("{", "cannot be understood"), (None, "no cache")):
        (cache / "manifest.json").unlink()
        if there is not None:
            (cache / "manifest.json").write_text(there)
        with pytest.raises(CacheRefused, match=why):
            take_in(cache, db)
        if there is None:
            break
    with pytest.raises(CacheRefused, match="there is no cache"):
        take_in(cache / "nowhere", db)
    assert not db.exists()


PHASE_ONE: dict[str, Any] = {
    "a.json": {
        "image_id": "a.jpg",
        "width": 100,
        "height": 80,
        "caption": "a dog",
        "detections": [
            {"bbox": [0, 0, 50, 50], "label": "dog", "score": 0.9},
            {"bbox": [0, 0, 150, 50], "label": "far out"},
            {"box": [1, 1, 9, 9], "labels": [{"name": "ball", "confidence": 0.4}, "toy"]},
            {"bbox": [0, 0, float("nan"), 1], "label": "x"},
            {"label": "no box"},
        ],
        "ocr": [{"text": "EXIT", "score": 0.7, "bbox": [1, 2, 3, 4]}, {"confidence": 1}],
    },
    "deep/b.jpg.json": {"objects": [{"bbox": [1, 2, 3, 4], "name": "cat"}], "ocr": "SALE"},
    "c.json": {"file_name": "../c.jpg"},
    "d.json": {"path": "a.jpg"},
    "e.json": ["no object"],
    "f.json": {"detections": []},
}


def test_phase_1_is_read_by_its_adapter(tmp_path: Path, db: Path) -> None:
    cache = tmp_path / "old"
    (cache / "deep").mkdir(parents=True)
    for name, document in PHASE_ONE.items():
        (cache / name).write_text(json.dumps(document))
    (cache / "g.json").write_bytes(b"{" * 100_000)

    with pytest.raises(CacheRefused, match="--adapt phase-1"):
        take_in(cache, db)
    report = take_in(cache, db, "phase-1")

    query = "SELECT image_id, region_id, labels, x0, y0, x1, y1, caption FROM objects ORDER BY 1, 2"
    assert ask(db, query) == [
        ("a.jpg", "r0", "dog 0.90", 0, 0, 50, 50, "a dog"),
        ("a.jpg", "r2", "ball 0.40, toy 1.00", 1, 1, 9, 9, "a dog"),
        ("deep/b.jpg", "r0", "cat 1.00", 1, 2, 3, 4, None),
    ]
    assert ask(db, "SELECT image_id, text, confidence FROM image_texts ORDER BY 1") == [
        ("a.jpg", "EXIT", 0.7),
        ("deep/b.jpg", "SALE", 1.0),
    ]
    assert sorted(report.skipped.items()) == [
        ("a.json", 4),
        *((f"{letter}.json", 1) for letter in "cdefg"),
    ]
    before = dump(db)
    take_in(cache, db, "phase-1")
    assert dump(db) == before

    for path in cache.glob("*.json"):
        path.write_text("{}")
    (cache / "deep" / "b.jpg.json").unlink()
    with pytest.raises(CacheRefused, match="holds no JSON file that tells of a photo"):
        take_in(cache, db, "phase-1")
    assert dump(db) == before


def test_another_schema_is_read_as_far_as_it_has_our_fields(tmp_path: Path, db: Path) -> None:
    contract = {"image_id": "a.jpg", "region_id": "obj-7", "bbox": [1, 2, 3, 4], "labels": []}
    texts = [{"image_id": "a.jpg", "text": said, "confidence": 0.5} for said in ("one", "two")]
    cache = write_cache(
        tmp_path / "cache",
        [],
        [line(contract), line({"image_id": "a.jpg", "box": [1, 2, 3, 4]})],
        map(line, texts),
        version=0,
        cache_id="",
    )
    report = take_in(cache, db, "schema")

    assert report.adapted == "schema"
    assert report.cache_id.startswith("phase-2:cache-")
    assert [(one.line, "region_id" in one.why) for one in report.named] == [(2, True)]
    assert ask(db, "SELECT image_id, region_id FROM objects") == [("a.jpg", "obj-7")]
    assert ask(db, "SELECT text_id, text FROM texts") == [("line 1", "one"), ("line 2", "two")]


def test_another_digest_is_taken_as_it_is(cache: Path, db: Path) -> None:
    manifest = json.loads((cache / "manifest.json").read_text())
    (cache / "manifest.json").write_text(json.dumps(manifest | {"dataset_digest": ""}))

    assert take_in(cache, db, "digest").images == 3
    assert ask(db, "SELECT adapted, dataset_digest FROM caches") == [("digest", "")]


def test_the_digest_of_rows_is_that_of_the_manifest(tmp_path: Path, db: Path) -> None:
    raw = base64.b64encode(b"\xff").decode()
    names = {"z": "1", "é": None, "a/b": "2", "\U0001f600": "3", "\uffee": "4"}
    cache = write_cache(
        tmp_path / "cache",
        [
            outcome("\ufffd", raw_path=raw, digest="5"),
            *(outcome(name, digest=digest) for name, digest in names.items()),
        ],
    )
    found = take_in(cache, db)

    assert found.images == 6
    assert ask(db, "SELECT dataset_digest FROM caches") == [
        (dataset_digest(sorted({**names, f"\0{raw}": "5"}.items())),)
    ]
