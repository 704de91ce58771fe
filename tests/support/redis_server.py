"""A Redis server for one test, on the loopback address, that can be killed and restarted."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from tests.support.programs import needed

START_SECONDS = 20.0


class RedisServer:
    """Runs `redis-server`; every write is on disk before the server answers.

    Args:
        password: Password of the server, None for no password.
        lasting: Whether the server keeps its data over a restart.

    Attributes:
        port: Port of the server, which a restart does not change.
    """

    def __init__(self, password: str = "", *, lasting: bool = True) -> None:
        needed("redis-server")
        self._directory = Path(tempfile.mkdtemp(prefix="redis-"))
        self._password = password
        self._lasting = lasting
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """The address of the server for a queue, including the password."""
        return f"redis://{f':{self._password}@' if self._password else ''}127.0.0.1:{self.port}/0"

    def __enter__(self) -> RedisServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        shutil.rmtree(self._directory)

    def start(self) -> None:
        """Start the server, and wait until the server answers."""
        options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(self._directory),
            "save": "",
            "appendonly": "yes" if self._lasting else "no",
            "appendfsync": "always",
            "requirepass": self._password,
        }
        command = [part for name, value in options.items() for part in (f"--{name}", value)]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["redis-server", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        with self.client() as client:
            while not self._answers(client):
                assert self._process.poll() is None, (self._directory / "log").read_text()
                assert time.monotonic() < deadline, "the server did not start in time"
                time.sleep(0.01)

    def client(self) -> Redis:
        """Return a client that does not retry."""
        return Redis.from_url(self.url, retry=Retry(NoBackoff(), 0), decode_responses=True)

    @staticmethod
    def _answers(client: Redis) -> bool:
        try:
            return bool(client.ping())
        except RedisError:
            return False

    def stop(self) -> None:
        """Let the server shut down."""
        self._end(kill=False)

    def kill(self) -> None:
        """End the server with SIGKILL; does nothing if the server is not running."""
        self._end(kill=True)

    def _end(self, *, kill: bool) -> None:
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait(timeout=START_SECONDS)
        self._process = None

    def restart(self) -> None:
        """Kill the server and start it again on the same port."""
        self.kill()
        self.start()


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
