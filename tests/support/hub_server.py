"""A loopback model hub: serves one model's files as the Hugging Face hub does."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

COMMIT = "5f3c1d0a9b8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a"


class HubServer:
    """Serves a directory as the repository `tiny/model`, at its main branch and one commit.

    Attributes:
        requests: Methods and paths of the requests, in order.
    """

    def __init__(self, directory: Path) -> None:
        self.requests: list[tuple[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(directory))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The address of the server, for `HF_ENDPOINT`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> HubServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self, directory: Path) -> type[BaseHTTPRequestHandler]:
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self._answer(with_body=False)

            def do_GET(self) -> None:
                self._answer(with_body=True)

            def _answer(self, *, with_body: bool) -> None:
                requests.append((self.command, self.path))
                found = find(directory, self.path)
                self.send_response(200 if isinstance(found, bytes) else 404)
                self.send_header("X-Repo-Commit", COMMIT)
                if isinstance(found, bytes):
                    self.send_header("ETag", f'"{hashlib.sha256(found).hexdigest()}"')
                else:
                    self.send_header("X-Error-Code", found)
                body = found if isinstance(found, bytes) else b""
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if with_body:
                    self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                pass

        return Handler


def find(directory: Path, path: str) -> bytes | str:
    """Return the bytes of a file by its path, or the hub's error code if there is no file."""
    start, _, rest = path.partition("?")[0].partition("/resolve/")
    revision, _, name = rest.partition("/")
    if "/tiny/model" not in start:
        return "RepoNotFound"
    if revision not in ("main", COMMIT, ""):
        return "RevisionNotFound"
    file = directory / name
    return file.read_bytes() if name and file.is_file() else "EntryNotFound"
