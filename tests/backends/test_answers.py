"""Is this a caption?"""

from __future__ import annotations

import pytest

from backends import answers
from backends.base import Caption


@pytest.mark.parametrize(
    "text",
    [
        "A family at a dinner table.",
        "Two men, sorry-looking in the rain, cannot find the bus.",
        "A sign says: I can't help falling in love.",
        "Ha ha ha! Three clowns laugh.",
        "红色的汽车停在街道上。",
        "A very, very, very, very long road.",
        "No, no, no, no, no, no! says the sign.",
    ],
)
def test_captions_are_captions(text: str) -> None:
    assert answers.fault(Caption(text=text)) is None


@pytest.mark.parametrize("text", ["", "  \n\t ", "\u00a0"])
def test_empty_answers_are_none(text: str) -> None:
    assert str(answers.fault(Caption(text=text))) == "empty answer"


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that request.",
        "I’m very sorry, I cannot help with identifying people.",
        "Sorry, I can't provide a description of this image.",
        "I cannot view images directly.",
        "I'm unable to describe this picture.",
        "As an AI language model, I am not able to see images.",
        "Unfortunately, I can't analyze this photo.",
        "I apologize, but I can't identify anyone here.",
    ],
)
def test_refusals_in_words_are_refusals(text: str) -> None:
    fault = answers.fault(Caption(text=text))
    assert fault is not None
    assert str(fault).startswith("refused: ")


def test_refusal_the_provider_reports_is_one_whatever_its_words() -> None:
    fault = answers.fault(Caption(text="", ended="refused"))
    assert str(fault) == "refused: no reason given"


def test_answer_cut_off_at_the_limit_is_no_caption() -> None:
    fault = answers.fault(Caption(text="A long", ended="length"))
    assert "cut off at the token limit" in str(fault)


@pytest.mark.parametrize(
    "text",
    [
        "the cat " * 6,
        "A dog. " + "and a dog and a cat and a bird " * 5,
        "snow " * 8,
        "!" * 40,
        "哈" * 40,
        "abc" * 30,
        "A man is standing in front of the house. " * 12,
    ],
)
def test_endless_repetition_is_no_caption(text: str) -> None:
    assert "endless repetition" in str(answers.fault(Caption(text=text)))


def test_a_megabyte_of_text_is_no_caption() -> None:
    words = " ".join(f"word{number}" for number in range(120_000))
    assert "characters" in str(answers.fault(Caption(text=words)))
