"""An estimate and an offer in words, for the screen and the command line."""

from __future__ import annotations

from backends.offers import Offer
from pcc_tui.words.figures import about, counted, dollars
from pipeline.captions.estimate import Estimate

BASES = {
    "guess": "no measurement yet; {pilot} makes one",
    "rule": "the token rule for the sizes of the photos; the time is a guess, {pilot} measures",
    "measured": "the last {count:,} captions of this backend and model in the journal",
    "pilot": "the {count:,} captions of the pilot, with a confidence of 95 %",
}


FITS = {"yes": "fits", "tight": "tight", "no": "too big"}


def estimate_rows(found: Estimate, pilot: str = "a pilot") -> list[tuple[str, str]]:
    """Return an estimate as names and values.

    Args:
        found: The estimate.
        pilot: What measures, where nothing has been measured yet.
    """
    remaining = found.photos_remaining
    rows = []
    if found.tokens_in:
        mean = round(found.tokens_in / remaining)
        tokens = f"{found.tokens_in:,} in (avg {mean:,} an image), {found.tokens_out:,} out"
        rows.append(("Estimated tokens", tokens))
    rows.append(("Estimated cost", _cost(found)))
    rows.append(("Estimated time", _time(found)))
    if not remaining:
        return rows
    basis = "guess" if found.basis == "rule" and not found.tokens_in else found.basis
    rows.append(("Reckoned from", BASES[basis].format(count=found.captions_measured, pilot=pilot)))
    return rows


def _cost(found: Estimate) -> str:
    if found.cost_usd is None and found.notices:
        return "unknown"
    if found.cost_usd is None:
        return f'unknown; put `"{found.model}" = [USD in, out]` a million tokens into prices.toml'
    if found.prices_from is None:
        return "nothing"
    date = f"as of {found.prices_as_of}, " if found.prices_as_of else "of "
    cost_in, cost_out = dollars(found.cost_usd_in or 0.0), dollars(found.cost_usd_out or 0.0)
    line = f"{cost_in} in + {cost_out} out = {dollars(found.cost_usd)}"
    if found.cost_usd_interval is not None:
        digits = 2 if found.cost_usd == round(found.cost_usd, 2) else 6
        low, high = (dollars(round(bound, digits)) for bound in found.cost_usd_interval)
        line += f", {low} to {high}"
    return f"{line}   (prices {date}{found.prices_from})"


def _time(found: Estimate) -> str:
    if not found.photos_remaining:
        return "none"
    line = f"{about(found.seconds)} at {found.workers} worker{'s' * (found.workers > 1)}"
    if found.seconds_interval is not None:
        low, high = map(about, found.seconds_interval)
        line += f", {low} to {high}"
    return line


def price_question(found: Estimate) -> str:
    """Return the question before a run that may cost money, with what the run would take."""
    model = f" / {found.model}" if found.model else ""
    photos = counted(found.photos_remaining, "photo", "photos")
    rows = [f"{name}: {value}" for name, value in estimate_rows(found)]
    return "\n".join([f"Send {photos} to {found.backend}{model}?", *rows, *found.notices])


def offer_words(offer: Offer, card_bytes: int | None) -> str:
    """Return what a model costs or needs, on one line.

    Args:
        offer: The model.
        card_bytes: Memory of the largest GPU in bytes, None without a GPU.
    """
    parts = []
    if offer.usd_in is not None:
        parts.append(f"${offer.usd_in:g} in, ${offer.usd_out:g} out a million tokens")
    if offer.gigabytes:
        small, whole = (_size(offer, name, card_bytes) for name in ("int4", "none"))
        parts.append(f"int4 {small}, 16 bit {whole}")
    if offer.ends is not None:
        parts.append(f"ends {offer.ends}")
    return "; ".join(filter(None, [*parts, offer.licence, offer.note]))


def _size(offer: Offer, quantize: str, card_bytes: int | None) -> str:
    size = f"{offer.gigabytes[quantize]:.1f} GB"
    return size if card_bytes is None else f"{size} {FITS[offer.fits(quantize, card_bytes)]}"
