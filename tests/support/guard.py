"""`make guard`: a dry run of an ingestion in which every DeprecationWarning is an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from pipeline.samples.library import make_kinds


def rehearse(directory: Path) -> subprocess.CompletedProcess[str]:
    """Do a dry run over one photo of each kind; a deprecation ends the run."""
    photos = directory / "photos"
    photos.mkdir()
    make_kinds(photos)
    return subprocess.run(
        [
            *(sys.executable, "-m", "pcc_tui", "ingest", "run", "--dry-run", "--json"),
            *("--photos-dir", str(photos), "--workspace", str(directory)),
        ],
        env={**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning"},
        capture_output=True,
        text=True,
    )


def is_whole(told: dict[str, Any]) -> bool:
    """Tell whether each photo was decoded and gated; a warning would have failed a photo."""
    looked_at = told["with_text"] + told["without_text"]
    return bool(told["photos"] == told["decoded"] == looked_at) and told["photos"] > 0


def main() -> None:
    """Print the result of the dry run."""
    with tempfile.TemporaryDirectory() as folder:
        done = rehearse(Path(folder))
    print(done.stdout, done.stderr)
    sys.exit(done.returncode or not is_whole(json.loads(done.stdout)))


if __name__ == "__main__":
    main()
