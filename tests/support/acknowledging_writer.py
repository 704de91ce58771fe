"""Appends records and prints each key once it is acknowledged; made to be killed.

`python -m tests.support.acknowledging_writer JOURNAL COUNT BATCH`
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from journal import CaptionRecord, JournalWriter, WriterLock


def main() -> None:
    path, count, batch = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    writer: JournalWriter[CaptionRecord] = JournalWriter(
        WriterLock(path, "a test"),
        on_commit=lambda done: (
            os.write(1, "".join(f"{record.rel_path}\n" for _, record in done).encode()) and None
        ),
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
