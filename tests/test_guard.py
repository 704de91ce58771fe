"""`make guard`: the dry run meets no deprecation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.guard import is_whole, rehearse


def test_the_dry_run_passes_with_deprecations_as_errors(tmp_path: Path) -> None:
    done = rehearse(tmp_path)

    assert done.returncode == 0, done.stderr
    assert is_whole(json.loads(done.stdout)), done.stdout


@pytest.mark.parametrize("lost", ["decoded", "with_text"])
def test_a_photo_that_a_warning_cost_is_missed(lost: str) -> None:
    told = {"photos": 5, "decoded": 5, "with_text": 3, "without_text": 2}

    assert is_whole(told)
    assert not is_whole(told | {lost: told[lost] - 1})
