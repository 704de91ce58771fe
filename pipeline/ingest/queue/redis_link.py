"""The connection to a Redis server: scripts run there, and an outage is waited out."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from backends.errors import SetupError
from backends.installation import extra_line
from pipeline.ingest.errors import QueueLost, QueueUnusable

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")

PATIENCE_SECONDS = 30.0
"""How long to wait for a server that was there; a restart takes seconds."""
OPENING_SECONDS = 2.0
"""How long to wait for a server that was never seen; more likely the address is wrong."""
ANSWER_SECONDS = 10.0
"""How long a piece of an answer may take; `redis_connections.py` bounds the whole."""
LONGEST_PAUSE = 1.0
"""Seconds between two tries at most."""

NO_REDIS = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError),
    *(RecursionError, TypeError, ValueError),
)
"""What the client library raises over an answer that no server gives."""

_HIDDEN = "[password]"

LONGEST_COMPLAINT = 300
"""Characters of what a server says of an error."""


class RedisLink:
    """Runs scripts on a server, over a connection that may break.

    Its methods may be called from any thread, and from several at a time. No error
    message holds the password.

    Args:
        url: `redis://`, `rediss://` or `unix://`; special characters percent-encoded.
        keys: The keys that the scripts work on.
        prepare: A script to run first, and again when the server came back empty.

    Raises:
        QueueUnusable: the address is wrong, nobody answers at it, or it is no Redis.
        SetupError: the extra is missing.
    """

    def __init__(self, url: str, keys: tuple[str, ...], prepare: str) -> None:
        self._keys = keys
        self._prepare = prepare
        self._hurried = threading.Event()
        self._closed = False
        self._client, self.name, self._secret = _connect(url)
        try:
            if odd := self._patiently(self._ready, OPENING_SECONDS):
                raise QueueUnusable(f"the key {odd} of {self.name} holds something else")
        except QueueLost as error:
            self.close()
            raise QueueUnusable(str(error)) from None
        except BaseException:
            self.close()
            raise

    def run(self, script: str, *arguments: str | bytes | int) -> Any:
        """Run a script and return its answer; a script may run twice when the connection breaks.

        Raises:
            QueueLost: the server is gone for longer than a restart takes, or refuses.
        """
        return self._patiently(lambda: self._evaluate(script, arguments), PATIENCE_SECONDS)

    def ask(self, question: Callable[[Redis], T]) -> T:
        """Run one command on the server and return its answer.

        Raises:
            QueueLost: the server is gone for longer than a restart takes, or refuses.
        """
        return self._patiently(lambda: question(self._client), PATIENCE_SECONDS)

    def hurry(self) -> None:
        """Wait for no server any more that does not answer at once."""
        self._hurried.set()

    def close(self) -> None:
        """Hang up, also on what other threads are asking."""
        self._closed = True
        self.hurry()
        self._client.close()

    def _ready(self) -> str | None:
        return cast("str | None", self._evaluate(self._prepare, ()))

    def _evaluate(self, script: str, arguments: tuple[str | bytes | int, ...]) -> Any:
        from redis.exceptions import NoScriptError

        given = (*self._keys, *arguments)
        digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        try:
            return self._client.evalsha(digest, len(self._keys), *given)
        except NoScriptError:
            return self._client.eval(script, len(self._keys), *given)

    def _patiently(self, step: Callable[[], T], patience: float) -> T:
        """Take a step, again and again while the connection is down."""
        from redis import exceptions as redis

        deadline = time.monotonic() + patience
        pause = 0.02
        while not self._closed:
            try:
                return step()
            except (redis.AuthenticationError, redis.AuthorizationError) as error:
                raise self._lost("refuses us", error) from None
            except (redis.ConnectionError, redis.TimeoutError) as error:
                if time.monotonic() > deadline or self._hurried.is_set():
                    raise self._lost("cannot be reached", error) from None
            except redis.ResponseError as error:
                if "NOGROUP" not in str(error) or time.monotonic() > deadline:
                    raise self._lost("does not do its part", error) from None
                self._patiently(self._ready, patience)  # the server came back empty
                continue
            except (redis.RedisError, *NO_REDIS) as error:
                raise self.strange(error) from None
            self._hurried.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(2 * pause, LONGEST_PAUSE)
        raise QueueLost(f"the queue at {self.name} was closed")

    def strange(self, error: Exception) -> QueueLost:
        """Return the error about an answer that no Redis server gives."""
        return self._lost("does not answer as a Redis server does", error)

    def _lost(self, what: str, error: Exception) -> QueueLost:
        text = str(error) or type(error).__name__
        for secret in self._secret:
            text = text.replace(secret, _HIDDEN)
        return QueueLost(f"the queue at {self.name} {what}: {text[:LONGEST_COMPLAINT]}")


def _connect(url: str) -> tuple[Redis, str, tuple[str, ...]]:
    """Return a client, how to name the server to people, and the secrets that no message tells."""
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        from pipeline.ingest.queue.redis_connections import CONNECTIONS
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "redis":
            raise
        raise SetupError(f"a queue in Redis needs more; {extra_line('redis')}") from None
    wrong = QueueUnusable(
        "the address of the queue cannot be read; it looks like redis://:PASSWORD@HOST:PORT/0, "
        "with %40, %2F, %3F and %23 for @, /, ? and # in the password"
    )
    try:
        parts = urlsplit(url)
        if "@" in parts.path + parts.query + parts.fragment:
            raise wrong
        client = Redis.from_url(
            url,
            connection_class=CONNECTIONS[parts.scheme],
            decode_responses=True,
            socket_timeout=ANSWER_SECONDS,
            socket_connect_timeout=ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),  # we try again ourselves, for a time and not a number
        )
        given = client.connection_pool.connection_kwargs
        place = given.get("path") or f"{given.get('host', 'localhost')}:{given.get('port', 6379)}"
    except (TypeError, ValueError):
        raise wrong from None
    secrets = (given.get("password"), parts.password)
    return client, f"{parts.scheme}://{place}", tuple(one for one in secrets if one)
