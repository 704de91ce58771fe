"""`pcc models`: the models to choose from, and what each costs or needs."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from backends.errors import SetupError
from backends.registry import backend_class, backend_names
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import SiteOptions
from pcc_tui.cli.output import print_json, say


@takes_groups
def models(
    site: SiteOptions,
    backend: Annotated[
        Optional[str], typer.Option(help="Of this backend alone.", show_default="all")
    ] = None,
) -> None:
    """List models worth choosing: prices, memory against the card, days they are switched off."""
    from pcc_tui.probes import MachineProbe, card_bytes
    from pcc_tui.words.estimates import offer_words

    settings = site.settings()
    offers = []
    for name in [backend] if backend else backend_names():
        try:
            offers += backend_class(name).offers(settings.options(name))
        except SetupError:
            if backend:
                raise
    if site.json:
        print_json(offers)
        return
    card = card_bytes(MachineProbe(site.workspace).sample())
    if any(offer.gigabytes for offer in offers):
        found = "no GPU was found" if card is None else f"the GPU has {card / 1e9:.1f} GB"
        say(f"Memory of local models is about what their weights take; {found}.")
    for offer in offers:
        star = "*" if offer.default else " "
        say(f"{star} {offer.backend:<10} {offer.model:<40} {offer_words(offer, card)}")
