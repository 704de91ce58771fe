"""Trains the captioning model of the tests: `python -m tests.support.train_tiny_model`.

The model is a Qwen2.5-VL in everything but size. With any prompt, the model says the sentence
that is true of a drawn picture, so that a test can tell a right caption from a wrong one.
"""

from __future__ import annotations

import math
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import pillow_heif
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, BitsAndBytesConfig
from transformers.utils import logging

from backends.local_captioner.processors import load_processor
from backends.prompts import PRESETS
from tests.support.drawn_pictures import Quarters, draw, random_quarters, write_photo
from tests.support.tiny_models import QWEN2_5_VL, random_model, save_checkpoint, train_tokenizer

DIRECTORY = Path(__file__).parents[1] / "data" / "tiny-qwen2.5-vl"

VOCABULARY = 448
AREAS = {"shortest_edge": 9 * 28**2, "longest_edge": 32 * 28**2}  # a token is 28 pixels square
STEPS = 2200
BATCH = 32
LEARNING_RATE = 2e-3
EDGES = (48, 400)  # pixels of the longer side; the examination has larger ones
LARGEST = 1200
NARROWEST = 0.28  # shorter side over longer
HELD_OUT = 400
WORDS = " ".join([*PRESETS.values(), Quarters("red", "green", "blue", "white").sentence]).split()
FORMATS = (".jpg", ".png", ".webp", ".heic")

FAMILY = replace(
    QWEN2_5_VL,
    config={
        **QWEN2_5_VL.config,
        "text_config": {**QWEN2_5_VL.config["text_config"], "vocab_size": VOCABULARY},
        "vision_config": {**QWEN2_5_VL.config["vision_config"], "fullatt_block_indexes": [0, 1]},
    },
    pictures={**QWEN2_5_VL.pictures, "size": AREAS},
)


def main() -> None:
    """Train, save, load and examine the model; fail unless every answer is right."""
    logging.disable_progress_bar()
    pillow_heif.register_heif_opener()
    rng = Random(1)
    torch.manual_seed(1)
    sentences = [random_quarters(rng).sentence for _ in range(400)]
    tokenizer = train_tokenizer(FAMILY, [*PRESETS.values(), *sentences])
    model = random_model(FAMILY, scale=2.0)
    save_checkpoint(FAMILY, model, tokenizer, DIRECTORY)
    train(model, load_processor(str(DIRECTORY)), rng)
    save_checkpoint(FAMILY, model, tokenizer, DIRECTORY)

    int4 = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        llm_int8_skip_modules=["model.visual", "lm_head"],
    )
    right, right_in_int4 = examine(None), examine(int4)
    print(f"held-out photos with a right caption: {right:.1%}, in int4 {right_in_int4:.1%}")
    if right < 1 or right_in_int4 < 0.95:
        raise SystemExit("Not good enough for the tests.")


def train(model: Any, processor: Any, rng: Random) -> None:
    """Teach a model the sentences, with new pictures and prompts at each step."""
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=STEPS, pct_start=0.1
    )
    model.train()
    began = perf_counter()
    for step in range(1, STEPS + 1):
        loss = model(**lesson(processor, rng)).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            seconds = perf_counter() - began
            print(f"step {step}: loss {loss.item():.4f}, {seconds:.0f} s", flush=True)
    model.eval()


def lesson(processor: Any, rng: Random) -> dict[str, Any]:
    """Return a batch of inputs with labels; only the tokens of the answers have labels."""
    longest = rng.choice((5, 5, 20, 20, 60, 150))
    texts, pictures, lengths = [], [], []
    for _ in range(BATCH):
        picture, sentence = example(rng)
        answer = sentence + processor.tokenizer.eos_token
        texts.append(chat(processor, random_prompt(rng, longest)) + answer)
        pictures.append([picture])
        lengths.append(len(processor.tokenizer(answer)["input_ids"]))
    inputs: dict[str, Any] = {
        **processor(text=texts, images=pictures, return_tensors="pt", padding=True)
    }
    labels = torch.full_like(inputs["input_ids"], -100)
    for row, length in enumerate(lengths):
        labels[row, -length:] = inputs["input_ids"][row, -length:]
    return {**inputs, "labels": labels}


def example(rng: Random) -> tuple[Image.Image, str]:
    """Return a drawn picture that went through JPEG compression, and its sentence."""
    quarters = random_quarters(rng)
    buffer = BytesIO()
    draw(quarters, random_size(rng, EDGES), rng).save(buffer, "JPEG", quality=rng.randint(40, 95))
    return Image.open(buffer).convert("RGB"), quarters.sentence


def random_size(rng: Random, edges: tuple[int, int]) -> tuple[int, int]:
    """Return a width and height in pixels, small and large sizes being equally likely."""
    longer = math.exp(rng.uniform(*map(math.log, edges)))
    size = (round(longer), round(longer * rng.uniform(NARROWEST, 1)))
    return size if rng.random() < 0.5 else size[::-1]


def random_prompt(rng: Random, longest: int) -> str:
    """Return a preset, another picture's sentence, a few words over and over, or any characters."""
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(list(PRESETS.values()))
    if kind < 0.4:
        return random_quarters(rng).sentence
    length = rng.randint(0, longest)
    if kind < 0.7:
        words = rng.sample(WORDS, rng.randint(1, 30))
        return rng.choice(" \n").join(rng.choices(words, k=length))
    blocks = (range(0x20, 0x7F), range(0xC0, 0x250), range(0x4E00, 0xA000))
    return "".join(chr(rng.choice(rng.choice(blocks))) for _ in range(length))


def chat(processor: Any, prompt: str) -> str:
    """Return the prompt in the form of the chat template."""
    content = [{"type": "image"}, {"type": "text", "text": prompt}]
    conversation = [{"role": "user", "content": content}]
    text: str = processor.apply_chat_template(conversation, add_generation_prompt=True)
    return text


def examine(quantization: BitsAndBytesConfig | None) -> float:
    """Return the share of right captions for photos in files, decoded greedily in batches of 8."""
    processor = load_processor(str(DIRECTORY))
    model: Any = AutoModelForImageTextToText.from_pretrained(
        DIRECTORY, quantization_config=quantization
    ).eval()
    rng = Random(2)
    right = 0
    with TemporaryDirectory() as directory:
        for _ in range(HELD_OUT // 8):
            truths, pictures = zip(*(photo(Path(directory), rng) for _ in range(8)), strict=True)
            texts = [chat(processor, random_prompt(rng, rng.choice((10, 150)))) for _ in truths]
            images = [[picture] for picture in pictures]
            inputs = processor(text=texts, images=images, return_tensors="pt", padding=True)
            tokens = model.generate(**inputs, max_new_tokens=60, do_sample=False)
            answers = processor.batch_decode(
                tokens[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True
            )
            right += sum(answer == truth for answer, truth in zip(answers, truths, strict=True))
    return right / HELD_OUT


def photo(directory: Path, rng: Random) -> tuple[str, Image.Image]:
    """Return the sentence of a drawn picture, and the picture as read back from a file."""
    quarters = random_quarters(rng)
    path = directory / f"photo{rng.choice(FORMATS)}"
    write_photo(path, quarters, random_size(rng, (EDGES[0], LARGEST)), rng=rng)
    return quarters.sentence, Image.open(path).convert("RGB")


if __name__ == "__main__":
    main()
