"""A CLIP model with some twenty thousand random weights, saved like a real checkpoint.

The vectors have no meaning, but depend on every word and on every part of the picture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

WEIGHT_SCALE = 4.0  # with smaller weights, vectors hardly depend on the input
DIMENSIONS = 12
EDGE = 32  # pixels
LONGEST_TEXT = 16  # tokens

START, END = "<|startoftext|>", "<|endoftext|>"
MERGES = [("r", "e"), ("re", "d</w>"), ("b", "l"), ("u", "e</w>"), ("bl", "ue</w>")]


def save_tiny_clip(directory: Path) -> Path:
    """Write a model with its tokenizer and image processor and return the directory."""
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    tokenizer = tiny_tokenizer()
    tiny_model(tokenizer).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    size = {"height": EDGE, "width": EDGE}
    pictures: Any = CLIPImageProcessorPil
    pictures(size={"shortest_edge": EDGE}, crop_size=size).save_pretrained(directory)
    return directory


def tiny_tokenizer() -> Any:
    """Return a tokenizer that knows two words and can spell any other, byte by byte."""
    from tokenizers import pre_tokenizers
    from transformers import CLIPTokenizer

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = [*alphabet, *(letter + "</w>" for letter in alphabet), *map("".join, MERGES)]
    vocabulary = {word: number for number, word in enumerate([*words, START, END])}
    tokenizer: Any = CLIPTokenizer
    return tokenizer(vocab=vocabulary, merges=MERGES, model_max_length=LONGEST_TEXT)


def tiny_model(tokenizer: Any) -> Any:
    """Return a model with larger random weights than usual, the same at each call."""
    import torch
    from transformers import CLIPConfig, CLIPModel

    sizes = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "projection_dim": DIMENSIONS,
    }
    text = {
        **sizes,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": LONGEST_TEXT,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {**sizes, "image_size": EDGE, "patch_size": EDGE // 4}
    config: Any = CLIPConfig
    architecture: Any = CLIPModel
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(7)
        model = architecture(
            config(text_config=text, vision_config=vision, projection_dim=DIMENSIONS)
        )
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(WEIGHT_SCALE)
    return model.eval()
