"""What detectors and the labeller share: a model that is opened, and run in batches."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from backends.detectors.checkpoint import Checkpoint, find_checkpoint, loading
from backends.detectors.vocabulary import clean_vocabulary
from backends.errors import BackendLost, ModelError, SetupError, first_line
from backends.hardware import (
    BATCH_SIZE,
    choose_device,
    cpu_notice,
    is_fatal,
    is_out_of_memory,
    release_memory,
)

if TYPE_CHECKING:
    from PIL.Image import Image

Result = TypeVar("Result")


class VocabularyModel(ABC):
    """Looks at pictures for the words of a vocabulary.

    The methods block. They are called on one thread at a time.

    Args:
        model: Id on the hub, or a directory.
        vocabulary: Plain words, such as "dog" and "traffic light"; see `clean_vocabulary`.
        revision: Commit, tag or branch on the hub, None for the one that is pinned.
        device: Device that the model runs on, None for the best there is.
        batch_size: Pictures in a batch, None for what suits the device.

    Raises:
        ValueError: the vocabulary is empty, or a number is less than 1.

    Attributes:
        model: The model, as the user named it.
        vocabulary: The words that are looked for.
        version: Family, model and commit; for a directory its name and its digest. Known once
            the model is open.
        batch_size: Pictures in a batch, known once the model is open. The number falls when so
            many do not fit into memory.
        remarks: Sentences that the user should read; more may come with each call.
    """

    model_types: ClassVar[dict[str, str]]
    """The name of the family by each model type that the class loads."""

    batch_sizes: ClassVar[dict[str, int]] = BATCH_SIZE
    """Pictures in a batch by kind of device."""

    def __init__(
        self,
        model: str,
        vocabulary: Sequence[str],
        *,
        revision: str | None = None,
        device: str | None = None,
        batch_size: int | None = None,
    ) -> None:
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"a batch has at least one picture, not {batch_size}")
        self.model = model
        self.vocabulary = clean_vocabulary(vocabulary)
        self.version = ""
        self.batch_size = batch_size or 1
        self.remarks: list[str] = []
        self._revision = revision
        self._asked_device = device
        self._asked_batch_size = batch_size
        self._device = "cpu"
        self._network: Any = None
        self._encoded: Any = None
        self._hashes: dict[str, str] = {}

    def open(self) -> None:
        """Load the model from safetensors, run no code of its files, and encode the vocabulary.

        Raises:
            SetupError: the model cannot be loaded, or a word is too long for the model; the
                message says what mends that.
        """
        checkpoint = find_checkpoint(self.model, self._revision)
        if checkpoint.model_type not in self.model_types:
            raise SetupError(
                f"{self.model} is of the type {checkpoint.model_type[:60]!r}, where "
                f"{' or '.join(self.model_types)} is wanted"
            )
        with loading(self.model):
            import torch

            self._device = choose_device(self._asked_device)
            with torch.inference_mode():
                self._network = self._load(checkpoint).to(self._device)
                self._encoded = self._encode_vocabulary()
        if self._asked_device is None and (notice := cpu_notice(self._device)):
            self.remarks.append(notice)
        kind = self._device.partition(":")[0]
        self.batch_size = self._asked_batch_size or self.batch_sizes.get(kind, 1)
        digest = checkpoint.digest()
        self.version = checkpoint.version(self.model_types[checkpoint.model_type], digest)
        self._hashes = {"blake3": digest}
        if checkpoint.revision is not None:
            self._hashes["revision"] = checkpoint.revision

    def close(self) -> None:
        """Give back the memory of the model."""
        if self._network is not None:
            self._network = self._encoded = None
            release_memory(self._device)

    def hashes(self) -> dict[str, str]:
        """Return hashes of the files: `blake3`, and for files of the hub `revision`, the commit."""
        return dict(self._hashes)

    def _load(self, checkpoint: Checkpoint) -> Any:
        """Return the network, and keep its processor and tokenizer. `open` calls this method."""
        raise NotImplementedError

    def _encode_vocabulary(self) -> Any:
        """Return what each batch needs of the vocabulary. `open` calls this method."""
        raise NotImplementedError

    def _in_batches(
        self, pictures: Sequence[Image], work: Callable[[Sequence[Image]], list[Result]]
    ) -> list[Result]:
        """Return the results of some work on all pictures, in their order.

        Raises:
            ModelError: the work failed, or one picture alone takes more memory than there is.
            BackendLost: the device has failed for good.
        """
        import torch

        results: list[Result] = []
        while len(results) < len(pictures):
            some = pictures[len(results) : len(results) + self.batch_size]
            try:
                with torch.inference_mode():
                    results += work(some)
                continue
            except ModelError:
                raise
            except Exception as error:
                reason = first_line(error)
                if is_fatal(error):
                    raise BackendLost(f"{self._device} failed: {reason}") from error
                if not is_out_of_memory(error):
                    raise ModelError(f"{type(error).__name__}: {reason}") from error
            release_memory(self._device)  # outside the handler, which holds the failed batch
            if len(some) == 1:
                raise ModelError(f"out of memory: {reason}")
            self._halve(len(some))
        return results

    def _halve(self, failed: int) -> None:
        self.batch_size = failed // 2
        self.remarks.append(
            f"{failed} pictures at once do not fit into the memory of {self._device}: "
            f"{self.model} goes on with {self.batch_size}"
        )

    def _pixels(self, processor: Any, pictures: Sequence[Image], **options: Any) -> Any:
        """Return what a processor makes of pictures, on the device."""
        made = processor(images=list(pictures), return_tensors="pt", **options)
        return made.to(self._device)


def rgb_pictures(pictures: Sequence[Image]) -> list[Image]:
    """Return pictures of any mode in RGB.

    Raises:
        ValueError: one has no pixels.
    """
    if any(0 in picture.size for picture in pictures):
        raise ValueError("a picture without pixels cannot be looked at")
    return [picture if picture.mode == "RGB" else picture.convert("RGB") for picture in pictures]
