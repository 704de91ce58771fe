"""Is this a caption?"""

from __future__ import annotations

import pytest

from backends import answers
from backends.answers import marks
from backends.base import Caption, Ended
from backends.errors import AnswerError


def why_not(text: str, ended: Ended = "whole", tokens_out: int | None = None) -> AnswerError:
    """Return why an answer is no caption; it has to be none."""
    with pytest.raises(AnswerError) as caught:
        answers.read(Caption(text=text, ended=ended, tokens_out=tokens_out))
    return caught.value


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
        "I ♥ you, 1 < 2 and <3 stand on a wall.",
        "I cannot identify the bird, but it has a red beak and sits on a fence.",
        "There is no picture on the wall behind the couple.",
    ],
)
def test_captions_are_captions_as_they_stand(text: str) -> None:
    assert answers.read(Caption(text=text)) == text


def test_what_shows_nothing_around_a_caption_is_taken_off() -> None:
    assert answers.read(Caption(text="\u200b\ufeff  A dog.\n\u2060 ")) == "A dog."


@pytest.mark.parametrize("text", ["", "  \n\t ", "\u00a0", "\u200b\u200d\ufeff", "\u3164", "\x00"])
def test_answers_that_show_nothing_are_empty(text: str) -> None:
    error = why_not(text)
    assert str(error) == "empty answer"
    assert not error.blames_photo


@pytest.mark.parametrize("text", ["!", "...", "—", "👍", "{}", "null", "N/A", '{"caption": ""}'])
def test_answers_without_a_word_are_empty(text: str) -> None:
    error = why_not(text)
    assert str(error).startswith("empty answer")
    assert not error.blames_photo


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that request.",
        "I’m very sorry, I cannot help with identifying people.",
        "Sorry, I can't provide a description of this image.",
        "I'm unable to describe this picture.",
        "Unfortunately, I can't analyze this photo.",
        "I apologize, but I can't identify anyone here.",
    ],
)
def test_refusals_in_words_are_refusals(text: str) -> None:
    error = why_not(text)
    assert str(error) == f"refused: {text}"
    assert error.blames_photo


@pytest.mark.parametrize(
    "text",
    [
        "I cannot view images directly.",
        "As an AI language model, I am not able to see images.",
        "I don't see an image. Please provide the image.",
        "You haven't provided an image, so I can't describe it.",
        "Ich kann leider keine Bilder sehen.",
        "抱歉，我无法查看图片。",
    ],
)
def test_a_model_that_sees_no_image_is_not_the_fault_of_the_photo(text: str) -> None:
    error = why_not(text)
    assert "the model says that it sees no image" in str(error)
    assert not error.blames_photo


def test_refusal_the_provider_reports_is_one_whatever_its_words() -> None:
    assert str(why_not("", ended="refused")) == "refused: no reason given"


def test_answer_cut_off_at_the_limit_is_no_caption() -> None:
    error = why_not("A long", ended="length")
    assert str(error) == "cut off at the token limit: A long"
    assert not error.blames_photo


def test_answer_that_used_its_tokens_before_any_caption_is_not_just_empty() -> None:
    error = why_not("", ended="length", tokens_out=300)
    assert str(error) == (
        "cut off at the token limit: it used all 300 of its tokens before any caption came"
    )
    assert not error.blames_photo


@pytest.mark.parametrize("ended", ["whole", "length"])
def test_reasoning_that_never_ends_is_an_answer_cut_off(ended: Ended) -> None:
    error = why_not("<think>The user wants a caption. Let me look", ended=ended)
    assert "cut off" in str(error)
    assert "while thinking" in str(error)
    assert not error.blames_photo


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
        "一只狗和一只猫坐在长椅上，" * 6,
    ],
)
def test_endless_repetition_is_no_caption(text: str) -> None:
    error = why_not(text)
    assert "endless repetition" in str(error)
    assert error.blames_photo


def test_signs_in_photos_may_repeat_words() -> None:
    text = 'A wall is painted with "no no no no no no no no no no no no no no".'
    assert answers.read(Caption(text=text)) == text


def test_a_megabyte_of_text_is_no_caption() -> None:
    error = why_not(" ".join(f"word{number}" for number in range(120_000)))
    assert "characters" in str(error)
    assert error.blames_photo


