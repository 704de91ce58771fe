"""The journal: the resume scan, and durable appending."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from benchmarks.table import Row
from journal import CaptionRecord, JournalWriter, WriterLock, seal
from journal import writer as writer_module

RECORDS = 1_000_000
APPENDED = 200_000
WRITERS = 64

NAIVE_SCAN = """
import json, sys, time
began = time.perf_counter()
last = {}
with open(sys.argv[1]) as file:
    for line in file:
        record = json.loads(line)
        last[record["rel_path"]] = record
"""
OUR_SCAN = """
import sys, time
from pathlib import Path
from journal import load_index
began = time.perf_counter()
last = load_index(Path(sys.argv[1]))
"""
REPORT = """
import resource
print(len(last), time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def record(number: int) -> CaptionRecord:
    """Return a record of some 280 bytes."""
    return CaptionRecord(
        rel_path=f"2024/{number % 12:02d}/IMG_{number:07d}.JPG",
        caption="a family at a dinner table with plates and candles",
        status="success",
        backend="openai",
        model="gpt-4o-mini",
        prompt="0123456789ab",
        run="20261120-120000-abcd",
        at="2026-11-20T12:00:00Z",
        seconds=1.25,
        tokens_in=300,
        tokens_out=30,
    )


def write_journal(path: Path, count: int) -> None:
    """Write a sealed journal of `count` records."""
    encode = msgspec.json.Encoder().encode
    with path.open("wb") as file:
        for number in range(count):
            file.write(seal(encode(record(number))))


def scan_row(folder: Path) -> Row:
    """Load key, status and offset of a million records."""
    path = folder / "large.jsonl"
    write_journal(path, RECORDS)

    def measure(script: str) -> tuple[float, float]:
        command = [sys.executable, "-c", script + REPORT, str(path)]
        runs = [
            subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            for _ in range(2)
        ]
        return min(float(run[1]) for run in runs), min(int(run[2]) for run in runs) / 1e3

    naive, naive_mb = measure(NAIVE_SCAN)
    ours, ours_mb = measure(OUR_SCAN)
    path.unlink()
    return Row(
        "journal scan, 1,000,000 records",
        f"{naive:.2f} s, {naive_mb:.0f} MB",
        f"{ours:.2f} s, {ours_mb:.0f} MB",
        "-",
        f"{naive / ours:.1f} times, {ours_mb:.0f} MB",
        "3 times, 250 MB",
    )


def append_row(folder: Path) -> Row:
    """Append from 64 writers in turn; each record is acknowledged when it is durable."""
    naive_count = 3000
    began = time.perf_counter()
    for number in range(naive_count):
        with (folder / "naive.jsonl").open("a") as file:
            file.write(json.dumps({"rel_path": f"{number}", "caption": "x" * 50}) + "\n")
            file.flush()
            os.fsync(file.fileno())
    naive = naive_count / (time.perf_counter() - began)

    syncs, acknowledged = 0, 0
    real = writer_module.sync_data

    def counting(descriptor: int) -> None:
        nonlocal syncs
        syncs += 1
        real(descriptor)

    def acknowledge(done: object) -> None:
        nonlocal acknowledged
        acknowledged += len(done)  # type: ignore[arg-type]

    writer_module.sync_data = counting
    records = [record(number) for number in range(APPENDED)]
    began = time.perf_counter()
    writer: JournalWriter[CaptionRecord] = JournalWriter(
        WriterLock(folder / "ours.jsonl", "bench", None), on_commit=acknowledge
    )
    for start in range(0, APPENDED, WRITERS):
        for one in records[start : start + WRITERS]:
            writer.append(one)
    writer.close()
    seconds = time.perf_counter() - began
    writer_module.sync_data = real
    assert acknowledged == APPENDED
    ours = APPENDED / seconds
    return Row(
        "journal append, 64 writers, durable",
        f"{naive:,.0f}/s",
        f"{ours:,.0f}/s",
        "-",
        f"{ours / naive:.0f} times, {syncs / seconds:.0f} syncs/s",
        "20 times, 20 syncs/s",
    )
