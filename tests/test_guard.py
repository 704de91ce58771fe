"""`make guard`: the dry run of an ingestion, with every DeprecationWarning an error."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.samples.library import make_kinds
from tests.conftest import PCC


def is_whole(told: dict[str, Any]) -> bool:
    """Tell whether each photo was decoded and passed the gate: a warning costs one of them that."""
    looked_at = told["with_text"] + told["without_text"]
    return bool(told["photos"] == told["decoded"] == looked_at) and told["photos"] > 0


def test_the_dry_run_passes_with_deprecations_as_errors(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    make_kinds(photos)
    where = ("--photos-dir", str(photos), "--workspace", str(tmp_path))
    done = subprocess.run(
        [*PCC, "ingest", "run", "--dry-run", "--json", *where],
        env={**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert is_whole(json.loads(done.stdout)), done.stdout


@pytest.mark.parametrize("lost", ["decoded", "with_text"])
def test_a_photo_that_a_warning_cost_is_missed(lost: str) -> None:
    told = {"photos": 5, "decoded": 5, "with_text": 3, "without_text": 2}

    assert is_whole(told)
    assert not is_whole(told | {lost: told[lost] - 1})
