"""Library, Backend, Run and set-up screens, key by key, with real jobs."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Button, Input, OptionList, Select, TextArea

from backends.prompts import PRESETS
from pcc_tui.app import PccApp
from pcc_tui.desks.job_link import JobEnd
from pcc_tui.dialogs.confirm import ConfirmDialog
from pcc_tui.dialogs.leave import LeaveDialog
from pcc_tui.known_servers import keep_server
from pcc_tui.screens.backend import BackendScreen
from pcc_tui.screens.clusters import ClustersScreen
from pcc_tui.screens.library import LibraryScreen
from pcc_tui.screens.review import ReviewScreen
from pcc_tui.screens.run import RunScreen
from pcc_tui.screens.setup import SetupScreen
from pcc_tui.widgets.model_list import ModelList
from pcc_tui.widgets.text import Words
from pipeline.captions.request import RunReport
from pipeline.datasets.enrich_report import EnrichReport
from tests.support.api_server import ApiServer, Request
from tests.support.apps import (
    FakeProbe,
    caption,
    failure,
    make_app,
    running,
    shown,
    until,
    write_records,
)
from tests.support.photos import make_photos
from tests.support.protocols import OPENAI
from tests.support.runs import ROOT, records


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Return a folder of 12 photos."""
    make_photos(tmp_path / "photos", 12)
    return tmp_path / "photos"


def choose(workspace: Path, **choices: object) -> None:
    """Set choices of a workspace, on a machine whose user has named the server before."""
    keep_server(cast("str | None", choices.get("base_url")))
    lines = [f"{name} = {value!r}".replace("'", '"') for name, value in choices.items()]
    (workspace / "pcc.toml").write_text("\n".join(lines) + "\n")


def app_of(pilot: Pilot[int]) -> PccApp:
    return cast(PccApp, pilot.app)


async def on(pilot: Pilot[int], kind: type) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind))


# Library


async def test_the_library_counts_and_says_what_is_next(workspace: Path, library: Path) -> None:
    write_records(workspace, *map(caption, range(4)), failure(4))
    async with running(make_app(workspace, library)) as pilot:
        await until(pilot, lambda: "Caption 7 photos with basic" in shown(pilot.app.screen))
        screen = shown(pilot.app.screen)
        for words in ("12\n", "photos found", "captioned", "1 error_api", "2021", "Jan Feb"):
            assert words.strip() in screen
        make_photos(library, 14)
        await pilot.press("f5")
        await until(pilot, lambda: "Caption 9 photos" in shown(pilot.app.screen))
        await pilot.press("p")
        await on(pilot, SetupScreen)


async def test_the_next_step_is_retrying_then_clustering_then_reviewing(
    workspace: Path, library: Path
) -> None:
    (workspace / "pcc.toml").write_text('embedder = "tfidf"\n')
    write_records(workspace, *map(caption, range(11)), failure(11))
    async with running(make_app(workspace, library)) as pilot:
        await until(pilot, lambda: "Retry 1 failed photos" in shown(pilot.app.screen))
        await pilot.press("enter")
        await on(pilot, RunScreen)
        await until(pilot, lambda: len(records(workspace)) == 13)
        await until(pilot, lambda: not app_of(pilot).link.running)
        await pilot.press("1")
        await until(pilot, lambda: "Sort the photos into clusters" in shown(pilot.app.screen))
        await pilot.press("enter")
        await on(pilot, RunScreen)
        await until(pilot, lambda: not app_of(pilot).link.running)
        await pilot.press("1")
        await until(pilot, lambda: "Review the captions" in shown(pilot.app.screen))
        await pilot.press("enter")
        await on(pilot, ReviewScreen)


