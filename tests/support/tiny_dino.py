"""DINO models with some twenty thousand random weights, saved like real checkpoints.

The features have no meaning, but depend on every part of the picture.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

Family = Literal["dinov2", "dinov2_with_registers", "dinov3_vit"]

WEIGHT_SCALE = 8.0  # with smaller weights, features hardly depend on the picture
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
        directory: Directory of the checkpoint.
        family: The architecture.
        patch_size: Side of a patch in pixels.
        registers: Number of register tokens; 0 for a plain DINOv2.
        width: Length of a feature, a multiple of 8.
    """
    tiny_dino(family, patch_size, registers, width).save_pretrained(directory)
    settings = {"image_mean": MEAN, "image_std": STD}
    (directory / "preprocessor_config.json").write_text(json.dumps(settings) + "\n", "utf-8")
    return directory


def tiny_dino(family: Family, patch_size: int, registers: int, width: int) -> Any:
    """Return a model with larger random weights than usual, the same at each call."""
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
