"""DINOs of some twenty thousand random weights, saved just as real checkpoints are.

Their features mean nothing, but depend on every part of the picture.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

Family = Literal["dinov2", "dinov2_with_registers", "dinov3_vit"]

WEIGHT_SCALE = 8.0  # with weights as they are drawn, features hardly depend on the picture
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def save_tiny_dino(
    directory: Path,
    *,
    family: Family = "dinov3_vit",
    patch_size: int = 16,
    registers: int = 4,
    width: int = 32,
) -> Path:
    """Write a model with its image processor's settings and return the directory.

    Args:
        directory: Where to.
        family: Which architecture.
        patch_size: In pixels.
        registers: Register tokens; a plain DINOv2 has none.
        width: Numbers in a feature; a multiple of 8.
    """
    tiny_dino(family, patch_size, registers, width).save_pretrained(directory)
    settings = {"image_mean": MEAN, "image_std": STD}
    (directory / "preprocessor_config.json").write_text(json.dumps(settings) + "\n", "utf-8")
    return directory


def tiny_dino(family: Family, patch_size: int, registers: int, width: int) -> Any:
    """Return a model with more than its usual random weights, the same at each call."""
    import torch
    from transformers import AutoConfig, AutoModel

    sizes = {
        "patch_size": patch_size,
        "image_size": 8 * patch_size,
        "hidden_size": width,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    if family == "dinov3_vit":
        sizes["intermediate_size"] = 2 * width
    else:
        sizes["mlp_ratio"] = 2
    if family != "dinov2":
        sizes["num_register_tokens"] = registers
    architecture: Any = AutoModel
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(7)
        model = architecture.from_config(AutoConfig.for_model(family, **sizes))
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(WEIGHT_SCALE)
    return model.eval()