async def test_number_keys_and_clicks_reach_every_screen(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        kinds = (LibraryScreen, BackendScreen, RunScreen, ReviewScreen, ClustersScreen)
        for key, kind in zip("123451", (*kinds, LibraryScreen), strict=True):
            await pilot.press(key)
            await on(pilot, kind)
        await pilot.click("#navigation", offset=(14, 0))
        await on(pilot, BackendScreen)


# Run


async def test_a_whole_job_by_keys(workspace: Path, library: Path) -> None:
    make_photos(library, 40)
    choose(workspace, backend="mock", max_workers=1)
    app = make_app(workspace, library, gpus=FakeProbe())
    run = app.desks.commands.run
    app.desks.commands.run = lambda *given, **named: [  # type: ignore[method-assign]
        *run(*given, **named),
        "--mock-latency",
        "0.1",
    ]
    async with running(app) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "r starts one" in shown(pilot.app.screen))
        await pilot.press("r")
        await until(pilot, lambda: "of 40" in shown(pilot.app.screen))
        await until(pilot, lambda: "a mock caption" in shown(pilot.app.screen))
        assert "RTX 3070" in shown(pilot.app.screen)
        await pilot.press("space")
        await until(pilot, lambda: app.snapshot is not None and app.snapshot.state == "paused")
        await until(pilot, lambda: "paused" in shown(pilot.app.screen))
        await pilot.press("space")
        await until(pilot, lambda: app.snapshot is not None and app.snapshot.state == "running")
        await pilot.press("s")
        await until(pilot, lambda: not app.link.running)
        done = len(records(workspace))
        assert 0 < done < 40
        await until(pilot, lambda: "The job is over: stopped" in shown(pilot.app.screen))
        await pilot.press("r")
        await until(pilot, lambda: app.link.running)
        await until(pilot, lambda: not app.link.running)
    assert len(records(workspace)) == 40
    assert len({record.rel_path for record in records(workspace)}) == 40


async def test_the_retry_key_retries_failed_calls(workspace: Path, library: Path) -> None:
    write_records(workspace, *map(caption, range(10)), failure(10), failure(11))
    async with running(make_app(workspace, library)) as pilot:
        await pilot.press("3", "t")
        await until(pilot, lambda: len(records(workspace)) == 14)
        await until(pilot, lambda: not app_of(pilot).link.running)
    assert {record.rel_path for record in records(workspace)[12:]} == {
        "IMG_00010.jpg",
        "IMG_00011.jpg",
    }


async def test_the_retry_key_after_a_job_of_another_kind_starts_nothing(
    workspace: Path, library: Path
) -> None:
    write_records(workspace, *map(caption, range(10)), failure(10), failure(11))
    app = make_app(workspace, library)
    async with running(app) as pilot:
        await pilot.press("3")
        assert app.start_pcc(app.desks.commands.enrich(["dimensions"]))
        await until(pilot, lambda: app.ended is not None)
        assert isinstance(app.ended and app.ended.report, EnrichReport)
        await pilot.press("t")
        await until(pilot, lambda: "made no captions" in shown(pilot.app.screen))
        assert not app.link.running
        await pilot.press("r")
        await until(pilot, lambda: app.ended is None)
        await until(pilot, lambda: app.ended is not None)
        assert app.ended is not None
        assert isinstance(app.ended.report, RunReport)
        await pilot.press("t")
        await until(pilot, lambda: len(records(workspace)) == 14)
        await until(pilot, lambda: not app.link.running)


async def test_a_job_is_restarted_until_nothing_is_left(workspace: Path, library: Path) -> None:
    choose(workspace, backend="mock", restart_every=5)
    async with running(make_app(workspace, library)) as pilot:
        await pilot.press("3", "r")
        await until(pilot, lambda: len(records(workspace)) == 12)
        await until(pilot, lambda: not app_of(pilot).link.running)
    assert len({record.run for record in records(workspace)}) == 1


async def test_a_job_that_fails_says_why(workspace: Path, library: Path) -> None:
    choose(workspace, backend="openai")
    async with running(make_app(workspace, library)) as pilot:
        await pilot.press("3", "r")
        await until(pilot, lambda: "OPENAI_API_KEY" in shown(pilot.app.screen))
        assert "code 64" in shown(pilot.app.screen)


