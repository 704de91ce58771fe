"""Appends records and prints each key when the record is acknowledged; tests kill this process.

`python -m tests.support.acknowledging_writer JOURNAL COUNT BATCH`
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from journal import CaptionRecord, Committed, JournalWriter, WriterLock


def acknowledge(done: Committed[CaptionRecord]) -> None:
    """Print the keys of durable records in one write."""
    os.write(1, "".join(f"{record.rel_path}\n" for _, record in done).encode())


def main() -> None:
    """Append the records, waiting for each batch."""
    path, count, batch = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    writer: JournalWriter[CaptionRecord] = JournalWriter(
        WriterLock(path, "a test", None), acknowledge
    )
    for number in range(count):
        writer.append(
            CaptionRecord(rel_path=f"{os.getpid()}-{number}", caption="x" * 50, status="success")
        )
        if number % batch == batch - 1:
            writer.flush()
    writer.close()


if __name__ == "__main__":
    main()
