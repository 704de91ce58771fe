"""`pcc ingest import`: what it prints, its exit codes, and Ctrl+C."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Pcc
from tests.support.caches import detection, outcome, text, write_cache
from tests.support.enriching import wait_until
from tests.support.runs import start

IMPORT = ("ingest", "import")

HOSTILE = "../\x1b]0;owned\x07\u202e.jpg"


@pytest.fixture
def cache(workspace: Path) -> Path:
    """Return a cache of two photos, with twelve lines that are amiss."""
    return write_cache(
        workspace / "cache",
        [outcome("a.jpg", lines=1), outcome("a.jpg", "ocr", 1), outcome("b.jpg")],
        [detection("a.jpg"), *(detection(HOSTILE) for _ in range(11)), b'{"image_id"'],
        [text("a.jpg")],
    )


def test_counts_and_ten_of_the_lines_that_are_amiss(pcc: Pcc, cache: Path) -> None:
    done = pcc(*IMPORT, cache, "--db", "cache.sqlite")

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(
        "2 images, 1 regions, 2 labels, 1 texts, 0 embeddings in cache.sqlite, in "
    )
    assert lines[1] == "warning: 12 skipped, 1 of them torn by a kill:"
    assert lines[2].startswith("  detections.jsonl, line 2, byte ")
    assert "leads out of the photos directory" in lines[2]
    assert lines[12:] == ["  and 2 more; --json names the first 1,000"]
    assert done.stdout.replace("\n", "").isprintable()


def test_the_document_has_all_counts_and_names(pcc: Pcc, cache: Path, workspace: Path) -> None:
    done = pcc(*IMPORT, cache, "--db", "cache.sqlite", "--json")

    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert (report["finished"], report["cache_id"], report["skipped"]) == (
        True,
        "c-1",
        {"detections.jsonl": 12},
    )
    assert [one["line"] for one in report["named"]] == list(range(2, 14))
    assert done.stdout.isascii()
    assert (workspace / "cache.sqlite").stat().st_mode & 0o777 == 0o600


def test_refusals_are_64_and_say_the_way_out(pcc: Pcc, cache: Path, workspace: Path) -> None:
    (workspace / "note.txt").write_text("a shopping list")
    (workspace / "empty").mkdir()
    for arguments, way_out in (
        ((workspace / "empty", "--db", "new.sqlite"), "--adapt phase-1"),
        ((cache, "--db", "note.txt"), "--db names another file"),
        ((cache, "--db", "new.sqlite", "--adapt", "digest"), "leave out --adapt digest"),
        ((cache, "--db", "new.sqlite", "--adapt", "phase-9"), "phase-9"),
        ((cache,), "--db"),
    ):
        done = pcc(*IMPORT, *arguments)
        assert (done.returncode, done.stdout) == (64, "")
        assert way_out in done.stderr
    assert not (workspace / "new.sqlite").exists()
    assert (workspace / "note.txt").read_text() == "a shopping list"


def test_ctrl_c_leaves_the_database_as_it_was(pcc: Pcc, cache: Path, workspace: Path) -> None:
    db = workspace / "cache.sqlite"
    assert pcc(*IMPORT, cache, "--db", db).returncode == 0
    before = db.read_bytes()
    names = [f"{number}.jpg" for number in range(3000)]
    regions = (detection(name, place) for name in names for place in range(10))
    write_cache(cache, [outcome(name, lines=10) for name in names], regions)

    process = start(workspace, *IMPORT, cache, "--db", db)
    wait_until(workspace.joinpath("cache.sqlite-journal").exists)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (130, "")
    assert output == f"Stopped; {db} is as it was\n"
    assert db.read_bytes() == before
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT count(*) FROM images").fetchone() == (2,)
