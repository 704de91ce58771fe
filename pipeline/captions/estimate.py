"""Estimates of the tokens, the money and the time that a run would take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from backends.base import Captioner, Options
from backends.image_tokens import text_tokens
from backends.prices import Prices
from backends.registry import backend_class
from pipeline.captions.measured import (
    Measured,
    captions_of_run,
    interval_of,
    measure,
    measure_run,
)
from pipeline.captions.plan import Plan
from pipeline.captions.request import RunRequest
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import CorruptImageError

SAMPLE = 300
"""Photos whose size is read. The mean of the sample is within a few percent of the true mean."""

FEWEST_FOR_INTERVAL = 5
"""Fewest captions for an interval: with fewer, resampling cannot tell how much they vary."""

TYPICAL_TOKENS_OUT = 83
"""Tokens of a caption of one or two sentences, used until captions have been measured."""

SMALL_SUM = 0.10
"""US dollars. A smaller sum is shown to a millionth of a dollar, a larger sum to the cent."""

Basis = Literal["rule", "measured", "pilot"]


class Estimate(msgspec.Struct, kw_only=True, tag_field="kind", tag="estimate"):
    """What a run would take, as `pcc estimate --json` prints it.

    Attributes:
        photos_total: Photos on disk.
        photos_remaining: Photos the run would work on.
        backend: Name of the backend.
        model: Model id, None if there is none or the id is not known yet.
        tokens_in: Tokens of pictures and prompts.
        tokens_out: Tokens of answers.
        cost_usd_in: Price of `tokens_in` in US dollars, None if no price is known.
        cost_usd_out: Price of `tokens_out` in US dollars.
        cost_usd: The sum of both prices.
        seconds: Wall-clock time for all photos.
        workers: Calls in flight.
        basis: Where tokens and seconds come from: the provider's rule for a sample
            of the photos, captions in the journal, or a pilot made for it.
        prices_as_of: The date of the prices, None if they have no date.
        prices_from: The source of the prices.
        captions_measured: Number of captions from which the means were computed.
        cost_usd_interval: The 95 % confidence interval of the cost; only of a pilot.
        seconds_interval: The 95 % confidence interval of the time; only of a pilot.
        notices: What the user should know, a sentence each.
    """

    photos_total: int
    photos_remaining: int
    backend: str
    model: str | None
    tokens_in: int
    tokens_out: int
    cost_usd_in: float | None
    cost_usd_out: float | None
    cost_usd: float | None
    seconds: float
    workers: int
    basis: Basis
    prices_as_of: str | None = None
    prices_from: str | None = None
    captions_measured: int = 0
    cost_usd_interval: tuple[float, float] | None = None
    seconds_interval: tuple[float, float] | None = None
    notices: list[str] = []


class _Each(msgspec.Struct, frozen=True):
    """Tokens and seconds that one photo takes."""

    tokens_in: float
    tokens_out: float
    seconds: float


async def estimate_run(
    request: RunRequest, plan: Plan, sizes: Sequence[tuple[int, int]] | None = None
) -> Estimate:
    """Estimate a run; no model is called and nothing is written.

    Args:
        request: The run.
        plan: What the run would do.
        sizes: Width and height in pixels of a sample of the photos; None to read the sizes.

    Raises:
        SetupError: there is no such backend.
        DecoderUnavailable: no process starts that could read the sizes.
    """
    kind = backend_class(request.backend)
    if not plan.to_do:
        return _add_up(request, plan, kind, _Each(0, 0, 0), "rule", None)
    measured = measure(request.journal, kind.name, kind.model_for(request.options))
    if measured is not None and (measured.tokens_in or kind.prices(request.options) is None):
        return _add_up(request, plan, kind, _mean(measured), "measured", measured)
    if sizes is None:
        sizes = await sample_sizes(request.photos_dir, plan.to_do)
    tokens_in = rule_tokens(kind, request.options, sizes)
    known = tokens_in is not None
    each = _Each(
        tokens_in=(tokens_in or 0) + (text_tokens(request.options.prompt) if known else 0),
        tokens_out=TYPICAL_TOKENS_OUT if known else 0,
        seconds=measured.seconds if measured else kind.typical_seconds,
    )
    estimate = _add_up(request, plan, kind, each, "rule", None)
    if not known and kind.prices(request.options) is not None:
        estimate.cost_usd_in = estimate.cost_usd_out = estimate.cost_usd = None
        estimate.prices_as_of = estimate.prices_from = None
        estimate.notices.append(_why_unknown(estimate.model, sizes))
    return estimate


def _why_unknown(model: str | None, sizes: Sequence[tuple[int, int]]) -> str:
    if not sizes:
        return "no photo of the sample could be read, so the cost is not known"
    if model is None:
        return "the server tells its model when a run starts; name it with --model, or try --pilot"
    return f"no token rule is known for {model}, so the cost is not; --pilot 20 measures it"


def estimate_pilot(request: RunRequest, plan: Plan, run: str) -> Estimate | None:
    """Estimate a run from the captions of a pilot; None if the pilot made no caption.

    Args:
        request: The run to estimate.
        plan: What the run would do, without the photos of the pilot.
        run: Id of the pilot run.
    """
    kind = backend_class(request.backend)
    measured = measure_run(request.journal, run)
    if measured is None:
        return None
    estimate = _add_up(request, plan, kind, _mean(measured), "pilot", measured)
    if measured.captions < FEWEST_FOR_INTERVAL:
        return estimate
    records = captions_of_run(request.journal, run)
    estimate.cost_usd_interval = _scaled(
        interval_of(records, lambda record: record.cost_usd), len(plan.to_do)
    )
    estimate.seconds_interval = _scaled(
        interval_of(records, lambda record: record.seconds), len(plan.to_do) / estimate.workers
    )
    return estimate


def spread(paths: Sequence[str], count: int) -> list[str]:
    """Return `count` paths, or all if there are fewer, spread evenly over a library."""
    count = min(count, len(paths))
    return [paths[(2 * place + 1) * len(paths) // (2 * count)] for place in range(count)]


async def sample_sizes(photos_dir: Path, paths: Sequence[str]) -> list[tuple[int, int]]:
    """Return the sizes of a sample of photos in pixels, from their headers."""
    sizes = []
    chosen = spread(paths, SAMPLE)
    if not chosen:
        return []
    async with DecoderPool(photos_dir, Captioner.picture, processes=1) as decoders:
        for path in chosen:
            try:
                sizes.append(await decoders.size(path))
            except CorruptImageError:
                continue
    return sizes


def rule_tokens(
    kind: type[Captioner], options: Options, sizes: Sequence[tuple[int, int]]
) -> float | None:
    """Return the mean tokens of pictures of such sizes as sent, None if no rule is known."""
    edge = kind.picture_for(options).max_edge
    counts = []
    for width, height in sizes:
        scale = min(1.0, edge / max(width, height))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        tokens = kind.image_tokens(options, *size)
        if tokens is None:
            return None
        counts.append(tokens)
    return sum(counts) / len(counts) if counts else None


def _mean(measured: Measured) -> _Each:
    return _Each(measured.tokens_in, measured.tokens_out, measured.seconds)


def _add_up(
    request: RunRequest,
    plan: Plan,
    kind: type[Captioner],
    each: _Each,
    basis: Basis,
    measured: Measured | None,
) -> Estimate:
    """Multiply the figures of one photo by the number of photos."""
    count, options = len(plan.to_do), request.options
    workers = kind.workers_for(options)
    prices = kind.prices(options)
    cost_in, cost_out, cost = _costs(prices, each, count)
    return Estimate(
        photos_total=plan.photos,
        photos_remaining=count,
        backend=kind.name,
        model=kind.model_for(options),
        tokens_in=round(count * each.tokens_in),
        tokens_out=round(count * each.tokens_out),
        cost_usd_in=cost_in,
        cost_usd_out=cost_out,
        cost_usd=cost,
        seconds=round(count * each.seconds / workers, 3),
        workers=workers,
        basis=basis,
        prices_as_of=prices.as_of if prices and cost_in is not None else None,
        prices_from=prices.source if prices and cost_in is not None else None,
        captions_measured=measured.captions if measured else 0,
        notices=kind.notices(options),
    )


def _costs(
    prices: Prices | None, each: _Each, count: int
) -> tuple[float | None, float | None, float | None]:
    """Return the cost of the input, of the output, and of both; the rounded numbers add up."""
    if prices is None:
        return 0.0, 0.0, 0.0
    price = prices.price(each.tokens_in, each.tokens_out)
    if price is None:
        return None, None, None
    digits = 2 if count * price.total >= SMALL_SUM else 6
    cost_in, cost_out = (
        round(count * part, digits) for part in (price.tokens_in, price.tokens_out)
    )
    return cost_in, cost_out, round(cost_in + cost_out, digits)


def _scaled(interval: tuple[float, float] | None, factor: float) -> tuple[float, float] | None:
    return None if interval is None else (interval[0] * factor, interval[1] * factor)
