"""What stands around a caption: fences, JSON, boxes, tags, labels."""

from __future__ import annotations

import re
from typing import Any

import msgspec

LAYERS = 4
"""How many wrappings within each other are taken off."""

TEXT_KEYS = (
    *("caption", "image_caption", "final_caption", "photo_caption", "description"),
    *("image_description", "alt_text", "alttext", "alt", "text", "final_answer", "answer"),
    *("response", "output", "result", "content", "summary"),
)
"""Keys of an object that name the one obvious text, the most obvious first."""

_FENCE = re.compile(
    r"(?:```|~~~)[ \t]*([\w+-]{0,20})[ \t]*\n?(.*?)(?:\n?(?:```|~~~)|\Z)", re.DOTALL
)
_LOOSE_OBJECT = re.compile(
    r"\{\s*['\"]?(?:caption|description|text|alt_text)['\"]?\s*:\s*(['\"])(.*)\1\s*,?\s*\}",
    re.DOTALL | re.IGNORECASE,
)
"""An object that is no JSON, such as one in the single quotes of Python."""

_TAGGED = re.compile(
    r"<(caption|description|alt_text|output|text|final|result|p|b|i)>(.*)</\1>",
    re.DOTALL | re.IGNORECASE,
)
_BOX = re.compile(r"<\|begin_of_box\|>(.*?)(?:<\|end_of_box\|>|\Z)", re.DOTALL)
_BOX_TOKEN = re.compile(r"<\|(?:begin|end)_of_box\|>")
_BOXED = re.compile(r"\\boxed\s?\{")
_LATEX_TEXT = re.compile(r"\\(?:text|textbf|mathrm)\s?\{([^{}]*)\}")
_LEADS_IN = re.compile(
    r"(?:[:：]|\b(?:is|answer|caption|description))[\s$*\\\[(]*\Z", re.IGNORECASE
)
_MATHS = " \n\t$.\\[]()*"

_WORD_OF_LABEL = r"(?:caption|description|alt[ -]?text|answer|output|response)"
_LABEL = re.compile(
    r"\W{0,4}(?:(?:final|image|photo|picture|suggested|short|brief)\s)?"
    r"(?:caption|description|alt[ -]?text|answer)\**\s?[:：]\**\s+(?=\S)",
    re.IGNORECASE,
)
_ANOTHER_LABEL = re.compile(r"\n\W{0,4}\w[\w ]{0,30}\**[:：]")
_PREFACE = re.compile(
    r"(?:(?:sure|certainly|of course|absolutely|okay|ok)\b[!,. ]{0,3})?"
    r"here(?:'s|’s| is| are)\b"
    r"(?![^\n:]{0,200}\b(?:if|might|could|cannot|can't|tips|steps|rules|how)\b)[^\n:]{0,100}"
    rf"\b{_WORD_OF_LABEL}s?\b[^\n:]{{0,100}}:\s+(?=\S)",
    re.IGNORECASE,
)
_REASONING_LABEL = re.compile(
    r"\W{0,4}(?:thinking(?: process)?|reasoning|thoughts?(?: process)?|rationale)\**\s?:",
    re.IGNORECASE,
)
_FINAL_LABEL = re.compile(
    rf"^\W{{0,4}}(?:final\s)?{_WORD_OF_LABEL}\**\s?:\**\s*", re.IGNORECASE | re.MULTILINE
)


def unwrapped(text: str) -> str:
    """Return the caption within a text of modest length; a text that wraps nothing as it is."""
    for _ in range(LAYERS):
        before = text = text.strip()
        for take_off in (_box, _boxed, _tags, _fence, _object, _label):
            text = take_off(text).strip()
        if text == before:
            break
    return text


def _box(text: str) -> str:
    """Take the text out of the box of GLM; a box within a sentence loses its tokens alone."""
    found = _BOX.search(text)
    if found and not text[found.end() :].strip(_MATHS):
        before = text[: found.start()]
        if not before.strip() or _LEADS_IN.search(before):
            text = found[1]
    return _BOX_TOKEN.sub("", text)


def _boxed(text: str) -> str:
    r"""Take the text out of a `\boxed{}` that ends the answer."""
    found = _BOXED.search(text)
    if found is None:
        return text
    depth, end = 1, found.end()
    while end < len(text) and depth:
        depth += (text[end] == "{") - (text[end] == "}")
        end += 1
    before, after = text[: found.start()], text[end:]
    if after.strip(_MATHS) or not (not before.strip(_MATHS) or _LEADS_IN.search(before)):
        return text
    inner = text[found.end() : end - (depth == 0)]
    return _LATEX_TEXT.sub(r"\1", inner)


def _tags(text: str) -> str:
    found = _TAGGED.fullmatch(text)
    return found[2] if found else text


def _fence(text: str) -> str:
    """Take a text out of its fence; out of a fence within a text, only an object's caption."""
    if "```" not in text and "~~~" not in text:
        return text
    whole = _FENCE.fullmatch(text)
    if whole and "```" not in whole[2]:
        return whole[2]
    fences = list(_FENCE.finditer(text))
    if len(fences) == 1 and (inner := fences[0][2].strip()).startswith(("{", "[")):
        caption = _object(inner)
        return text if caption == inner else caption
    return text


def _object(text: str) -> str:
    """Take the one obvious text out of a JSON object."""
    if not text.startswith(("{", "[")):
        return text
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        loose = _LOOSE_OBJECT.fullmatch(text)
        return loose[2] if loose else text
    obvious = _obvious(value)
    return text if obvious is None else obvious


def _obvious(value: Any, depth: int = 0) -> str | None:
    if isinstance(value, str) and depth:
        return value
    if depth > LAYERS or not isinstance(value, dict | list):
        return None
    if isinstance(value, list):
        return _obvious(value[0], depth + 1) if len(value) == 1 else None
    by_key = {str(key).lower().replace(" ", "_"): inner for key, inner in value.items()}
    for key in TEXT_KEYS:
        if key in by_key:
            inner = by_key[key]
            return "" if inner is None else _obvious(inner, depth + 1)
    return _obvious(next(iter(by_key.values())), depth + 1) if len(by_key) == 1 else None


def _label(text: str) -> str:
    """Take off a label or a preface such as `Caption:`, and reasoning that stands under a label."""
    if _REASONING_LABEL.match(text):
        finals = list(_FINAL_LABEL.finditer(text))
        return text[finals[-1].end() :] if finals else text
    if preface := _PREFACE.match(text):
        return text[preface.end() :]
    label = _LABEL.match(text)
    return text[label.end() :] if label and not _ANOTHER_LABEL.search(text) else text
