"""Answers of the vendors' APIs, good and bad, for the server in `api_server.py`."""

from __future__ import annotations

from tests.support.protocols.anthropic import ANTHROPIC
from tests.support.protocols.base import CAPTION, Protocol
from tests.support.protocols.gemini import GEMINI
from tests.support.protocols.openai import OPENAI, XAI

__all__ = [
    "ANTHROPIC",
    "CAPTION",
    "GEMINI",
    "OPENAI",
    "PROTOCOLS",
    "XAI",
    "Protocol",
]

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol for protocol in (OPENAI, XAI, ANTHROPIC, GEMINI)
}
