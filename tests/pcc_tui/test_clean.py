"""No text out of a file acts on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import time
from pathlib import Path

import pytest

from pcc_tui.clean import clean
from tests.conftest import CLEAN_ENVIRONMENT, PCC
from tests.support.photos import make_photos, noise_jpeg

HOSTILE = {
    "colour": "\x1b[31mred",
    "title": "\x1b]0;owned\x07",
    "hyperlink": "\x1b]8;;http://x\x1b\\link",
    "clipboard": "\x1b]52;c;aGk=\x07",
    "C1 control": "\x9b31m",
    "bell and delete": "\a\x7f\b",
    "newlines": "a\nb\rc\u2028d\u0085e",
    "bidi": "\u202egpj.exe\u202c \u2066x\u2069 \u200f",
    "invisible": "a\u200bb\ufeffc\u00add",
    "tags": "\U000e0041\U000e0042",
    "surrogate": "caf\udce9",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_becomes_visible(text: str) -> None:
    shown = clean(text)

    assert shown.isprintable()
    assert shown.encode()
    assert "\\" in shown


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "Ünïcödé 漢字 עברית العربية",
        "👩\u200d👩\u200d👧 🏳️\u200d🌈",
        "नमस्\u200cते",
        "a\u00a0b",
        "[b]x[/b]",
    ],
)
def test_honest_text_stays(text: str) -> None:
    assert clean(text) == text


def read_terminal(command: list[str], directory: Path) -> bytes:
    """Run a command on a pseudo-terminal and return every byte it wrote there."""
    ours, theirs = pty.openpty()
    environment = {**CLEAN_ENVIRONMENT, "TERM": "xterm-256color", "COLUMNS": "200"}
    with subprocess.Popen(
        command, cwd=directory, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:
                break
            if not data:
                break
            seen += data
        process.wait(timeout=30)
    os.close(ours)
    return seen


def escapes(data: bytes) -> set[bytes]:
    """Return the kinds of escape sequence in what a terminal got."""
    return {
        re.sub(rb"[0-9;]+", b"", sequence)
        for sequence in re.findall(rb"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*|.)", data)
    }


def test_no_name_or_caption_reaches_the_terminal_as_more_than_text(tmp_path: Path) -> None:
    def run(name: str, names: list[str]) -> bytes:
        folder = tmp_path / name / "photos"
        folder.mkdir(parents=True)
        for number, photo in enumerate(names):
            (folder / photo).write_bytes(noise_jpeg(number, (32, 24)) if number % 2 else b"broken")
        arguments = ["run", "--backend", "mock", "--mock-latency", "0.1"]
        arguments += ["--photos-dir", str(folder), "--workspace", str(tmp_path / name)]
        return read_terminal([*PCC, *arguments], tmp_path)

    hostile = [text.replace("/", "_") + ".jpg" for text in HOSTILE.values()]
    benign = [f"photo {number}.jpg" for number in range(len(hostile))]
    seen, expected = run("hostile", hostile), run("benign", benign)

    assert escapes(seen) <= escapes(expected)
    for forbidden in (b"\x07", b"\x9b", "\u202e".encode(), "\u2066".encode(), b"\x7f"):
        assert forbidden not in seen


def test_a_terminal_that_nobody_reads_does_not_hold_up_the_job(tmp_path: Path) -> None:
    make_photos(tmp_path / "photos", 40)
    ours, theirs = pty.openpty()
    command = [*PCC, "run", "--backend", "mock", "--mock-latency", "0.2", "--photos-dir", "photos"]
    environment = {**CLEAN_ENVIRONMENT, "TERM": "xterm-256color"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        journal, deadline = tmp_path / "captions.jsonl", time.monotonic() + 60
        while time.monotonic() < deadline:
            if journal.exists() and journal.read_bytes().count(b"\n") == 40:
                break
            time.sleep(0.05)
        written = journal.read_bytes().count(b"\n")
        process.kill()
    os.close(ours)

    assert written == 40
