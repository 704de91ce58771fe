"""The Datasets screen, key by key, with real jobs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input

from pcc_tui.app import PccApp
from pcc_tui.desks.job_link import JobEnd
from pcc_tui.dialogs.ask import AskDialog
from pcc_tui.dialogs.confirm import ConfirmDialog
from pcc_tui.screens.datasets import DatasetsScreen
from pcc_tui.words.datasets import bar
from pipeline.datasets.patch_files import MANIFEST, PatchManifest
from tests.support.apps import make_app, running, shown, until
from tests.support.photos import noise_jpeg
from tests.support.pty_app import INVISIBLE

PHOTOS = 12


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with some photos."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(PHOTOS):
        (folder / f"{number:02d}.jpg").write_bytes(noise_jpeg(number, (48, 32)))
    return folder


@pytest.fixture
def workspace(workspace: Path) -> Path:
    """Return a workspace whose patch files are of a model that need not be loaded to be counted."""
    (workspace / "pcc.toml").write_text('backend = "mock"\ndino_model = "small"\n')
    patches = workspace / "dinov3_patches"
    patches.mkdir(parents=True)
    manifest = PatchManifest(
        model="small", model_type="dinov3_vit", patch_size=16, width=32, leading_tokens=5
    )
    (patches / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    return workspace


class Bench:
    """The app on its Datasets screen, and what one asks of it."""

    def __init__(self, pilot: Pilot[int]) -> None:
        self.pilot = pilot
        self.app = cast(PccApp, pilot.app)
        self.screen = cast(DatasetsScreen, pilot.app.screen)
        self._last_end: JobEnd | None = None

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        await until(self.pilot, condition)

    async def sees(self, *texts: str) -> None:
        await self.until(lambda: all(text in shown(self.app.screen) for text in texts))

    def cells(self, row: str) -> list[str]:
        return [str(cell) for cell in self.screen.query_one(DataTable).get_row(row)]

    async def go_to(self, row: str) -> None:
        table = self.screen.query_one(DataTable)
        table.move_cursor(row=table.get_row_index(row))
        await self.pilot.pause()

    async def job_over(self) -> None:
        """Wait for the end of the job that was just started, however short the job is."""
        await self.until(lambda: self.app.ended not in (None, self._last_end))
        self._last_end = self.app.ended


@asynccontextmanager
async def bench(workspace: Path, photos: Path | None) -> AsyncIterator[Bench]:
    async with running(make_app(workspace, photos), (120, 40)) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: isinstance(pilot.app.screen, DatasetsScreen))
        one = Bench(pilot)
        if photos is not None:
            await one.sees("records")
        yield one


def records(workspace: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (workspace / "dataset.jsonl").read_text().splitlines()]


async def test_each_pass_has_its_counts(workspace: Path, photos: Path) -> None:
    async with bench(workspace, photos) as one:
        await one.sees(f"{PHOTOS} records, {PHOTOS}", "new")

        for row in ("migrate", "dimensions", "embedding", "caption", "t5", "patches"):
            await one.until(lambda row=row: one.cells(row)[1:3] == ["0", str(PHOTOS)])  # type: ignore


@pytest.mark.parametrize("key", ["r", "enter"])
async def test_a_pass_is_run_by_key(workspace: Path, photos: Path, key: str) -> None:
    async with bench(workspace, photos) as one:
        await one.go_to("dimensions")
        await one.press(key)
        await one.sees(f"Processing: {PHOTOS} new, 0 enriched, 0 skipped")
        await one.until(lambda: one.cells("dimensions")[1:3] == [str(PHOTOS), "0"])

        assert one.cells("migrate")[1:3] == ["0", str(PHOTOS)]
    assert all(record.keys() == {"image_path", "height", "width"} for record in records(workspace))


async def test_captions_come_from_the_chosen_backend(workspace: Path, photos: Path) -> None:
    async with bench(workspace, photos) as one:
        await one.go_to("caption")
        await one.press("r")
        await one.sees("Processing:", f"caption: {PHOTOS}")
    assert all(record["caption"] for record in records(workspace))


async def test_a_job_is_paused_resumed_and_stopped_and_what_it_made_is_written(
    workspace: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(PHOTOS, 300):
        (photos / f"{number:02d}.jpg").write_bytes(noise_jpeg(number, (48, 32)))
    (workspace / "pcc.toml").write_text('backend = "mock"\nmax_workers = 1\n')
    async with bench(workspace, photos) as one:
        enrich = one.app.desks.commands.enrich
        monkeypatch.setattr(
            one.app.desks.commands,
            "enrich",
            lambda passes, **named: [*enrich(passes, **named), "--mock-latency", "0.05"],
        )
        await one.go_to("caption")
        await one.press("r")
        await one.until(lambda: one.app.snapshot is not None and one.app.snapshot.attempted > 3)
        await one.press("space")
        await one.until(lambda: one.cells("caption")[4] == "paused")
        await one.press("space")
        await one.until(lambda: one.cells("caption")[4] == "running")
        await one.press("s")
        await one.sees("images remain; the same command goes on")

    captioned = sum("caption" in record for record in records(workspace))
    assert 3 < captioned < 300


async def test_everything_is_checked_by_a_key(workspace: Path, photos: Path) -> None:
    lines = [f'{{"image_path":"{number:02d}.jpg"}}\n' for number in range(PHOTOS)]
    (workspace / "dataset.jsonl").write_text("".join(lines) + "not a record\n")
    async with bench(workspace, photos) as one:
        await one.press("v")
        await one.sees("1 lines hold no record: 13", "Something is amiss")


async def test_patches_are_made_only_after_a_yes(
    workspace: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    async with bench(workspace, photos) as one:
        await one.until(lambda: one.cells("patches")[2] == "12")
        await one.go_to("patches")
        await one.press("r")
        await one.sees("12 patch files take 3.1 MB. Make them?")
        assert isinstance(one.app.screen, ConfirmDialog)
        await one.press("n")
        assert isinstance(one.app.screen, DatasetsScreen)
        assert not one.app.link.running

        await one.press("r")
        await one.sees("Make them?")
        await one.press("left", "right", "escape")
        assert not one.app.link.running

        await one.press("r", "y")
        await one.job_over()
        await one.sees("small")  # there is no such model to load, and that is said


async def test_a_synthetic_set_is_made(workspace: Path, photos: Path) -> None:
    async with bench(workspace, photos) as one:
        await one.go_to("synthetic")
        await one.press("r")
        await one.until(lambda: isinstance(one.app.screen, AskDialog))
        one.app.screen.query_one(Input).value = "100"
        await one.press("enter")
        await one.job_over()
        await one.sees("Made:")
        await one.press("v")
        await one.sees("Valid: ")
    (made,) = (workspace / "datasets").iterdir()
    assert (made / "train.npz").exists()


async def test_shards_are_packed(workspace: Path, photos: Path) -> None:
    async with bench(workspace, photos) as one:
        await one.go_to("dimensions")
        await one.press("r")
        await one.sees("Processing:")
        await one.go_to("shards")
        await one.press("r")
        await one.job_over()
        await one.sees("12 samples in 1 shards", "Made:")
    assert list((workspace / "shards").glob("*.tar"))


@pytest.mark.parametrize(
    ("row", "setting"), [("t5", "t5_model"), ("embedding", "dino_model"), ("patches", "dino_model")]
)
async def test_the_model_of_a_row_is_chosen(
    workspace: Path, photos: Path, row: str, setting: str
) -> None:
    async with bench(workspace, photos) as one:
        await one.go_to(row)
        await one.press("m")
        await one.until(lambda: isinstance(one.app.screen, AskDialog))
        one.app.screen.query_one(Input).value = "/models/other"
        await one.press("enter")
        await one.until(
            lambda: getattr(one.app.workspace.settings.choices, setting) == "/models/other"
        )
    assert f'{setting} = "/models/other"' in (workspace / "pcc.toml").read_text()


async def test_all_passes_but_the_patches_are_run_together(workspace: Path, photos: Path) -> None:
    async with bench(workspace, photos) as one:
        started: list[list[str]] = []
        one.app.start_pcc = lambda arguments: bool(started.append([*arguments]))  # type: ignore
        await one.press("a")
    assert "migrate,dimensions,embedding,caption,t5" in started[0]


async def test_files_that_change_outside_are_counted_again(workspace: Path, photos: Path) -> None:
    async with bench(workspace, photos) as one:
        (workspace / "dataset.jsonl").write_text('{"image_path":"00.jpg","height":1,"width":2}\n')
        await one.press("c")
        await one.until(lambda: one.cells("dimensions")[1:3] == ["1", str(PHOTOS - 1)])


async def test_without_photos_the_screen_says_where_to_name_them(workspace: Path) -> None:
    (workspace / "captions.jsonl").touch()
    async with bench(workspace, None) as one:
        await one.sees("No photos directory yet")


async def test_an_unknown_model_leaves_the_other_counts(workspace: Path, photos: Path) -> None:
    (workspace / "pcc.toml").write_text('dino_model = "/nowhere/at/all"\n')
    async with bench(workspace, photos) as one:
        await one.sees("/nowhere/at/all")
        assert one.cells("caption")[1:3] == ["0", str(PHOTOS)]
        assert one.cells("patches")[1:3] == ["", ""]


async def test_hostile_names_are_only_shown(workspace: Path, photos: Path) -> None:
    text = "".join(f"{line}\n" for line in ('{"image_path":"\\u001b]52;c;x\\u0007.jpg"}', "{"))
    (workspace / "dataset.jsonl").write_text(text)
    async with bench(workspace, photos) as one:
        await one.press("v")
        await one.sees("Something is amiss")
        assert not INVISIBLE.search(shown(one.app.screen).replace("\n", ""))


@pytest.mark.parametrize(
    ("share", "full"), [(0.0, 0), (1e-9, 1), (0.5, 8), (0.999999, 15), (1.0, 16)]
)
def test_a_bar_is_empty_at_nothing_alone_and_full_at_all_alone(share: float, full: int) -> None:
    assert bar(share) == "━" * full + "─" * (16 - full)


async def test_captions_that_cost_money_are_made_only_after_a_yes(
    workspace: Path, photos: Path
) -> None:
    (workspace / "pcc.toml").write_text('backend = "openai"\n')
    async with bench(workspace, photos) as one:
        await one.go_to("caption")
        await one.press("r")
        await one.sees("12 captions by openai may cost money")
        await one.press("n")
        assert not one.app.link.running