async def test_keys_without_a_job_do_no_harm(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        await pilot.press("3", "space", "s")
        await until(pilot, lambda: "no job is running" in shown(pilot.app.screen).lower())


# Backend


async def test_choices_are_saved_with_comments_kept(workspace: Path, library: Path) -> None:
    (workspace / "pcc.toml").write_text('# mine\nbackend = "basic"  # cheap\n')
    async with running(make_app(workspace, library)) as pilot:
        await pilot.press("2")
        await on(pilot, BackendScreen)
        backends = pilot.app.screen.query_one("#backends", OptionList)
        await until(pilot, lambda: backends.option_count >= 3 and backends.highlighted == 0)
        await pilot.press("down")
        pilot.app.screen.query_one("#model", Input).value = "tiny"
        pilot.app.screen.query_one("#max-workers", Input).value = "3"
        pilot.app.screen.query_one("#preset", Select).value = "alt text"
        await pilot.pause()
        await pilot.press("w")
        await until(pilot, lambda: "mock" in (workspace / "pcc.toml").read_text())
    text = (workspace / "pcc.toml").read_text()
    assert "# mine" in text
    saved = tomllib.loads(text)
    assert saved == {
        "backend": "mock",
        "model": "tiny",
        "max_workers": 3,
        "prompt": PRESETS["alt text"],
    }


async def test_a_prompt_of_ones_own_and_back(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        await pilot.press("2")
        await on(pilot, BackendScreen)
        preset = pilot.app.screen.query_one("#preset", Select)
        area = pilot.app.screen.query_one("#prompt", TextArea)
        area.focus()
        await pilot.press("x")
        await until(pilot, lambda: preset.value == "your own")
        preset.value = "keywords"
        await until(pilot, lambda: area.text == PRESETS["keywords"])
        await pilot.press("escape")
        assert pilot.app.screen.query_one("#backends", OptionList).has_focus


async def test_a_model_is_chosen_from_those_offered(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library, gpus=FakeProbe()), (150, 40)) as pilot:
        await pilot.press("2")
        await on(pilot, BackendScreen)
        screen = pilot.app.screen
        backends, models = screen.query_one("#backends", OptionList), screen.query_one(ModelList)
        await until(pilot, lambda: backends.highlighted == 0)
        assert not models.display, "basic has no models"
        await pilot.press("down", "down")
        await until(pilot, lambda: "int4 3.2 GB fits" in shown(models))
        assert "too big" in shown(models), "against the 8 GB of the card"
        models.focus()
        await pilot.press("down", "down", "enter")
        field = screen.query_one("#model", Input)
        await until(pilot, lambda: field.value == "Qwen/Qwen2.5-VL-7B-Instruct")
        screen.query_one("#quantize", Select).value = "int4"
        await until(pilot, lambda: "Estimated time" in shown(screen))
        backends.focus()
        await pilot.press("down")
        await until(pilot, lambda: "gpt-6-luna" in shown(models))
        assert field.value == "", "a model of another backend is no choice here"
        await until(pilot, lambda: "$0.1 in, $0.5 out a million" in shown(screen))
        await pilot.press("up")
        models.focus()
        await pilot.press("down", "enter", "w")
        await until(pilot, (workspace / "pcc.toml").exists)
    saved = tomllib.loads((workspace / "pcc.toml").read_text())
    assert saved["backend"] == "local"
    assert saved["model"] == "Qwen/Qwen2.5-VL-3B-Instruct"
    assert saved["quantize"] == "int4"


async def test_a_trial_tells_how_far_the_model_is(workspace: Path, library: Path) -> None:
    choose(workspace, backend="local", model=str(ROOT / "tests" / "data" / "tiny-qwen2.5-vl"))
    async with running(make_app(workspace, library), (120, 40)) as pilot:
        await pilot.press("2")
        await on(pilot, BackendScreen)
        backends = pilot.app.screen.query_one("#backends", OptionList)
        await until(pilot, lambda: backends.highlighted == 2)
        await pilot.press("t")
        await until(pilot, lambda: "loading: " in shown(pilot.app.screen))
        await until(pilot, lambda: "Top left" in shown(pilot.app.screen), seconds=60)
    assert not (workspace / "captions.jsonl").exists()


async def test_trying_a_photo_keeps_nothing(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library), (120, 40)) as pilot:
        await pilot.press("2")
        await on(pilot, BackendScreen)
        backends = pilot.app.screen.query_one("#backends", OptionList)
        await until(pilot, lambda: backends.highlighted == 0)
        await pilot.press("t")
        await until(pilot, lambda: "IMG_00000.jpg, " in shown(pilot.app.screen))
        await until(pilot, lambda: "▀" in shown(pilot.app.screen))
    assert not (workspace / "captions.jsonl").exists()


