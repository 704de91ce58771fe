"""A loopback server that speaks a vendor's protocol, and misbehaves on request.

In a test: `with ApiServer(ANTHROPIC) as server`. As a process of its own, for
benchmarks: `python -m tests.support.api_server --protocol anthropic --latency 0.2`.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import threading
from collections.abc import Callable
from types import TracebackType

from tests.support.protocols import PROTOCOLS, Protocol
from tests.support.protocols.base import Reply, Request

__all__ = ["ApiServer", "Reply", "Request", "Script"]

Script = Callable[[Request], Reply]


class ApiServer:
    """Serves on a free port of the loopback address, from a separate thread.

    Attributes:
        protocol: The protocol of the server.
        requests: The requests that arrived, in order.
        script: Chooses the reply to each request for a caption.
        latency: Seconds before each reply.
    """

    def __init__(
        self, protocol: Protocol, script: Script | None = None, *, latency: float = 0.0
    ) -> None:
        self.protocol = protocol
        self.requests: list[Request] = []
        self.script = script or (lambda request: protocol.good())
        self.latency = latency
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        """The address of the server, for `--base-url`."""
        return f"http://127.0.0.1:{self.port}{self.protocol.base_path}"

    @property
    def captions(self) -> list[Request]:
        """The requests for a caption."""
        return [request for request in self.requests if self.protocol.is_caption(request.path)]

    def __enter__(self) -> ApiServer:
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

    async def serve(self) -> None:
        """Serve until told to stop."""
        self._stop = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
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
        """Answer one request; tell whether the connection may bring another."""
        reply = self._reply_to(await self._read(reader))
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

    async def _read(self, reader: asyncio.StreamReader) -> Request:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        path = re.sub(r"^https?://[^/]+", "", path)  # which only a proxy is sent
        return Request(len(self.requests), method, path, headers, body)

    def _reply_to(self, request: Request) -> Reply:
        self.requests.append(request)
        if self.protocol.is_caption(request.path):
            return self.script(request)
        return self.protocol.no_caption()


def main() -> None:
    """Serve good answers until killed; print the port."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--protocol", choices=PROTOCOLS, required=True)
    parser.add_argument("--latency", type=float, default=0.0)
    arguments = parser.parse_args()
    protocol = PROTOCOLS[arguments.protocol]

    def forgetful(request: Request) -> Reply:
        request.body = b""
        return protocol.good()

    server = ApiServer(protocol, forgetful, latency=arguments.latency)

    async def serve() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.port:
            await asyncio.sleep(0.01)
        print(server.port, flush=True)
        await serving

    asyncio.run(serve())


if __name__ == "__main__":
    main()
