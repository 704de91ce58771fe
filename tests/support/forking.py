"""Processes that a test starts, forked from one that has imported what they need.

Their libraries take seconds to import, and the fitting process compiles for longer.
`fork_server.py` does either once for many processes. A process that is different in what
an import may read, such as its environment, is started as everywhere else.
"""

from __future__ import annotations

import ctypes
import inspect
import json
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import pytest

from backends.local_captioner import model_process
from pipeline.clusters import fit_process
from pipeline.ingest.workers import worker_pool
from pipeline.photos import decoder
from tests.support import hostile_worker
from tests.support.fork_server import Order
from tests.support.in_process import python_path

MODULES = {
    "pcc_tui": "commands",
    decoder.WORKER_MODULE: "decoder",
    hostile_worker.__name__: "decoder",
    fit_process.WORKER_MODULE: "fitting",
    model_process.WORKER_MODULE: "models",
    "tests.support.faulty_model_worker": "models",
    worker_pool.MODULE: "models",
}
"""What is forked, by the server that has imported what each needs."""

READ_LATE = ("KMP_", "PCC_", "PYTEST_", "SCRIPTED_", "PYTHONPATH")
"""Variables that no import reads."""

OF_MODELS = ("DISABLE_", "HF_", "TOKENIZERS_", "TRANSFORMERS_")
"""Variables that only libraries for models read."""

MOST_SERVERS = 4
LONGEST_COMMAND = 1000

_PR_SET_CHILD_SUBREAPER = 36

_really_start = vars(subprocess.Popen)["_execute_child"]
_signature = inspect.signature(_really_start)


class Server(NamedTuple):
    """A process that forks, and the line to it."""

    process: subprocess.Popen[bytes]
    line: socket.socket


class Forks:
    """The servers of a test's process, each started when it is first missed.

    Attributes:
        shared: Whether imports may be shared; otherwise each process is started afresh.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self._asked: Counter[Any] = Counter()
        self._servers: dict[Any, Server] = {}
        self._ready = set[Any]()
        self.shared = True

    def start(self, process: Any, *given: Any) -> None:
        """Start the process of a `Popen`, in place of its method of that purpose."""
        order = order_of(_signature.bind(process, *given).arguments)
        with self._lock:
            server = self._server_for(order) if order is not None and self.shared else None
            if order is None or server is None:
                _really_start(process, *given)
                return
            wanted = _signature.bind(process, *given).arguments
            standard = (wanted["p2cread"], wanted["c2pwrite"], wanted["errwrite"])
            files = [own if file == -1 else file for own, file in enumerate(standard)]
            process.pid = self._fork(server, order, files)
            process._child_created = True
            ends = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
            process._close_pipe_fds(*(wanted[end] for end in ends))

    def _fork(self, server: Server, order: Order, files: list[int]) -> int:
        """Return the id of a process that a server has forked."""
        adopt(True)
        try:
            socket.send_fds(server.line, [json.dumps(order).encode() + b"\n"], files)
            return int(server.line.recv(64))
        finally:
            adopt(False)

    def _server_for(self, order: Order) -> Server | None:
        """Return the server for a process, None while there is none.

        One is started at the second time, and nobody waits for it.
        """
        kind = MODULES[order.module]
        ignored = READ_LATE if kind == "models" else (*READ_LATE, *OF_MODELS, "XDG_")
        key = (
            kind,
            frozenset(
                (name, value)
                for name, value in order.environment.items()
                if not name.startswith(ignored)
            ),
        )
        self._asked[key] += 1
        if key not in self._servers:
            if self._asked[key] > 1:
                self._add(key, kind, order.environment)
            return None
        server = self._servers[key]
        if key not in self._ready:
            try:
                server.line.recv(1, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            self._ready.add(key)
        return server

    def _add(self, key: Any, kind: str, environment: Mapping[str, str]) -> None:
        if len(self._servers) == MOST_SERVERS:
            self._end(next(iter(self._servers)))
        ours, its = socket.socketpair()
        command = [sys.executable, "-P", "-m", "tests.support.fork_server"]
        with its:
            process = subprocess.Popen(
                [*command, str(its.fileno()), kind, " " * LONGEST_COMMAND],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
            )
        self._servers[key] = Server(process, ours)

    def _end(self, key: Any) -> None:
        server = self._servers.pop(key)
        self._ready.discard(key)
        server.line.close()
        server.process.wait()

    def close(self) -> None:
        """End all servers."""
        for key in [*self._servers]:
            self._end(key)


def order_of(given: Mapping[str, Any]) -> Order | None:
    """Return what a process is to be, None for one that has to be started."""
    arguments, environment = given["args"], given["env"]
    odd = ("preexec_fn", "pass_fds", "shell", "gid", "gids", "uid", "executable")
    if not isinstance(arguments, list | tuple) or any(given[name] for name in odd):
        return None
    if [*arguments[:3]] != [sys.executable, "-P", "-m"] or arguments[3] not in MODULES:
        return None
    environment = dict(os.environ if environment is None else environment)
    if not all(holds_no_module(Path(part)) for part in python_path(environment)):
        return None
    mask = os.umask(0)
    os.umask(mask)
    directory = os.path.abspath(given["cwd"] or os.getcwd())
    session = given["start_new_session"]
    return Order(arguments[3], [*arguments], environment, directory, mask, session)


def holds_no_module(directory: Path) -> bool:
    """Tell whether nothing in a directory changes what is imported."""
    root = Path(__file__).parents[2]
    return directory == root or all(each.suffix == ".dist-info" for each in directory.glob("*"))


def adopt(whether: bool) -> None:
    """Let this process be the parent of those whose parent ends, or no longer."""
    failed = ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(whether), 0, 0, 0)
    assert not failed


@contextmanager
def shared_imports() -> Iterator[Forks]:
    """Let processes share their imports while the block runs, where this is Linux."""
    forks = Forks()

    def start(process: subprocess.Popen[Any], *given: Any) -> None:
        forks.start(process, *given)

    with pytest.MonkeyPatch.context() as patch:
        if sys.platform == "linux":
            patch.setattr(subprocess.Popen, "_execute_child", start)
        yield forks
    forks.close()
