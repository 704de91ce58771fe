"""When vendors switch models off, as far as they have announced it."""

from __future__ import annotations

from datetime import date

import msgspec


class Retirement(msgspec.Struct, frozen=True):
    """The end of a model.

    Attributes:
        ends: The day from which the model no longer answers.
        instead: A model of the same vendor to change to.
        source: Where the day was read, and when.
    """

    ends: date
    instead: str
    source: str

    def sentence(self, model: str, today: date) -> str:
        """Return what to tell whoever wants to use the model."""
        if self.ends <= today:
            return f"{model} was switched off on {self.ends}; use {self.instead}"
        days = (self.ends - today).days
        return f"{model} is switched off on {self.ends}, in {days} days; {self.instead} goes on"


_OPENAI = "a copy of OpenAI's deprecations page on dev.to, 2026-10-28"
_GOOGLE = "dev.to/aideprecations, 2026-11-10"
_XAI = "docs.x.ai/developers/migration/may-15-retirement, 2026"

RETIREMENTS = {
    "gpt-4o-mini": Retirement(date(2027, 1, 14), "gpt-6-luna", _OPENAI),
    "gpt-4.1-mini": Retirement(date(2027, 1, 14), "gpt-6-luna", _OPENAI),
    "gpt-4.1-nano": Retirement(date(2026, 10, 23), "gpt-6-luna", _OPENAI),
    "gpt-5-mini": Retirement(date(2026, 12, 11), "gpt-6-luna", _OPENAI),
    "gpt-5-nano": Retirement(date(2026, 12, 11), "gpt-6-luna", _OPENAI),
    "gemini-2.5-flash": Retirement(date(2026, 12, 1), "gemini-2.5-flash-lite", _GOOGLE),
    "gemini-2.0-flash": Retirement(date(2026, 6, 1), "gemini-2.5-flash-lite", _GOOGLE),
    "gemini-2.0-flash-lite": Retirement(date(2026, 6, 1), "gemini-2.5-flash-lite", _GOOGLE),
    "grok-3": Retirement(date(2026, 5, 15), "grok-4.3", _XAI),
    "grok-4-0709": Retirement(date(2026, 5, 15), "grok-4.3", _XAI),
    "grok-4-fast": Retirement(date(2026, 5, 15), "grok-4.3", _XAI),
    "grok-4-fast-reasoning": Retirement(date(2026, 5, 15), "grok-4.3", _XAI),
    "grok-4-fast-non-reasoning": Retirement(date(2026, 5, 15), "grok-4.3", _XAI),
    "grok-4-1-fast": Retirement(date(2026, 5, 15), "grok-4.3", _XAI),
    "grok-4-1-fast-reasoning": Retirement(date(2026, 5, 15), "grok-4.3", _XAI),
    "grok-4-1-fast-non-reasoning": Retirement(date(2026, 5, 15), "grok-4.3", _XAI),
}
"""Exact ids; a dated snapshot of a model may live longer or shorter."""


def retirement_notice(model: str | None, today: date | None = None) -> str | None:
    """Return a sentence about the end of a model, None where none is announced."""
    found = RETIREMENTS.get(model or "")
    return None if found is None else found.sentence(model or "", today or date.today())
