"""Models with a few hundred thousand random weights, saved like real checkpoints.

The captions make no sense, but depend on the picture, contain words and come to an end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.prompts import DEFAULT_PROMPT

WEIGHT_SCALE = 8.0  # with smaller weights, answers hardly depend on the picture
VOCABULARY = 312
WIDTH = 64
PATCH = 14  # pixels
TILE = 4 * PATCH

# Special tokens get the first ids, in the order of `Family.special_tokens`.
PAD, START, END, PICTURE = range(4)
IDS = {"pad_token_id": PAD, "bos_token_id": START, "eos_token_id": END}


@dataclass(frozen=True)
class Family:
    """The content of a checkpoint of one architecture, except for the weights.

    Attributes:
        model_type: Name of the architecture in Transformers.
        special_tokens: The tokens for padding, the start and the end of a text, and the
            picture, in this order; then others.
        named_tokens: Tokens that the processor looks up by name.
        config: Arguments of the configuration class.
        processor: Content of `processor_config.json`.
        pictures: Content of `preprocessor_config.json`.
        chat_template: The chat template, None if the model has no conversations.
    """

    model_type: str
    special_tokens: list[str]
    config: dict[str, Any]
    processor: dict[str, Any]
    pictures: dict[str, Any]
    named_tokens: dict[str, str] = field(default_factory=dict)
    chat_template: str | None = None


def save_tiny_model(family: str, directory: Path) -> Path:
    """Write a model of one of `FAMILIES` with all its files and return the directory."""
    kind = _FAMILIES[family]
    tokenizer = train_tokenizer(kind, [DEFAULT_PROMPT])
    model = random_model(kind, WEIGHT_SCALE)
    model.generation_config.update(**_to_the_point(tokenizer))
    save_checkpoint(kind, model, tokenizer, directory)
    return directory


def train_tokenizer(family: Family, texts: list[str]) -> Any:
    """Return a byte-level tokenizer with the words of the texts, which can spell any other word."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=family.config["text_config"]["vocab_size"],
        special_tokens=[*family.special_tokens, *family.named_tokens.values()],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bare.train_from_iterator(texts, trainer)
    pad, start, end, *others = family.special_tokens
    tokenizer: Any = PreTrainedTokenizerFast
    return tokenizer(
        tokenizer_object=bare,
        pad_token=pad,
        bos_token=start,
        eos_token=end,
        extra_special_tokens=family.named_tokens or others,
    )


def random_model(family: Family, scale: float) -> Any:
    """Return a model whose random weights are scaled by `scale`, the same at each call."""
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    config = AutoConfig.for_model(family.model_type, **family.config)
    architecture: Any = AutoModelForImageTextToText
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(7)
        model = architecture.from_config(config)
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(scale)
    return model.eval()


def save_checkpoint(family: Family, model: Any, tokenizer: Any, directory: Path) -> None:
    """Write a model with all its files, in the form of checkpoints on the hub."""
    model.generation_config.update(**IDS)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    settings = {"processor_config": family.processor, "preprocessor_config": family.pictures}
    for name, content in settings.items():
        (directory / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    if family.chat_template is not None:
        (directory / "chat_template.jinja").write_text(family.chat_template, "utf-8")


def _to_the_point(tokenizer: Any) -> dict[str, Any]:
    """Return generation settings with which random weights produce a few whole words."""
    unwanted = {token for token in tokenizer.get_vocab() if len(token) == 1}
    unwanted |= {*tokenizer.all_special_tokens} - {tokenizer.eos_token}
    return {
        "suppress_tokens": sorted(tokenizer.convert_tokens_to_ids(list(unwanted))),
        "repetition_penalty": 3.0,
        "exponential_decay_length_penalty": (6, 2.0),
    }


def _chat(start: str, picture: str, end: str) -> str:
    return (
        "{% for message in messages %}" + start + "{{ message['role'] }}\n"
        "{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}" + picture + "{% else %}{{ part['text'] }}{% endif %}"
        "{% endfor %}" + end + "\n{% endfor %}"
        "{% if add_generation_prompt %}" + start + "assistant\n{% endif %}"
    )


_SIZES = {
    "hidden_size": WIDTH,
    "intermediate_size": 2 * WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
_TEXT = {**_SIZES, "num_key_value_heads": 2, "vocab_size": VOCABULARY, **IDS}
_VISION = {**_SIZES, "image_size": TILE, "patch_size": PATCH}


def _qwen(model_type: str, name: str, **vision: Any) -> Family:
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]}
    own_names = {"num_hidden_layers": "depth", "num_attention_heads": "num_heads"}
    sizes = {own_names.get(key, key): size for key, size in _SIZES.items()}
    start, end, first, last = "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>"
    return Family(
        model_type,
        ["<|endoftext|>", start, end, "<|image_pad|>", "<|video_pad|>", first, last],
        config={
            "text_config": {**_TEXT, "head_dim": 16, "rope_parameters": rope},
            "vision_config": {**sizes, "patch_size": PATCH, "out_hidden_size": WIDTH, **vision},
            "image_token_id": PICTURE,
            "video_token_id": 4,
            "vision_start_token_id": 5,
            "vision_end_token_id": 6,
            "tie_word_embeddings": True,
        },
        processor={"processor_class": f"{name}Processor"},
        pictures={
            "image_processor_type": "Qwen2VLImageProcessor",
            "patch_size": PATCH,
            "size": {"shortest_edge": TILE**2, "longest_edge": 4 * TILE**2},  # areas
        },
        chat_template=_chat(start, f"{first}<|image_pad|>{last}", end),
    )


