"""Photos whose names are in no one Unicode form: each system reads them, and says the same."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from unicodedata import normalize

import pytest

from tests.conftest import Pcc
from tests.support.ingesting import SCRIPTED, Ingest, tiny_png

MIXED = ("e\u0301/\u00e9.png", "\u00e1/e\u0301.png", "o\u0308\u00f6.png", "\u212b.png")
TWINS = ("u\u0308.png", "\u00fc.png")
SAID = "1 file is passed over, since another file has the same name in another Unicode form: \u00fc"


def draw(folder: Path) -> None:
    """Draw photos, among them two of one name."""
    for number, name in enumerate((*MIXED, *TWINS)):
        tiny_png(folder / name, number)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder of such photos."""
    draw(tmp_path / "photos")
    return tmp_path / "photos"


def test_every_photo_is_captioned_and_twins_are_told_of(pcc: Pcc, photos: Path) -> None:
    place = ("--photos-dir", str(photos), "--json")
    plan = pcc("plan", *place)
    run = pcc("run", *place, "--backend", "mock")

    assert json.loads(plan.stdout)["photos"] == len(MIXED) + 1
    assert json.loads(run.stdout)["by_status"] == {"success": len(MIXED) + 1}
    for told in (plan.stderr, run.stderr):
        assert SAID in told
    for name in MIXED:
        assert pcc("try", normalize("NFC", name), *place, "--backend", "basic").returncode == 0


def test_every_photo_is_ingested_and_twins_are_told_of(ingest: Ingest) -> None:
    draw(ingest.photos)
    run = ingest("run", *SCRIPTED, "--workers", "1")

    assert run.returncode == 0, run.stderr
    assert SAID in run.stdout + run.stderr
    ended = {one.rel_path: one.status for one in ingest.outcomes()}
    assert ended == dict.fromkeys(
        (normalize("NFC", name) for name in (*MIXED, "\u00fc.png")), "success"
    )


def test_every_photo_goes_into_a_shard_and_twins_are_told_of(
    pcc: Pcc, workspace: Path, photos: Path
) -> None:
    lines = [{"image_path": normalize("NFC", name)} for name in (*MIXED, TWINS[0])]
    dataset = workspace / "d.jsonl"
    dataset.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    shards = pcc("dataset", "shards", str(dataset), "--input-dir", str(photos), "--out", "out")

    assert shards.returncode == 0, shards.stderr
    assert SAID in shards.stderr + shards.stdout
    with tarfile.open(workspace / "out" / "shard-000000.tar") as shard:
        assert sum(name.endswith(".png") for name in shard.getnames()) == len(MIXED) + 1


def test_every_photo_is_enriched_and_twins_are_told_of(
    pcc: Pcc, workspace: Path, photos: Path
) -> None:
    enriched = pcc(
        *("dataset", "enrich", "--input-dir", str(photos), "--output-jsonl", "d.jsonl"),
        *("--pass-filter", "migrate,dimensions"),
    )

    assert enriched.returncode == 0, enriched.stderr
    assert SAID in enriched.stderr + enriched.stdout
    records = [json.loads(line) for line in (workspace / "d.jsonl").read_text().splitlines()]
    assert [record["width"] for record in records] == [24] * (len(MIXED) + 1)
