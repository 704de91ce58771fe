"""A loopback server that speaks OpenAI's chat protocol, and misbehaves on request.

In a test: `with OpenAIServer() as server`. As a process of its own, for
benchmarks: `python -m tests.support.openai_server --latency 0.2`.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any

CAPTION = "A dog runs along the beach at sunset."


@dataclass
class Request:
    """One request as it arrived."""

    number: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body, parsed."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def picture(self) -> bytes:
        """The bytes of the picture that was sent."""
        parts = self.json["messages"][0]["content"]
        url: str = next(part["image_url"]["url"] for part in parts if part["type"] == "image_url")
        return base64.b64decode(url.partition(",")[2])


@dataclass
class Reply:
    """What the server does with a request.

    `delay` waits first, `hang` never answers, `raw` replaces the whole HTTP
    answer, `cut` sends only so many bytes of it, `endless` goes on for ever.
    """

    status: int = 200
    body: bytes | str | Mapping[str, Any] = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang: bool = False
    raw: bytes | None = None
    cut: int | None = None
    endless: bool = False

    def encode(self) -> bytes:
        """Return the bytes of the HTTP answer."""
        if self.raw is not None:
            return self.raw
        body = self.body
        if isinstance(body, Mapping):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        headers |= self.headers
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


def completion(
    text: str | None = CAPTION,
    *,
    finish_reason: str = "stop",
    refusal: str | None = None,
    tokens: tuple[int, int] = (300, 20),
) -> dict[str, Any]:
    """Return a chat completion as OpenAI sends it."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
        },
    }


def good(text: str = CAPTION) -> Reply:
    """Return the answer of a server that is well."""
    return Reply(body=completion(text))


def error(status: int, message: str, **fields: str) -> Reply:
    """Return an error as OpenAI words it."""
    return Reply(status=status, body={"error": {"message": message, **fields}})


Script = Callable[[Request], Reply]


class OpenAIServer:
    """Serves on a free port of the loopback address, from a thread of its own.

    Attributes:
        requests: What arrived, in order.
        script: Chooses the reply to each request.
    """

    def __init__(self, script: Script | None = None, *, latency: float = 0.0) -> None:
        self.requests: list[Request] = []
        self.script = script or (lambda request: good())
        self.latency = latency
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        """What `--base-url` takes."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def captions(self) -> list[Request]:
        """The requests for a caption."""
        return [request for request in self.requests if request.path.endswith("/completions")]

    def __enter__(self) -> OpenAIServer:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self.serve())
        self._loop.close()

    async def serve(self, port: int = 0) -> None:
        """Serve until told to stop."""
        self._stop = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Request(len(self.requests), method, path, headers, body)
        self.requests.append(request)
        if path.endswith("/models"):
            reply = Reply(body={"object": "list", "data": [{"id": "tiny", "object": "model"}]})
        else:
            reply = self.script(request)
        await asyncio.sleep(self.latency + reply.delay)
        if reply.hang:
            await self._stop.wait()
        data = reply.encode()
        writer.write(data if reply.cut is None else data[: reply.cut])
        while reply.endless:
            writer.write(b" " * 65536)
            await writer.drain()
        await writer.drain()
        return reply.cut is None and reply.raw is None


def main() -> None:
    """Serve good answers until killed; print the port."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--count-to", help="file that gets the number of requests on each one")
    arguments = parser.parse_args()
    server = OpenAIServer(latency=arguments.latency)

    def forgetful(request: Request) -> Reply:
        request.body = b""
        return good()

    server.script = forgetful

    async def serve() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.port:
            await asyncio.sleep(0.01)
        print(server.port, flush=True)
        await serving

    asyncio.run(serve())


if __name__ == "__main__":
    main()
