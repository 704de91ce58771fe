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

import msgspec
import pytest

from journal import JournalLocked
from pipeline.ingest.errors import CacheRefused
from pipeline.ingest.importing import database
from pipeline.ingest.importing.database_schema import APPLICATION, LAYOUT
from pipeline.ingest.importing.importer import Importer
from pipeline.jobs.pause_point import GivenUp, PausePoint
from tests.support.caches import detection, line, outcome, text, write_cache, write_vectors
from tests.support.imported import ask, dump, take_in

HOSTILE = "\x1b]0;owned\x07 \u202e</td><script>\0 '; DROP TABLE images; --"


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


def test_given_up_at_any_gate_the_database_is_as_it_was(cache: Path, db: Path) -> None:
    class Impatient(PausePoint):
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
from pipeline.jobs.pause_point import PausePoint

class Deadly(PausePoint):
    left = int(sys.argv[3])
    def go_through(self, done):
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

database.CACHE_KIB = 16
replay.ROWS_AT_ONCE = replay.LINES_BETWEEN_LOOKS = 100
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
