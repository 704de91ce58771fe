"""Every report says its kind, and the app goes by nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from pcc_tui.cli.main import app
from pcc_tui.cli.output import print_json
from pcc_tui.desks.job_link import JobReport, _last_report
from pipeline.captions.request import RunReport
from pipeline.clusters.comparison import ClusterReport
from pipeline.datasets.enrich_report import EnrichReport
from pipeline.datasets.shards.report import ShardReport
from pipeline.embeddings.report import EmbedReport
from pipeline.ingest.importing.report import ImportReport
from pipeline.ingest.report import IngestReport
from pipeline.synth.report import SynthReport
from tests.support.apps import caption, failure, write_records
from tests.support.ingested import ingested
from tests.support.photos import make_photos

REPORTS: dict[str, JobReport] = {
    "run": RunReport(run="r", attempted=3),
    "embed": EmbedReport(embedder="tfidf", model="m"),
    "cluster": ClusterReport(
        photos=6, clustered=3, unclustered=2, no_caption=1, clusters=1, groups=0
    ),
    "dataset-enrich": EnrichReport(enriched=3),
    "dataset-shards": ShardReport(
        ending="done",
        directory="d",
        format="webdataset",
        urls=None,
        complete=True,
        samples=3,
        shards=1,
        bytes=9,
    ),
    "synth-generate": SynthReport(
        ending="done", directory="d", num_images=3, seed=1, counts={}, total_bytes=9
    ),
    "ingest-run": IngestReport(
        run="r",
        photos=3,
        attempted=3,
        by_status={"success": 3},
        seconds=1.0,
        rate=3.0,
        done=0,
        errored=0,
        remaining=0,
        parked=0,
    ),
    "ingest-import": ImportReport(regions=3),
}


@pytest.mark.parametrize("kind", REPORTS)
def test_the_app_knows_a_report_by_its_kind(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = REPORTS[kind]
    print_json(report)
    printed = capsys.readouterr().out

    assert json.loads(printed)["kind"] == kind
    assert _last_report(printed) == report


def test_of_several_reports_the_last_counts(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(REPORTS["run"])
    print_json(REPORTS["ingest-run"])

    assert _last_report(capsys.readouterr().out) == REPORTS["ingest-run"]


@pytest.mark.parametrize(
    "output", ["", "no JSON", "{}\n", '{"kind": "news"}\n', '{"attempted": 1}']
)
def test_what_says_no_kind_that_is_known_is_no_report(output: str) -> None:
    assert _last_report(output) is None


def test_all_kinds_of_job_reports_are_tried_above() -> None:
    assert {type(report) for report in REPORTS.values()} == {*JobReport.__args__}


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("run --limit 1", "run"),
        ("plan", "plan"),
        ("estimate", "estimate"),
        ("stats", "stats"),
        ("try", "try"),
        ("edit IMG_00000.jpg --caption mine", "edit"),
        ("journal check", "journal-check"),
        ("journal compact", "journal-rewrite"),
        ("ingest status", "ingest-status"),
        ("ingest pause", "ingest-pause"),
        ("ingest resume", "ingest-resume"),
    ],
)
def test_a_document_says_its_kind(
    workspace: Path, tmp_path: Path, command: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PCC_QUEUE", raising=False)
    make_photos(tmp_path / "photos", 2)
    write_records(workspace, caption(0), failure(1))
    ingested(workspace)
    place = ["--workspace", str(workspace), "--photos-dir", str(tmp_path / "photos")]

    done = CliRunner().invoke(app, [*command.split(), *place, "--json"])

    assert done.exit_code == 0, done.output
    assert next(iter(msgspec.json.decode(done.stdout))) == "kind"
    assert msgspec.json.decode(done.stdout)["kind"] == kind
