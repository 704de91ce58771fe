"""`make bench`: measures all rows, or the rows whose names are given, and prints the table."""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks import (
    answers,
    app,
    clusters,
    datasets,
    ingest,
    jobs,
    journal,
    local,
    ocr,
    photos,
    synth,
)
from benchmarks.table import Row, print_table
from tests.support.protocols import ANTHROPIC, GEMINI, XAI

ROWS = {
    "scan": journal.scan_row,
    "append": journal.append_row,
    "load": photos.load_row,
    "mock": jobs.mock_row,
    "peer": jobs.peer_row,
    "wide": jobs.wide_row,
    "anthropic": partial(jobs.wide_row, protocol=ANTHROPIC),
    "gemini": partial(jobs.wide_row, protocol=GEMINI),
    "xai": partial(jobs.wide_row, protocol=XAI),
    "local": local.local_row,
    "answers": answers.answers_row,
    "kill": jobs.kill_row,
    "faults": jobs.faults_row,
    "nothing": jobs.nothing_row,
    "walk": photos.walk_row,
    "help": jobs.help_row,
    "paint": app.paint_row,
    "idle": app.idle_row,
    "busy": app.busy_row,
    "million": app.million_row,
    "pictures": app.pictures_row,
    "tree": app.clusters_row,
    "clusters": clusters.speed_rows,
    "quality": clusters.quality_rows,
    "enrich": datasets.enrich_row,
    "synth": synth.synth_rows,
    "ocr": ocr.ocr_row,
    "ingest": ingest.ingest_rows,
}


def main() -> None:
    """Measure and print."""
    wanted = sys.argv[1:] or list(ROWS)
    rows: list[Row] = []
    for name in wanted:
        print(f"measuring {name} …", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="pcc-bench-") as folder:
            made = ROWS[name](Path(folder))
            rows += [made] if isinstance(made, Row) else made
    print_table(rows)


if __name__ == "__main__":
    main()
