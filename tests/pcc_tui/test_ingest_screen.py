"""Ingestion on the Datasets screen, key by key, with real jobs, queues and caches."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from textual.widgets import Input

from pcc_tui.dialogs.ask import AskDialog
from pcc_tui.widgets.text import Words
from pipeline.ingest.cache.manifest import read_manifest, write_manifest
from pipeline.ingest.queue.base import Item
from pipeline.ingest.queue.sqlite_queue import SqliteQueue
from tests.pcc_tui.test_datasets_screen import bench
from tests.pcc_tui.test_hostile import HOSTILE
from tests.support.apps import shown
from tests.support.ingested import ingested, looked_at
from tests.support.photos import make_photos
from tests.support.pty_app import INVISIBLE

PHOTOS = 3


@pytest.fixture
def photos(tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with three photos; nothing but ingestion has much to count."""
    monkeypatch.delenv("PCC_QUEUE", raising=False)
    (workspace / "pcc.toml").write_text('backend = "mock"\n')
    make_photos(tmp_path / "photos", PHOTOS)
    return tmp_path / "photos"


def queue_of(workspace: Path) -> SqliteQueue:
    return SqliteQueue(workspace / "cache" / "queue.sqlite")


async def test_text_is_looked_for_paused_resumed_and_imported(
    workspace: Path, photos: Path
) -> None:
    ingested(workspace)
    async with bench(workspace, photos) as one:
        await one.sees("no queue yet")
        await one.go_to("ocr")
        await one.press("space")
        await one.sees("0 waiting, 0 in hands, 0 given up, paused")
        with closing(queue_of(workspace)) as queue:
            assert queue.paused

        await one.press("r")
        await one.until(lambda: one.cells("ocr")[4] == "paused")
        assert one.cells("detect")[4] == ""
        await one.press("3", "space")  # the job's pause is the queue's
        await one.press("6")
        await one.sees("3 photos (3 success) in")
        await one.until(lambda: one.cells("ocr")[1:3] == ["3", "0"])
        assert one.cells("detect")[1:3] == ["0", "3"]
        await one.press("v")
        await one.sees("ocr: 3 success", "3 photos in")
        await one.press("3", "t")  # an ingestion has no captions to retry
        await one.sees("3 photos in", "made no captions")
        assert not one.app.link.running
        await one.press("6")

        await one.press("i")
        await one.until(lambda: isinstance(one.app.screen, AskDialog))
        assert one.app.screen.query_one(Input).value == str(workspace / "ingested.sqlite")
        await one.press("enter")
        await one.sees("Imported: 3 images")
    with closing(sqlite3.connect(workspace / "ingested.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM images").fetchall() == [(3,)]


async def test_each_stage_has_its_counts(workspace: Path, photos: Path) -> None:
    async with bench(workspace, photos) as one:
        await one.sees("nothing yet; r on ingest finds objects and text")
        assert one.cells("detect")[1:3] == ["0", "3"]
        await one.go_to("detect")
        await one.press("v")
        await one.sees("there is no cache")

        ingested(
            workspace,
            looked_at("IMG_00000.jpg", stages=("detect", "label")),
            looked_at("IMG_00001.jpg", error="OSError: truncated", stages=("detect",)),
            looked_at("moved away.jpg"),
        )
        await one.press("c")
        await one.until(lambda: one.cells("detect")[1:3] == ["1", "1"])
        assert one.cells("detect")[5] == "1 failed; objects in photos"
        assert one.cells("label")[1:3] == ["1", "2"]
        assert one.cells("ocr")[1:3] == ["0", "3"]
        assert not (workspace / "cache" / "queue.sqlite").exists()


async def test_what_was_given_up_is_listed_with_reasons(workspace: Path, photos: Path) -> None:
    ingested(workspace, looked_at("IMG_00000.jpg"))
    with closing(queue_of(workspace)) as queue:
        for number, text in enumerate(HOSTILE[:12]):
            queue.enqueue([Item(f"{number}", f"{text[:80]}.jpg", None, "", ("ocr",))])
            queue.park("w", queue.lease("w", 1)[0], f"reason {number}: {text}")
    async with bench(workspace, photos) as one:
        await one.sees("0 waiting, 0 in hands, 12 given up")
        await one.go_to("ingest")
        await one.press("v")
        await one.sees("--retry-errors", r"\x1b[2J\x1b[31mred.jpg: reason 0: \x1b[2J")
        assert not INVISIBLE.search(shown(one.app.screen).replace("\n", ""))


async def test_a_cache_of_another_form_or_a_queue_that_is_none_is_told(
    workspace: Path, photos: Path
) -> None:
    ingested(workspace, looked_at("IMG_00000.jpg"))
    manifest = read_manifest(workspace / "cache")
    manifest.phase = 1
    write_manifest(workspace / "cache", manifest)
    async with bench(workspace, photos) as one:
        words = one.screen.query_one("#ingestion", Words)
        await one.until(lambda: "is of phase 1, not 2" in str(words.content))
        manifest.phase = 2
        write_manifest(workspace / "cache", manifest)
        (workspace / "cache" / "queue.sqlite").write_bytes(b"no queue" * 1000)
        await one.press("c")
        await one.until(lambda: "is not an SQLite database" in str(words.content))
        assert one.cells("detect")[1:3] == ["1", "2"]


async def test_a_row_runs_what_its_stages_need(workspace: Path, photos: Path) -> None:
    async with bench(workspace, photos) as one:
        started: list[list[str]] = []
        one.app.start_pcc = lambda arguments: bool(started.append([*arguments]))  # type: ignore
        for row in ("detect", "label", "ingest"):
            await one.go_to(row)
            await one.press("r", "m")
            assert one.app.screen is one.screen
    assert [arguments[:2] for arguments in started] == [["ingest", "run"]] * 3
    stages = [arguments[-1] for arguments in started]
    assert stages == ["detect", "detect,label", "detect,label,ocr"]