async def test_the_outlook_tells_what_is_to_do_and_what_it_took(
    workspace: Path, library: Path
) -> None:
    write_records(workspace, *map(caption, range(4)), failure(4))
    async with running(make_app(workspace, library), (120, 40)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "7 photos to caption" in shown(pilot.app.screen))
        await until(pilot, lambda: "the last 4 captions" in shown(pilot.app.screen))
        pilot.app.screen.query_one("#work", Select).value = "failed"
        await until(pilot, lambda: "8 photos to caption" in shown(pilot.app.screen))
        pilot.app.screen.query_one("#work", Select).value = "all"
        await until(pilot, lambda: "12 photos to caption" in shown(pilot.app.screen))


async def test_a_missing_key_is_said_and_a_set_one_never_shown(
    workspace: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = "sk-canary-0123456789abcdef"
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for given, words in ((None, "is not set"), (canary, "is set")):
        if given:
            monkeypatch.setenv("OPENAI_API_KEY", given)
        async with running(make_app(workspace, library), (120, 40)) as pilot:
            await pilot.press("2")
            await on(pilot, BackendScreen)
            backends = pilot.app.screen.query_one("#backends", OptionList)
            await until(pilot, lambda b=backends: b.highlighted == 0)  # type: ignore[misc]
            await pilot.press("down", "down", "down")
            await pilot.pause()
            screen = shown(pilot.app.screen)
            assert f"OPENAI_API_KEY {words}" in screen
            assert canary not in pilot.app.export_screenshot()


async def test_save_and_start(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        await pilot.press("2")
        await on(pilot, BackendScreen)
        backends = pilot.app.screen.query_one("#backends", OptionList)
        await until(pilot, lambda: backends.highlighted == 0)
        await pilot.press("down", "r")
        await on(pilot, RunScreen)
        await until(pilot, lambda: len(records(workspace)) == 12)
        await until(pilot, lambda: not app_of(pilot).link.running)
    assert {record.backend for record in records(workspace)} == {"mock"}


# Set-up


async def test_a_first_run_asks_and_starts(
    workspace: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PHOTOS_DIR", raising=False)
    async with running(make_app(workspace)) as pilot:
        await on(pilot, SetupScreen)
        await pilot.press(*"/nowhere", "enter")
        await until(pilot, lambda: "no such directory" in shown(pilot.app.screen))
        field = pilot.app.screen.query_one("#photos-dir", Input)
        field.value = str(library)[:-2]
        field.cursor_position = len(field.value)
        await pilot.press("end")
        await until(pilot, lambda: field._suggestion == str(library))
        await pilot.press("right")
        assert field.value == str(library)
        await until(pilot, lambda: "12 photos" in shown(pilot.app.screen))
        pilot.app.screen.query_one("#start", Button).press()
        await on(pilot, RunScreen)
        await until(pilot, lambda: len(records(workspace)) == 12)
        await until(pilot, lambda: not app_of(pilot).link.running)
    saved = tomllib.loads((workspace / "pcc.toml").read_text())
    assert saved == {"photos_dir": str(library), "backend": "basic"}


# Leaving


async def test_leaving_asks_only_while_a_job_runs(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        await pilot.press("q")
        await until(pilot, lambda: not pilot.app.is_running)
    choose(workspace, backend="mock", max_workers=1)
    app = make_app(workspace, library)
    async with running(app) as pilot:
        app.link.start([*app.desks.commands.run(), "--mock-latency", "0.3"])
        await until(pilot, lambda: app.snapshot is not None)
        await pilot.press("q")
        await on(pilot, LeaveDialog)
        await pilot.press("n")
        await on(pilot, LibraryScreen)
        await pilot.press("ctrl+c")
        await on(pilot, LeaveDialog)
        await pilot.press("s")
        await until(pilot, lambda: not pilot.app.is_running)
    done = len(records(workspace))
    assert 0 < done < 12
    assert not (workspace / "run.json").exists()


async def test_another_app_follows_the_job_that_was_kept(workspace: Path, library: Path) -> None:
    choose(workspace, backend="mock", max_workers=1)
    first = make_app(workspace, library)
    async with running(first) as pilot:
        first.link.start([*first.desks.commands.run(), "--mock-latency", "0.3"])
        await until(pilot, lambda: first.snapshot is not None)
        await pilot.press("q", "k")
        await until(pilot, lambda: not pilot.app.is_running)
    second = make_app(workspace, library)
    async with running(second) as pilot:
        await until(pilot, lambda: second.snapshot is not None)
        await until(pilot, lambda: "Watch the running job" in shown(pilot.app.screen))
        await pilot.press("enter")
        await on(pilot, RunScreen)
        await until(pilot, lambda: len(records(workspace)) == 12)
        await until(pilot, lambda: not second.link.running)
    process = first.link._process
    assert process is not None
    assert process.wait(10) == 0


async def test_a_stop_before_the_job_can_hear_is_not_lost(workspace: Path, library: Path) -> None:
    make_photos(library, 60)
    choose(workspace, backend="mock", max_workers=1, restart_every=5)
    app = make_app(workspace, library)
    async with running(app) as pilot:
        app.link.start([*app.desks.commands.run(), "--mock-latency", "0.2"])
        await pilot.press("q", "s")
        await until(pilot, lambda: not pilot.app.is_running)
    assert len(records(workspace)) < 10


async def test_a_job_of_another_app_is_not_over_at_a_restart(
    workspace: Path, library: Path
) -> None:
    choose(workspace, backend="mock", restart_every=4)
    first, second = make_app(workspace, library), make_app(workspace, library)
    ends: list[JobEnd] = []
    second.link._on_end = ends.append
    async with running(second) as pilot:
        first.link.start([*first.desks.commands.run(), "--mock-latency", "0.2"])
        await until(pilot, lambda: len(records(workspace)) == 12)
        await until(pilot, lambda: ends)
    assert len(ends) == 1
    process = first.link._process
    assert process is not None
    assert process.wait(10) == 0
    first.link.close()


@pytest.mark.parametrize(
    "typed",
    ["~nobody-of-that-name/x", "/" + "x" * 5000, "\0", "  "],
    ids=["no such user", "too long", "NUL", "empty"],
)
async def test_odd_folders_are_no_folders(
    workspace: Path, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PHOTOS_DIR", raising=False)
    async with running(make_app(workspace)) as pilot:
        await on(pilot, SetupScreen)
        pilot.app.screen.query_one("#photos-dir", Input).value = typed
        await pilot.press("enter")
        await until(pilot, lambda: "no such directory" in shown(pilot.app.screen))
        assert pilot.app.is_running


async def test_a_wrong_number_is_said_and_not_saved(workspace: Path, library: Path) -> None:
    async with running(make_app(workspace, library)) as pilot:
        await pilot.press("2")
        await on(pilot, BackendScreen)
        backends = pilot.app.screen.query_one("#backends", OptionList)
        await until(pilot, lambda: backends.highlighted == 0)
        for number, words in (("-5", "no number above 0"), ("5000", "max_workers")):
            pilot.app.screen.query_one("#max-workers", Input).value = number
            await pilot.press("w")
            await until(pilot, lambda w=words: w in shown(pilot.app.screen))  # type: ignore[misc]
    assert not (workspace / "pcc.toml").exists()


async def test_another_photos_directory_has_its_own_pictures(
    workspace: Path, library: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    make_photos(other, 3)
    write_records(workspace, *map(caption, range(3)))
    app = make_app(workspace, library)
    async with running(app) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "▀" in shown(pilot.app.screen))
        await app.workspace.save(photos_dir=str(other))
        await pilot.press("1", "4", "j")
        await until(pilot, lambda: "▀" in shown(pilot.app.screen))
        assert "no picture" not in shown(pilot.app.screen)


async def test_a_journal_that_fails_for_a_while_is_followed_again(
    workspace: Path, library: Path
) -> None:
    write_records(workspace, caption(0))
    journal = workspace / "captions.jsonl"
    async with running(make_app(workspace, library)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: "of 1" in shown(pilot.app.screen))
        journal.rename(workspace / "aside")
        journal.mkdir()
        await until(pilot, lambda: "directory" in shown(pilot.app.screen).lower())
        journal.rmdir()
        await until(pilot, lambda: "0 of 0" in shown(pilot.app.screen))
        (workspace / "aside").rename(journal)
        write_records(workspace, caption(1))
        await until(pilot, lambda: "of 2" in shown(pilot.app.screen))


# How a job ended


@pytest.mark.parametrize(
    ("broken", "words", "style"),
    [
        (lambda asked: False, "6 photos captioned.", "success"),
        (lambda asked: asked.number > 3, "4 photos captioned, 2 failed.", "warning"),
        (lambda asked: True, "nothing was captioned, all 6 failed (6 error_api).", "error"),
    ],
)
async def test_an_end_is_told_by_what_came_of_it(
    workspace: Path,
    library: Path,
    server: ApiServer,
    broken: Callable[[Request], bool],
    words: str,
    style: str,
) -> None:
    server.script = lambda asked: OPENAI.error(400, "no") if broken(asked) else OPENAI.good()
    choose(workspace, backend="openai", base_url=server.url, model="my-own-model")
    write_records(workspace, *map(caption, range(6)))
    app = make_app(workspace, library)
    async with running(app, (120, 40)) as pilot:
        await pilot.press("3", "r")
        await until(pilot, lambda: app.ended is not None)
        await until(pilot, lambda: f"The job is over: {words}" in shown(app.screen))
        state = app.screen.query_one("#state", Words).content
        assert isinstance(state, Content)
        assert {str(span.style) for span in state.spans} == {f"${style}"}


async def test_the_end_of_a_clustering_shows_its_clusters(workspace: Path, library: Path) -> None:
    (workspace / "pcc.toml").write_text('embedder = "tfidf"\n')
    write_records(workspace, *map(caption, range(12)))
    app = make_app(workspace, library)
    async with running(app, (120, 40)) as pilot:
        app.start_clustering()
        await until(pilot, lambda: app.ended is not None, seconds=60)
        await until(pilot, lambda: "clusters in" in shown(app.screen))
        assert "12 photos clustered" in shown(app.screen) or "unclustered" in shown(app.screen)
        assert "100%" in shown(app.screen)
        assert "(90%)" not in shown(app.screen)


# What may cost money


async def test_a_retry_in_the_app_captions_nothing_that_is_missing(
    workspace: Path, library: Path
) -> None:
    write_records(workspace, *map(caption, range(4)), failure(4))
    app = make_app(workspace, library)
    async with running(app) as pilot:
        await pilot.press("3", "t")
        await until(pilot, lambda: app.ended is not None)
    assert [record.rel_path for record in records(workspace)[5:]] == ["IMG_00004.jpg"]


@pytest.mark.parametrize("answer", ["n", "y"])
async def test_a_run_that_may_cost_money_starts_only_after_its_price_and_a_yes(
    workspace: Path, library: Path, server: ApiServer, answer: str
) -> None:
    choose(workspace, backend="openai", base_url=server.url, model="gpt-4.1-mini")
    write_records(workspace, *map(caption, range(4)), failure(4))
    app = make_app(workspace, library)
    async with running(app, (120, 40)) as pilot:
        await pilot.press("3", "t")
        await until(pilot, lambda: isinstance(app.screen, ConfirmDialog))
        question = shown(app.screen)
        assert "Send 1 photo to openai / gpt-4.1-mini?" in question
        assert "$" in question
        assert server.captions == []
        await pilot.press(answer)
        if answer == "y":
            await until(pilot, lambda: app.ended is not None)
        else:
            await until(pilot, lambda: not isinstance(app.screen, ConfirmDialog))
            assert not app.link.running
    assert len(server.captions) == (answer == "y")


async def test_a_free_server_is_asked_without_a_question(
    workspace: Path, library: Path, server: ApiServer
) -> None:
    choose(workspace, backend="openai", base_url=server.url, model="my-own-model")
    app = make_app(workspace, library)
    async with running(app) as pilot:
        await pilot.press("3", "r")
        await until(pilot, lambda: app.ended is not None)
    assert len(server.captions) == 12
