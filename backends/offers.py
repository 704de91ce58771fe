"""The models that a backend offers: what they cost, what they need, how long they last."""

from __future__ import annotations

from datetime import date

import msgspec

CONTEXT_GIGABYTES = 0.8
"""About how many gigabytes a picture and its answer take beside the weights of a model."""

TIGHT = 0.75
"""Share of a card's memory from which on a model is tight; a desktop takes memory, too."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One model to choose, as `pcc models --json` prints it.

    Attributes:
        backend: Name of the backend.
        model: Id of the model.
        default: True for the model that is used unless another is named.
        usd_in: US dollars for a million tokens in; None where nothing is billed or known.
        usd_out: US dollars for a million tokens out; None where nothing is billed or known.
        gigabytes: Memory of a local model's weights in 10^9 bytes, by quantisation.
        licence: Licence of a local model.
        ends: The day on which the model is switched off, where that is announced.
        note: What else the user should know.
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
