"""`make guard`: the dry run of an ingestion, with every DeprecationWarning an error."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pipeline.samples.library import make_kinds


def rehearse(directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the dry run over one photo of each kind; what is deprecated ends it."""
    photos = directory / "photos"
    photos.mkdir()
    make_kinds(photos)
    return subprocess.run(
        [sys.executable, "-m", "pcc_tui", "ingest", "run", "--dry-run", "--json"]
        + ["--photos-dir", str(photos), "--workspace", str(directory)],
        env={**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning"},
        capture_output=True,
        text=True,
    )


def main() -> None:
    """Show how the dry run went."""
    with tempfile.TemporaryDirectory() as folder:
        done = rehearse(Path(folder))
    print(done.stdout, done.stderr)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
