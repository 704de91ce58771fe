"""The models a backend offers, each with what it costs or needs."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from backends.offers import Offer
from pcc_tui.widgets.text import safe
from pcc_tui.words.estimates import offer_words


class ModelList(OptionList):
    """Shows a line for each model; the screen decides what choosing a model does."""

    def show(self, offers: Sequence[Offer], card_bytes: int | None) -> None:
        """Show some models; a list without models takes no room.

        Args:
            offers: The models.
            card_bytes: Memory of the largest GPU, None without one.
        """
        self.clear_options()
        width = max((len(_short(offer)) for offer in offers), default=0)
        self.add_options(_option(offer, card_bytes, width) for offer in offers)
        self.display = bool(offers)


def _short(offer: Offer) -> str:
    """Return a model's name without its owner and without `-Instruct`."""
    return offer.model.rpartition("/")[2].removesuffix("-Instruct")


def _option(offer: Offer, card_bytes: int | None, width: int) -> Option:
    words = offer_words(offer, card_bytes)
    style = "$warning" if offer.ends is not None else ""
    if offer.gigabytes and card_bytes is not None and offer.fits("int4", card_bytes) == "no":
        style = "$error"
    line = Content.assemble(safe(f"{_short(offer):<{width}} ", style), safe(words, "dim"))
    return Option(line, id=offer.model)