@pytest.mark.parametrize(
    "piece",
    ["<", "<think>", "</think>", "<|channel|> ", "< ", '"<think>" ', "[INST]", "USER:", "\ud800"],
)
def test_a_megabyte_of_marks_is_judged_like_any_answer(piece: str) -> None:
    why_not(piece * (1_000_000 // len(piece)))


def test_reasoning_may_be_longer_than_any_caption() -> None:
    text = f"<think>{'So I look at the dog. ' * 40_000}</think>A dog."
    assert answers.read(Caption(text=text)) == "A dog."


def test_broken_text_is_mended() -> None:
    assert (
        answers.read(Caption(text="A \x00dog\ud800 \ud83d\ude00 smiles."))
        == "A dog\ufffd 😀 smiles."
    )


@pytest.mark.parametrize(
    "text",
    [
        "A slide says that models write <think> and </think> around their thoughts.",
        "A T-shirt with the word <think>.",
        'A terminal shows "<|im_end|>" in green letters.',
        "I think, therefore I <3 chess, says a poster.",
    ],
)
def test_marks_that_a_caption_mentions_stay(text: str) -> None:
    assert answers.read(Caption(text=text)) == text


@pytest.mark.parametrize(
    "token", ["<|channel|>", "[THINK]", "</think>", "<|im_end|>", "<channel|>"]
)
def test_tokens_that_tell_thinking_from_saying_are_known(token: str) -> None:
    assert marks.tells(token)


@pytest.mark.parametrize("token", ["<pad>", "<s>", "<image>", "<|image_pad|>", "<loc_12>", "[CLS]"])
def test_tokens_that_mean_nothing_may_be_dropped(token: str) -> None:
    assert not marks.tells(token)


@pytest.mark.parametrize(
    "text",
    [
        "Describe this photo in one or two sentences.",
        "The user wants a short caption. I need to look at the main subject first",
        "Sure, here is a description of the photo:",
        "[image]",
        "Error: rate limit exceeded. Please retry after 20 seconds.",
    ],
)
def test_talk_is_no_caption_and_not_the_fault_of_the_photo(text: str) -> None:
    error = why_not(text)
    assert str(error) == f"no caption: {text}"
    assert not error.blames_photo


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "view_image", "arguments": {"id": 1}}',
        '{"error": "model not found, try pulling it first"}',
        "<html><body><h1>504 Gateway Time-out</h1></body></html>",
        'Traceback (most recent call last):\n  File "a.py", line 8\nKeyError: 7',
        'from PIL import Image\nimg = Image.open("photo.jpg")\nimg.show()',
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
        "https://example.com/photos/beach",
        "Ð¡Ð¾Ð±Ð°ÐºÐ° Ð½Ð° Ð¿Ð»Ñ\u008fÐ¶Ðµ",
    ],
)
def test_what_programs_write_is_no_caption(text: str) -> None:
    error = why_not(text)
    assert str(error).startswith("no caption")
    assert not error.blames_photo


def test_a_caption_beside_the_keys_of_a_call_is_one() -> None:
    answer = '{"input": "photo.jpg", "caption": "A dog runs."}'
    assert answers.read(Caption(text=answer)) == "A dog runs."


@pytest.mark.parametrize("text", ["The", "A man in front of a", "A cat, a dog and"])
def test_answer_that_ends_in_the_middle_of_a_sentence_is_cut_off(text: str) -> None:
    assert str(why_not(text)) == f"cut off in a sentence: {text}"


@pytest.mark.parametrize(
    ("refusal", "caption"),
    [
        ("عذرًا، لا أستطيع وصف هذه الصورة.", "أرى كلباً على الشاطئ."),
        ("क्षमा करें, मैं इस तस्वीर का वर्णन नहीं कर सकता।", "तस्वीर में एक कुत्ता दिख रहा है।"),
        ("Tyvärr kan jag inte beskriva bilden.", "Jag ser en hund."),
        ("ขออภัย ฉันไม่สามารถอธิบายภาพนี้ได้", "แมวนอนบนโซฟา"),
    ],
)
def test_languages_of_few_words_are_known(refusal: str, caption: str) -> None:
    assert str(why_not(refusal)).startswith("refused")
    assert answers.read(Caption(text=caption)) == caption


@pytest.mark.parametrize(
    "text",
    [
        "A dog on a couch. Let me know if you need more detail.",
        "I'm not able to read the sign, but a group of hikers stands beneath it.",
        'A screenshot of a chat with the reply "I can\'t help with that."',
        "A placeholder graphic with the words “No image available”.",
    ],
)
def test_captions_may_speak_of_talk(text: str) -> None:
    assert answers.read(Caption(text=text)) == text


@pytest.mark.parametrize("text", ["provide a ", '"a ', "' x", "a an the, so ", "图", "? "])
def test_long_answers_are_judged_at_once(text: str) -> None:
    with pytest.raises(AnswerError):
        answers.read(Caption(text=text * (9_000 // len(text))))
