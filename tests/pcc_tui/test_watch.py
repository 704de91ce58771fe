"""`pcc watch`, `pcc doctor` and the app where what listens is no job, or the job is another's."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from pcc_tui.desks.job_link import JobLink
from pipeline.jobs.run_file import RunFile, identity_of, run_file_path
from tests.conftest import Pcc


@contextmanager
def listening(workspace: Path, *lines: bytes) -> Iterator[None]:
    """Listen where the job of a workspace would, and say something to whoever connects."""
    with tempfile.TemporaryDirectory(prefix="t-") as above:
        folder = Path(above) / "pcc-job-watched0"
        folder.mkdir(mode=0o700)
        address = str(folder / "control.sock")
        claimed = RunFile(
            os.getpid(), "r1", "caption", address, "c.jsonl", "now", *identity_of(workspace)
        )
        run_file_path(workspace).write_bytes(msgspec.json.encode(claimed))
        hello = msgspec.json.encode({"job": claimed}) + b"\n"

        def serve(server: socket.socket) -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client, suppress(OSError):
                        client.sendall(b"".join([hello, *lines] if lines else [b"220 ftp\n"]))
                        client.recv(1 << 16)

        with socket.socket(socket.AF_UNIX) as server:
            server.bind(address)
            server.listen()
            thread = threading.Thread(target=serve, args=(server,), daemon=True)
            thread.start()
            yield
            server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.mark.parametrize(
    "lines", [[], [b"\x1b[31m{\n"], [b"[" * 50_000 + b"\n"], [b"x" * 3_000_000]]
)
def test_garbage_is_told_in_one_line(pcc: Pcc, workspace: Path, lines: list[bytes]) -> None:
    with listening(workspace, *lines):
        for order in ([], ["--once"], ["--stop"]):
            done = pcc("watch", *order)
            assert done.returncode == 1
            assert done.stderr.count("\n") == 1
            assert "does not talk as a job does" in done.stderr
            assert "\x1b" not in done.stderr


def test_the_app_tells_of_garbage_once_and_shows_no_reply_that_nobody_asked_for(
    workspace: Path,
) -> None:
    troubles, replies = list[str](), list[str]()

    async def follow() -> None:
        link = JobLink(
            workspace,
            on_snapshot=lambda shot: None,
            on_reply=replies.append,
            on_trouble=troubles.append,
            on_end=lambda end: None,
            rate=10,
        )
        with suppress(TimeoutError):
            await asyncio.wait_for(link.follow(), 1.5)

    with listening(workspace, b'{"reply": "pay at example.org"}\n' * 1000, b"garbage\n"):
        asyncio.run(follow())
    assert replies == []
    assert len(troubles) == 1
    assert "does not talk as a job does" in troubles[0]


def test_doctor_names_a_run_json_of_another_workspace_or_of_no_job(
    pcc: Pcc, workspace: Path, tmp_path: Path
) -> None:
    with listening(tmp_path):
        shutil.copy(run_file_path(tmp_path), workspace)
        assert f"its run.json was copied from {tmp_path}" in pcc("doctor").stdout
        assert f"its run.json was copied from {tmp_path}" in pcc("watch", "--stop").stderr
    run_file_path(workspace).unlink()
    os.mkfifo(run_file_path(workspace))
    assert "run.json is a FIFO" in pcc("doctor").stdout
    assert "run.json is a FIFO" in pcc("watch").stderr
