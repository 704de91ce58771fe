"""What every screen looks like: `pytest --snapshot-update` takes the pictures anew."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image
from textual.pilot import Pilot
from textual.widgets import DataTable, OptionList

from backends.base import Loading
from pcc_tui.app import PccApp
from pcc_tui.desks.desks import Desks
from pcc_tui.graphics import image_widget
from pcc_tui.preferences import Preferences
from pcc_tui.widgets.cluster_tree import ClusterTree
from pcc_tui.widgets.contact_sheet import SheetCell
from pcc_tui.widgets.entry_view import EntryView
from pcc_tui.widgets.findings import FindingsView
from pcc_tui.widgets.overlay import TEXT_COLOUR
from pcc_tui.widgets.picture import PictureBox
from pcc_tui.widgets.text import Words
from pcc_tui.words import job
from pcc_tui.workspace import Workspace
from pipeline.clusters.label_changes import lock, rename
from pipeline.clusters.label_journal import LabelJournal, label_journal_path
from pipeline.datasets.patch_files import MANIFEST, PatchManifest
from pipeline.ingest.queue.base import Item
from pipeline.ingest.queue.sqlite_queue import SqliteQueue
from pipeline.jobs.progress import DonePhoto, Snapshot
from tests.support.apps import (
    FakeMachine,
    caption,
    failure,
    shown,
    until,
    write_records,
)
from tests.support.clusters import SUBJECTS, TWO_DAYS, photo_names, view_of
from tests.support.drawn_pictures import draw, random_quarters
from tests.support.ingested import Thing, Writing, ingested, looked_at

COUNT = 30
SIZES = [(80, 24), (120, 40)]
THEMES = ["textual-dark", "textual-light"]
Before = Callable[[Pilot[int]], Awaitable[None]]

SHOT = Snapshot(
    run="20261120-221500-1a2b",
    stage="caption",
    backend="openai",
    model="qwen2.5vl:3b",
    state="running",
    total=44_583,
    later=0,
    attempted=12_345,
    by_status={"success": 12_301, "error_api": 30, "error_corrupt": 14},
    skipped={"success": 2000},
    seconds=3600.0,
    rate_now=3.5,
    rate=3.4,
    eta_seconds=9200.0,
    tokens_in=4_320_750,
    tokens_out=520_000,
    cost_usd=1.2345,
    current=["IMG_00003.jpg"],
    last=[DonePhoto("IMG_00002.jpg", "success", "Two dogs run along a beach at dusk.", 0.9)],
    errors=[
        DonePhoto("IMG_00009.jpg", "error_api", "AnswerError: the model declined: I cannot.", 1.2),
        DonePhoto("scans/old.tif", "error_corrupt", "OSError: image file is truncated", None),
    ],
)


class Noon(datetime):
    """A clock that stands at noon."""

    @classmethod
    def now(cls, tz: Any = None) -> Noon:
        return cls(2026, 11, 20, 12, 0)


@pytest.fixture
def library(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a photos directory with a journal, at a place that is the same on every machine."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("OPENAI_API_KEY", "PHOTOS_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(job, "datetime", Noon)
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(COUNT + 5):
        shade = Image.linear_gradient("L").resize((90, 60))
        Image.merge("RGB", (shade, shade.rotate(90).resize((90, 60)), shade)).save(
            photos / f"IMG_{number:05d}.jpg"
        )
    for name in ("VID_00001.MOV", "VID_00002.mov", "IMG_00001.xmp", "README"):
        (photos / name).touch()
    write_records(
        workspace,
        *(failure(n) if n in (3, 17) else caption(n, f"Photo {n} of a day.") for n in range(COUNT)),
    )
    return photos


def app(workspace: Path, photos: Path | None, theme: str) -> PccApp:
    pictures = image_widget("halfcell" if theme.endswith("dark") else "off")
    desks = Desks(Workspace(workspace, photos), workspace / "thumbnails")
    return PccApp(desks, Preferences(theme=theme), pictures, FakeMachine())


async def library_screen(pilot: Pilot[int]) -> None:
    await until(pilot, lambda: "Caption 5 photos" in shown(pilot.app.screen))
    await until(pilot, lambda: "2020" in shown(pilot.app.screen))
    await until(pilot, lambda: "Quit" in shown(pilot.app.screen))


async def backend_screen(pilot: Pilot[int]) -> None:
    await pilot.press("2")
    await until(pilot, lambda: "5 photos to caption" in shown(pilot.app.screen))
    await until(pilot, lambda: pilot.app.screen.query_one("#backends", OptionList).highlighted == 0)


async def local_models(pilot: Pilot[int]) -> None:
    await backend_screen(pilot)
    await pilot.press("down", "down")
    await until(pilot, lambda: "SmolVLM2" in shown(pilot.app.screen))
    await until(pilot, lambda: "Estimated time" in shown(pilot.app.screen))


async def loading_screen(pilot: Pilot[int]) -> None:
    await pilot.press("3")
    await until(pilot, lambda: "RTX 3070" in shown(pilot.app.screen))
    loading = Loading("downloading model-00001-of-00002.safetensors", 1_870_000_000, 3_980_000_000)
    shot = msgspec.structs.replace(
        SHOT, backend="local", state="starting", loading=loading, last=[], errors=[], attempted=0
    )
    pilot.app.show_snapshot(shot)  # type: ignore[attr-defined]
    await until(pilot, lambda: "1.87 of 3.98 GB (47%)" in shown(pilot.app.screen))
    await pilot.pause(0.1)


async def run_screen(pilot: Pilot[int]) -> None:
    await pilot.press("3")
    await until(pilot, lambda: "RTX 3070" in shown(pilot.app.screen))
    pilot.app.show_snapshot(SHOT)  # type: ignore[attr-defined]
    await until(pilot, lambda: "Two dogs" in shown(pilot.app.screen))
    await pilot.pause(0.1)


async def review_screen(pilot: Pilot[int]) -> None:
    await pilot.press("4")
    await until(pilot, lambda: "of 30" in shown(pilot.app.screen))
    await pilot.press("j", "m")
    entry = pilot.app.screen.query_one(EntryView)
    await until(pilot, lambda: "Photo 2 of a day" in shown(entry))
    if pilot.app.image_widget is not None:  # type: ignore[attr-defined]
        await until(pilot, lambda: "▀" in shown(pilot.app.screen))


async def edit_dialog(pilot: Pilot[int]) -> None:
    await review_screen(pilot)
    await pilot.press("e")


async def keys_panel(pilot: Pilot[int]) -> None:
    await library_screen(pilot)
    await pilot.press("question_mark")


async def leave_dialog(pilot: Pilot[int]) -> None:
    await library_screen(pilot)
    running = SimpleNamespace(poll=lambda: None)
    pilot.app.link._process = running  # type: ignore[attr-defined]
    await pilot.press("q")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
@pytest.mark.parametrize(
    "before",
    [library_screen, backend_screen, local_models, run_screen, loading_screen, review_screen],
    ids=["library", "backend", "models", "run", "loading", "review"],
)
def test_screens(
    snap_compare: Any,
    workspace: Path,
    library: Path,
    before: Before,
    size: tuple[int, int],
    theme: str,
) -> None:
    assert snap_compare(app(workspace, library, theme), terminal_size=size, run_before=before)


@pytest.mark.parametrize(
    "before", [edit_dialog, keys_panel, leave_dialog], ids=["edit", "keys", "leave"]
)
def test_dialogs(snap_compare: Any, workspace: Path, library: Path, before: Before) -> None:
    assert snap_compare(
        app(workspace, library, "textual-dark"), terminal_size=(80, 24), run_before=before
    )


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
def test_set_up(
    snap_compare: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    theme: str,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PHOTOS_DIR", raising=False)
    assert snap_compare(app(tmp_path / "captions", None, theme), terminal_size=size)


@pytest.fixture
def dataset(workspace: Path, library: Path) -> Path:
    """Return a workspace with a dataset that lacks this and that, at a place always the same."""
    (workspace / "pcc.toml").write_text('dino_model = "small"\n')
    patches = workspace / "dinov3_patches"
    patches.mkdir()
    manifest = PatchManifest(
        model="small", model_type="dinov3_vit", patch_size=16, width=2, leading_tokens=5
    )
    (patches / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    lines = []
    for number in range(COUNT):
        name = f"IMG_{number:05d}"
        record = {"image_path": f"{name}.jpg", "height": 60, "width": 90}
        if number < 20:
            record |= {"aspect_bucket": "1216x832", "image_id": name, "caption": f"Photo {number}."}
            rows = 3952 if number else 196
            np.save(patches / f"{name}.npy", np.zeros((rows, 2), np.float16))
        lines.append(json.dumps(record) + "\n")
    (workspace / "dataset.jsonl").write_text("".join(lines))
    return workspace


async def datasets_screen(pilot: Pilot[int]) -> None:
    await pilot.press("6")
    await until(pilot, lambda: "19       16" in shown(pilot.app.screen))
    await pilot.press("v")
    await until(pilot, lambda: "Something is amiss" in shown(pilot.app.screen))
    await until(pilot, lambda: "Ingestion: nothing yet" in shown(pilot.app.screen))
    place = pilot.app.screen.query_one("#dataset", Words)
    place.say("~/captions/dataset.jsonl · 35 records, 5 of them new · images in ~/photos")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
def test_datasets(
    snap_compare: Any, dataset: Path, library: Path, size: tuple[int, int], theme: str
) -> None:
    assert snap_compare(
        app(dataset, library, theme), terminal_size=size, run_before=datasets_screen
    )


@pytest.fixture
def looked_at_library(workspace: Path, library: Path) -> Path:
    """Return the photos of a library in which some things were found, and some given up."""
    dog, sign = (
        Thing((8, 6, 40, 54), {"dog": 0.83, "cat": 0.41}),
        Writing((48, 6, 84, 14), "NO SWIM"),
    )
    boat = Thing((46, 20, 86, 56), {"boat": 0.7})
    ingested(
        workspace,
        looked_at("IMG_00002.jpg", [dog, boat], [sign], size=(90, 60)),
        *(looked_at(f"IMG_{n:05d}.jpg", not_read="no text") for n in range(3, 17)),
        looked_at("IMG_00000.jpg", error="OSError: truncated", stages=("detect", "label")),
    )
    with closing(SqliteQueue(workspace / "cache" / "queue.sqlite")) as queue:
        queue.enqueue(Item(f"{n}", f"IMG_{n:05d}.jpg", None, "", ("ocr",)) for n in range(17, 24))
        for one in queue.lease("a", 2):
            queue.park("a", one, "OSError: image file is truncated")
        queue.lease("a", 2)
        queue.pause()
    return library


async def boxes(pilot: Pilot[int]) -> None:
    await review_screen(pilot)
    await pilot.press("o", "o")
    view = pilot.app.screen.query_one(FindingsView)
    await until(pilot, lambda: "NO SWIM" in str(view.content))
    await until(pilot, lambda: "r0 dog" in shown(pilot.app.screen))
    picture: Any = pilot.app.screen.query_one("#picture", PictureBox).query(".picture").first()
    await until(pilot, lambda: TEXT_COLOUR in colours_of(picture.image))
    await pilot.pause(0.1)


async def ingestion(pilot: Pilot[int]) -> None:
    await pilot.press("6")
    await until(pilot, lambda: "2 given up, paused" in shown(pilot.app.screen))
    await until(pilot, lambda: "records" in shown(pilot.app.screen))
    table = pilot.app.screen.query_one(DataTable)
    await until(pilot, lambda: str(table.get_cell("patches", "Missing")).strip())
    table.move_cursor(row=table.get_row_index("ingest"))
    await pilot.press("v")
    await until(pilot, lambda: "image file is truncated" in report_of(pilot))
    place = pilot.app.screen.query_one("#dataset", Words)
    place.say("~/captions/dataset.jsonl · 35 records, 35 of them new · images in ~/photos")
    report = pilot.app.screen.query_one("#dataset-report", Words)
    told = re.sub(r"in \S*cache", "in ~/captions/cache", report_of(pilot))
    report.say(re.sub(r"(--retry-errors) [^`]*`", r"\1`", told))  # where the workspace lies


def colours_of(image: Image.Image) -> set[str]:
    colours = image.convert("RGB").getcolors(1 << 20) or []
    return {"#" + bytes(colour).hex() for _, colour in colours}  # type: ignore[arg-type]


def report_of(pilot: Pilot[int]) -> str:
    return str(pilot.app.screen.query_one("#dataset-report", Words).content)


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
@pytest.mark.parametrize("before", [boxes, ingestion])
def test_findings(
    snap_compare: Any,
    workspace: Path,
    looked_at_library: Path,
    before: Before,
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PCC_QUEUE", raising=False)
    (workspace / "pcc.toml").write_text('dino_model = "small"\n')
    manifest = PatchManifest(
        model="small", model_type="dinov3_vit", patch_size=16, width=2, leading_tokens=5
    )
    (workspace / "dinov3_patches").mkdir()
    (workspace / "dinov3_patches" / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    assert snap_compare(
        app(workspace, looked_at_library, "textual-dark"), terminal_size=size, run_before=before
    )


@pytest.fixture
def clusters(clustered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the photos of a workspace with clusters, one of them named, one locked."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PHOTOS_DIR", raising=False)
    photos = tmp_path / "photos"
    (photos / "2021").mkdir(parents=True)
    rng = Random(0)
    for name in (name for subject in SUBJECTS for name in photo_names(subject)):
        draw(random_quarters(rng), (90, 60), rng).save(photos / name)
    view = view_of(clustered)
    beach, cake = (
        view.clusters[view.leaf_of[view.place_of[photo_names(subject)[0]]]]
        for subject in ("beach", "cake")
    )
    changes = [rename(view, beach, "Summer at the sea"), lock(view, cake)]
    LabelJournal(label_journal_path(clustered)).write(changes)
    return photos


async def clusters_screen(pilot: Pilot[int]) -> None:
    await pilot.press("5")
    await until(pilot, lambda: "Summer at the sea" in shown(pilot.app.screen))
    screen = pilot.app.screen
    tree = screen.query_one(ClusterTree)
    view = tree.view
    assert view is not None
    tree.go_to(next(at for at, row in enumerate(tree.rows) if view.clusters[row].children))
    await pilot.press("right", "g")
    leaf = view.leaf_of[view.place_of[photo_names(TWO_DAYS)[0]]]
    tree.go_to(list(tree.rows).index(leaf))
    await pilot.press("right")
    await until(pilot, lambda: "★ The" in shown(screen))
    await pilot.press("tab", "m")
    await until(pilot, lambda: "1 marked" in shown(screen))
    if pilot.app.image_widget is not None:  # type: ignore[attr-defined]
        cells = [cell for cell in screen.query(SheetCell) if cell.display]
        await until(
            pilot, lambda: all("▀" in shown(cell) for cell in cells if "The" in shown(cell))
        )
        await pilot.pause(0.3)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
def test_clusters(
    snap_compare: Any, clustered: Path, clusters: Path, size: tuple[int, int], theme: str
) -> None:
    assert snap_compare(
        app(clustered, clusters, theme), terminal_size=size, run_before=clusters_screen
    )
