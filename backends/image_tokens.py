"""How many tokens a picture costs, by each provider's published rule.

Sizes are sizes of the upright picture as it is sent, in pixels. Each rule names its
source and when the source was read; a rule that no vendor's page confirms says so.
`tests/backends/test_image_tokens.py` compares the rules with the vendors' examples.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import ceil, floor, sqrt
from typing import Literal

import msgspec

Detail = Literal["low", "high", "auto"]

CHARACTERS_A_TOKEN = 4
"""A rule of thumb of OpenAI's for English text (help pages, 2023 and since)."""

REQUEST_TOKENS = 10
"""About how many tokens the roles and separators of a request add."""


def text_tokens(text: str) -> int:
    """Return about how many tokens a prompt takes, with the roles and separators around it."""
    return ceil(len(text) / CHARACTERS_A_TOKEN) + REQUEST_TOKENS


def largest(edge: int, rule: Callable[[int, int], int | None]) -> int | None:
    """Return the most tokens of any picture whose longer side is `edge`, with a tenth to spare.

    Tiles make long pictures dear, so shapes from square to 1 : 16 are tried.
    """
    counts = [rule(edge, max(1, round(edge * part / 16))) for part in range(1, 17)]
    known = [count for count in counts if count is not None]
    return ceil(1.1 * max(known)) if known else None


# OpenAI. Source: the vendor's guide "Images and vision", copy of 2026-09-29.

TILE_MODELS = {
    "gpt-4o-mini": (2833, 5667),
    "gpt-4o": (85, 170),
    "gpt-4.1": (85, 170),
    "gpt-5": (70, 140),
    "gpt-5.1": (70, 140),
    "o1": (75, 150),
    "o3": (75, 150),
}
"""Tokens of the base and of each tile of 512 px."""


class PatchRule(msgspec.Struct, frozen=True):
    """Patches of 32 px, after fitting the picture.

    Attributes:
        multiplier: Tokens for each patch.
        fits: Longest side in pixels and most patches, by detail; None for no limit.
    """

    multiplier: float
    fits: dict[Detail, tuple[int | None, int | None]]


def _patches(multiplier: float, **fits: tuple[int | None, int | None]) -> PatchRule:
    return PatchRule(multiplier, fits)  # type: ignore[arg-type]


_LOW, _HIGH, _ORIGINAL = (512, None), (2048, 2500), (None, None)
_OLDER = {"low": (2048, 6144), "high": (2048, 6144), "auto": (2048, 6144)}

PATCH_MODELS = {
    "gpt-6": _patches(1.2, low=_LOW, high=_HIGH, auto=_ORIGINAL),
    "gpt-5.6": _patches(1.2, low=_LOW, high=_HIGH, auto=_ORIGINAL),
    "gpt-5.5": _patches(1.2, low=_LOW, high=_HIGH, auto=(6000, 10_000)),
    "gpt-5.4": _patches(1.2, low=(2048, 6144), high=_HIGH, auto=_HIGH),
    "gpt-5.2": _patches(1.2, **_OLDER),
    "gpt-5-mini": _patches(1.2, **_OLDER),
    "gpt-5-nano": _patches(1.5, **_OLDER),
    "gpt-4.1-mini": _patches(1.62, **_OLDER),
    "gpt-4.1-nano": _patches(2.46, **_OLDER),
    "o4-mini": _patches(1.72, **_OLDER),
}
"""Copies of spring 2026 give a budget of 1,536 and other multipliers for the mini and nano
models. Of GPT-6 a page was seen for gpt-6-astra alone; its rule stands for the others, too."""


def openai(model: str, width: int, height: int, detail: Detail) -> int | None:
    """Return the tokens of a picture for a model of OpenAI's, None for a model not known."""
    family = _longest_prefix(model, (*TILE_MODELS, *PATCH_MODELS))
    if family in PATCH_MODELS:
        rule = PATCH_MODELS[family]
        edge, budget = rule.fits[detail]
        return ceil(patches(*_fit(width, height, edge), budget) * rule.multiplier)
    if family in TILE_MODELS:
        return _tiles(*TILE_MODELS[family], width, height, detail)
    return None


def _tiles(base: int, tile: int, width: int, height: int, detail: Detail) -> int:
    """Fit into 2,048 px, then the shorter side to 768 px, and count tiles of 512 px."""
    if detail == "low":
        return base
    wide, high = _fit(width, height, 2048)
    scale = min(1.0, 768 / min(wide, high))
    return base + tile * ceil(wide * scale / 512) * ceil(high * scale / 512)


