"""What a call costs, by the user's own prices or else by those of `genai-prices`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import chain

import msgspec

from backends.errors import SetupError

MILLION = 1_000_000

OWN_PRICES = "prices.toml"


class Price(msgspec.Struct, frozen=True):
    """What a call costs, in US dollars for its tokens in and for its tokens out."""

    tokens_in: float
    tokens_out: float

    @property
    def total(self) -> float:
        """Price of all tokens."""
        return self.tokens_in + self.tokens_out


class Prices:
    """Turns token counts of one model into US dollars.

    Args:
        provider: Id of the provider in genai-prices.
        model: Id of the model.
        own: The user's USD for a million tokens `(in, out)` by model.
        own_as_of: Date of the user's prices.
    """

    def __init__(
        self,
        provider: str,
        model: str,
        own: dict[str, tuple[float, float]],
        own_as_of: str | None = None,
    ) -> None:
        self.provider = provider
        self.model = model
        self._own = own.get(model)
        self._own_as_of = own_as_of

    @property
    def source(self) -> str:
        """Where the prices come from."""
        if self._own:
            return OWN_PRICES
        from importlib.metadata import version

        return f"genai-prices {version('genai-prices')}"

    @property
    def as_of(self) -> str | None:
        """The date of the user's own prices, else the day on which the provider's were checked."""
        return self._own_as_of if self._own else _checked_on(self.provider)

    def price(self, tokens_in: float, tokens_out: float) -> Price | None:
        """Return what one call of so many tokens costs, None where no price is known.

        The tokens of several calls must not be added up first: above some
        length of a single request, many models cost more a token.
        """
        if self._own is not None:
            return Price(tokens_in * self._own[0] / MILLION, tokens_out * self._own[1] / MILLION)
        from genai_prices import Usage, calc_price

        usage = Usage(input_tokens=tokens_in, output_tokens=tokens_out)
        try:
            found = calc_price(usage, model_ref=self.model, provider_id=self.provider)
        except LookupError:
            return None
        return Price(float(found.input_price), float(found.output_price))


_CHECKED = re.compile(r"(?:verified|checked) on (20\d\d-\d\d-\d\d)")


@cache
def _checked_on(provider: str) -> str | None:
    """Return the last day on which genai-prices says that a provider's prices were looked at.

    The package carries no date of its own, but its comments name days. Where the comments on a
    provider name no day, the last day in the whole package stands for it.
    """
    from genai_prices.data import providers

    def last(comments: Iterable[str]) -> str | None:
        return max(_CHECKED.findall(" ".join(comments)), default=None)

    comments = {one.id: [model.price_comments or "" for model in one.models] for one in providers}
    return last(comments.get(provider, [])) or last(chain.from_iterable(comments.values()))


def require_price(cost: float | None, backend: str, model: str | None) -> float:
    """Return a known cost.

    Raises:
        SetupError: no price is known, so a budget cannot be kept.
    """
    if cost is None:
        raise SetupError(
            f"no price is known for {backend} / {model}, so --budget cannot be kept; "
            f'put `"{model}" = [USD per million tokens in, out]` into prices.toml of the workspace'
        )
    return cost
