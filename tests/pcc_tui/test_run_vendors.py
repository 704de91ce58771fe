"""`pcc run` with each vendor's backend: whole runs, storms, wrong keys, spent credit, canaries."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backends.registry import backend_class
from tests.conftest import Pcc
from tests.support.api_server import ApiServer, Reply
from tests.support.protocols import CAPTION, PROTOCOLS, Protocol
from tests.support.runs import records, start, wait_for_snapshot

CANARY = "canary-5d1e7b90-do-not-print"
"""A key that must not turn up anywhere."""


@pytest.fixture(params=list(PROTOCOLS))
def protocol(request: pytest.FixtureRequest) -> Protocol:
    """Each vendor's protocol in turn."""
    return PROTOCOLS[request.param]


def key_name(protocol: Protocol) -> str:
    name = backend_class(protocol.name).key_name
    assert name is not None
    return name


def flags(protocol: Protocol, server: ApiServer, photos: Path) -> list[str | Path]:
    given: list[str | Path] = ["run", "--backend", protocol.name, "--base-url", server.url]
    if protocol.name == "openai":  # or the server would be asked for its model
        given += ["--model", "gpt-4o-mini"]
    return [*given, "--photos-dir", photos]


def test_64_workers_caption_every_photo_once(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, protocol: Protocol
) -> None:
    with ApiServer(protocol, latency=0.05) as server:
        done = pcc(
            *flags(protocol, server, photos(150)),
            *("--max-workers", "64", "--json"),
            environment={key_name(protocol): CANARY},
        )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["by_status"] == {"success": 150}
    assert {record.caption for record in records(workspace)} == {CAPTION}
    assert len({record.rel_path for record in records(workspace)}) == 150
    assert len(server.captions) == 150
    assert {protocol.key(request) for request in server.captions} == {CANARY}
    assert all(b"Exif" not in protocol.picture(request) for request in server.captions)


def test_a_storm_of_429_and_overload_loses_nothing(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, protocol: Protocol
) -> None:
    def storm(request: Any) -> Reply:
        if request.number < 40:
            return protocol.rate_limited(0.05) if request.number % 2 else protocol.overloaded()
        return protocol.good()

    with ApiServer(protocol, storm, latency=0.01) as server:
        done = pcc(*flags(protocol, server, photos(60)), "--max-workers", "32")

    assert done.returncode == 0, done.stderr
    assert [record.status for record in records(workspace)] == ["success"] * 60
    assert len(server.captions) == 100


def echoes(protocol: Protocol) -> dict[str, Reply]:
    """Return answers that say the key back."""
    return {
        "in a caption": protocol.good(f"a note that says {CANARY}"),
        "in an error": protocol.error(400, f"bad request with Bearer {CANARY}"),
        "in a wrong key": protocol.error(401, f"Incorrect API key provided: {CANARY}"),
        "in a redirect": Reply(307, headers={"location": f"http://127.0.0.1:9/?key={CANARY}"}),
        "in what is no JSON": Reply(body=f"<{CANARY}>"),
        "nowhere, but reset": Reply(raw=b""),
        "nowhere, but refused": protocol.refused(),
        "nowhere, but spent": protocol.quota_spent(),
    }


@pytest.mark.parametrize("kind", list(echoes(PROTOCOLS["openai"])))
def test_key_is_in_no_file_and_no_output(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, protocol: Protocol, kind: str
) -> None:
    reply = echoes(protocol)[kind]
    script = lambda request: reply if request.number in (0, 2) else protocol.good()  # noqa: E731
    with ApiServer(protocol, script) as server:
        done = pcc(
            *flags(protocol, server, photos(2)),
            *("--max-workers", "1"),
            environment={key_name(protocol): CANARY},
        )

        assert protocol.key(server.captions[0]) == CANARY
    assert CANARY not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for path in workspace.iterdir():
        assert CANARY.encode() not in path.read_bytes(), path


def test_key_is_in_no_process_list(
    photos: Callable[..., Path],
    workspace: Path,
    protocol: Protocol,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (workspace / "config.env").write_text(f"{key_name(protocol)}={CANARY}\n")
    (workspace / "config.env").chmod(0o600)
    with ApiServer(protocol, latency=0.5) as server:
        running = start(workspace, *flags(protocol, server, photos(6)), "--max-workers", "1")
        wait_for_snapshot(workspace, lambda shot: bool(shot["current"]))
        lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(path.read_bytes())
            except (FileNotFoundError, ProcessLookupError):
                continue
        running.terminate()
        running.communicate()

    assert any(protocol.name.encode() in line for line in lines)
    assert not any(CANARY.encode() in line for line in lines)


def test_wrong_key_stops_at_once_with_the_mending_line(
    photos: Callable[..., Path], pcc: Pcc, protocol: Protocol
) -> None:
    with ApiServer(protocol, lambda request: protocol.wrong_key()) as server:
        done = pcc(
            *flags(protocol, server, photos(20)),
            *("--max-workers", "2"),
            environment={key_name(protocol): CANARY},
        )

    assert done.returncode == 1
    assert "refuses the key" in done.stderr
    assert "config.env" in done.stderr
    assert len(server.captions) <= 4


def test_spent_credit_stops_and_does_not_hammer(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path, protocol: Protocol
) -> None:
    def script(request: Any) -> Reply:
        return protocol.good() if request.number < 5 else protocol.quota_spent()

    with ApiServer(protocol, script) as server:
        done = pcc(*flags(protocol, server, photos(40)), "--max-workers", "4")

    assert done.returncode == 1
    assert "is spent" in done.stderr
    assert len(server.captions) <= 5 + 4
    assert sum(record.status == "success" for record in records(workspace)) == 5
