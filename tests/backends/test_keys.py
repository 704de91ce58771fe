"""Keys stay out of every text we write."""

from __future__ import annotations

import pytest

from backends.keys import remember, scrub


def test_known_key_is_scrubbed_wherever_it_stands() -> None:
    remember("canary-4711-secret")
    assert scrub("x canary-4711-secret y canary-4711-secret") == "x [key] y [key]"


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abc***wxyz.",
        "bad key xai-0123456789abcdef",
        "key=AIzaSyA-1234567890_abcdefghijklmnopqrs",
        "header was Bearer abc.def-123456",
    ],
)
def test_what_looks_like_a_key_is_scrubbed(text: str) -> None:
    assert "[key]" in scrub(text)
    assert not any(part in scrub(text) for part in ("wxyz", "0123456789", "1234567890", "123456"))


def test_ordinary_text_stays() -> None:
    text = "A bearer of news walks a task-oriented path; sk- is no key."
    assert scrub(text) == text
