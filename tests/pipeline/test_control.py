"""The control socket: snapshots out, commands in, whoever listens."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from journal import NotOurs
from pipeline.jobs.control import ControlServer
from pipeline.jobs.control_client import ControlClient
from pipeline.jobs.errors import NoJob, SilentJob, StrangeSocket, WorkspaceBusy
from pipeline.jobs.progress import DonePhoto, Progress, Snapshot
from pipeline.jobs.run_file import RunFile, identity_of, read_run_file


class FakeJob:
    """Counts the commands it gets."""

    def __init__(self) -> None:
        self.progress = Progress(run="r1", stage="caption", backend="mock", total=3, skipped={})
        self.obeyed: list[str] = []

    def server(self) -> ControlServer:
        return ControlServer(
            self.progress.snapshot,
            {
                "pause": lambda by: self.obeyed.append("pause"),
                "resume": lambda by: self.obeyed.append("resume"),
                "stop": lambda by: self.obeyed.append(f"stop by {by}"),
                "abort": lambda by: self.obeyed.append("abort"),
                "retry": lambda by: 7,
            },
        )


def run_file(workspace: Path) -> RunFile:
    started = "2026-11-20T00:00:00Z"
    return RunFile(os.getpid(), "r1", "caption", "", "c.jsonl", started, *identity_of(workspace))


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the directory for sockets, whose path is short and which holds nothing else."""
    with tempfile.TemporaryDirectory(prefix="t-") as directory:
        monkeypatch.setattr(tempfile, "tempdir", directory)
        yield Path(directory)


def address_of(workspace: Path) -> str:
    found = read_run_file(workspace)
    assert found is not None
    return found.socket


async def reply_to(client: ControlClient) -> str:
    async for message in client.messages():
        if message.reply is not None:
            return message.reply
    raise AssertionError("the job hung up")


async def test_snapshots_come_and_commands_are_obeyed(tmp_path: Path) -> None:
    job = FakeJob()
    serving = job.server().serving(tmp_path, run_file(tmp_path))
    async with serving, ControlClient.connected(tmp_path) as client:
        first = await anext(client.messages())
        assert first.snapshot is not None
        assert first.snapshot.run == "r1"
        await client.send("pause")
        assert await reply_to(client) == "pause"
        await client.send("retry")
        assert await reply_to(client) == "retry 7"
    assert job.obeyed == ["pause"]


async def test_last_snapshot_reaches_every_client(tmp_path: Path) -> None:
    job = FakeJob()
    seen: list[str] = []

    async def listen() -> None:
        async with ControlClient.connected(tmp_path) as client:
            async for message in client.messages():
                assert message.snapshot is not None
                seen.append(message.snapshot.state)

    async with job.server().serving(tmp_path, run_file(tmp_path)):
        listeners = [asyncio.create_task(listen()) for _ in range(3)]
        while len(seen) < 3:
            await asyncio.sleep(0.01)
        job.progress.state = "finished"
    await asyncio.gather(*listeners)

    assert seen.count("finished") >= 3


async def test_address_and_socket_are_private_and_go_with_the_job(tmp_path: Path) -> None:
    async with FakeJob().server().serving(tmp_path, run_file(tmp_path)):
        address = Path(address_of(tmp_path))
        for path, mode in ((tmp_path / "run.json", 0o600), (address, 0o600)):
            assert stat.S_IMODE(path.stat().st_mode) == mode
        assert stat.S_IMODE(address.parent.stat().st_mode) == 0o700

    assert read_run_file(tmp_path) is None
    assert not address.parent.exists()


@pytest.mark.parametrize("line", [b"garbage\n", b'{"command":"explode"}\n', b"{}\n", b"\xff\n"])
async def test_nonsense_is_answered_not_obeyed(tmp_path: Path, line: bytes) -> None:
    serving = FakeJob().server().serving(tmp_path, run_file(tmp_path))
    async with serving, ControlClient.connected(tmp_path) as client:
        client._writer.write(line)
        assert "not understood" in await reply_to(client)


