"""Whether a run may cost money, told without asking any server."""

from __future__ import annotations

from backends.base import Options
from backends.errors import SetupError
from backends.registry import backend_class


def may_cost(backend: str, options: Options) -> bool:
    """Tell whether captions by a backend may be billed.

    A server of one's own on this machine or a private network costs nothing, unless a price is
    set for its model. A vendor whose key is not set answers nothing, and bills nothing; neither
    does a backend that does not exist, as the run itself will say.
    """
    try:
        kind = backend_class(backend)
    except SetupError:
        return False
    prices = kind.prices(options)
    if prices is None:
        return False
    if options.base_url and _is_near(options.base_url):
        return prices.price(1000, 100) is not None
    return bool(options.base_url) or kind.key_name is None or kind.key_name in options.keys


def _is_near(base_url: str) -> bool:
    from backends.http import is_private

    return "://" not in base_url or is_private(base_url)  # a name such as `ollama` is this machine
