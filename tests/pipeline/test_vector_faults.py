"""Vectors after kills, torn ends and lost files; who may write them; what is told of them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from journal import JournalLocked
from pipeline.clusters.run import ClusterRequest, prepare_clustering, run_clustering
from pipeline.embeddings.report import EmbedReport
from pipeline.embeddings.run import prepare_captions
from tests.support.apps import caption, failure, write_records
from tests.support.runs import ROOT
from tests.support.vectors import animals, assert_right, captioned, embed, opened


def test_a_torn_last_row_is_written_over(workspace: Path) -> None:
    embed(workspace, animals(10))
    rows = workspace / "embeddings" / "tfidf" / "vectors.f32"
    with rows.open("ab") as file:
        file.write(b"\x7f" * 13)

    assert opened(workspace).rows == 10
    captions = animals(10) | {"x": "a new lighthouse"}
    assert embed(workspace, captions) == 1
    assert opened(workspace).rows == 11
    assert_right(workspace, captions)


@pytest.mark.parametrize("kept", [0, 1, 30, -1])
def test_a_torn_last_line_costs_one_vector_and_nothing_else(workspace: Path, kept: int) -> None:
    embed(workspace, animals(10))
    keys = workspace / "embeddings" / "tfidf" / "keys.jsonl"
    *lines, last = keys.read_bytes().splitlines(keepends=True)
    keys.write_bytes(b"".join(lines) + (last[:kept] if kept >= 0 else last[:-2]))

    assert len(opened(workspace).held) == 9
    assert embed(workspace, animals(10)) == 1
    assert_right(workspace, animals(10))


def test_rows_beyond_the_array_are_passed_over(workspace: Path) -> None:
    embed(workspace, animals(12))
    store = opened(workspace)
    rows = workspace / "embeddings" / "tfidf" / "vectors.f32"
    assert store.manifest is not None
    rows.write_bytes(rows.read_bytes()[: 9 * 4 * store.manifest.dimensions])
    with store.journal.open("a") as file:
        file.write('{"rel_path":"minus.jpg","of":"0","row":-1}\n')
        file.write('{"rel_path":"none.jpg","of":"0","row":null,"error":"too long"}\n')

    assert len(opened(workspace).held) == 9
    assert embed(workspace, animals(12)) == 3
    assert_right(workspace, animals(12))


def test_an_array_that_is_gone_is_made_anew(workspace: Path) -> None:
    embed(workspace, animals(6))
    (workspace / "embeddings" / "tfidf" / "vectors.f32").unlink()
    assert opened(workspace).vectors().shape[0] == 0
    assert embed(workspace, animals(6)) == 6
    assert_right(workspace, animals(6))


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.embeddings.stage import CaptionEmbeddingStage
from tests.support.vectors import animals, embed
process = CaptionEmbeddingStage._process
def once(stage, photos):
    made = process(stage, photos)
    os.kill(os.getpid(), signal.SIGKILL)  # the rows are on disk, no record names them
CaptionEmbeddingStage._process = once
embed(Path(sys.argv[1]), animals(10))
"""


def test_a_job_killed_between_row_and_record_is_made_good(workspace: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, workspace], cwd=ROOT, timeout=60, check=False
    )
    assert killed.returncode == -9
    assert opened(workspace).held == {}
    assert embed(workspace, animals(10)) == 10
    assert_right(workspace, animals(10))


HOLDER = """
import sys
from pathlib import Path
from pipeline.embeddings.store import store_of
lock = store_of(Path(sys.argv[1]), "tfidf").lock()
print("held", flush=True)
sys.stdin.read()
"""


def test_one_process_at_a_time_makes_vectors(workspace: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, workspace],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(JournalLocked, match=f"process {holder.pid} .*pcc embed"):
            prepare_captions(workspace, "tfidf", captioned(animals(3)))
        holder.kill()
    assert embed(workspace, animals(3)) == 3  # the lock died with its holder


# What is told


async def nobody(_sample: object) -> None:
    """Show a job to nobody."""


def test_the_report_counts_what_has_a_vector_now(workspace: Path) -> None:
    write_records(workspace, caption(0, "a dog"), caption(1, "a cat"), failure(2))
    request = ClusterRequest(
        workspace=workspace,
        journal=workspace / "captions.jsonl",
        photos_dir=None,
        embedder="tfidf",
    )
    for made in (2, 0):
        prepared = prepare_clustering(request)
        try:
            report = asyncio.run(run_clustering(prepared, nobody)).report
        finally:
            prepared.release()
        assert isinstance(report, EmbedReport)
        assert (report.captions, report.embedded, report.failed) == (2, made, 0)


def test_snapshots_count_what_had_its_vector_before(workspace: Path) -> None:
    embed(workspace, animals(20))
    embedding = prepare_captions(workspace, "tfidf", captioned(animals(25)))
    job = embedding.job("a-run")
    asyncio.run(job.run())
    shot = job.snapshot()
    assert (embedding.held, len(embedding.to_do), shot.backend) == (20, 5, "tfidf")
