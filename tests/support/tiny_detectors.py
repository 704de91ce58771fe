"""Detectors and a SigLIP with some thousand random weights, saved like real checkpoints.

The findings have no meaning, but depend on every word and on every part of the picture.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from tests.support.tiny_clip import tiny_tokenizer

Owl = Literal["owlv2", "owlvit"]

EDGE = 48  # pixels
PROMPT_TOKENS = 24
WIDTH = 16  # length of an embedding of the SigLIP

LAYERS = {
    "hidden_size": WIDTH,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


def save_tiny_owl(directory: Path, family: Owl) -> Path:
    """Write an OWL with its tokenizer and picture processor and return the directory."""
    from transformers import (
        Owlv2Config,
        Owlv2ForObjectDetection,
        OwlViTConfig,
        OwlViTForObjectDetection,
    )
    from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil
    from transformers.models.owlvit.image_processing_pil_owlvit import OwlViTImageProcessorPil

    new = family == "owlv2"
    config: Any = Owlv2Config if new else OwlViTConfig
    architecture: Any = Owlv2ForObjectDetection if new else OwlViTForObjectDetection
    processor: Any = Owlv2ImageProcessorPil if new else OwlViTImageProcessorPil
    tokenizer = tiny_tokenizer()
    text = {
        **LAYERS,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 24,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {**LAYERS, "image_size": EDGE, "patch_size": EDGE // 6}
    made = config(text_config=text, vision_config=vision, projection_dim=WIDTH)
    _save(architecture, made, directory)
    tokenizer.save_pretrained(directory)
    processor(size={"height": EDGE, "width": EDGE}).save_pretrained(directory)
    return directory


def save_tiny_grounding_dino(directory: Path) -> Path:
    """Write a Grounding DINO with its tokenizer and picture processor and return the directory."""
    from transformers import (
        BertConfig,
        BertTokenizer,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        SwinConfig,
    )
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
        GroundingDinoImageProcessorPil,
    )

    words = _bert_words()
    text: Any = BertConfig(**LAYERS, vocab_size=len(words))
    backbone: Any = SwinConfig(
        image_size=64,
        window_size=4,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 1, 2, 2],
        out_features=["stage2", "stage3", "stage4"],
    )
    config: Any = GroundingDinoConfig
    made = config(
        backbone_config=backbone,
        text_config=text,
        d_model=64,
        encoder_layers=1,
        encoder_ffn_dim=32,
        encoder_attention_heads=2,
        decoder_layers=2,
        decoder_ffn_dim=32,
        decoder_attention_heads=2,
        num_queries=20,
        max_text_len=PROMPT_TOKENS,
    )
    _save(GroundingDinoForObjectDetection, made, directory)
    tokenizer: Any = BertTokenizer
    tokenizer(vocab={word: place for place, word in enumerate(words)}).save_pretrained(directory)
    pictures: Any = GroundingDinoImageProcessorPil
    pictures(size={"shortest_edge": 64, "longest_edge": 96}).save_pretrained(directory)
    return directory


def _bert_words() -> list[str]:
    """Return a vocabulary whose special tokens have the ids that the architecture expects."""
    special = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]"}
    special |= {1012: ".", 1029: "?"}
    words = [special.get(place, f"[unused{place}]") for place in range(1030)]
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    whole = ["dog", "traffic", "light", "sign", "cat", "red", "blue", "-", "[", "]"]
    return [*words, *whole, *letters, *("##" + letter for letter in letters)]


def save_tiny_siglip(directory: Path) -> Path:
    """Write a SigLIP like the repositories of its authors: `tokenizer.json`, no sentencepiece."""
    from transformers import SiglipConfig, SiglipModel
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    vision = {**LAYERS, "image_size": EDGE, "patch_size": EDGE // 4}
    text = {
        **LAYERS,
        "vocab_size": 300,
        "max_position_embeddings": 32,
        "projection_size": WIDTH,
        "bos_token_id": 1,
        "eos_token_id": 1,
        "pad_token_id": 1,
    }
    config: Any = SiglipConfig
    _save(SiglipModel, config(text_config=text, vision_config=vision), directory)
    _save_unigram(directory)
    pictures: Any = SiglipImageProcessorPil
    pictures(size={"height": EDGE, "width": EDGE}).save_pretrained(directory)
    return directory


def _save_unigram(directory: Path) -> None:
    """Write a tokenizer that spells words in lower-case letters, as the tokenizer of SigLIP 2."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(chr(code), -3.0) for code in range(ord("a"), ord("z") + 1)]
    pieces += [(f"▁{word}", -4.0) for word in ("this", "is", "a", "photo", "of", "dog", "red")]
    tokenizer: Any = Tokenizer(models.Unigram(pieces, unk_id=2))
    parts = [normalizers.Replace(Regex("[.,!?-]"), ""), normalizers.Strip()]
    tokenizer.normalizer = normalizers.Sequence(parts)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    tokenizer.save(str(directory / "tokenizer.json"))
    settings = {
        "tokenizer_class": "SiglipTokenizer",
        "pad_token": "</s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "model_max_length": 32,
    }
    (directory / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")


def _save(architecture: Any, config: Any, directory: Path) -> None:
    """Save a model with random weights, the same at each call.

    The weights are drawn again, because with the default initialisation of the architectures
    the output hardly depends on the input.
    """
    import torch

    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(7)
        model = architecture(config)
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.normal_(std=weight[0].numel() ** -0.5)
            elif name in ("logit_scale", "logit_bias"):  # parameters of a SigLIP
                weight.fill_(2 if name == "logit_scale" else -3)
    model.eval().save_pretrained(directory)
