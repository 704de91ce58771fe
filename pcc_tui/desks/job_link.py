"""The app's end of a job: starts `pcc` as a process of its own, follows it, commands it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec
import psutil

from journal import UNREADABLE
from pcc_tui.desks.commands import PCC
from pipeline.captions.request import RunReport
from pipeline.captions.stage import CaptionStage
from pipeline.clusters.comparison import ClusterReport
from pipeline.datasets.enrich_report import EnrichReport
from pipeline.datasets.shards.report import ShardReport
from pipeline.embeddings.report import EmbedReport
from pipeline.ingest.importing.report import ImportReport
from pipeline.ingest.report import IngestReport
from pipeline.jobs.control_client import ControlClient
from pipeline.jobs.control_messages import Command
from pipeline.jobs.errors import NoJob, StrangeSocket
from pipeline.jobs.progress import Snapshot
from pipeline.synth.report import SynthReport

RESTART_LOOP = 'code=2; while [ "$code" -eq 2 ]; do "$@"; code=$?; done; exit "$code"'
"""Exit code 2 means: start me again. A shell does so, and therefore goes on without the app."""

CLIENT = "app"
"""How the app signs its commands; the log of the job tells who ended the job."""

LOOK_SECONDS = 0.5
LOOK_SECONDS_WHILE_STARTING = 0.05
"""How often the app looks for a job: usually, and after it has started a job itself."""

RESTART_SECONDS = 10.0
"""How long the next process of a restarted job may take to open its socket."""

TOLD_BYTES = 4000
"""How much of the end of a job's complaints is read."""

REPORT_BYTES = 16 << 20
"""How much of a job's report is read, which may name every photo that is missing."""

JobReport = (
    RunReport
    | EmbedReport
    | ClusterReport
    | EnrichReport
    | ShardReport
    | SynthReport
    | IngestReport
    | ImportReport
)
"""What a job did; the `kind` in the JSON tells which of these reports it is."""

_decode_report = msgspec.json.Decoder(JobReport).decode


STOPPED = 128 + signal.SIGINT
"""Exit code of a job that was asked to stop."""


class JobEnd(msgspec.Struct, frozen=True):
    """How a job ended, as far as the app can know.

    Attributes:
        last: The last snapshot; None for a job that ended before it sent one.
        code: Exit code; None for a job that this app did not start.
        words: What the job said last of what is wrong; empty for a job of someone else.
        report: What the job did; None for a job that failed, or one of someone else.
        was_captioning: Whether the job was `pcc run`, whoever started it.
    """

    last: Snapshot | None
    code: int | None
    words: str
    report: JobReport | None
    was_captioning: bool

    @property
    def failed(self) -> bool:
        """Whether the job ended in a way that nobody asked for."""
        return self.code not in (None, 0, STOPPED)


