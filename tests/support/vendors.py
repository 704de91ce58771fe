"""Captioners of each vendor, through the real SDK, in front of a server of the test's."""

from __future__ import annotations

from typing import Any

from backends.base import Caption, Options, PhotoInput, Picture
from backends.registry import backend_class
from backends.retry import RetryPolicy
from tests.support.api_server import ApiServer
from tests.support.photos import noise_jpeg
from tests.support.protocols import Protocol

FAST = RetryPolicy(first_wait=0.001, longest_wait=0.002)
PHOTO = PhotoInput(Picture(640, 480, "jpeg", noise_jpeg(1, (640, 480))))
KEY = "canary-key-of-a-vendor"

PRICED = {
    "openai": "gpt-4o-mini",
    "xai": "grok-4.3",
    "anthropic": "claude-haiku-4-5",
    "gemini": "gemini-2.5-flash-lite",
}
COST = {
    "openai": 300 * 0.15 + 20 * 0.60,
    "xai": 300 * 1.25 + 20 * 2.50,
    "anthropic": 300 * 1.0 + 20 * 5.0,
    "gemini": 300 * 0.10 + 20 * 0.40,
}
"""Millionths of a US dollar for 300 tokens in and 20 out, from the vendors' price lists."""


def make(protocol: Protocol, server: ApiServer, **options: Any) -> Any:
    """Return a captioner that waits only briefly between its attempts."""
    kind: Any = backend_class(protocol.name)
    known = {
        "keys": {kind.key_name: KEY},
        "base_url": server.url,
        "model": PRICED[protocol.name],
        "request_timeout": 0.5,
    }
    return kind(Options(**{**known, **options}), FAST)


async def ask(protocol: Protocol, server: ApiServer, **options: Any) -> Caption | Exception:
    """Caption one photo through a fresh backend."""
    captioner = make(protocol, server, **options)
    await captioner.open()
    try:
        [answer] = await captioner.caption_batch([PHOTO])
    finally:
        await captioner.close()
    assert isinstance(answer, (Caption, Exception))
    return answer
