"""The token rules against the vendors' own worked examples."""

from __future__ import annotations

import pytest

from backends import image_tokens
from backends.image_tokens import Detail


@pytest.mark.parametrize(
    ("model", "size", "detail", "tokens"),
    [
        # From the vendor's guide, or by hand from its rule where it has no example.
        ("gpt-5.4", (1024, 1024), "high", 1229),
        ("gpt-5.4-mini", (2048, 2048), "high", 3000),
        ("gpt-4o", (1024, 1024), "high", 765),
        ("gpt-4o", (1024, 1024), "low", 85),
        ("gpt-4o", (2048, 4096), "high", 1105),
        ("gpt-4o-2024-08-06", (2048, 4096), "low", 85),
        ("gpt-4o-mini", (1024, 1024), "low", 2833),
        ("gpt-5.1", (1024, 1024), "high", 70 + 4 * 140),
        ("gpt-6-luna", (512, 512), "low", 308),
        # JOHNISKING/image-token-cost measured these with GPT-6.
        ("gpt-6-astra", (4032, 3024), "auto", 14364),
        ("gpt-6-astra", (4032, 3024), "high", 2942),
    ],
)
def test_openai(model: str, size: tuple[int, int], detail: Detail, tokens: int) -> None:
    assert image_tokens.openai(model, *size, detail) == tokens


def test_openai_patches_of_the_vendors_example() -> None:
    assert image_tokens.patches(1024, 1024, 1536) == 1024
    assert image_tokens.patches(1800, 2400, 1536) == 1452


@pytest.mark.parametrize("model", ["llama3.2-vision", "qwen2.5vl:3b", "gpt-7", "gpt-4o1"])
def test_unknown_models_have_no_rule(model: str) -> None:
    assert image_tokens.openai(model, 640, 480, "low") is None


@pytest.mark.parametrize(
    ("size", "standard", "large"),
    [
        ((200, 200), 64, 64),
        ((1000, 1000), 1296, 1296),
        ((1920, 1080), 1560, 2691),
        ((2000, 1500), 1564, 3888),
        ((3840, 2160), 1560, 4784),
    ],
)
def test_anthropic(size: tuple[int, int], standard: int, large: int) -> None:
    assert image_tokens.anthropic("claude-haiku-4-5-20251001", *size) == standard
    assert image_tokens.anthropic("claude-3-5-haiku-20241022", *size) == standard
    for model in ("claude-haiku-5-5", "claude-opus-4-7", "claude-sonnet-5"):
        assert image_tokens.anthropic(model, *size) == large


@pytest.mark.parametrize(
    ("model", "size", "detail", "tokens"),
    [
        ("gemini-2.5-flash-lite", (960, 540), "auto", 1548),
        ("gemini-2.5-flash-lite", (384, 384), "auto", 258),
        ("gemini-2.5-flash", (4000, 3000), "low", 64),
        ("gemini-3.5-flash-lite", (960, 540), "auto", 1120),
        ("gemini-3.1-flash-lite", (960, 540), "low", 280),
    ],
)
def test_gemini(model: str, size: tuple[int, int], detail: Detail, tokens: int) -> None:
    assert image_tokens.gemini(model, *size, detail) == tokens


@pytest.mark.parametrize(("size", "tokens"), [((448, 448), 512), ((1024, 768), 1792)])
def test_xai(size: tuple[int, int], tokens: int) -> None:
    assert image_tokens.xai(*size) == tokens


def test_qwen() -> None:
    assert image_tokens.qwen("Qwen/Qwen2.5-VL-3B-Instruct", 28 * 20, 28 * 10) == 200
    assert image_tokens.qwen("Qwen/Qwen3-VL-4B-Instruct", 320, 320) == 100
    assert image_tokens.qwen("Qwen/Qwen2.5-VL-3B-Instruct", 4000, 3000) == 1280
    assert image_tokens.qwen("Qwen/Qwen3-VL-4B-Instruct", 1920, 1280) == 2400
    assert image_tokens.qwen("HuggingFaceTB/SmolVLM2-2.2B-Instruct", 640, 480) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 2048), (2048, 1), (2048, 2048)])
def test_no_shape_breaks_a_rule(size: tuple[int, int]) -> None:
    details: list[Detail] = ["low", "high", "auto"]
    for detail in details:
        for model in (*image_tokens.TILE_MODELS, *image_tokens.PATCH_MODELS):
            assert (image_tokens.openai(model, *size, detail) or 0) > 0
        assert (image_tokens.gemini("gemini-2.5-flash", *size, detail) or 0) > 0
    assert image_tokens.anthropic("claude-haiku-5-5", *size) > 0
    assert image_tokens.xai(*size) > 0
