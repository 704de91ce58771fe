"""Hostile text in every widget: the terminal gets no sequence that a benign run does not send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from journal import CaptionRecord, seal
from tests.conftest import CLEAN_ENVIRONMENT, PCC
from tests.support.photos import noise_jpeg
from tests.support.pty_app import PtyApp, kinds, pty_app

HOSTILE = [
    "\x1b[2J\x1b[31mred",
    "\x1b]52;c;ZXZpbA==\x07clip",
    "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]0;title\x07",
    "\x1bP+q544e\x1b\\",
    "\x1b_Gi=1,a=T;AAAA\x1b\\",
    "\x9b31m\x9d52;c;x\x9c",
    "[@click=app.quit]press[/] [/] [bold red]markup[/bold red] $error",
    "[link=http://evil]x[/link]",
    "\u202eevil\u2066x\u2069 \u200e\u200f\u061c",
    "\x07\x08\x00\x7f\rover",
    "line\nbreak\ttab\x0b\x0c",
    "x" * 10_000,
    "e" + "\u0301" * 3000,
    "👨‍👩‍👧‍👦🏳️‍🌈👩🏽‍💻" * 300,
    "漢字" * 2000,
    "\ufeff\u200b\ud800\udfff",
    "=cmd()",
]
BENIGN = [f"caption {number}" for number in range(len(HOSTILE))]


def write_library(folder: Path, texts: list[str]) -> None:
    """Make photos and a journal that hold the texts wherever text can be."""
    photos, workspace = folder / "photos", folder / "workspace"
    photos.mkdir(parents=True)
    workspace.mkdir()
    lines = []
    for number, text in enumerate(texts):
        name = f"{number:02d} {text[:60]}".replace("/", "_").replace("\0", "_")
        (photos / f"{name}.jpg".encode("utf-8", "replace").decode()).write_bytes(
            noise_jpeg(number, (48, 32)) if number % 3 else b"no photo"
        )
        shown = text.encode("utf-8", "replace").decode()
        record = CaptionRecord(
            rel_path=f"seen {number:02d} {shown[:60]}.jpg",
            caption=shown if number % 2 else None,
            status="success" if number % 2 else "error_api",
            backend=shown[:20],
            model=shown[:20],
            error=None if number % 2 else shown,
            copied_from=shown[:50],
            taken=f"20{number:02d}-01-01T{shown[:10]}",
        )
        lines.append(seal(msgspec.json.encode(record)))
    (workspace / "captions.jsonl").write_bytes(b"".join(lines))


def visit_every_screen(app: PtyApp, count: int) -> None:
    """Go through all screens and all photos, run a job, and be told things."""
    app.wait_for("1 Library")
    app.wait_for("Caption ")
    app.type("4")
    app.wait_for(f"of {count}")
    for _ in range(count):
        app.type("j")
        app.settle(0.2)  # the caption follows the cursor after 0.04 s
    app.type("cmgn")
    app.type("e")
    app.wait_for("Save (f2)")
    app.type("\x1b")
    app.settle()
    app.type("/status:error\r")
    app.settle()
    app.type("a2")
    app.wait_for("Prompt")
    app.type("t")
    app.settle()
    app.type("3r")
    app.wait_for("The job is over")
    app.type("4G?")
    app.settle()
    app.type("?1")
    app.settle()


@contextmanager
def opened(folder: Path, texts: list[str]) -> Iterator[PtyApp]:
    write_library(folder, texts)
    own = {"XDG_CONFIG_HOME": str(folder / "c"), "XDG_CACHE_HOME": str(folder / "k")}
    command = [*PCC, "--photos-dir", str(folder / "photos"), "--images", "halfcell"]
    with pty_app(command, folder / "workspace", {**CLEAN_ENVIRONMENT, **own}) as app:
        yield app


def test_nothing_hostile_reaches_the_terminal(tmp_path: Path) -> None:
    seen = []
    for name, texts in (("benign", BENIGN), ("hostile", HOSTILE)):
        with opened(tmp_path / name, texts) as app:
            visit_every_screen(app, len(texts))
        seen.append(kinds(app.written))
        assert app.process.returncode == 128 + 15
    benign, hostile = seen
    assert any("52;c" in kind for kind in benign)  # copying is part of both
    assert hostile <= benign
    assert not re.search(rb"\x1b\]52;[^\x07]*ZXZpbA", app.written)