def _tiled(model_type: str, name: str, start: str, pad: str) -> Family:
    end = "<end_of_utterance>"
    frame = ["<fake_token_around_image>", "<global-img>"]
    places = [f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)]
    return Family(
        model_type,
        [pad, start, end, "<image>", *frame, *places],
        config={
            "text_config": {"model_type": "llama", **_TEXT},
            "vision_config": _VISION,
            "scale_factor": 2,
            "image_token_id": PICTURE,
        },
        processor={"processor_class": f"{name}Processor", "image_seq_len": 4},
        pictures={
            "image_processor_type": f"{name}ImageProcessor",
            "size": {"longest_edge": 2 * TILE},
            "max_image_size": {"longest_edge": TILE},
        },
        chat_template=_chat(start, "<image>", end),
    )


_INTERNVL = Family(
    "internvl",
    ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<IMG_CONTEXT>"],
    named_tokens={"context_image_token": "<IMG_CONTEXT>", "video_token": "<video>"}
    | {"start_image_token": "<img>", "end_image_token": "</img>"},
    config={
        "text_config": {**_TEXT, "model_type": "qwen2"},
        "vision_config": _VISION,
        "image_token_id": PICTURE,
        "image_seq_length": 4,
    },
    processor={"processor_class": "InternVLProcessor", "image_seq_length": 4},
    pictures={
        "image_processor_type": "GotOcr2ImageProcessor",
        "size": {"height": TILE, "width": TILE},
        "max_patches": 4,
    },
    chat_template=_chat("<|im_start|>", "<IMG_CONTEXT>\n", "<|im_end|>"),
)
_FLORENCE = Family(
    "florence2",
    ["<pad>", "<s>", "</s>", "<image>"],
    named_tokens={"image_token": "<image>"},
    config={
        "text_config": {
            "model_type": "bart",
            "vocab_size": VOCABULARY,
            "d_model": WIDTH,
            **{f"{side}_layers": 2 for side in ("encoder", "decoder")},
            **{f"{side}_ffn_dim": 2 * WIDTH for side in ("encoder", "decoder")},
            **IDS,
            "decoder_start_token_id": END,
        },
        "vision_config": {"embed_dim": (16, 16, 32, WIDTH), "projection_dim": WIDTH},
        "image_token_id": PICTURE,
        "tie_word_embeddings": False,  # or the random decoder repeats its input
    },
    processor={"processor_class": "Florence2Processor", "post_processor_config": {}},
    pictures={
        "image_processor_type": "CLIPImageProcessor",
        "size": {"height": 128, "width": 128},
        "do_center_crop": False,
        "image_seq_length": 17,
    },
)

QWEN2_5_VL = _qwen("qwen2_5_vl", "Qwen2_5_VL", window_size=TILE, fullatt_block_indexes=[1])
_FAMILIES = {
    "qwen2.5-vl": QWEN2_5_VL,
    "qwen3-vl": _qwen("qwen3_vl", "Qwen3VL", deepstack_visual_indexes=[0]),
    "smolvlm2": _tiled("smolvlm", "SmolVLM", "<|im_start|>", "<|im_end|>"),
    "florence-2": _FLORENCE,
    "internvl": _INTERNVL,
    "idefics3": _tiled("idefics3", "Idefics3", "<|begin_of_text|>", "<|end_of_text|>"),
}
FAMILIES = tuple(_FAMILIES)
