"""What captions of one backend took so far, from the end of the journal."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from io import FileIO
from pathlib import Path

import msgspec

from journal import CaptionRecord

TAIL_BYTES = 1 << 20

RESAMPLES = 2_000
CONFIDENCE = 0.95


class Measured(msgspec.Struct, frozen=True):
    """Means over captions of one backend and model.

    Attributes:
        captions: How many were looked at.
        seconds: From hand-over to answer.
        tokens_in: Tokens of picture and prompt.
        tokens_out: Tokens of the answer.
        cost_usd: US dollars; None where some have no known cost.
    """

    captions: int
    seconds: float
    tokens_in: float
    tokens_out: float
    cost_usd: float | None


def measure(
    journal: Path, backend: str, model: str | None, run: str | None = None
) -> Measured | None:
    """Return what recent captions took, None where the last MiB of the journal has none.

    Args:
        journal: The captions journal.
        backend: Name of the backend.
        model: Model id, None for any.
        run: Id of a run, None for any.
    """
    records = recent(journal, backend, model, run)
    count = len(records)
    if not count:
        return None
    costs = [record.cost_usd for record in records if record.cost_usd is not None]
    return Measured(
        captions=count,
        seconds=sum(record.seconds or 0.0 for record in records) / count,
        tokens_in=sum(record.tokens_in or 0 for record in records) / count,
        tokens_out=sum(record.tokens_out or 0 for record in records) / count,
        cost_usd=sum(costs) / count if len(costs) == count else None,
    )


def recent(
    journal: Path, backend: str, model: str | None, run: str | None = None
) -> list[CaptionRecord]:
    """Return the captions in the journal's last MiB that a model really made; see `measure`."""
    return [
        record
        for record in _tail(journal)
        if record.status == "success"
        and record.backend == backend
        and model in (None, record.model)
        and run in (None, record.run)
        and record.copied_from is None
    ]


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the range in which the mean lies with a confidence of 95 %, from a sample.

    By the percentile bootstrap (Efron, 1979): it assumes no distribution, and costs and
    times have long tails.
    """
    generator = random.Random(0)  # noqa: S311 - the same sample gives the same interval
    means = sorted(
        sum(generator.choices(values, k=len(values))) / len(values) for _ in range(RESAMPLES)
    )
    beyond = round((1 - CONFIDENCE) / 2 * RESAMPLES)
    return means[beyond], means[-1 - beyond]


def interval_of(
    records: Sequence[CaptionRecord], value: Callable[[CaptionRecord], float | None]
) -> tuple[float, float] | None:
    """Return the interval of the mean of something of each record, None where one lacks it."""
    values = [found for record in records if (found := value(record)) is not None]
    return mean_interval(values) if values and len(values) == len(records) else None


def _tail(journal: Path) -> list[CaptionRecord]:
    """Return the readable records of the journal's last MiB."""
    try:
        with FileIO(journal, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return []
    decoder = msgspec.json.Decoder(CaptionRecord)
    records = []
    for line in lines:
        try:
            records.append(decoder.decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue  # the first line is most likely half a line
    return records
