"""Measuring, and the table that `make bench` prints."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PCC = [sys.executable, "-P", "-m", "pcc_tui"]


@dataclass
class Row:
    """One line of the table.

    Attributes:
        work: The work that was measured.
        naive: The result of the naive way.
        ours: The result of pcc.
        limit: The best possible result.
        figure: The ratio, or the figure that has a goal.
        goal: The goal for `figure`.
    """

    work: str
    naive: str
    ours: str
    limit: str
    figure: str
    goal: str


@dataclass
class Usage:
    """Time and memory that a process and its children took."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    output: str


def best_of(times: int, work: Callable[[], object]) -> float:
    """Return the shortest time of several measurements in seconds."""
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def run_process(command: list[str], directory: Path) -> Usage:
    """Run and measure a command; memory is the sum over all its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, tree_mb(process.pid))
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    output, _ = process.communicate()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {output}")
    return Usage(seconds, cpu, peak, output)


def tree_mb(pid: int) -> float:
    """Return the resident memory of a process and its descendants in MB (Linux)."""
    pages = 0
    pending = [pid]
    while pending:
        current = pending.pop()
        try:
            pages += int(Path(f"/proc/{current}/statm").read_text().split()[1])
            for task in Path(f"/proc/{current}/task").iterdir():
                pending += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def print_table(rows: list[Row]) -> None:
    """Print the rows in columns."""
    header = Row("work", "naive", "ours", "limit", "figure", "goal")
    cells = [list(vars(row).values()) for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(6)]
    for row in cells:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