async def test_client_that_never_reads_holds_nobody_up(tmp_path: Path) -> None:
    job = FakeJob()
    async with job.server().serving(tmp_path, run_file(tmp_path)):
        _, deaf = await asyncio.open_unix_connection(address_of(tmp_path))
        async with ControlClient.connected(tmp_path) as client:
            await client.send("stop")
            assert await reply_to(client) == "stop"
        deaf.close()


async def test_who_commands_is_passed_on(tmp_path: Path) -> None:
    job = FakeJob()
    serving = job.server().serving(tmp_path, run_file(tmp_path))
    async with serving, ControlClient.connected(tmp_path) as client:
        await client.send("stop", by="watch")
        await reply_to(client)
        client._writer.write(b'{"command": "stop"}\n')  # as somebody's own script may
        await reply_to(client)
        client._writer.write(b'{"command": "stop", "by": ""}\n')
        assert "not understood" in await reply_to(client)

    assert job.obeyed == ["stop by watch", "stop by client"]


async def test_no_job_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoJob, match="no job runs"):
        await ControlClient.connected(tmp_path).__aenter__()


def killed_job(temporary: Path, name: str = "pcc-job-killed00") -> Path:
    """Leave what a SIGKILL leaves: a socket that is bound, and nobody listens."""
    folder = temporary / name
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "control.sock"))
    return folder


def claim(workspace: Path, address: Path | str) -> None:
    """Have `run.json` name an address."""
    claimed = run_file(workspace)
    claimed.socket = str(address)
    (workspace / "run.json").write_bytes(msgspec.json.encode(claimed))


async def test_killed_job_is_told_and_its_litter_removed_by_the_next(
    tmp_path: Path, temporary: Path
) -> None:
    folder, elsewhere = killed_job(temporary), killed_job(tmp_path)
    claim(tmp_path, elsewhere / "control.sock")
    with pytest.raises(NoJob, match="r1, was killed"):
        await ControlClient.connected(tmp_path).__aenter__()

    async with FakeJob().server().serving(tmp_path, run_file(tmp_path)):
        assert not folder.exists()
        assert not elsewhere.exists(), "named by run.json, wherever it is"


async def test_only_litter_of_jobs_is_removed(tmp_path: Path, temporary: Path) -> None:
    used = killed_job(temporary, "pcc-job-withfile")
    (used / "mine.txt").touch()
    shared = killed_job(temporary, "pcc-job-ofothers")
    shared.chmod(0o755)
    other = killed_job(temporary, "pcc-job-with-other-name")
    (temporary / "pcc-job-isalink0").symlink_to(other)
    (other / "run").mkdir()

    async with (
        FakeJob().server().serving(tmp_path, run_file(tmp_path)),
        FakeJob().server().serving(tmp_path / "..", run_file(tmp_path.parent)),
    ):
        assert Path(address_of(tmp_path)).exists(), "a job that lives keeps its socket"
        assert (used / "mine.txt").exists()
        assert (shared / "control.sock").exists()
        assert (other / "control.sock").exists()


@pytest.mark.parametrize("kind", ["file", "socket", "open folder", "link", "nonsense"])
async def test_an_address_that_is_none_of_ours_is_neither_used_nor_removed(
    tmp_path: Path, temporary: Path, kind: str
) -> None:
    folder = tmp_path / ("demo" if kind == "socket" else "pcc-job-abcdefgh")
    folder.mkdir(mode=0o755 if kind == "open folder" else 0o700)
    target, met = folder / "control.sock", list[object]()
    server = None
    if kind in ("file", "link"):
        target.write_text("a thesis")
    else:
        server = await asyncio.start_unix_server(lambda r, w: met.append(w), target)
    address: str | Path = target
    if kind == "link":
        (temporary / folder.name).symlink_to(folder)
        address = temporary / folder.name / target.name
    claim(tmp_path, "a\0/../pcc-job-abcdefgh/control.sock" if kind == "nonsense" else address)

    with pytest.raises(NoJob):
        await ControlClient.connected(tmp_path).__aenter__()
    async with FakeJob().server().serving(tmp_path, run_file(tmp_path)):
        assert target.exists()
    assert target.exists()
    assert met == []
    if server is not None:
        server.close()


