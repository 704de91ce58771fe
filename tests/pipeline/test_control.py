"""The control socket: snapshots out, commands in, whoever listens."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from pathlib import Path

import msgspec
import pytest

from pipeline.jobs.control import ControlClient, ControlServer
from pipeline.jobs.errors import NoJob, WorkspaceBusy
from pipeline.jobs.progress import DonePhoto, Progress, Snapshot
from pipeline.jobs.run_file import RunFile, read_run_file


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


def run_file() -> RunFile:
    return RunFile(os.getpid(), "r1", "caption", "", "captions.jsonl", "2026-11-20T00:00:00Z")


async def reply_to(client: ControlClient) -> str:
    async for message in client.messages():
        if message.reply is not None:
            return message.reply
    raise AssertionError("the job hung up")


async def test_snapshots_come_and_commands_are_obeyed(tmp_path: Path) -> None:
    job = FakeJob()
    serving = job.server().serving(tmp_path, run_file())
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

    async with job.server().serving(tmp_path, run_file()):
        listeners = [asyncio.create_task(listen()) for _ in range(3)]
        while len(seen) < 3:
            await asyncio.sleep(0.01)
        job.progress.state = "finished"
    await asyncio.gather(*listeners)

    assert seen.count("finished") >= 3


async def test_address_and_socket_are_private_and_go_with_the_job(tmp_path: Path) -> None:
    async with FakeJob().server().serving(tmp_path, run_file()):
        found = read_run_file(tmp_path)
        assert found is not None
        for path, mode in ((tmp_path / "run.json", 0o600), (Path(found.socket), 0o600)):
            assert stat.S_IMODE(path.stat().st_mode) == mode
        assert stat.S_IMODE(Path(found.socket).parent.stat().st_mode) == 0o700

    assert read_run_file(tmp_path) is None
    assert not Path(found.socket).parent.exists()


@pytest.mark.parametrize("line", [b"garbage\n", b'{"command":"explode"}\n', b"{}\n", b"\xff\n"])
async def test_nonsense_is_answered_not_obeyed(tmp_path: Path, line: bytes) -> None:
    serving = FakeJob().server().serving(tmp_path, run_file())
    async with serving, ControlClient.connected(tmp_path) as client:
        client._writer.write(line)
        assert "not understood" in await reply_to(client)


async def test_client_that_never_reads_holds_nobody_up(tmp_path: Path) -> None:
    job = FakeJob()
    async with job.server().serving(tmp_path, run_file()):
        found = read_run_file(tmp_path)
        assert found is not None
        _, deaf = await asyncio.open_unix_connection(found.socket)
        async with ControlClient.connected(tmp_path) as client:
            await client.send("stop")
            assert await reply_to(client) == "stop"
        deaf.close()


async def test_who_commands_is_passed_on(tmp_path: Path) -> None:
    job = FakeJob()
    serving = job.server().serving(tmp_path, run_file())
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


async def test_killed_job_is_told_and_its_litter_replaced(tmp_path: Path) -> None:
    gone, folder = run_file(), tmp_path / "pcc-gone"
    gone.socket = str(folder / "control.sock")
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(gone.socket)  # bound, and nobody listens: what a SIGKILL leaves
    (tmp_path / "run.json").write_bytes(msgspec.json.encode(gone))
    with pytest.raises(NoJob, match="r1, was killed"):
        await ControlClient.connected(tmp_path).__aenter__()

    async with FakeJob().server().serving(tmp_path, run_file()):
        assert not folder.exists()


async def test_litter_that_names_a_folder_of_the_users_is_left_alone(tmp_path: Path) -> None:
    gone, folder = run_file(), tmp_path / "pcc-demo"
    gone.socket = str(folder / "control.sock")
    folder.mkdir()
    (folder / "mine.txt").touch()
    (tmp_path / "run.json").write_bytes(msgspec.json.encode(gone))

    async with FakeJob().server().serving(tmp_path, run_file()):
        assert (folder / "mine.txt").exists()


async def test_second_job_in_a_workspace_leaves_the_first_alone(tmp_path: Path) -> None:
    async with FakeJob().server().serving(tmp_path, run_file()):
        with pytest.raises(WorkspaceBusy, match="run r1"):
            await FakeJob().server().serving(tmp_path, run_file()).__aenter__()
        async with ControlClient.connected(tmp_path) as client:
            assert await anext(client.messages())


async def test_snapshots_to_a_client_that_never_reads_do_not_pile_up(tmp_path: Path) -> None:
    job, taken = FakeJob(), list[int]()
    job.progress._last.extend([DonePhoto("a.jpg", "success", "x" * 100_000, 1.0)] * 5)

    def snapshot() -> Snapshot:
        taken.append(1)
        return job.progress.snapshot()

    server = ControlServer(snapshot, {})
    async with server.serving(tmp_path, run_file()):
        found = read_run_file(tmp_path)
        assert found is not None
        _, deaf = await asyncio.open_unix_connection(found.socket, limit=1)
        deaf.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(1)
        assert len(taken) <= 3
        deaf.close()
