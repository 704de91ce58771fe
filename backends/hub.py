"""What everything shares that loads a model of the Hugging Face hub.

The libraries phone home, draw bars and tables, and wrap each other's errors. What is
done about that must be the same for captioners, embedders, encoders and detectors.
"""

from __future__ import annotations

import logging
import os
from importlib.util import find_spec

from backends.errors import SetupError, causes

ENVIRONMENT = {
    "DISABLE_SAFETENSORS_CONVERSION": "1",  # else the hub is asked to convert what has none
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Variables that tell the libraries what to leave alone."""


def set_environment() -> None:
    """Tell the libraries what to leave alone; huggingface_hub listens only while it is imported."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def hush() -> None:
    """Keep the hub from asking for a token, and Transformers from drawing bars and tables."""
    from transformers.utils import logging as transformers_logging

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()


def require_sound_torchvision() -> None:
    """Refuse an installed torchvision that does not work. No torchvision at all is no fault.

    A torchvision for another build of torch breaks Transformers, which sees that torchvision
    is installed and then fails while it imports.

    Raises:
        SetupError: torchvision does not work; the message says why, and what mends it.
    """
    if find_spec("torchvision") is None:
        return
    try:
        import torchvision  # type: ignore[import-not-found, unused-ignore]  # noqa: F401
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SetupError(
            f"torchvision is installed but does not work: {reason} (install the torchvision "
            "that belongs to the installed torch, or uninstall it)"
        ) from None


def lacks_safetensors(reason: str) -> bool:
    """Tell whether Transformers says that a model has no weights in safetensors."""
    return "safetensors" in reason and ("have a file named" in reason or "no file named" in reason)


def about_the_hub(error: Exception) -> str | None:
    """Return what went wrong with the hub, None if something else went wrong.

    Transformers wraps what the hub's client raises, so the causes are looked through.
    """
    from huggingface_hub import errors

    behind = list(causes(error))

    def is_any(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in behind)

    if is_any(errors.GatedRepoError):
        return "its page asks you to accept its licence first; then set HF_TOKEN to your hub token"
    if is_any(errors.RevisionNotFoundError):
        return "the hub has no such --revision of it"
    if is_any(errors.RepositoryNotFoundError, errors.HFValidationError):
        return "there is no such directory and no such model on the hub"
    if is_any(errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, ConnectionError):
        return (
            "the model hub cannot be reached and the model is not in the cache; download it where "
            f"there is a network and copy {os.environ.get('HF_HOME', '~/.cache/huggingface')}"
        )
    return None
