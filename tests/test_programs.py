"""A test that needs a program which is not there is left out, and the end of the run says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FORBIDDEN = "#!/bin/sh\necho 'ptrace: Operation not permitted' >&2\nexit 1\n"


def run_tests(directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run four tests that need strace, with a path of one directory."""
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-n0",
            "-p",
            "no:cacheprovider",
            "tests/journal/test_crash.py",
        ],
        cwd=ROOT,
        env={**os.environ, "PCC_TEST_REQUIRE_ALL": "", "PATH": str(directory), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def put(directory: Path, name: str, text: str = "#!/bin/sh\n") -> None:
    program = directory / name
    program.write_text(text)
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("others", "line"),
    [
        (["apt-get"], "To have them run: apt-get install strace\n"),
        ([], "To have them run: install strace\n"),
    ],
)
def test_tests_without_their_program_are_counted(
    tmp_path: Path, others: list[str], line: str
) -> None:
    for name in others:
        put(tmp_path, name)
    done = run_tests(tmp_path)

    assert done.returncode == 0, done.stdout
    assert "4 tests were left out:\n    strace is not there: 4\n" in done.stdout
    assert line in done.stdout


def test_a_program_that_is_forbidden_here_is_told_from_one_that_is_missing(tmp_path: Path) -> None:
    put(tmp_path, "strace", FORBIDDEN)
    done = run_tests(tmp_path)

    assert done.returncode == 0, done.stdout
    assert "strace is forbidden here (ptrace: Operation not permitted): 4\n" in done.stdout
    assert "To have them run" not in done.stdout


def test_where_everything_is_asked_for_a_missing_program_is_a_failure(tmp_path: Path) -> None:
    done = run_tests(tmp_path, PCC_TEST_REQUIRE_ALL="1")

    assert done.returncode == 1
    assert "needs strace, which is not there" in done.stdout
    assert "4 failed" in done.stdout
