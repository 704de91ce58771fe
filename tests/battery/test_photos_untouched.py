"""Every command on the demo, under strace: nothing inside the photos directory is ever changed."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from pcc_tui.cli.commands import COMMANDS
from tests.conftest import CLEAN_ENVIRONMENT, PCC
from tests.support.programs import needed

pytestmark = pytest.mark.battery

CHANGES = (
    *("creat", "open", "openat", "openat2", "truncate", "mknod", "mknodat", "mkdir", "mkdirat"),
    *("unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2", "link", "linkat"),
    *("symlink", "symlinkat", "chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat"),
    *("lchown", "utime", "utimes", "utimensat", "futimesat", "setxattr", "lsetxattr", "fsetxattr"),
    *("removexattr", "lremovexattr", "fremovexattr", "ftruncate", "fallocate"),
)
"""Calls that change a file or a directory; those that open a file do so with some flags."""

WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")

PHOTO = "2024/08 Zermatt/IMG_0001.JPG"

STEPS: tuple[tuple[str, ...], ...] = (
    ("plan",),
    ("estimate",),
    ("estimate", "--pilot", "2", "--backend", "mock"),
    ("models", "--backend", "mock"),
    ("try", PHOTO, "--backend", "mock"),
    ("compare", PHOTO, "--with", "mock", "--with", "basic", "--page", "page.md"),
    ("run", "--backend", "mock", "--force"),
    ("run", "--retry-status", "error_corrupt"),
    ("run", "--dry-run", "--force"),
    ("stats",),
    ("doctor",),
    ("watch",),
    ("edit", PHOTO, "--caption", "A lake among mountains."),
    ("embed", "--embedder", "tfidf"),
    ("cluster", "--embedder", "tfidf"),
    ("chunk", "--chunk-size", "10"),
    ("report",),
    ("search", "lake"),
    ("labels", "list"),
    ("labels", "rename", "FIRST", "Holidays"),
    ("labels", "lock", "FIRST"),
    ("labels", "unlock", "FIRST"),
    ("labels", "move", PHOTO, "--to", "FIRST"),
    ("labels", "split", PHOTO, "--title", "One"),
    ("labels", "merge", "SECOND", "--into", "FIRST"),
    ("labels", "undo"),
    ("labels", "export"),
    ("labels", "import", "labels_clusters.csv"),
    ("dataset", "enrich", "--pass-filter", "migrate,dimensions,caption", "--backend", "mock"),
    ("dataset", "verify"),
    ("dataset", "shards", "--out", "shards"),
    ("ingest", "run", "--stages", "ocr"),
    ("ingest", "pause"),
    ("ingest", "resume"),
    ("ingest", "status"),
    ("ingest", "import", "cache", "--db", "cache.sqlite"),
    ("labels", "bootstrap"),
    ("journal", "check"),
    ("journal", "repair"),
    ("journal", "compact"),
    ("synth", "generate", "--num-images", "20", "--yes", "--output-dir", "synthetic"),
    ("synth", "validate", "synthetic"),
)
"""A use of every command, in the order in which a user comes to them."""


def _traced(trace: Path, workspace: Path, words: tuple[str, ...]) -> tuple[int, str]:
    """Run a command under strace; return its exit code and its last line on standard error."""
    calls = f"trace={','.join(CHANGES)}"
    strace = [needed("strace"), "-f", "-y", "-qq", "-s", "4096", "-e", calls, "-o", str(trace)]
    done = subprocess.run(
        [*strace, *PCC, *words],
        cwd=workspace,
        env=CLEAN_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stderr.rpartition("\n")[0].rpartition("\n")[2]


def _changes(trace: Path, photos: Path) -> list[str]:
    """Return the calls of a trace that succeeded and changed something inside the photos."""
    found = []
    for line in trace.read_text("utf-8", "replace").splitlines():
        call = re.search(r"\b(\w+)\((.*)", line)
        if call is None or str(photos) not in line or re.search(r"= -1 E\w+", line):
            continue
        if not call[1].startswith(("open", "creat")) or WRITING.search(call[2]):
            found.append(line)
    return found


def _snapshot(photos: Path) -> dict[str, tuple[int, ...]]:
    statuses = {str(path): path.lstat() for path in [photos, *photos.rglob("*")]}
    return {
        name: (
            status.st_ino,
            status.st_mode,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
        )
        for name, status in statuses.items()
    }


def test_every_command_is_tried() -> None:
    every = {
        (() if group == "pcc" else (group,)) + (name,)
        for group, commands in COMMANDS.items()
        for name in commands
    }
    tried = {
        words[: len(names)] for words in STEPS for names in every if words[: len(names)] == names
    }
    assert every - tried == {("demo",)}


def test_no_command_changes_anything_in_the_photos(tmp_path: Path) -> None:
    workspace, trace = tmp_path / "demo", tmp_path / "trace"
    workspace.mkdir()
    made = subprocess.run(
        [*PCC, "demo", workspace], env=CLEAN_ENVIRONMENT, capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr
    photos = workspace / "photos"
    (workspace / "pcc.toml").write_text('photos_dir = "photos"\n')
    before = _snapshot(photos)
    failed, changes = list[str](), list[str]()
    for step in STEPS:
        clusters = _clusters(workspace)
        words = tuple(clusters.get(word, word) for word in step)
        code, told = _traced(trace, workspace, words)
        if code not in (0, 1) and step not in (("watch",),):
            failed.append(f"{code}: {' '.join(words)}: {told}")
        changes += [f"{' '.join(words)}: {line}" for line in _changes(trace, photos)]

    assert changes == []
    assert "\n".join(failed) == ""
    assert _snapshot(photos) == before


def _clusters(workspace: Path) -> dict[str, str]:
    """Return the ids of two clusters by the words that stand for them in `STEPS`."""
    listed = subprocess.run(
        [*PCC, "labels", "list", "--json"],
        cwd=workspace,
        env=CLEAN_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(listed.stdout) if listed.returncode == 0 else []
    leaves = sorted(found, key=lambda cluster: -len(cluster["path"]))  # groups are further up
    return dict(zip(("FIRST", "SECOND"), [leaf["cluster_id"] for leaf in leaves], strict=False))
