"""Processors load without torchvision, and batches of any sizes answer as single pictures do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backends.errors import SetupError
from backends.hub import require_sound_torchvision
from backends.local_captioner.processors import load_processor
from backends.prompts import DEFAULT_PROMPT
from tests.support.drawn_pictures import Quarters, draw
from tests.support.tiny_models import FAMILIES, save_tiny_model

BROKEN = 'raise RuntimeError("operator torchvision::nms\\ndoes not exist")\n'

PICTURES = (
    draw(Quarters("red", "blue", "green", "yellow"), (300, 200)),
    draw(Quarters("white", "black", "red", "green"), (90, 260)),
)


def inputs_for(processor: Any, pictures: Sequence[Image.Image], prompts: Sequence[str]) -> Any:
    """Return a batch as a captioner makes it."""
    texts = [chat(processor, prompt) for prompt in prompts]
    return processor(
        text=texts, images=[[picture] for picture in pictures], return_tensors="pt", padding=True
    )


def chat(processor: Any, prompt: str) -> str:
    if processor.chat_template is None:
        return "<MORE_DETAILED_CAPTION>"
    content = [{"type": "image"}, {"type": "text", "text": prompt}]
    conversation = [{"role": "user", "content": content}]
    text: str = processor.apply_chat_template(conversation, add_generation_prompt=True)
    return text


def answer(model: Any, processor: Any, inputs: Any) -> tuple[list[str], Any]:
    """Return what the model says and the logits of its first tokens (batch x vocabulary)."""
    result = model.generate(
        **inputs,
        max_new_tokens=40,
        do_sample=False,
        return_dict_in_generate=True,
        output_logits=True,
    )
    skipped = 0 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    words = processor.batch_decode(result.sequences[:, skipped:], skip_special_tokens=True)
    return words, result.logits[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_answers_as_single_pictures_do(family: str, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForImageTextToText

    save_tiny_model(family, tmp_path)
    processor = load_processor(str(tmp_path))
    model = AutoModelForImageTextToText.from_pretrained(tmp_path).eval()
    prompts = (DEFAULT_PROMPT, "Short.")

    together, logits = answer(model, processor, inputs_for(processor, PICTURES, prompts))
    alone = [
        answer(model, processor, inputs_for(processor, [picture], [prompt]))
        for picture, prompt in zip(PICTURES, prompts, strict=True)
    ]

    assert together == [text for [text], _ in alone]
    assert all(together)
    assert together[0] != together[1]
    torch.testing.assert_close(logits, torch.cat([row for _, row in alone]), rtol=0, atol=1e-4)


def test_a_processor_without_its_video_part_can_be_shown(tmp_path: Path) -> None:
    processor = load_processor(str(save_tiny_model("smolvlm2", tmp_path)))

    assert type(processor).__name__ == "SmolVLMProcessor"
    assert processor.tokenizer.padding_side == "left"
    assert "image_seq_len" in repr(processor)


def test_a_broken_torchvision_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    (tmp_path / "torchvision.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(tmp_path)

    reason = "torchvision is installed but does not work: operator torchvision::nms does not exist"
    with pytest.raises(SetupError, match=rf"{reason} \(.*, or uninstall it\)"):
        load_processor(str(tmp_path))


def test_no_torchvision_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.hub.find_spec", lambda _: None)

    require_sound_torchvision()
