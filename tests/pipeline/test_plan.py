"""What is left to do, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from journal import seal
from pipeline.captions.plan import Maker, Plan, Selection, load_makers, make_plan, read_history

MAKER = Maker("openai", "m1", "p1")
DIGEST = "blake3:" + "ab" * 32


def write(journal: Path, *records: str) -> None:
    journal.write_bytes(
        b"".join(seal(f'{{"caption":"c",{record}}}'.encode()) for record in records)
    )


def made(name: str, status: str = "success", backend: str = "openai", **more: object) -> str:
    fields = {"rel_path": name, "status": status, "backend": backend, "model": "m1", "prompt": "p1"}
    return ",".join(f'"{key}":"{value}"' for key, value in {**fields, **more}.items())


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "j"
    write(
        path,
        made("done.jpg"),
        made("api.jpg", "error_api"),
        made("model.jpg", "error_model"),
        made("corrupt.jpg", "error_corrupt"),
        made("mock.jpg", backend="mock"),
        made("old-prompt.jpg", prompt="p0"),
        made("edited.jpg", prompt="p0"),
    )
    return path


PATHS = [
    "api.jpg",
    "corrupt.jpg",
    "done.jpg",
    "edited.jpg",
    "mock.jpg",
    "model.jpg",
    "new.jpg",
    "old-prompt.jpg",
]


def plan(journal: Path, selection: Selection) -> Plan:
    return make_plan(PATHS, load_makers(journal), selection, MAKER, {"edited.jpg"})


@pytest.mark.parametrize(
    ("selection", "to_do"),
    [
        (Selection(), "new"),
        (Selection(frozenset({"error_api"})), "api new"),
        (Selection(frozenset({"error_api", "error_model"})), "api model new"),
        (Selection(backend="mock"), "mock new"),
        (Selection(stale=True), "mock new old-prompt"),
        (Selection(force=True), "api corrupt done edited mock model new old-prompt"),
    ],
)
def test_each_selection_puts_its_photos_to_work(
    journal: Path, selection: Selection, to_do: str
) -> None:
    found = plan(journal, selection)

    assert [path.removesuffix(".jpg") for path in found.to_do] == to_do.split()
    assert found.skipped.total() == len(PATHS) - len(found.to_do)


def test_plan_counts_every_reason(journal: Path) -> None:
    found = plan(journal, Selection())

    assert (found.photos, found.missing, found.stale, found.edited) == (8, 1, 3, 1)
    assert found.errored == {"error_api": 1, "error_model": 1, "error_corrupt": 1}


def test_model_not_known_yet_makes_nothing_stale(journal: Path) -> None:
    maker = Maker("openai", None, "p1")
    found = make_plan(["done.jpg"], load_makers(journal), Selection(stale=True), maker, set())

    assert found.to_do == []


def test_history_tells_what_a_run_attempted_and_spent(tmp_path: Path) -> None:
    journal = tmp_path / "j"
    journal.write_bytes(
        b'{"rel_path":"a","caption":"c","status":"success","run":"r1","cost_usd":0.25}\n'
        b'{"rel_path":"b","caption":null,"status":"error_api","run":"r1","cost_usd":0.5}\n'
        b'{"rel_path":"c","caption":"c","status":"success","run":"r0","cost_usd":4}\n'
    )
    history = read_history(journal, "r1", MAKER, ["z.jpg"])

    assert history.attempted == {"a", "b"}
    assert history.spent == 0.75


def test_only_successes_of_the_same_maker_may_be_copied(tmp_path: Path) -> None:
    journal = tmp_path / "j"
    for record, copied in (
        (made("a", digest=DIGEST), 1),
        (made("a", digest=DIGEST, model="m2"), 0),
        (made("a", digest=DIGEST, prompt="p2"), 0),
        (made("a", "error_api", digest=DIGEST), 0),
        (made("z.jpg", digest=DIGEST), 0),
    ):
        write(journal, record)
        assert len(read_history(journal, "r", MAKER, ["z.jpg"]).digests) == copied
