"""Browsing a journal: order, filters, search, edits, while others write."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from journal import (
    CAPTIONS,
    CaptionRecord,
    EditRecord,
    JournalLocked,
    SpreadDict,
    WriterLock,
    compact,
    scan,
)
from journal import lock as lock_module
from pipeline.captions.catalogue import STEP, Catalogue, key_bytes, readable_path
from pipeline.captions.edits import Edits
from pipeline.captions.measured import measure
from pipeline.captions.plan import Made
from pipeline.captions.query import Query
from tests.support.apps import caption, failure, write_records


def full(journal: Path) -> Catalogue:
    catalogue = Catalogue(journal)
    while not catalogue.refresh():
        pass
    return catalogue


def found(catalogue: Catalogue, text: str, marked: frozenset[str] = frozenset()) -> list[str]:
    return [key for piece in catalogue.select(Query.parse(text), marked) for key in piece]


@pytest.fixture
def journal(workspace: Path) -> Path:
    """Return a journal of three captions and an error."""
    write_records(
        workspace,
        caption(0, "A Harbour at dusk"),
        caption(1, "two dogs", backend="openai"),
        failure(2, "CallError: harbour closed"),
        caption(3, "harbour and dogs"),
    )
    return workspace / "captions.jsonl"


# The catalogue


def test_keys_stand_in_the_order_of_their_first_record(journal: Path) -> None:
    catalogue = full(journal)
    write_records(journal.parent, caption(2, "now it worked"), caption(9))
    assert catalogue.changed()
    catalogue.refresh()
    assert list(catalogue.keys) == [f"IMG_{n:05d}.jpg" for n in (0, 1, 2, 3, 9)]
    entry = catalogue.entry("IMG_00002.jpg")
    assert entry is not None
    assert entry.caption == "now it worked"


def test_a_large_journal_comes_in_pieces(workspace: Path) -> None:
    line = '{"rel_path":"%d.jpg","caption":"c","status":"success"}\n'
    with (workspace / "captions.jsonl").open("w") as file:
        file.writelines(line % number for number in range(STEP * 2 + 5))
    catalogue = Catalogue(workspace / "captions.jsonl")
    sizes = []
    while not catalogue.refresh():
        sizes.append(len(catalogue.keys))
    assert sizes == [STEP, STEP * 2]
    assert len(catalogue.keys) == STEP * 2 + 5


def test_a_replaced_journal_is_read_anew(journal: Path) -> None:
    write_records(journal.parent, caption(0, "again"))
    catalogue = full(journal)
    before = catalogue.keys
    compact(journal, CaptionRecord, CAPTIONS)
    assert catalogue.changed()
    # Between replacement and refresh an old offset may point anywhere, never at a wrong photo.
    for key in before:
        entry = catalogue.entry(key)
        assert entry is None or entry.record.rel_path == key
    catalogue.refresh()
    assert sorted(catalogue.keys) == sorted(before)
    entry = catalogue.entry("IMG_00000.jpg")
    assert entry is not None
    assert entry.caption == "again"


def test_changed_tells_once(journal: Path) -> None:
    catalogue = Catalogue(journal)
    assert catalogue.changed()
    assert not catalogue.changed()
    catalogue.edits.write("IMG_00000.jpg", None, "mine")
    Edits(journal).write("IMG_00001.jpg", None, "of another process")
    assert catalogue.changed()
    assert not catalogue.changed()


def test_an_absent_journal_is_empty(tmp_path: Path) -> None:
    catalogue = full(tmp_path / "captions.jsonl")
    assert not catalogue.keys
    assert catalogue.entry("a.jpg") is None
    assert found(catalogue, "words") == []


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [0, 1, 2, 3]),
        ("status:error", [2]),
        ("status:success", [0, 1, 3]),
        ("backend:openai", [1, 2]),
        ("date:2020", [0]),
        ("date:2021-02", [1]),
        ("harbour", [0, 2, 3]),
        ("HARBOUR dogs", [3]),
        ("status:success harbour", [0, 3]),
        ("00001", [1]),
        ("foo:bar", []),
        ("is:marked", [3]),
        ("is:edited", []),
        ("is:edited is:marked", []),
    ],
)
def test_queries(journal: Path, query: str, numbers: list[int]) -> None:
    catalogue = full(journal)
    keys = found(catalogue, query, frozenset({"IMG_00003.jpg"}))
    assert keys == [f"IMG_{number:05d}.jpg" for number in numbers]


def test_a_search_sees_the_last_record_and_the_edit(journal: Path) -> None:
    write_records(journal.parent, caption(0, "a quay"))
    catalogue = full(journal)
    catalogue.edits.write("IMG_00001.jpg", None, "two cats in the harbour")
    assert found(catalogue, "harbour") == ["IMG_00001.jpg", "IMG_00002.jpg", "IMG_00003.jpg"]
    assert found(catalogue, "is:edited") == ["IMG_00001.jpg"]
    assert found(catalogue, "dogs") == ["IMG_00003.jpg"]


@pytest.mark.parametrize(
    "text", ["", "status:error", "status:error backend:x date:2024 is:edited is:marked two words"]
)
def test_a_query_written_out_reads_back(text: str) -> None:
    assert str(Query.parse(text)) == text
    assert Query.parse(str(Query.parse(text))) == Query.parse(text)


def test_unknown_month_and_backend_are_no_match() -> None:
    made = Made("success", None, None, None)
    assert Query().admits(made)
    assert not Query(backend="b").admits(made)
    assert not Query(date="2024").admits(made)


def test_keys_of_any_name_become_paths_and_bytes(workspace: Path) -> None:
    raw = b"caf\xe9/\nnew.jpg"
    readable, encoded = "caf\ufffd/\nnew.jpg", "Y2Fm6S8KbmV3LmpwZw=="
    record = CaptionRecord(rel_path=readable, raw_path=encoded, caption="x", status="success")
    write_records(workspace, record)
    [key] = full(workspace / "captions.jsonl").keys
    assert key_bytes(key) == raw
    assert readable_path(key) == readable


# Edits


def test_an_edit_is_on_disk_when_write_returns(journal: Path) -> None:
    edits = Edits(journal)
    edits.write("IMG_00000.jpg", None, "mine")
    assert Edits(journal).refresh()
    [(_, edit)] = scan(journal.with_name("edits.jsonl"), EditRecord)
    assert (edit.rel_path, edit.caption) == ("IMG_00000.jpg", "mine")
    assert edits.texts == {"IMG_00000.jpg": "mine"}
    edits.write("IMG_00000.jpg", None, None)
    assert edits.texts == {}
    assert journal.with_name("edits.jsonl").stat().st_mode & 0o077 == 0


def test_a_locked_edits_journal_says_who(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_module, "PATIENCE_SECONDS", 0.05)
    lock = WriterLock(journal.with_name("edits.jsonl"), "a test", None)
    with pytest.raises(JournalLocked, match="a test"):
        Edits(journal).write("a.jpg", None, "mine")
    lock.release()


# Measured


def test_measured_means_of_one_backend(workspace: Path) -> None:
    def made(number: int, seconds: float, tokens: int | None, backend: str) -> CaptionRecord:
        record = caption(number, backend=backend)
        record.seconds, record.tokens_in, record.tokens_out = seconds, tokens, tokens
        return record

    write_records(
        workspace,
        *(made(0, 1.0, 300, "a"), made(1, 3.0, 400, "a"), made(2, 5.0, None, "a")),
        made(3, 9.0, None, "b"),
    )
    journal = workspace / "captions.jsonl"
    measured = measure(journal, "a", None)
    assert measured is not None
    assert (measured.captions, measured.seconds) == (3, 3.0)
    assert measured.tokens_in == measured.tokens_out == 350, "of those that tell them"
    other = measure(journal, "b", None)
    assert other is not None
    assert other.tokens_in == 0
    assert measure(journal, "a", "another model") is None
    assert measure(workspace / "absent.jsonl", "a", None) is None


# The dict in parts


def test_a_spread_dict_is_a_dict_in_order() -> None:
    rng = random.Random(1)
    spread, plain = SpreadDict(), dict[str, int]()
    for number in range(5000):
        key = f"{rng.randrange(2000)}.jpg"
        spread[key] = plain[key] = number
    assert dict(spread) == plain
    assert list(spread) == list(plain) == spread.order
    assert len(spread) == len(plain)
    assert ("7.jpg" in spread, "none" in spread, spread.get("none")) == (True, False, None)
    old = spread.order
    spread.clear()
    assert (len(spread), len(old)) == (0, len(plain))
    with pytest.raises(TypeError):
        del spread["7.jpg"]
