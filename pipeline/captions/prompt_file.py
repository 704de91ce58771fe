"""Prompts: a record holds a short hash, and `prompts.json` the text of each prompt once."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from blake3 import blake3

from journal import UNREADABLE, atomic_rewrite


def prompt_hash(text: str) -> str:
    """Return the 12 hexadecimal digits by which records name a prompt."""
    return blake3(text.encode()).hexdigest()[:12]


def read_prompts(workspace: Path) -> dict[str, str]:
    """Return the texts of all prompts used in a workspace, by hash.

    A file that cannot be read is ignored, because the next prompt makes a new file.
    """
    path = workspace / "prompts.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except UNREADABLE:
        path.rename(path.with_name(f"{path.name}.damaged-{os.urandom(2).hex()}"))
        return {}


def keep_prompt(workspace: Path, text: str) -> str:
    """Add the text of a prompt to `prompts.json` if it is missing there, and return its hash."""
    prompts = read_prompts(workspace)
    short = prompt_hash(text)
    if prompts.get(short) != text:
        prompts[short] = text
        data = msgspec.json.format(msgspec.json.encode(prompts)) + b"\n"
        with atomic_rewrite(workspace / "prompts.json", needed=len(data)) as file:
            file.write(data)
    return short
