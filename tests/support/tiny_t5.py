"""A tokenizer like that of T5, but trained on a few captions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PAD, END, UNKNOWN = "<pad>", "</s>", "<unk>"
SENTINELS = 4  # `<extra_id_0>` and so on

CAPTIONS = (
    "A red bicycle leans on a brick wall in the morning sun.",
    "A plate of pasta with basil on a wooden table, seen from above.",
    "Two cats asleep on a grey sofa; a third one looks out of the window.",
    "A blue car is parked in a narrow street between old houses.",
    "The quick brown fox jumps over the lazy dog, 0123456789 times!",
)


def save_tiny_t5(directory: Path) -> Path:
    """Write a tokenizer in the form of checkpoints on the hub, and return the directory."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import T5Tokenizer

    bare = Tokenizer(models.Unigram())
    bare.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    special = [PAD, END, UNKNOWN]
    trainer = trainers.UnigramTrainer(
        vocab_size=150, special_tokens=special, unk_token=UNKNOWN, show_progress=False
    )
    bare.train_from_iterator(CAPTIONS, trainer)
    words = [(word, score) for word, score in json.loads(bare.to_str())["model"]["vocab"]]
    tokenizer: Any = T5Tokenizer
    tokenizer(vocab=words, extra_ids=SENTINELS, model_max_length=512).save_pretrained(directory)
    return directory
