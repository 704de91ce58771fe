"""Hostile captions, names and titles through every command about clusters, byte by byte."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from pathlib import Path

import msgspec
import pytest

from journal import CaptionRecord, seal, split_path
from tests.conftest import CLEAN_ENVIRONMENT
from tests.support.in_process import bytes_in_process
from tests.support.photos import noise_jpeg
from tests.support.pty_app import INVISIBLE

KEY = "sk-canary" + "4711" * 6

HOSTILE = [
    "\x1b[2J\x1b[31mred paint",
    "\x1b]52;c;ZXZpbA==\x07 paint",
    "\x1b]8;;http://evil\x1b\\paint\x1b]8;;\x1b\\",
    "\x9b31m\x9d52;c;x\x9c paint",
    "\u202eevil\u2066x\u2069 \u200e\u200f\u061c paint",
    "\x07\x08\x7f\rover paint",
    "line\nbreak\ttab\x0b\x0c\u2028paint",
    "=cmd|' /C calc'!A0 paint",
    "+1+1 paint",
    "@SUM(A1:A9) paint",
    "-2+3 paint",
    "'=1+1 paint",
    "<script>alert(1)</script> paint",
    "</script><!-- <img src=x onerror=alert(1)> paint",
    "# paint [link](javascript:alert(1)) ![](http://evil/x.png) | a `b` *c*",
    f"paint the key {KEY}",
    "paint " + "x" * 10_000,
    "paint " + "e" + "\u0301" * 3000,
]


@pytest.fixture
def hostile(workspace: Path, tmp_path: Path) -> Path:
    """Return a photos directory with such names, and a journal beside it."""
    folder = tmp_path / "photos"
    folder.mkdir()
    lines = []
    for number, text in enumerate(HOSTILE):
        name = os.fsencode(f"{number:02d} {text[:40]}.jpg".replace("/", "_")) + b"\xff" * (
            number % 5 == 0
        )
        rel_path, raw_path = split_path(os.fsdecode(name))
        if number % 3:
            (folder / os.fsdecode(name)).write_bytes(noise_jpeg(number, (48, 32)))
        made = CaptionRecord(
            rel_path=rel_path, raw_path=raw_path, caption=text, status="success", backend="mock"
        )
        lines.append(seal(msgspec.json.encode(made)))
    (folder / os.fsdecode(b"never \xfe\x1b[31m captioned.jpg")).write_bytes(
        noise_jpeg(99, (48, 32))
    )
    (workspace / "captions.jsonl").write_bytes(b"".join(lines))
    return folder


def printed(workspace: Path, *arguments: str | Path) -> bytes:
    """Run `pcc` and return every byte it printed."""
    done = bytes_in_process([*map(str, arguments)], workspace, CLEAN_ENVIRONMENT)
    out = done.stdout + done.stderr
    assert done.returncode in (0, 64), out
    assert b"Traceback" not in out
    assert b"unexpected" not in out
    if "--json" in arguments:
        json.loads(done.stdout)
    return out


def check_bytes(data: bytes) -> None:
    """Make sure that no terminal acts on what was printed, and that it holds no key."""
    text = data.decode()
    assert not INVISIBLE.search(text), text
    assert KEY not in text


def test_no_command_prints_anything_hostile(workspace: Path, hostile: Path) -> None:
    site = ("--photos-dir", hostile)
    for json_too in ((), ("--json",)):
        for command in (
            ("cluster", "--embedder", "tfidf"),
            ("chunk",),
            ("search", "paint"),
            ("report",),
            ("labels", "list"),
        ):
            check_bytes(printed(workspace, *command, *site, *json_too))
    listed = json.loads(printed(workspace, "labels", "list", "--json", *site))
    cluster = listed[0]["cluster_id"]
    for title in (HOSTILE[0], HOSTILE[3], HOSTILE[4], HOSTILE[6], HOSTILE[15], "\udcff"):
        check_bytes(printed(workspace, "labels", "rename", cluster, title, *site))
        check_bytes(printed(workspace, "labels", "list", *site))
    for name in ("\udcff" + HOSTILE[0], "x" * 10_000, "../../etc/passwd"):
        check_bytes(printed(workspace, "labels", "move", "--to", cluster, name, *site))
        check_bytes(printed(workspace, "labels", "split", "--title", name, name, *site))
        check_bytes(printed(workspace, "labels", "import", name, *site))
    assert KEY not in (workspace / "labels.jsonl").read_text()
    assert KEY not in (workspace / "caption.log").read_text()


def test_no_file_written_holds_anything_that_acts(workspace: Path, hostile: Path) -> None:
    site = ("--photos-dir", hostile)
    printed(workspace, "cluster", "--embedder", "tfidf", *site)
    listed = json.loads(printed(workspace, "labels", "list", "--json", *site))
    printed(workspace, "labels", "rename", listed[0]["cluster_id"], HOSTILE[12], *site)
    for command in (("report",), ("labels", "export"), ("labels", "export", "--table", "photos")):
        printed(workspace, *command, *site)
    for name in ("cluster_export.csv", "labels_clusters.csv", "labels_photos.csv"):
        text = (workspace / name).read_bytes().decode()
        assert not INVISIBLE.search(text.replace("\n", "")), name
        rows = list(csv.reader(io.StringIO(text)))
        assert text.count("\n") == len(rows)
        assert {len(row) for row in rows} == {len(rows[0])}
        for cell in (cell for row in rows for cell in row):
            assert not cell.lstrip(" ").startswith(("=", "+", "-", "@")), cell
    assert len(rows) == len(HOSTILE) + 2
    markdown = (workspace / "cluster_report.md").read_text()
    assert not INVISIBLE.search(markdown)
    assert not re.search(r"(?<!\\)<|(?<!\\)!\[|(?<!\\)\]\(", markdown)
    page = (workspace / "cluster_report.html").read_text()
    assert "<script>alert" not in page
    assert "onerror=alert(1)>" not in page
    assert page.lower().count("<script") == page.lower().count("</script")
    (data,) = re.findall(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert "<script>alert(1)</script> paint" in [photo[1] for photo in json.loads(data)["photos"]]


def test_hostile_tables_come_back_as_they_went(workspace: Path, hostile: Path) -> None:
    site = ("--photos-dir", hostile)
    printed(workspace, "cluster", "--embedder", "tfidf", *site)
    for table, suffix in (("clusters", "csv"), ("photos", "csv"), ("photos", "json")):
        out = workspace / f"out.{suffix}"
        printed(workspace, "labels", "export", "--table", table, "--out", out, *site)
        found = json.loads(printed(workspace, "labels", "import", out, "--json", *site))
        assert found["changes"] == []
        assert len(found["refused"]) == 0, found["refused"][:3]
    for broken in (
        b"",
        b"\x00\xff",
        b"cluster_id\n\x1b[2J\n",
        b"[]",
        b"a,b\n1,2\n",
        b"\xef\xbb\xbf",
    ):
        (workspace / "broken.csv").write_bytes(broken)
        check_bytes(printed(workspace, "labels", "import", "broken.csv", *site))
