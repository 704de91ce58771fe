"""Importing a cache: what lands, what is named, what is refused, and that it is all or nothing."""

from __future__ import annotations

import base64
import json
import signal
import sqlite3
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from journal import JournalLocked
from pipeline.ingest.cache.manifest import dataset_digest
from pipeline.ingest.errors import CacheRefused
from pipeline.ingest.importing import database
from pipeline.ingest.importing.database_schema import APPLICATION, LAYOUT
from pipeline.ingest.importing.importer import Importer
from pipeline.ingest.importing.report import Adapter, ImportReport
from pipeline.jobs.thread_step import Gate, GivenUp
from tests.support.caches import detection, line, outcome, text, write_cache, write_vectors

HOSTILE = "\x1b]0;owned\x07 \u202e</td><script>\0 '; DROP TABLE images; --"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Return where the database is to be."""
    return tmp_path / "cache.sqlite"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return a cache of three photos, the last of which is a copy of the first."""
    made = write_cache(
        tmp_path / "cache",
        [
            outcome("a.jpg", lines=2),
            outcome("a.jpg", "ocr", 2),
            outcome("b/ö.jpg", lines=1),
            outcome("b/ö.jpg", "ocr", 1),
            outcome("copy.jpg", digest="blake3:a.jpg", copied_from="a.jpg"),
            outcome("copy.jpg", "ocr", digest="blake3:a.jpg", copied_from="a.jpg"),
        ],
        [detection("a.jpg"), detection("a.jpg", 1, "cat"), detection("b/ö.jpg", 0, "bus")],
        [
            text("a.jpg", 0, "STOP", region_id="r1"),
            text("a.jpg", 1, "GO", language=None),
            text("b/ö.jpg", 0, "", source="gate", skipped="no text", quad=...),
        ],
    )
    write_vectors(made, {("a.jpg", "r0"): [1.5, -2.0], ("b/ö.jpg", "r0"): [0.25, 4.0]}, "siglip")
    return made


def take_in(cache: Path, db: Path, adapter: Adapter | None = None) -> ImportReport:
    importer = Importer(cache, db, adapter)
    importer.run(Gate())
    assert importer.report.finished
    return importer.report


