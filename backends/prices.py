"""What a call costs: prices from `genai-prices`, over them the user's own."""

from __future__ import annotations

from backends.errors import SetupError

MILLION = 1_000_000


class Prices:
    """Turns token counts of one model into US dollars.

    Args:
        provider: Provider id as genai-prices knows it.
        model: Model id.
        own: The user's USD for a million tokens `(in, out)` by model.
    """

    def __init__(self, provider: str, model: str, own: dict[str, tuple[float, float]]) -> None:
        self.provider = provider
        self.model = model
        self._own = own.get(model)

    def cost(self, tokens_in: int, tokens_out: int) -> float | None:
        """Return the price of a call in US dollars, None where no price is known."""
        if self._own is not None:
            return (tokens_in * self._own[0] + tokens_out * self._own[1]) / MILLION
        from genai_prices import Usage, calc_price

        try:
            price = calc_price(
                Usage(input_tokens=tokens_in, output_tokens=tokens_out),
                model_ref=self.model,
                provider_id=self.provider,
            )
        except LookupError:
            return None
        return float(price.total_price)


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
