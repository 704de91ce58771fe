"""A server that is no Redis: what it answers is up to the test, and may have no end."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType

Answer = Callable[[bytes], Iterable[bytes]]
"""Yields the pieces of an answer, given what the client sent."""

HELLO = b"%1\r\n$5\r\nproto\r\n:3\r\n"


class StrangeServer:
    """Answers on the loopback address until the test is over.

    Args:
        answer: What to answer.

    Attributes:
        url: Address for a client of Redis.
        sent: Bytes that clients took.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}"
        self.sent = 0

    def __enter__(self) -> StrangeServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):
            while asked := client.recv(1 << 16):
                for piece in self._answer(asked):
                    client.sendall(piece)
                    self.sent += len(piece)


def drops(asked: bytes) -> Iterable[bytes]:
    """Yield an answer that comes a byte at a time, and never to an end."""
    while True:
        yield b"+"
        time.sleep(0.02)


def scripted(answer: bytes) -> Answer:
    """Return answers of a server that greets as Redis does, and says one thing to all scripts."""

    def answers(asked: bytes) -> Iterable[bytes]:
        for command in asked.split(b"\r\n*"):
            if b"HELLO" in command:
                yield HELLO
            elif b"CLIENT" in command:
                yield b"+OK\r\n"
            else:
                yield answer

    return answers
