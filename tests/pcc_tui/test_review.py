"""The Review screen, key by key."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, TextArea

from journal import EditRecord, WriterLock, scan
from pcc_tui.app import PccApp
from pcc_tui.dialogs.edit_caption import EditDialog
from pcc_tui.screens.review import ReviewScreen
from pcc_tui.widgets.entry_view import EntryView
from pcc_tui.widgets.photo_list import PhotoList
from pipeline.captions.edits import Edits
from tests.support.apps import caption, failure, make_app, running, shown, until, write_records
from tests.support.photos import make_photos
from tests.support.runs import records

COUNT = 60
ERRORS = (7, 20, 41)


@pytest.fixture
def library(workspace: Path, tmp_path: Path) -> Path:
    """Return the photos of a library with captions and three errors."""
    make_photos(tmp_path / "photos", COUNT)
    write_records(
        workspace,
        *(
            failure(number) if number in ERRORS else caption(number, f"caption number {number}")
            for number in range(COUNT)
        ),
    )
    return tmp_path / "photos"


class Reviewed:
    """The app on its Review screen, and what one asks of it."""

    def __init__(self, pilot: Pilot[int]) -> None:
        self.pilot = pilot
        self.app = cast(PccApp, pilot.app)
        self.list: PhotoList = pilot.app.screen.query_one(PhotoList)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        await until(self.pilot, condition)

    def stands_on(self, row: int) -> bool:
        return self.list.cursor == row

    def shows(self, text: str) -> bool:
        return text in self.entry

    @property
    def entry(self) -> str:
        return shown(self.app.screen.query_one(EntryView))

    @property
    def rows(self) -> int:
        return len(self.list.rows)


async def review(pilot: Pilot[int]) -> Reviewed:
    await pilot.press("4")
    await until(pilot, lambda: isinstance(pilot.app.screen, ReviewScreen))
    screen = Reviewed(pilot)
    await screen.until(lambda: screen.rows == COUNT)
    return screen


async def test_moving_shows_the_caption_under_the_cursor(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        screen = await review(pilot)
        for keys, row in (
            (["j"], 1),
            (["down", "j"], 3),
            (["k"], 2),
            (["up"], 1),
            (["G"], COUNT - 1),
            (["g"], 0),
            (["end"], COUNT - 1),
            (["home"], 0),
        ):
            await screen.press(*keys)
            assert screen.list.cursor == row
        await screen.press("pagedown")
        page = screen.list.cursor
        assert page > 10
        await screen.press("pageup")
        assert screen.list.cursor == 0
        await screen.press("j", "j")
        await screen.until(lambda: "caption number 2" in screen.entry)
        assert "3 of 60" in shown(pilot.app.screen)


async def test_the_mouse_moves_too(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        screen = await review(pilot)
        await pilot.click(PhotoList, offset=(5, 4))
        assert screen.list.cursor == 4


async def test_next_error_goes_from_error_to_error(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        screen = await review(pilot)
        for key, row in (("n", 7), ("n", 20), ("n", 41), ("N", 20)):
            await screen.press(key)
            await screen.until(partial(screen.stands_on, row))
        await screen.until(lambda: "CallError: no answer" in screen.entry)


async def test_filters_by_keys_and_by_words(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        screen = await review(pilot)
        query = pilot.app.screen.query_one("#query", Input)
        await screen.press("f")
        await screen.until(lambda: screen.rows == 3)
        assert query.value == "status:error"
        await screen.press("f")
        await screen.until(lambda: screen.rows == 57)
        await screen.press("a")
        await screen.until(lambda: screen.rows == COUNT)
        await screen.press("b")
        await screen.until(lambda: screen.rows == 57)
        assert query.value == "backend:basic"
        await screen.press("a", "d")
        await screen.until(lambda: query.value == "date:2020")
        await screen.press("a", "slash", *"number 59", "enter")
        await screen.until(lambda: screen.rows == 1)
        assert screen.list.has_focus
        await screen.until(lambda: "caption number 59" in screen.entry)
        await screen.press("slash", "escape")
        assert screen.list.has_focus


async def test_marks(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        screen = await review(pilot)
        await screen.press("m", "m")
        assert len(screen.app.desks.captions.marked) == 2
        assert screen.list.cursor == 2
        await screen.press("f")
        await screen.until(lambda: screen.rows == 3)
        await screen.press("M")
        assert len(screen.app.desks.captions.marked) == 5
        assert "5 marked" in shown(pilot.app.screen)
        await screen.press("x")
        assert not screen.app.desks.captions.marked


async def test_retries_exactly_the_marked_photos(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        screen = await review(pilot)
        await screen.press("j", "m", "m", "r")
        await until(pilot, lambda: len(records(workspace)) == COUNT + 2)
        await until(pilot, lambda: not screen.app.link.running)
    again = records(workspace)[COUNT:]
    assert sorted(record.rel_path for record in again) == ["IMG_00001.jpg", "IMG_00002.jpg"]
    assert {record.backend for record in again} == {"basic"}


async def test_retries_with_another_backend(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        screen = await review(pilot)
        await screen.press("R")
        choices = pilot.app.screen.query_one(OptionList)
        names = [choices.get_option_at_index(row).id for row in range(choices.option_count)]
        await screen.press("escape")
        assert len(records(workspace)) == COUNT
        await screen.press("R", *["down"] * names.index("mock"), "enter")
        await until(pilot, lambda: len(records(workspace)) == COUNT + 1)
        await until(pilot, lambda: not screen.app.link.running)
    last = records(workspace)[-1]
    assert (last.rel_path, last.backend) == ("IMG_00000.jpg", "mock")


def edits(workspace: Path) -> list[str | None]:
    return [edit.caption for _, edit in scan(workspace / "edits.jsonl", EditRecord)]


def last_edit_is(workspace: Path, wanted: str | None) -> bool:
    return edits(workspace)[-1:] == [wanted]


async def test_edits_are_a_layer_and_undo_takes_them_back(workspace: Path, library: Path) -> None:
    before = (workspace / "captions.jsonl").read_bytes()
    async with running(make_app(workspace, library)) as pilot:
        screen = await review(pilot)
        await screen.until(lambda: "caption number 0" in screen.entry)
        await screen.press("e")
        area = pilot.app.screen.query_one(TextArea)
        assert area.text == "caption number 0"
        await screen.press(*" by me", "f2")
        await screen.until(lambda: "caption number 0 by me" in screen.entry)
        assert "the machine's: caption number 0" in screen.entry
        assert "✎" in shown(screen.list)
        await screen.press("e", *"!", "f2")
        await screen.until(lambda: "by me!" in screen.entry)
        await screen.press("j", "u")
        await screen.until(lambda: screen.list.cursor == 0 and "by me!" not in screen.entry)
        await screen.until(lambda: "by me" in screen.entry)
        await screen.press("u")
        await screen.until(lambda: "by me" not in screen.entry)
        await screen.press("e", *"never", "escape")
    assert edits(workspace) == [
        "caption number 0 by me",
        "caption number 0 by me!",
        "caption number 0 by me",
        None,
    ]
    assert (workspace / "captions.jsonl").read_bytes() == before


async def test_undo_takes_an_edit_of_an_earlier_session_back(
    workspace: Path, library: Path
) -> None:
    for keys, wanted in ((("e", "x", "f2"), "caption number 0x"), (("u",), None)):
        async with running(make_app(workspace, library)) as pilot:
            screen = await review(pilot)
            await screen.until(partial(screen.shows, "caption number 0"))
            await screen.press(*keys)
            await screen.until(partial(last_edit_is, workspace, wanted))


async def test_copies_only_the_cleaned_text(workspace: Path, tmp_path: Path) -> None:
    write_records(workspace, caption(0, "good\x1b]52;c;ZXZpbA==\x07 \u202eevil"))
    (tmp_path / "photos").mkdir()
    async with running(make_app(workspace, tmp_path / "photos")) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "good" in shown(pilot.app.screen))
        await pilot.press("c")
        await until(pilot, lambda: pilot.app.clipboard != "")
        assert pilot.app.clipboard == "good\\x1b]52;c;ZXZpbA==\\x07 \\u202eevil"


async def test_new_records_appear_while_one_browses(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        screen = await review(pilot)
        await screen.press("j", "j", "j")
        write_records(workspace, caption(70, "came later"), caption(3, "done again"))
        await screen.until(lambda: screen.rows == COUNT + 1)
        assert screen.list.cursor == 3
        await screen.until(lambda: "done again" in screen.entry)


async def test_an_empty_library_says_so(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    async with running(make_app(workspace, tmp_path / "photos")) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "No captions here yet" in shown(pilot.app.screen))
        for key in "jkgGnNmMxrefbdauc":
            await pilot.press(key)
        await asyncio.sleep(0)
        assert pilot.app.is_running


async def test_keys_in_one_burst_act_one_after_the_other(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        screen = await review(pilot)
        for key in "nmnmnm":
            pilot.app.post_message(events.Key(key, key))
        await screen.until(lambda: len(screen.app.desks.captions.marked) == 3)
        marked = {f"IMG_{number:05d}.jpg" for number in ERRORS}
        assert screen.app.desks.captions.marked == marked
        for key in ("g", "j", "j", "j", "j", "e"):
            pilot.app.post_message(events.Key(key, key))
        await screen.until(lambda: isinstance(pilot.app.screen, EditDialog))
        assert pilot.app.screen.query_one(TextArea).text == "caption number 4"


async def test_nothing_is_marked_while_a_search_runs(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        screen = await review(pilot)
        for key in ("f", "M"):
            pilot.app.post_message(events.Key(key, key))
        await screen.until(lambda: screen.rows == len(ERRORS))
        assert len(screen.app.desks.captions.marked) in (0, len(ERRORS))


async def test_an_edit_keeps_what_was_not_touched(workspace: Path, tmp_path: Path) -> None:
    odd = "tab\there\u200f and \U0001f3f4\U000e0067" + "x" * 50_000
    write_records(workspace, caption(0, odd))
    (tmp_path / "photos").mkdir()
    async with running(make_app(workspace, tmp_path / "photos")) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "tab" in shown(pilot.app.screen))
        await pilot.press("e", *"!!", "f2")
        await until(pilot, lambda: last_edit_is(workspace, f"{odd}!!"))


async def test_a_caption_that_cannot_be_saved_is_not_lost(workspace: Path, library: Path) -> None:
    lock = WriterLock(workspace / "edits.jsonl", "somebody", None)
    async with running(make_app(workspace, library)) as pilot:
        screen = await review(pilot)
        await screen.press("e", *" kept", "f2")
        await screen.until(lambda: "the edit is not saved" in shown(pilot.app.screen))
        await screen.until(lambda: isinstance(pilot.app.screen, EditDialog))
        assert pilot.app.screen.query_one(TextArea).text == "caption number 0 kept"
        lock.release()
        await screen.press("f2")
        await screen.until(partial(last_edit_is, workspace, "caption number 0 kept"))


async def test_undo_spares_an_edit_made_elsewhere(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        screen = await review(pilot)
        await screen.press("e", *" A", "f2")
        await screen.until(lambda: "caption number 0 A" in screen.entry)
        Edits(workspace / "captions.jsonl").write("IMG_00000.jpg", None, "B of another")
        await screen.until(lambda: "B of another" in screen.entry)
        await screen.press("u")
        await screen.until(lambda: "edited elsewhere" in shown(pilot.app.screen))
    assert edits(workspace)[-1] == "B of another"


async def test_an_edit_and_a_quit_lose_nothing(workspace: Path, library: Path) -> None:
    app = make_app(workspace, library)
    async with running(app) as pilot:
        screen = await review(pilot)
        app.desks.captions._reader.submit(time.sleep, 0.5)
        await screen.press("e", *" last", "f2", "q")
    assert edits(workspace) == ["caption number 0 last"]
