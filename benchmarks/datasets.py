"""`pcc dataset enrich` beside loading the whole dataset, and beside copying the file."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from random import Random

from benchmarks.table import PCC, Row, run_process

RECORDS = 60_000
FLOATS = 1024

ALL_IN_MEMORY = """
import json, sys
BUCKETS = [(1024, 1024), (1216, 832), (832, 1216), (1280, 768), (768, 1280), (1344, 704),
           (704, 1344)]
with open(sys.argv[1]) as file:
    records = [json.loads(line) for line in file]
for record in records:
    ratio = record["width"] / record["height"]
    width, height = min(BUCKETS, key=lambda bucket: abs(bucket[0] / bucket[1] - ratio))
    record["aspect_bucket"] = f"{width}x{height}"
    record["image_id"] = record["image_path"].rsplit(".", 1)[0].replace("/", "__")
with open(sys.argv[1], "w") as file:
    for record in records:
        file.write(json.dumps(record) + "\\n")
"""

COPY = """
import os, shutil, sys
with open(sys.argv[1], "rb") as source, open("copy.jsonl", "wb") as target:
    shutil.copyfileobj(source, target, 1 << 20)
    os.fsync(target.fileno())
"""


def enrich_row(folder: Path) -> Row:
    """Add one cheap field to 60,000 records with embeddings, 1.3 GB."""
    original = folder / "original.jsonl"
    write_records(original)
    (folder / "photos").mkdir()
    dataset = folder / "dataset.jsonl"
    shutil.copyfile(original, dataset)
    options = ["--input-dir", "photos", "--output-jsonl", "dataset.jsonl"]
    command = [*PCC, "dataset", "enrich", *options, "--pass-filter", "migrate"]
    ours = run_process(command, folder)
    again = run_process(command, folder)
    shutil.copyfile(original, dataset)
    naive = run_process([sys.executable, "-c", ALL_IN_MEMORY, "dataset.jsonl"], folder)
    limit = run_process([sys.executable, "-c", COPY, "original.jsonl"], folder)
    return Row(
        f"enrich, one field for {RECORDS:,} records of {original.stat().st_size / RECORDS:,.0f} B",
        f"{naive.seconds:.1f} s, {naive.peak_mb:.0f} MB",
        f"{ours.seconds:.1f} s, {ours.peak_mb:.0f} MB; again {again.seconds:.1f} s",
        f"{limit.seconds:.1f} s (copy)",
        f"{naive.seconds / ours.seconds:.1f} times, {ours.peak_mb:.0f} MB",
        "8 times, flat",
    )


def write_records(path: Path) -> None:
    """Write records as an enrichment without buckets would leave them."""
    random = Random(0)
    with path.open("w") as file:
        for number in range(RECORDS):
            record = {
                "image_path": f"{number % 100}/{number:06d}.jpg",
                "dinov3_embedding": [random.gauss(0, 1) for _ in range(FLOATS)],
                "caption": f"a photo of thing {number}",
                "t5_attention_mask": [1] * 9 + [0] * 68,
                "height": random.choice([480, 640, 427]),
                "width": random.choice([480, 640]),
            }
            file.write(json.dumps(record) + "\n")
