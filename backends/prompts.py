"""The default prompt, and prompts by name for the purposes that captions are made for."""

from __future__ import annotations

DEFAULT_PROMPT = (
    "Describe this photo in one or two sentences: "
    "the main subject, the setting, and what is happening."
)
"""What is asked of every photo unless a prompt is named; a change makes older captions stale."""

PRESETS = {
    "archive": DEFAULT_PROMPT,
    "alt text": (
        "Write alt text for this photo: one sentence of at most 125 characters that tells "
        "someone who cannot see it what it shows. Do not begin with 'Photo of'."
    ),
    "training caption": (
        "Describe this image in one dense sentence for training an image generator: subject, "
        "action, setting, composition, light, colours and style. State only what is visible."
    ),
    "keywords": (
        "List 8 to 15 keywords for this photo, comma-separated, in lower case, the most "
        "important first: subjects, activity, place, season, mood, colours."
    ),
}


def preset_of(prompt: str) -> str | None:
    """Return the name of the preset with this prompt, None if the prompt is the user's own."""
    return next((name for name, text in PRESETS.items() if text == prompt), None)
