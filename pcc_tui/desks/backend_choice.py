"""A backend as one chooses it: what it is, what it needs, what it offers."""

from __future__ import annotations

import msgspec

from backends.base import Captioner
from backends.errors import SetupError
from backends.offers import Offer
from backends.registry import backend_class, missing_extra
from pcc_tui.settings import Settings


class BackendChoice(msgspec.Struct, frozen=True):
    """A backend to choose, and what it needs."""

    name: str
    summary: str
    needs: str
    ready: bool
    local: bool = False
    offers: list[Offer] = []


def look_at(name: str, settings: Settings) -> BackendChoice:
    """Return what a backend is, needs and offers; its module is imported for that."""
    if mend := missing_extra(name):
        return BackendChoice(name, "not installed", f"Not installed: {mend}", ready=False)
    try:
        kind: type[Captioner] = backend_class(name)
        offers = kind.offers(settings.options(name))
    except SetupError as error:
        return BackendChoice(name, "not installed", str(error), ready=False)
    summary = (kind.__doc__ or "").strip().partition("\n")[0]
    place = "Stays on this machine." if kind.local else "Sends pixels, and no more, to a server."
    parts = [place]
    ready = True
    if kind.key_name is not None:
        ready = kind.key_name in settings.keys
        state = "is set" if ready else "is not set; a server of your own needs none"
        parts.append(f"{kind.key_name} {state}.")
    if kind.default_model is not None:
        parts.append(f"Model unless named: {kind.default_model}.")
    return BackendChoice(name, summary, "\n".join(parts), ready, kind.local, offers)
