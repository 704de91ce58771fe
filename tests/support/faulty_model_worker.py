"""The model process, with a model that runs out of memory, dies, hangs or raises on request.

`PCC_TEST_FAULT` chooses the fault, as `kind` or `kind:number`. The process, its death, its
replacement and every caption are real.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import torch

from backends.base import MOST_TOKENS_OUT
from backends.local_captioner import generation, model_worker

KIND, _, NUMBER = os.environ.get("PCC_TEST_FAULT", "").partition(":")

_generate = generation.Generator._generate


def faulty_generate(self: Any, images: Any, most_tokens: int) -> Any:
    """Caption a batch, unless the chosen fault is due."""
    size = len(images)
    black = [image for image in images if image.getpixel((0, 0)) == (0, 0, 0)]
    if KIND == "memory" and size >= int(NUMBER):
        raise torch.OutOfMemoryError(f"CUDA out of memory at {size}")
    if KIND == "starve" and size >= int(NUMBER):
        os.kill(os.getpid(), signal.SIGKILL)
    if KIND == "die-once" and _first_time():
        os.kill(os.getpid(), signal.SIGKILL)
    if KIND == "die-of-black" and black:
        os.kill(os.getpid(), signal.SIGSEGV)
    if KIND == "lose-device-once" and _first_time():
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
    if KIND == "raise-at-black" and black:
        raise ValueError("this picture cannot be looked at")
    if KIND == "die-always" and most_tokens == MOST_TOKENS_OUT:
        os.abort()
    if KIND == "hang-once" and _first_time():
        while True:
            signal.pause()
    return _generate(self, images, most_tokens)


def _first_time() -> bool:
    """Tell whether this fault has not happened yet, in this process or one before it."""
    mark = Path(os.environ["PCC_TEST_MARK"])
    if mark.exists():
        return False
    mark.touch()
    return True


if __name__ == "__main__":
    generation.Generator._generate = faulty_generate  # type: ignore[method-assign]
    model_worker.main()
