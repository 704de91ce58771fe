"""Runs of `pcc ingest` in separate processes, and the files that the runs write."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any

from PIL import Image

from journal import check, scan
from pipeline.ingest.cache.records import Detection, Outcome, Text
from pipeline.ingest.queue.base import Counts
from pipeline.ingest.queue.opening import open_queue
from pipeline.photos.photo import photo_key
from tests.conftest import CLEAN_ENVIRONMENT, PCC
from tests.support.in_process import run_in_process
from tests.support.scripted_ocr import NAME, install

SECONDS = 60.0

SCRIPTED = ("--stages", "ocr", "--ocr-engine", NAME)

Colour = tuple[int, int, int]


def tiny_png(path: Path, number: int, colour: Colour | None = None) -> Path:
    """Write a unique picture of 24 x 24 pixels, whose first pixel has the given colour."""
    rng = Random(number)
    image = Image.frombytes("RGB", (24, 24), rng.randbytes(24 * 24 * 3))
    image.putpixel((0, 0), colour or (number % 200, 100, number // 200))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


class Ingest:
    """Ingestion of one workspace.

    Args:
        root: Directory for the workspace, the photos and the engine.
        script: Script for the engine; see `scripted_ocr`.
    """

    def __init__(self, root: Path, **script: str) -> None:
        self.workspace = root / "workspace"
        self.photos = root / "photos"
        self.cache = self.workspace / "cache"
        self.environment = {**CLEAN_ENVIRONMENT, **install(root / "engine", **script)}
        self.workspace.mkdir(parents=True)
        self.photos.mkdir()
        self._started: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Ingest:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._started:  # a failed test leaves no process behind
            process.kill()
            process.communicate()

    def draw(self, count: int, first: int = 0) -> None:
        """Add `count` tiny photos."""
        for number in range(first, first + count):
            tiny_png(self.photos / f"p{number:05d}.png", number)

    def command(self, *arguments: str | Path) -> list[str]:
        """Return a command line of `pcc ingest`."""
        photos = () if arguments[0] in ("status", "pause", "resume") else (self.photos,)
        where = [part for photo in photos for part in ("--photos-dir", str(photo))]
        return [*PCC, "ingest", *map(str, arguments), *where]

    def __call__(
        self, *arguments: str | Path, code: int = 0, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, and check the exit code."""
        done = self._run(self.command(*arguments), more)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done

    def _run(self, command: list[str], more: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return run_in_process(command[len(PCC) :], self.workspace, self.environment | more)

    def start(self, *arguments: str | Path, **more: str) -> subprocess.Popen[str]:
        """Start a command and return at once."""
        process = subprocess.Popen(
            self.command(*arguments),
            cwd=self.workspace,
            env=self.environment | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def report(self, *arguments: str | Path, **more: str) -> dict[str, Any]:
        """Run a command with `--json` and return its document."""
        done = self._run(self.command(*arguments, "--json"), more)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def outcomes(self) -> list[Outcome]:
        """Return every outcome, in order."""
        return [record for _, record in scan(self.cache / "outcomes.jsonl", Outcome)]

    def texts(self) -> list[Text]:
        """Return every text, in order."""
        return [record for _, record in scan(self.cache / "ocr.jsonl", Text)]

    def detections(self) -> list[Detection]:
        """Return every region, in order."""
        return [record for _, record in scan(self.cache / "detections.jsonl", Detection)]

    def statuses(self, stage: str = "ocr") -> dict[str, str]:
        """Return the last status of each photo."""
        return {one.rel_path: one.status for one in self.outcomes() if one.stage == stage}

    def count(self) -> int:
        """Return the number of outcomes so far."""
        path = self.cache / "outcomes.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def counts(self, where: str = "sqlite") -> Counts:
        """Return the counts of the queue."""
        cache_id = json.loads((self.cache / "manifest.json").read_bytes())["cache_id"]
        queue = open_queue(where, self.cache, cache_id)
        try:
            return queue.counts()
        finally:
            queue.close()

    def assert_each_once(self, *, cut_short: bool = False) -> None:
        """Check that each photo has one outcome for each stage, and each outcome all its lines.

        Args:
            cut_short: Whether workers may have been killed before they wrote an outcome, so
                that lines may be there twice.
        """
        outcomes = self.outcomes()
        often = Counter(one.identity() for one in outcomes)
        assert often.most_common(1)[0][1] == 1, often.most_common(3)
        assert {one.key for one in outcomes} == {
            photo_key(str(path.relative_to(self.photos)))
            for path in self.photos.rglob("*")
            if path.is_file()
        }
        for stage, lines in (("detect", self.detections()), ("ocr", self.texts())):
            identities = [line.identity() for line in lines]
            assert cut_short or len(set(identities)) == len(identities)
            expected = {
                (one.key, f"{'t' if stage == 'ocr' else 'r'}{number}")
                for one in outcomes
                if one.stage == stage and one.copied_from is None
                for number in range(one.lines)
            }
            assert set(identities) == expected
        assert check(self.cache / "outcomes.jsonl", Outcome).damaged == 0


def workers_of(pid: int) -> list[int]:
    """Return the process ids of the workers of a run."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    worker = b"ingest.workers.worker"
    return [int(child) for child in children if worker in command_line(int(child))]


def command_line(pid: int) -> bytes:
    """Return the command line of a process, empty if the process is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def wait_until(condition: Callable[[], Any], what: str, seconds: float = SECONDS) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)


def tree(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return mode, modification time and bytes of everything below a directory."""
    return {
        str(path.relative_to(root)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(root.rglob("*"))
    }


def open_to_others(root: Path) -> list[str]:
    """Return the paths below a directory that group or others may read."""
    return [str(path) for path in root.rglob("*") if path.stat().st_mode & 0o077]


def non_utf8(directory: Path) -> Path:
    """Return a path in a directory whose name is not UTF-8."""
    return Path(os.fsdecode(os.fsencode(directory) + b"/caf\xe9.png"))