def patches(width: float, height: float, budget: int | None) -> int:
    """Return how many patches of 32 px cover a picture, shrunk to at most `budget` of them."""
    count = ceil(width / 32) * ceil(height / 32)
    if budget is None or count <= budget:
        return count
    scale = sqrt(32 * 32 * budget / (width * height))
    across, down = width * scale / 32, height * scale / 32
    scale *= min(floor(across) / across, floor(down) / down)
    # A whole number of patches may come out a hair too large or too small.
    return ceil(floor(width * scale + 1e-6) / 32) * ceil(floor(height * scale + 1e-6) / 32)


# Anthropic. Source: the vendor's guide "Vision", copy of autumn 2026. The older rule of
# width x height / 750 no longer holds.

ANTHROPIC_STANDARD = (1568, 1568)
ANTHROPIC_LARGE = (2576, 4784)
"""Longest side in pixels, and most tokens. The larger pair is for "Claude 4.7 and later"."""


def anthropic(model: str, width: int, height: int) -> int:
    """Return the tokens of a picture for a Claude: one for each 28 x 28 px once it is shrunk."""
    version = re.search(r"-(\d{1,2})(?:-(\d{1,2}))?(?:-|$)", model)
    number = (int(version[1]), int(version[2] or 0)) if version else (9, 0)
    edge, most = ANTHROPIC_LARGE if number >= (4, 7) else ANTHROPIC_STANDARD

    def tokens(scale: float) -> int:
        return ceil(width * scale / 28) * ceil(height * scale / 28)

    scale = min(1.0, edge / max(width, height))
    if tokens(scale) <= most:
        return tokens(scale)
    low, high = 0.0, scale
    for _ in range(40):  # halving until the largest scale that fits is known to the pixel
        middle = (low + high) / 2
        low, high = (middle, high) if tokens(middle) <= most else (low, middle)
    return tokens(low)


# Gemini. Source: the vendor's guides "Media resolution" and "Tokens", copies of 2026; that a tile
# is 256 to 768 px wide stands in the guide of Vertex AI, "Image understanding", from memory.

GEMINI_3 = {"low": 280, "high": 1120, "auto": 1120}
"""The most tokens by the media resolution that is asked for."""

GEMINI_TILE = 258


def gemini(model: str, width: int, height: int, detail: Detail) -> int | None:
    """Return the tokens of a picture for a Gemini, None for a model not known."""
    if model.startswith("gemini-3"):
        return GEMINI_3[detail]
    if not model.startswith("gemini-2.5"):
        return None
    if detail == "low":
        return 64
    if max(width, height) <= 384:
        return GEMINI_TILE
    unit = min(768, max(256, floor(min(width, height) / 1.5)))
    return GEMINI_TILE * ceil(width / unit) * ceil(height / unit)


# xAI. Source: a copy of docs.x.ai, "Image understanding", of 2025; not confirmed for Grok 4.3
# and later, whose pages give no rule.


def xai(width: int, height: int) -> int:
    """Return the tokens of a picture for a Grok: tiles of 448 px and one more, 256 each."""
    tiles = min(6, ceil(width / 448) * ceil(height / 448))
    return 256 * (tiles + 1)


# Local. Source: the defaults in transformers 5.23; a checkpoint's own configuration may differ.

QWEN: dict[str, tuple[int, int | None]] = {
    "qwen2-vl": (28, 1280),
    "qwen2.5-vl": (28, 1280),
    "qwen3-vl": (32, None),
    "qwen3.5": (32, None),
}
"""Side of the square that is a token, in pixels, and the most tokens where there is a limit."""


def qwen(model: str, width: int, height: int) -> int | None:
    """Return the tokens of a picture for a Qwen with vision, None for another model."""
    name = model.rpartition("/")[2].lower()
    rule = next((rule for family, rule in QWEN.items() if name.startswith(family)), None)
    if rule is None:
        return None
    side, most = rule
    count = max(4, round(width / side) * round(height / side))
    return count if most is None else min(most, count)


def _fit(width: int, height: int, edge: int | None) -> tuple[float, float]:
    scale = 1.0 if edge is None else min(1.0, edge / max(width, height))
    return width * scale, height * scale


def _longest_prefix(model: str, names: tuple[str, ...]) -> str | None:
    """Return the longest name a model id begins with, as a whole word."""
    fitting = [name for name in names if model == name or model.startswith(f"{name}-")]
    dotted = [name for name in names if name == "gpt-6" and model.startswith("gpt-6.")]
    return max(fitting + dotted, key=len, default=None)
