"""Time and tokens of recent captions of one backend, from the end of the journal."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean

import msgspec

from journal import CaptionRecord, believed, scan

TAIL_BYTES = 1 << 20

RESAMPLES = 2_000
CONFIDENCE = 0.95


class Measured(msgspec.Struct, frozen=True):
    """Means over some captions.

    Attributes:
        captions: Number of captions.
        seconds: Time from handing a photo to the backend until the answer.
        tokens_in: Tokens of picture and prompt, over the captions that state the number.
        tokens_out: Tokens of the answer, over the captions that state the number.
    """

    captions: int
    seconds: float
    tokens_in: float
    tokens_out: float


def measure(journal: Path, backend: str, model: str | None) -> Measured | None:
    """Return the means of recent captions, None if the last MiB of the journal has none.

    Args:
        journal: The captions journal.
        backend: Name of the backend.
        model: Model id, None for a backend without models.
    """
    return _mean(
        [
            record
            for record in _captions(journal)
            if record.backend == backend and record.model == model
        ]
    )


def measure_run(journal: Path, run: str) -> Measured | None:
    """Return the means of the captions of a run, None if the run has no captions."""
    return _mean(captions_of_run(journal, run))


def captions_of_run(journal: Path, run: str) -> list[CaptionRecord]:
    """Return the captions of a run in the journal's last MiB."""
    return [record for record in _captions(journal) if record.run == run]


def _captions(journal: Path) -> list[CaptionRecord]:
    """Return the captions in the journal's last MiB that a backend made; copies are left out."""
    return [
        record
        for _, record in scan(journal, CaptionRecord, TAIL_BYTES)
        if record.status == "success" and record.copied_from is None and _is_sane(record)
    ]


def _is_sane(record: CaptionRecord) -> bool:
    """Tell whether the figures of a record are plausible; another program may have written them."""
    figures = (record.tokens_in, record.tokens_out, record.seconds, record.cost_usd)
    return all(figure is None or believed(figure) is not None for figure in figures)


def _mean(records: Sequence[CaptionRecord]) -> Measured | None:
    if not records:
        return None
    return Measured(
        captions=len(records),
        seconds=fmean(record.seconds or 0.0 for record in records),
        tokens_in=_mean_of_known(record.tokens_in for record in records),
        tokens_out=_mean_of_known(record.tokens_out for record in records),
    )


def _mean_of_known(counts: Iterable[int | None]) -> float:
    known = [count for count in counts if count is not None]
    return fmean(known) if known else 0.0


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the range in which the mean lies with a confidence of 95 %, from a sample.

    The method is the percentile bootstrap (Efron, 1979), which assumes no distribution,
    because costs and times have long tails.
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
    """Return the interval of the mean of a value of each record, None if a record lacks it."""
    values = [found for record in records if (found := value(record)) is not None]
    return mean_interval(values) if values and len(values) == len(records) else None
