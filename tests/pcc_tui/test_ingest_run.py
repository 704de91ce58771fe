"""`pcc ingest run`, `status`, `pause`, `resume`: what gets done, what is left, what is said."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from backends.installation import extra_line
from pipeline.ingest.cache.manifest import PHASE, VERSION, schema_hash
from tests.support.drawn_text import draw_line
from tests.support.in_process import hide_package
from tests.support.ingesting import (
    SCRIPTED,
    Ingest,
    non_utf8,
    open_to_others,
    tiny_png,
    tree,
    wait_until,
    workers_of,
)
from tests.support.runs import wait_for_snapshot
from tests.support.scripted_ocr import BLANK, FAILING


def test_each_photo_once_and_what_is_told_of_it(ingest: Ingest) -> None:
    """Copies, broken files, odd names; then nothing is left to do."""
    ingest.draw(10)
    shutil.copy(ingest.photos / "p00003.png", ingest.photos / "same again.png")
    (ingest.photos / "torn.png").write_bytes((ingest.photos / "p00001.png").read_bytes()[:900])
    tiny_png(ingest.photos / "year" / "blank.png", 100, BLANK)
    tiny_png(ingest.photos / "odd.png", 101).rename(non_utf8(ingest.photos))
    library = tree(ingest.photos)

    report = ingest.report("run", *SCRIPTED, "--workers", "2")
    assert {name: report[name] for name in ("photos", "attempted", "remaining", "parked")} == {
        "photos": 14,
        "attempted": 14,
        "remaining": 0,
        "parked": 1,
    }
    assert report["by_status"] == {"success": 13, "error_corrupt": 1}
    ingest.assert_each_once()
    ended = {one.rel_path: one for one in ingest.outcomes()}
    assert ended["same again.png"].copied_from == "p00003.png"
    assert ended["same again.png"].lines == 2
    assert {one.copied_from for name, one in ended.items() if name != "same again.png"} == {None}
    assert sum(one.raw_path is not None for one in ended.values()) == 1
    assert ended["torn.png"].error
    assert [
        (text.source, text.skipped) for text in ingest.texts() if text.rel_path == "year/blank.png"
    ] == [("gate", "nothing is written here")]

    status = ingest.report("status")
    assert status["photos"] == 14
    assert status["stages"] == {"ocr": {"success": 13, "error_corrupt": 1}}
    assert status["models"] == {"ocr": "scripted 1"}
    assert status["queue"] == {"waiting": 0, "leased": 0, "done": 12, "parked": 1, "paused": False}
    assert [one["image_id"] for one in status["parked"]] == ["torn.png"]
    assert status["parked"][0]["reason"] == ended["torn.png"].error

    before = (ingest.cache / "outcomes.jsonl").read_bytes()
    again = ingest("run", *SCRIPTED)
    assert "Nothing to do: 13 photos have been through all stages, 1 failed" in again.stdout
    assert (ingest.cache / "outcomes.jsonl").read_bytes() == before
    assert tree(ingest.photos) == library
    assert open_to_others(ingest.cache) == []
    manifest = json.loads((ingest.cache / "manifest.json").read_bytes())
    assert (manifest["phase"], manifest["version"]) == (PHASE, VERSION)
    assert manifest["schema_hash"] == schema_hash()
    assert manifest["models"]["ocr"]["version"] == "scripted 1"


def test_dry_run_writes_nothing_and_fits_the_run(ingest: Ingest, tmp_path: Path) -> None:
    """The real gate; whatever imports torch leaves a mark, and fails."""
    draw_line("Hello out there", 40, canvas=(400, 200)).image.save(ingest.photos / "text.png")
    ingest.draw(2)
    shutil.copy(ingest.photos / "p00000.png", ingest.photos / "z.png")
    (ingest.photos / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    for module in ("torch", "transformers"):
        (tmp_path / "engine" / f"{module}.py").write_text(
            f"open({str(tmp_path / 'mark')!r}, 'a').write(__name__)\nraise ImportError(__name__)\n"
        )
    before = tree(tmp_path)
    report = ingest.report("run", "--dry-run", "--detector", "/nonexistent", TMPDIR="/var/tmp")
    assert tree(tmp_path) == before
    assert report["to_do"] == {"detect": 5, "label": 5, "ocr": 5}
    numbers = ("photos", "copies", "decoded", "unreadable", "with_text", "without_text")
    assert [report[name] for name in numbers] == [5, 1, 3, 1, 1, 2]
    assert sum(report["skipped"].values()) == 2

    done = ingest.report("run", "--stages", "ocr")
    assert done["by_status"] == {"success": 4, "error_corrupt": 1}
    assert not (tmp_path / "mark").exists()
    texts = {text.rel_path: text for text in ingest.texts()}
    assert texts["text.png"].text == "Hello out there"
    assert texts["p00000.png"].skipped in report["skipped"]
    assert "z.png" not in texts
    after = tree(tmp_path)
    rest = ingest.report("run", "--dry-run", "--stages", "ocr")
    assert (rest["photos"], rest["to_do"], rest["decoded"]) == (5, {}, 0)
    assert tree(tmp_path) == after


def test_a_dry_run_with_nothing_to_pass_over_says_nothing_of_that(ingest: Ingest) -> None:
    draw_line("Hello out there", 40, canvas=(400, 200)).image.save(ingest.photos / "text.png")
    said = ingest("run", "--dry-run", "--stages", "ocr").stdout
    assert "1 may hold text\n" in said
    assert "would not be read" not in said

    ingest.draw(1)
    assert "1 may hold text; 1 would not be read:\n  1: " in (
        ingest("run", "--dry-run", "--stages", "ocr").stdout
    )


def test_hints_repeat_the_cache_that_was_given(ingest: Ingest) -> None:
    (ingest.photos / "torn.png").write_bytes(b"\xff\xd8\xff torn")
    told = ingest("run", *SCRIPTED, "--cache", "my cache").stdout
    [command] = re.findall(r"`pcc ingest (status .+?)` tells why", told)
    assert command.endswith("--cache 'my cache'")
    status = ingest(*shlex.split(command)).stdout
    assert "`pcc ingest run --retry-errors" in status
    assert "--cache 'my cache'" in status
    assert "torn.png" in status


def test_hints_repeat_no_defaults(ingest: Ingest) -> None:
    (ingest.photos / "torn.png").write_bytes(b"\xff\xd8\xff torn")
    told = ingest("run", *SCRIPTED, "--queue", "sqlite").stdout
    assert "`pcc ingest status" in told
    assert "--cache" not in told
    assert "--queue" not in told


def test_changed_failed_and_mended_photos(ingest: Ingest, tmp_path: Path) -> None:
    ingest.draw(3)
    tiny_png(ingest.photos / "fails.png", 50, FAILING)
    torn = ingest.photos / "torn.png"
    torn.write_bytes(b"\xff\xd8\xff torn")
    shutil.copy(ingest.photos / "p00000.png", ingest.photos / "twin.png")
    script = {"SCRIPTED_MENDED": str(tmp_path / "mended")}

    first = ingest.report("run", *SCRIPTED, **script)
    assert first["by_status"] == {"success": 4, "error_model": 1, "error_corrupt": 1}
    assert first["parked"] == 2
    parked = {one["image_id"]: one for one in ingest.report("status")["parked"]}
    assert parked["fails.png"]["attempts"] == 3
    assert "the script says so" in parked["fails.png"]["reason"]
    ingest.assert_each_once()

    assert ingest.report("run", *SCRIPTED, **script)["attempted"] == 0
    tiny_png(ingest.photos / "p00000.png", 60)
    tiny_png(torn, 61)
    changed = ingest.report("run", *SCRIPTED, **script)
    assert changed["by_status"] == {"success": 3}
    last = {one.rel_path: one for one in ingest.outcomes()}
    assert last["twin.png"].copied_from is None, "its original is another picture now"
    assert {text.rel_path for text in ingest.texts()} >= {"twin.png"}
    assert len(ingest.outcomes()) == 6 + 3

    (tmp_path / "mended").touch()
    mended = ingest.report("run", *SCRIPTED, "--retry-errors", **script)
    assert mended["by_status"]["success"] >= 1
    assert mended["parked"] == 0
    assert set(ingest.statuses().values()) == {"success"}

    before = len(ingest.outcomes())
    redone = ingest.report("run", *SCRIPTED, "--redo", **script)
    assert redone["by_status"] == {"success": 6}
    assert len(ingest.outcomes()) == before + 6


def test_paused_from_another_terminal_and_a_photo_that_vanishes_meanwhile(ingest: Ingest) -> None:
    ingest.draw(4)
    ingest("run", *SCRIPTED)
    ingest.draw(20, first=4)
    assert "paused" in ingest("pause").stdout
    running = ingest.start("run", *SCRIPTED, "--json")
    wait_until(lambda: ingest.counts().waiting == 20, "the queue is filled")
    wait_until(lambda: workers_of(running.pid), "a worker is there")
    assert "Queue: 4 done, 20 waiting, 0 in hands, 0 given up, paused" in ingest("status").stdout
    (ingest.photos / "p00010.png").unlink()
    assert running.poll() is None
    assert ingest.count() == 4
    assert ingest.report("resume")["queue"] == "resumed"
    report = json.loads(running.communicate(timeout=60)[0])

    assert running.returncode == 0
    assert report["by_status"] == {"success": 19, "error_corrupt": 1}
    assert ingest.statuses()["p00010.png"] == "error_corrupt"
    assert [one["image_id"] for one in ingest.report("status")["parked"]] == ["p00010.png"]


def test_pause_in_the_middle_finishes_what_is_in_flight(ingest: Ingest) -> None:
    """And a second run beside the first helps, with workers of its own."""
    ingest.draw(60)
    running = [ingest.start("run", *SCRIPTED, SCRIPTED_SECONDS="0.1")]
    wait_until(lambda: ingest.count() >= 5, "it works")
    ingest("pause")
    wait_for_snapshot(
        ingest.workspace, lambda shot: shot["state"] == "paused" and not shot["current"]
    )
    running.append(ingest.start("run", *SCRIPTED, SCRIPTED_SECONDS="0.1"))
    log = ingest.cache / "ingest.log"
    wait_until(lambda: log.read_text().count("worker starts") == 2, "the other has a worker")
    stands = ingest.report("status")["photos"]
    assert ingest.report("status")["queue"]["paused"]
    assert 5 <= stands == ingest.count() < 60
    ingest("resume")
    for process in running:
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, stderr
    ingest.assert_each_once()
    workers = Counter((one.worker or "").split("-")[-2] for one in ingest.outcomes())
    assert workers.keys() == {str(process.pid) for process in running}


@pytest.mark.parametrize(
    ("field", "value"), [("phase", 1), ("version", 9), ("schema_hash", "blake3:0")]
)
def test_a_cache_of_another_form_is_refused_by_name(
    ingest: Ingest, field: str, value: object
) -> None:
    ingest.draw(1)
    ingest.cache.mkdir()
    fields = {"phase": PHASE, "version": VERSION, "schema_hash": schema_hash(), field: value}
    (ingest.cache / "manifest.json").write_text(json.dumps(fields))
    before = tree(ingest.cache)
    for command in (("run", *SCRIPTED), ("run", "--dry-run"), ("status",)):
        done = ingest(*command, code=64)
        assert f"{field.removesuffix('_hash')} {value}" in done.stderr
        assert done.stderr.count("\n") == 1
    assert tree(ingest.cache).keys() - before.keys() <= {"outcomes.jsonl", "queue.sqlite"}
    assert (ingest.cache / "manifest.json").read_text() == json.dumps(fields)


@pytest.mark.parametrize(
    ("package", "extra", "arguments"),
    [
        ("torch", "detect", ("run",)),
        ("rapidocr", "ocr", ("run", "--stages", "ocr")),
        ("redis", "redis", ("run", *SCRIPTED, "--queue", "redis://localhost:1")),
    ],
)
def test_a_missing_extra_is_named(
    ingest: Ingest,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    extra: str,
    arguments: tuple[str, ...],
) -> None:
    ingest.draw(1)
    hide_package(monkeypatch, package)
    done = ingest(*arguments, code=64)
    assert extra_line(extra) in done.stderr
    assert not ingest.cache.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("status",), "there is no cache"),
        (("pause",), "there is no cache"),
        (("run", "--stages", "ocr,sing"), "'sing'"),
        (("run", "--stages", "ocr", "--ocr-engine", "none"), "no OCR engine 'none'"),
        (("run", *SCRIPTED, "--queue", "mysql://x:secret@y"), "a queue is either sqlite"),
        (("run", *SCRIPTED, "--queue", "redis://:secret@127.0.0.1:1"), "cannot be reached"),
    ],
)
def test_what_makes_no_sense_is_a_line(
    ingest: Ingest, arguments: tuple[str, ...], says: str
) -> None:
    ingest.draw(1)
    code = 1 if "reached" in says else 64
    done = ingest(*arguments, code=code)
    assert done.stdout == ""
    assert says in done.stderr
    assert "secret" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_another_task_on_the_same_cache_waits_its_turn(ingest: Ingest) -> None:
    """A worker must be able to do what the queue hands it."""
    ingest.draw(40)
    running = ingest.start("run", *SCRIPTED, SCRIPTED_SECONDS="0.1")
    wait_until(lambda: ingest.count() >= 1, "it works")
    ingest("pause")

    other = ingest("run", "--stages", "ocr", code=73)
    assert "another run works on" in other.stderr
    assert "the same command helps it" in other.stderr

    running.kill()
    running.wait()
    ingest("resume")
    ingest("run", "--stages", "ocr")
    ingest.assert_each_once()
    assert {one.status for one in ingest.outcomes()} == {"success"}


def test_what_an_interrupted_run_left_waiting_is_not_done_unasked(ingest: Ingest) -> None:
    ingest.draw(20)
    ingest("pause", code=64)
    running = ingest.start("run", *SCRIPTED, SCRIPTED_SECONDS="0.2")
    wait_until(lambda: ingest.count() >= 1, "it works")
    running.send_signal(signal.SIGINT)
    assert running.wait() == 130
    before = ingest.count()

    report = ingest.report("run", *SCRIPTED, "--include", "p00019.png")

    assert report["attempted"] == 1
    assert ingest.count() == before + 1
