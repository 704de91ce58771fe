"""The passes that the documentation shows are added as it says: one file and one line each."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import CLEAN_ENVIRONMENT, PCC
from tests.test_docs import ROOT, blocks

PAGE = "docs/adding_a_pass.md"

SCREEN = """
import asyncio, sys
from pathlib import Path
from textual.widgets import DataTable
from tests.support.apps import make_app, running, until

async def show(workspace, photos):
    async with running(make_app(workspace, photos), (120, 40)) as pilot:
        await pilot.press("6")
        rows = lambda: pilot.app.screen.query(DataTable)
        await until(pilot, lambda: rows() and str(rows().first().get_row("sharpness")[2]) == "3")
        print(*map(str, rows().first().get_row("sharpness")), sep=" | ")

asyncio.run(show(*map(Path, sys.argv[1:])))
"""
"""Prints the row of a pass on the Datasets screen, once its records are counted."""


class Checkout:
    """A checkout to which passes are added, and a dataset of three photos."""

    def __init__(self, directory: Path, input_dir: Path) -> None:
        self.dataset = directory / "dataset.jsonl"
        self.told = ""
        self._directory = directory
        self._input_dir = input_dir
        self._tree = directory / "checkout"
        self._tree.mkdir()
        for folder in ("backends", "journal", "pcc_tui", "styles", "tests"):
            (self._tree / folder).symlink_to(ROOT / folder)
        shutil.copytree(ROOT / "pipeline", self._tree / "pipeline")

    def add(self, name: str, code: str, line: str) -> None:
        """Add a pass: its file, and its line in the list."""
        passes = self._tree / "pipeline" / "datasets" / "passes"
        (passes / f"{name}.py").write_text(code)
        listed = (passes / "__init__.py").read_text()
        last = '    "patches:PatchesPass",\n'
        assert last in listed
        (passes / "__init__.py").write_text(listed.replace(last, last + line))

    def run(self, *arguments: str | Path, python: Sequence[str] = PCC) -> str:
        """Run a command of the checkout, which succeeds or finds a defect."""
        done = subprocess.run(
            [*python, *map(str, arguments)],
            cwd=self._directory,
            env={**CLEAN_ENVIRONMENT, "PYTHONPATH": str(self._tree)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr
        self.told = done.stderr
        return done.stdout

    def enrich(self, passes: str, *arguments: str) -> Any:
        """Enrich the dataset by some passes, and return the report."""
        where = ("--input-dir", self._input_dir, "--backend", "mock", "--json")
        return json.loads(
            self.run("dataset", "enrich", "--pass-filter", passes, *where, *arguments)
        )

    def verify(self) -> Any:
        """Check the dataset, and return the report."""
        return json.loads(self.run("dataset", "verify", "--json"))

    def row_on_screen(self) -> str:
        """Return what the Datasets screen shows of the pass `sharpness`."""
        return self.run(self._directory, self._input_dir, python=[PCC[0], "-c", SCREEN])

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the dataset."""
        return [json.loads(line) for line in self.dataset.read_bytes().splitlines()]


@pytest.fixture
def checkout(tmp_path: Path, photos: Callable[..., Path]) -> Checkout:
    """Return a checkout with both passes of the page."""
    made = Checkout(tmp_path, photos(3))
    sharpness, caption_words = blocks(PAGE, "python")
    (line,) = blocks(PAGE, "text")
    made.add("sharpness", sharpness, line)
    made.add("caption_words", caption_words, '    "caption_words:CaptionWordsPass",\n')
    return made


def test_a_pass_with_a_stage_works_everywhere(checkout: Checkout) -> None:
    assert checkout.enrich("sharpness", "--dry-run")["lacking"] == {"sharpness": 3}
    assert "how sharp each image is" in checkout.row_on_screen()
    report = checkout.enrich("sharpness")
    assert (report["new"], report["made"]["sharpness"]) == (3, 3)
    before, records = checkout.dataset.read_bytes(), checkout.records()
    assert all(record.keys() == {"image_path", "sharpness"} for record in records)
    assert len({record["sharpness"] for record in records}) == 3
    assert checkout.verify()["ok"]

    assert checkout.enrich("sharpness")["run"] is None
    checkout.dataset.write_bytes(before.replace(b'"sharpness":', b'"sharpness":-', 1))
    assert checkout.enrich("sharpness")["run"] is None
    assert checkout.verify()["damaged"] == {"sharpness": 1}
    assert checkout.enrich("sharpness", "--redo", "sharpness")["enriched"] == 1
    assert checkout.dataset.read_bytes() == before


def test_a_pass_that_reads_a_text_waits_for_it(checkout: Checkout) -> None:
    checkout.enrich("caption_words")
    assert all("caption_words" not in record for record in checkout.records())
    assert checkout.enrich("caption,caption_words")["enriched"] == 3
    for record in checkout.records():
        assert record["caption_words"] == len(record["caption"].split())
    checkout.enrich("caption", "--redo", "caption", "--backend", "basic")
    assert "3 records keep what caption_words made from an older text" in checkout.told
    [again] = re.findall("`pcc ([^`]+)` makes it anew", checkout.told)
    assert "3 enriched" in checkout.run(*shlex.split(again))
    for record in checkout.records():
        assert record["caption_words"] == len(record["caption"].split())