async def test_a_copy_of_a_workspace_has_no_job_and_may_have_one_of_its_own(
    tmp_path: Path,
) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    original.mkdir()
    first, second = FakeJob(), FakeJob()
    async with first.server().serving(original, run_file(original)):
        shutil.copytree(original, copy)
        with pytest.raises(NoJob, match=r"no job runs in .*copy: .*copied from .*original"):
            await ControlClient.connected(copy).__aenter__()
        claim(copy, address_of(original))  # as though it had been written there
        with pytest.raises(NoJob, match=r"no job runs in .*copy: .*leads to run r1 in .*original"):
            await ControlClient.connected(copy).__aenter__()

        async with second.server().serving(copy, run_file(copy)):
            async with ControlClient.connected(copy) as client:
                assert await client.ask("stop", "watch") == "stop"
            async with ControlClient.connected(original) as client:
                assert await client.ask("pause", "watch") == "pause"
    assert (first.obeyed, second.obeyed) == (["pause"], ["stop by watch"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[" * 60_000, "was not written by a job"),
        (b'{"pid": "seven"}', "was not written by a job"),
        (b"{" + b'"a": 1, ' * 100_000, "has more than 65,536 bytes"),
        (None, "is a FIFO"),
    ],
    ids=["deep", "wrong", "endless", "FIFO"],
)
async def test_a_run_json_that_no_job_wrote_is_named(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "run.json"
    if content is None:
        os.mkfifo(path)
    else:
        path.write_bytes(content)
    with pytest.raises(NoJob, match=f"run.json {says}"):
        await ControlClient.connected(tmp_path).__aenter__()

    serving = FakeJob().server().serving(tmp_path, run_file(tmp_path))
    if content is None:
        with pytest.raises(NotOurs, match=r"run\.json is a FIFO"):
            await serving.__aenter__()
    else:
        async with serving, ControlClient.connected(tmp_path) as client:
            assert await client.ask("retry") == "retry 7"


async def test_second_job_in_a_workspace_leaves_the_first_alone(tmp_path: Path) -> None:
    async with FakeJob().server().serving(tmp_path, run_file(tmp_path)):
        with pytest.raises(WorkspaceBusy, match="run r1"):
            await FakeJob().server().serving(tmp_path, run_file(tmp_path)).__aenter__()
        async with ControlClient.connected(tmp_path) as client:
            assert await anext(client.messages())


async def test_snapshots_to_a_client_that_never_reads_do_not_pile_up(tmp_path: Path) -> None:
    job, taken = FakeJob(), list[int]()
    job.progress._last.extend([DonePhoto("a.jpg", "success", "x" * 100_000, 1.0)] * 5)

    def snapshot() -> Snapshot:
        taken.append(1)
        return job.progress.snapshot()

    server = ControlServer(snapshot, {})
    async with server.serving(tmp_path, run_file(tmp_path)):
        _, deaf = await asyncio.open_unix_connection(address_of(tmp_path), limit=1)
        deaf.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(1)
        assert len(taken) <= 3
        deaf.close()


def job_with_long_captions() -> FakeJob:
    job = FakeJob()
    job.progress._last.extend([DonePhoto("a.jpg", "success", "x" * 100_000, 1.0)] * 5)
    return job


async def test_clients_that_send_and_never_read_do_not_make_the_job_grow(tmp_path: Path) -> None:
    job = job_with_long_captions()
    async with job.server().serving(tmp_path, run_file(tmp_path)):
        address = address_of(tmp_path)
        for sent in (b'{"command":"pause"}\n' * 100_000, b"x" * 2_000_000, b"[" * 4000 + b"\n"):
            with socket.socket(socket.AF_UNIX) as deaf:
                deaf.connect(address)
                deaf.setblocking(False)
                taken = 0
                for _ in range(20):
                    with suppress(BlockingIOError, BrokenPipeError):
                        taken += deaf.send(sent[taken:])
                    await asyncio.sleep(0.01)
                assert taken < 1_000_000
                async with ControlClient.connected(tmp_path) as client:
                    assert await client.ask("retry") == "retry 7"
        assert len(job.obeyed) < 20, "one command after the other"


async def test_a_deaf_client_is_hung_up_on_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.jobs.control.DEAF_SECONDS", 0.1)
    monkeypatch.setattr("pipeline.jobs.control.MOST_CLIENTS", 3)
    server = job_with_long_captions().server()
    async with server.serving(tmp_path, run_file(tmp_path)), AsyncExitStack() as opened:
        address, many = address_of(tmp_path), list[socket.socket]()
        for number in range(200):
            many.append(opened.enter_context(socket.socket(socket.AF_UNIX)))
            many[-1].connect(address)
            if number % 2:
                many[-1].shutdown(socket.SHUT_WR)
            await asyncio.sleep(0)
            assert len(server._clients) <= 3
        async with asyncio.timeout(20):
            while server._clients:
                await asyncio.sleep(0.02)
        async with ControlClient.connected(tmp_path) as client:
            assert await client.ask("retry") == "retry 7"


HELLO = "the first line of a job"

STRANGE: dict[str, list[Any]] = {
    "garbage": [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    "bytes": [bytes(range(256)) * 10 + b"\n"],
    "no name": [b'{"reply": "I am a job"}\n'],
    "wrong types": [HELLO, b'{"snapshot": {"kind": "snapshot", "run": 7}}\n'],
    "numbers nobody can show": [
        HELLO,
        b'{"snapshot": {"kind": "snapshot", "run": "r", "stage": "s", "backend": "b", "model": "m",'
        b'"state": "running", "total": 1' + b"0" * 400 + b', "attempted": 1, "by_status": {},'
        b'"skipped": {}, "seconds": 1, "rate_now": 1, "rate": 1, "eta_seconds": 1e300,'
        b'"tokens_in": 0, "tokens_out": 0, "cost_usd": 0, "current": [], "last": [], "errors": []}}'
        b"\n",
    ],
    "deep": [HELLO, b'{"snapshot": ' + b"[" * 100_000 + b"\n"],
    "a line without end": [HELLO, *[b"x" * 100_000] * 30],
}


@asynccontextmanager
async def listening(workspace: Path, temporary: Path, sent: list[Any]) -> AsyncIterator[None]:
    """Listen where a job would, and send something else."""
    folder = temporary / "pcc-job-listener"
    folder.mkdir(mode=0o700)
    claim(workspace, folder / "control.sock")
    hello = msgspec.json.encode({"job": read_run_file(workspace)}) + b"\n"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            for part in sent:
                writer.write(hello if part is HELLO else part)
                await writer.drain()
            await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(talk, folder / "control.sock")
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield
    server.close()
    os.close(descriptor)


async def follow(workspace: Path) -> None:
    async with ControlClient.connected(workspace) as client:
        async for _ in client.messages():
            pass


@pytest.mark.parametrize("kind", STRANGE)
async def test_what_is_no_job_is_told_from_one(tmp_path: Path, temporary: Path, kind: str) -> None:
    async with listening(tmp_path, temporary, STRANGE[kind]):
        with pytest.raises(StrangeSocket, match="does not talk as a job does: ") as caught:
            await follow(tmp_path)
        assert len(str(caught.value)) < 500
        if STRANGE[kind][0] is not HELLO:
            async with FakeJob().server().serving(tmp_path, run_file(tmp_path)):
                pass


@pytest.mark.parametrize("sent", [[], [HELLO], [HELLO, b'{"reply"'], [b"{"]])
async def test_a_socket_that_says_nothing_is_not_waited_for(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, sent: list[Any]
) -> None:
    monkeypatch.setattr("pipeline.jobs.control_client.SILENCE_SECONDS", 0.1)
    async with listening(tmp_path, temporary, sent):
        with pytest.raises(SilentJob, match="does not answer"):
            async with ControlClient.connected(tmp_path) as client:
                await client.ask("pause")
        with pytest.raises(WorkspaceBusy, match="run r1"):
            await FakeJob().server().serving(tmp_path, run_file(tmp_path)).__aenter__()