class JobLink:
    """Follows whatever job runs in a workspace, and starts new ones.

    The job does not depend on the app: it has its own session, so that neither a
    closed terminal nor a killed app reaches it.

    Args:
        workspace: The workspace.
        on_snapshot: Called with the state of the job, at most `rate` times a second.
        on_reply: Called with the job's answer to a command.
        on_trouble: Called once with a sentence about what listens in the place of a job.
        on_end: Called when a job is over.
        rate: Snapshots a second.
    """

    def __init__(
        self,
        workspace: Path,
        *,
        on_snapshot: Callable[[Snapshot], None],
        on_reply: Callable[[str], None],
        on_trouble: Callable[[str], None],
        on_end: Callable[[JobEnd], None],
        rate: float,
    ) -> None:
        self._workspace = workspace
        self._on_snapshot = on_snapshot
        self._on_reply = on_reply
        self._on_trouble = on_trouble
        self._on_end = on_end
        self._interval = 1 / rate
        self._client: ControlClient | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._complaints: IO[bytes] | None = None
        self._last: Snapshot | None = None
        self._pid = 0
        self._gone_since: float | None = None
        self._order: Command | None = None
        self._unanswered = 0
        self._trouble = ""
        self._is_captioning = False

    @property
    def running(self) -> bool:
        """Whether a job runs, is just starting, or waits to be restarted."""
        return any(part is not None for part in (self._client, self._process, self._last))

    def start(self, arguments: Sequence[str]) -> None:
        """Start a command of `pcc`, and start it again while it ends with code 2."""
        self._is_captioning = arguments[0] == "run"
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            ["sh", "-c", RESTART_LOOP, "pcc", *PCC, *arguments, "--json"],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._complaints,
            start_new_session=True,
        )

    async def send(self, command: Command) -> None:
        """Send a command to the job; a job that cannot hear yet gets it as soon as it can."""
        if self._client is None:
            self._order = command
            return
        with suppress(ConnectionError):
            await self._give(self._client, command)

    async def _give(self, client: ControlClient, command: Command) -> None:
        self._unanswered += 1
        await client.send(command, by=CLIENT)

    async def follow(self) -> None:
        """Follow the jobs of the workspace, one after the other, until cancelled."""
        while True:
            with suppress(NoJob, OSError):  # OSError: a socket that is going away
                try:
                    await self._follow_one()
                except StrangeSocket as error:
                    self._tell_trouble(str(error))
            self._look_for_an_end()
            starting = self._process is not None
            await asyncio.sleep(LOOK_SECONDS_WHILE_STARTING if starting else LOOK_SECONDS)

    async def _follow_one(self) -> None:
        async with ControlClient.connected(self._workspace) as client:
            self._client, self._unanswered = client, 0
            try:
                await self._receive(client)
            finally:
                self._client = None

    def _tell_trouble(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._on_trouble(trouble)

    async def _receive(self, client: ControlClient) -> None:
        shown_at = -self._interval
        self._pid, self._gone_since = client.run_file.pid, None
        self._is_captioning = client.run_file.stage == CaptionStage.name
        if self._order is not None:
            order, self._order = self._order, None
            await self._give(client, order)
        async for message in client.messages():
            if message.reply is not None and self._unanswered:
                self._unanswered -= 1
                self._on_reply(message.reply)
            if message.snapshot is None:
                continue
            self._last = message.snapshot
            if time.monotonic() - shown_at >= self._interval:
                shown_at = time.monotonic()
                self._on_snapshot(message.snapshot)

    def _look_for_an_end(self) -> None:
        """Say that the job is over, unless a process of it runs or is about to be started."""
        code = None
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
        elif self._last is None or self._may_come_back(self._last):
            return
        lines = _last_words(self._complaints).splitlines()
        words = next((line for line in reversed(lines) if line.strip()), "")
        report = _last_report(_last_words(self._output, REPORT_BYTES))
        ended = JobEnd(self._last, code, words, report, self._is_captioning)
        self._process = self._output = self._complaints = self._last = self._order = None
        self._on_end(ended)

    def close(self) -> None:
        """Let go of the job: it goes on, and nobody reads what it prints."""
        for file in (self._output, self._complaints):
            if file is not None:
                file.close()

    def _may_come_back(self, last: Snapshot) -> bool:
        """Tell whether a job that is not ours is only silent, or about to be restarted."""
        if _is_alive(self._pid):
            return True
        if self._gone_since is None:
            self._gone_since = time.monotonic()
        return last.later > 0 and time.monotonic() - self._gone_since < RESTART_SECONDS


def _is_alive(pid: int) -> bool:
    """Tell whether a process still runs; a zombie, which nobody has waited for, does not."""
    try:
        return bool(psutil.Process(pid).status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD))
    except psutil.Error:
        return False


def _last_words(file: IO[bytes] | None, most: int = TOLD_BYTES) -> str:
    """Return the end of what a job wrote to a file, and close the file."""
    if file is None:
        return ""
    with file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - most))
        return file.read().decode("utf-8", "replace")


def _last_report(output: str) -> JobReport | None:
    """Return the last report that a job printed; a restarted job printed several."""
    try:
        report: JobReport = _decode_report(output[output.rfind("\n{") + 1 :])
    except UNREADABLE:
        return None
    return report
