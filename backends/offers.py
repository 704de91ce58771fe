"""What models a backend offers: what they cost, need, and how long they last."""

from __future__ import annotations

from datetime import date

import msgspec

CONTEXT_GIGABYTES = 0.8
"""What a picture and its answer take beside a model's weights, about."""

TIGHT = 0.75
"""Share of a card's memory from which on a model is tight: a desktop takes some, too."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One model to choose, as `pcc models --json` prints it.

    Attributes:
        backend: Name of the backend.
        model: Model id.
        default: True for the one used unless another is named.
        usd_in: US dollars for a million tokens in; None where nothing is billed or known.
        usd_out: Likewise out.
        gigabytes: Memory of the weights in 10^9 bytes, by quantisation; of local models.
        licence: Of local models.
        ends: The day it is switched off, where that is announced.
        note: What else one should know.
    """

    backend: str
    model: str
    default: bool = False
    usd_in: float | None = None
    usd_out: float | None = None
    gigabytes: dict[str, float] = {}
    licence: str = ""
    ends: date | None = None
    note: str = ""

    def fits(self, quantize: str, card_bytes: int) -> str:
        """Return `yes`, `tight` or `no`: whether the model fits on a card of so many bytes."""
        needed = (self.gigabytes[quantize] + CONTEXT_GIGABYTES) * 1e9
        if needed > card_bytes:
            return "no"
        return "tight" if needed > TIGHT * card_bytes else "yes"