def ask(db: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(query).fetchall()


def dump(db: Path) -> list[str]:
    with closing(sqlite3.connect(db)) as connection:
        return list(connection.iterdump())


def test_everything_lands_with_its_keys_and_imports_again_to_the_same_rows(
    cache: Path, db: Path
) -> None:
    report = take_in(cache, db)
    before = dump(db)

    assert (report.images, report.copies, report.outcomes) == (3, 1, 6)
    assert (report.regions, report.labels, report.texts, report.embeddings) == (3, 6, 3, 2)
    assert (report.skipped, report.missing, report.removed, report.left_over) == ({}, {}, {}, 0)
    assert ask(db, "PRAGMA foreign_key_check") == []
    assert ask(db, "PRAGMA integrity_check") == [("ok",)]
    assert ask(db, "PRAGMA application_id") == [(APPLICATION,)]
    assert ask(db, "PRAGMA user_version") == [(LAYOUT,)]
    assert db.stat().st_mode & 0o777 == 0o600
    assert ask(db, "SELECT model, dimensions, vector FROM embeddings") == [
        ("siglip", 2, struct.pack("<2f", 1.5, -2.0)),
        ("siglip", 2, struct.pack("<2f", 0.25, 4.0)),
    ]

    db.chmod(0o640)
    again = take_in(cache, db)
    assert dump(db) == before
    assert msgspec.structs.replace(again, seconds=0) == msgspec.structs.replace(report, seconds=0)
    assert db.stat().st_mode & 0o777 == 0o640


def test_every_foreign_key_has_an_index(cache: Path, db: Path) -> None:
    take_in(cache, db)
    for (table,) in ask(db, "SELECT name FROM sqlite_master WHERE type = 'table'"):
        for key in ask(db, f"PRAGMA foreign_key_list({table})"):
            plan = ask(db, f"EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE {key[3]} = 1")
            assert plan[0][3].startswith("SEARCH"), (table, key)


def test_views_show_copies_what_their_originals_have(cache: Path, db: Path) -> None:
    take_in(cache, db)

    objects = "SELECT image_id, region_id, label, labels, copied_from FROM objects ORDER BY 1, 2"
    assert ask(db, objects) == [
        ("a.jpg", "r0", "dog", "dog 0.90, animal 0.50", None),
        ("a.jpg", "r1", "cat", "cat 0.90, animal 0.50", None),
        ("b/ö.jpg", "r0", "bus", "bus 0.90, animal 0.50", None),
        ("copy.jpg", "r0", "dog", "dog 0.90, animal 0.50", "a.jpg"),
        ("copy.jpg", "r1", "cat", "cat 0.90, animal 0.50", "a.jpg"),
    ]
    assert ask(db, "SELECT image_id, text, region_id FROM image_texts ORDER BY 1, text_id") == [
        ("a.jpg", "STOP", "r1"),
        ("a.jpg", "GO", None),
        ("copy.jpg", "STOP", "r1"),
        ("copy.jpg", "GO", None),
    ]
    photos = "SELECT image_id, objects, text, not_read_because, copied_from FROM photos ORDER BY 1"
    assert ask(db, photos) == [
        ("a.jpg", 2, "STOP\nGO", None, None),
        ("b/ö.jpg", 1, None, "no text", None),
        ("copy.jpg", 2, "STOP\nGO", None, "a.jpg"),
    ]


def test_two_photos_may_be_copies_of_each_other_in_different_stages(
    tmp_path: Path, db: Path
) -> None:
    cache = write_cache(
        tmp_path / "cache",
        [
            outcome("a.jpg", "ocr", 1, digest="d"),
            outcome("b.jpg", "detect", 1, digest="d"),
            outcome("b.jpg", "ocr", digest="d", copied_from="a.jpg"),
            outcome("a.jpg", "detect", digest="d", copied_from="b.jpg"),
            outcome("c.jpg", "detect", digest="e", copied_from="b.jpg"),
            outcome("d.jpg", "detect", copied_from="gone.jpg"),
        ],
        [detection("b.jpg")],
        [text("a.jpg")],
    )
    report = take_in(cache, db)

    assert [(one.line, one.why[:17]) for one in report.named] == [
        (5, "a copy of b.jpg, "),
        (6, "a copy of gone.jp"),
    ]
    assert ask(db, "SELECT image_id, label FROM objects ORDER BY 1") == [
        ("a.jpg", "dog"),
        ("b.jpg", "dog"),
    ]
    assert ask(db, "SELECT image_id, text FROM image_texts ORDER BY 1") == [
        ("a.jpg", "OPEN"),
        ("b.jpg", "OPEN"),
    ]


def test_a_cache_that_changed_keeps_ids_and_loses_what_is_gone(
    cache: Path, tmp_path: Path, db: Path
) -> None:
    take_in(cache, db)
    ids = dict(ask(db, "SELECT region || label, region FROM objects WHERE image_id = 'b/ö.jpg'"))
    write_cache(
        cache,
        [
            outcome("new.jpg", lines=1),
            outcome("a.jpg", lines=3),
            outcome("b/ö.jpg", lines=1),
            outcome("a.jpg", "ocr", 1),
            outcome("a.jpg", lines=1),
        ],
        [
            detection("a.jpg", 1, "cat"),
            detection("a.jpg", 0, "fox", labels=[{"label": "fox", "score": 1, "source": "label"}]),
            detection("a.jpg", 0, "wolf"),
            detection("a.jpg", 0, "elk", labels=[{"label": "elk", "score": 0.5}]),
            detection("b/ö.jpg", 0, "bus"),
            detection("never finished.jpg"),
            detection("new.jpg", 0, "hen"),
        ],
        [text("a.jpg", 0, "STOP"), text("a.jpg", 1, "GO")],
    )
    report = take_in(cache, db)

    assert report.removed == {"images": 1, "regions": 1, "texts": 2}
    assert (report.superseded, report.left_over, report.missing) == (3, 3, {})
    assert sorted(ask(db, "SELECT image_id, labels FROM objects")) == [
        ("a.jpg", "elk 0.50"),
        ("b/ö.jpg", "bus 0.90, animal 0.50"),
        ("new.jpg", "hen 0.90, animal 0.50"),
    ]
    assert ids == dict(
        ask(db, "SELECT region || label, region FROM objects WHERE image_id = 'b/ö.jpg'")
    )
    compacted = tmp_path / "compacted.sqlite"
    take_in(cache, compacted)
    rows = "SELECT image_id, labels, x0, caption FROM objects ORDER BY 1"
    assert ask(compacted, rows) == ask(db, rows)


BAD_DETECTIONS: dict[str, bytes] = {
    "JSON is malformed": b'{"image_id": NaN}\n',
    "out of range": line(detection("a.jpg", 1)).replace(b"0.9", b"1e999"),
    "Expected": line(detection("a.jpg", 1, bbox="none")),
    "utf-8": line(detection("a.jpg", 1, caption="x")).replace(b'"x"', b'"\xff"'),
    "truncated": line(detection("a.jpg", 1))[:70] + b"\n",
    "half a line": line(detection("a.jpg", 1))[:70] + b" <torn>\n",
    "no region": b"\0" * 64 + b"\n",
    "leads out": line(detection("../../etc/passwd", 1)),
    "leads out of": line(detection("/etc/passwd", 1)),
    "no base64": line(detection("a.jpg", 1, raw_path="\x1b[2J")),
    "is none of r0": line(detection("a.jpg", 1, region_id="r01")),
    "negative": line(detection("a.jpg", 1, bbox=[-5, 0, 9, 9])),
    "reversed": line(detection("a.jpg", 1, bbox=[9, 0, 5, 9])),
    "is outside the photo of 640 x 480": line(detection("a.jpg", 1, bbox=[0, 0, 641.5, 9])),
    "a score of 1.5": line(detection("a.jpg", 1, labels=[{"label": "x", "score": 1.5}])),
}


def test_lines_that_are_amiss_are_named_and_the_rest_lands(tmp_path: Path, db: Path) -> None:
    good = detection("a.jpg", 0, bbox=[-0.9, 0, 640.9, 480])
    cache = write_cache(
        tmp_path / "cache",
        [outcome("a.jpg", lines=2), outcome("a.jpg", "ocr", 3), outcome("b.jpg", lines=-1)],
        [*BAD_DETECTIONS.values(), b"\r\n", good],
        [
            text("a.jpg", 0, confidence=-0.1),
            text("a.jpg", 1, region_id="r1"),
            text("a.jpg", 2, quad=[[1, 2]]),
            line(text("a.jpg", 2, "half"))[:-20],
        ],
    )
    with (cache / "detections.jsonl").open("rb") as file:
        offsets = [0]
        for data in file:
            offsets.append(offsets[-1] + len(data))
    report = take_in(cache, db)

    assert ask(db, "SELECT region_id, x0, x1 FROM regions") == [("r0", -0.9, 640.9)]
    found = [one for one in report.named if one.file == "detections.jsonl"]
    assert [one.line for one in found] == list(range(1, len(BAD_DETECTIONS) + 1))
    assert [one.offset for one in found] == offsets[: len(found)]
    words = list(BAD_DETECTIONS)
    for one, word in zip(found, words, strict=True):
        assert word in one.why or word in ("negative", "no region"), one
    texts = [(one.line, one.why) for one in report.named if one.file == "ocr.jsonl"]
    assert texts == [
        (1, "a score of -0.1"),
        (2, "its region 'r1' is not there"),
        (3, "a quad of 1 corners"),
        (4, "half a line, left by a killed writer"),
    ]
    assert ask(db, "SELECT text_id, region FROM texts") == [("t1", None)]
    assert report.skipped == {"outcomes.jsonl": 1, "detections.jsonl": 15, "ocr.jsonl": 4}
    assert report.missing == {"detections.jsonl": 1, "ocr.jsonl": 2}
    assert (report.torn, len(report.remarks)) == (2, 1)


def test_a_line_that_somebody_edited_counts_and_is_told_of(cache: Path, db: Path) -> None:
    path = cache / "detections.jsonl"
    path.write_bytes(path.read_bytes().replace(b"a cat", b"A CAT"))
    report = take_in(cache, db)

    assert report.unverified == 1
    assert ask(db, "SELECT caption FROM regions WHERE region_id = 'r1'") == [("A CAT",)]


def test_text_is_data_and_names_need_not_be_utf_8(tmp_path: Path, db: Path) -> None:
    raws = [base64.b64encode(name).decode() for name in (b"x\xff.jpg", b"x\xfe.jpg")]
    readable = "x\ufffd.jpg"
    cache = write_cache(
        tmp_path / "cache",
        [
            *(outcome(readable, lines=1, raw_path=raw, digest=raw) for raw in raws),
            outcome(readable, lines=1),
            outcome(HOSTILE.replace("\0", "/"), "ocr", 1, error=HOSTILE),
            outcome("cafe\u0301.jpg", lines=1),
        ],
        [
            detection(readable, 0, "first", raw_path=raws[0]),
            detection(readable, 0, "second", raw_path=raws[1]),
            detection(readable, 0, "third", caption=HOSTILE),
            detection("caf\u00e9.jpg", 0, HOSTILE),
        ],
        [text(HOSTILE.replace("\0", "/"), 0, HOSTILE)],
    )
    report = take_in(cache, db)

    assert report.named == []
    query = "SELECT image_id, raw_path, label FROM objects ORDER BY region"
    assert ask(db, query) == [
        (readable, raws[0], "first"),
        (readable, raws[1], "second"),
        (readable, None, "third"),
        ("caf\u00e9.jpg", None, HOSTILE),
    ]
    assert ask(db, "SELECT text FROM texts") == [(HOSTILE,)]
    before = dump(db)
    take_in(cache, db)
    assert dump(db) == before


def test_vectors_that_are_none_are_named(cache: Path, db: Path) -> None:
    rows = {("a.jpg", "r0"): [1.0, float("inf")], ("a.jpg", "r1"): [3.0, 4.0]}
    write_vectors(cache, rows, "siglip")
    keys = cache / "embeddings" / "regions.jsonl"
    with keys.open("ab") as file:
        for number, row in ((0, 2), (0, -1), (0, 10**18), (7, 1)):
            file.write(line({"image_id": "a.jpg", "region_id": f"r{number}", "row": row}))
    report = take_in(cache, db)

    assert [one.why for one in report.named] == [
        "row 0 has a number that is none",
        "there is no row 2",
        "there is no row -1",
        f"there is no row {10**18}",
    ]
    assert (report.embeddings, report.left_over) == (1, 1)

    (cache / "embeddings" / "regions.json").write_text("{")
    report = take_in(cache, db)
    assert (report.embeddings, report.removed, len(report.remarks)) == (0, {"embeddings": 1}, 1)


@pytest.mark.parametrize(
    ("more", "found", "way_out"),
    [
        ({"phase": 1}, "of phase 1, not 2", "--adapt phase-1"),
        ({"phase": 3}, "of phase 3, not 2", "pcc ingest run"),
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


def test_another_file_is_left_as_it_is(cache: Path, tmp_path: Path, db: Path) -> None:
    other = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE images (id)")
    note, newer = tmp_path / "note.txt", tmp_path / "newer.sqlite"
    note.write_text("a shopping list")
    take_in(cache, newer)
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version = 99")
    for path, why in (
        (other, "something else"),
        (note, "no database"),
        (newer, "layout 99"),
        (cache / "detections.jsonl", "no database"),
        (tmp_path, "is a directory"),
        (tmp_path / "no" / "where.sqlite", "does not exist"),
    ):
        before = path.read_bytes() if path.is_file() else b""
        with pytest.raises(CacheRefused, match=why):
            take_in(cache, path)
        assert not path.is_file() or path.read_bytes() == before


def test_a_database_that_another_process_writes_is_not_waited_for_long(
    cache: Path, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(cache, db)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    with closing(sqlite3.connect(db, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalLocked, match="another process"):
            take_in(cache, db)


def test_a_damaged_database_is_told_of_and_kept(cache: Path, db: Path) -> None:
    take_in(cache, db)
    data = db.read_bytes()
    db.write_bytes(data[:4096] + b"\xa5" * (len(data) - 4096))
    before = db.read_bytes()

    with pytest.raises(OSError, match="as it was"):
        take_in(cache, db)
    assert db.read_bytes() == before


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


def test_given_up_at_any_gate_the_database_is_as_it_was(cache: Path, db: Path) -> None:
    class Impatient(Gate):
        def __init__(self, passes: int) -> None:
            super().__init__()
            self.passes = passes

        def go_through(self, done: int) -> None:
            self.passes -= 1
            if self.passes < 0:
                raise GivenUp

    def give_up() -> None:
        with pytest.raises(GivenUp):
            Importer(cache, db).run(Impatient(0))

    give_up()
    assert not db.exists()
    take_in(cache, db)
    before = db.read_bytes()
    write_cache(cache, [outcome("other.jpg")])
    give_up()
    assert db.read_bytes() == before


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.ingest.importing import database, replay
from pipeline.ingest.importing.importer import Importer
from pipeline.jobs.thread_step import Gate

class Deadly(Gate):
    left = int(sys.argv[3])
    def go_through(self, done):
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

database.CACHE_KIB = 16
replay.ROWS_AT_ONCE = replay.LINES_BETWEEN_GATES = 100
Importer(Path(sys.argv[1]), Path(sys.argv[2])).run(Deadly())
"""


def test_killed_in_the_middle_the_database_is_the_old_one(tmp_path: Path, db: Path) -> None:
    cache = tmp_path / "cache"

    def make(label: str) -> None:
        names = [f"{number}.jpg" for number in range(300)]
        regions = (detection(name, place, label) for name in names for place in range(3))
        write_cache(cache, [outcome(name, lines=3) for name in names], regions)

    def kill(at: int) -> bytes:
        done = subprocess.run([sys.executable, "-c", KILLED, cache, db, str(at)], check=False)
        assert done.returncode == -signal.SIGKILL
        return db.read_bytes()

    make("dog")
    assert len(kill(8)) > 0
    assert ask(db, "SELECT * FROM sqlite_master") == []
    kill(8)
    take_in(cache, db)
    old, data = dump(db), db.read_bytes()
    make("cat")
    assert kill(8) != data  # it had begun to write
    assert dump(db) == old
    kill(11)
    assert dump(db) == old
    take_in(cache, db)
    assert ask(db, "SELECT DISTINCT label FROM objects") == [("cat",)]


def test_the_row_of_a_cache_says_who_made_it(cache: Path, db: Path) -> None:
    manifest = json.loads((cache / "manifest.json").read_text())
    manifest["models"] = {"detect": {"version": "owl", "hashes": {"model": "sha256:1"}}}
    (cache / "manifest.json").write_text(json.dumps(manifest))
    take_in(cache, db)

    (models,) = ask(db, "SELECT models FROM caches")
    assert json.loads(models[0]) == manifest["models"]
