"""Features of pictures by a DINO: one of the whole, and one of each patch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from backends.encoders.dino_config import (
    DinoConfig,
    config_from,
    read_settings,
    why_not_loaded,
)
from backends.errors import BackendLost, ModelError, SetupError, first_line
from backends.hardware import (
    BATCH_SIZE,
    choose_device,
    choose_dtype,
    cpu_notice,
    is_fatal,
    is_out_of_memory,
    release_memory,
    torch_dtype,
)
from backends.hub import hush, lacks_safetensors, require_sound_torchvision, set_environment
from backends.plugins import explained

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of red, green and blue, from 0 to 1."""


class Features(NamedTuple):
    """What a DINO sees in a picture.

    Attributes:
        embedding: Feature of the whole: the class token after the last layer norm. Shape (width,),
            float32.
        patches: Feature of each patch, row by row. Shape (patches, width), float16.
    """

    embedding: NDArray[np.float32]
    patches: NDArray[np.float16]


class DinoEncoder:
    """Runs a DINOv2 or DINOv3 on the very pixels it is given.

    The methods block. They are called on one thread at a time.

    Args:
        config: Which model; see `read_config`.
        device: Device that the model runs on, None for the best there is.
        revision: Commit, tag or branch on the hub, None for its main branch.
        batch_size: Pictures in a batch, None for what suits the device.

    Raises:
        ValueError: the batch size is less than 1.

    Attributes:
        batch_size: Pictures in a batch, known once the model is open. The number falls when so
            many do not fit into memory.
        remarks: Sentences that the user should read; more may come with each call.
    """

    def __init__(
        self,
        config: DinoConfig,
        *,
        device: str | None = None,
        revision: str | None = None,
        batch_size: int | None = None,
    ) -> None:
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"a batch has at least one picture, not {batch_size}")
        self.config = config
        self.batch_size = batch_size or 1
        self.remarks: list[str] = []
        self._asked_device = device
        self._asked_batch_size = batch_size
        self._revision = revision
        self._device = "cpu"
        self._model: Any = None
        self._mean_and_std: Any = None

    def open(self) -> None:
        """Load the model from safetensors; no code of its repository runs.

        Raises:
            SetupError: the model cannot be loaded; the message says what mends that.
        """
        set_environment()
        require_sound_torchvision()
        with explained(self.config.model, "datasets", self._why_not_loaded):
            self._load()

    def _load(self) -> None:
        import torch

        device = choose_device(self._asked_device)
        if self._asked_device is None and (notice := cpu_notice(device)):
            self.remarks.append(notice)
        mean_and_std = torch.tensor(self._read_mean_and_std(), device=device)
        self._model = self._load_weights(torch_dtype(choose_dtype(None, device))).to(device).eval()
        self._mean_and_std = mean_and_std[:, None, :, None, None]  # over pictures, rows, columns
        self._device = device
        self.batch_size = self._asked_batch_size or BATCH_SIZE.get(device.partition(":")[0], 1)

    def _load_weights(self, dtype: Any) -> Any:
        from transformers import AutoConfig, AutoModel

        hush()
        name = self.config.model
        source: dict[str, Any] = {"revision": self._revision} if self._revision else {}
        config = AutoConfig.from_pretrained(name, trust_remote_code=False, **source)
        if config_from(name, config.to_dict()) != self.config:
            raise SetupError(f"{name} has changed on the hub; begin again")
        model, loaded = AutoModel.from_pretrained(
            name,
            config=config,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=dtype,
            output_loading_info=True,
            **source,
        )
        # They are made up where files lack them; the mask token serves training alone.
        missing = [key for key in loaded["missing_keys"] if not key.endswith("mask_token")]
        if missing or loaded["mismatched_keys"]:
            raise SetupError(f"{name} lacks some of its weights; download it anew")
        return model

    def _read_mean_and_std(self) -> list[list[float]]:
        """Return what is taken off each channel, and what the rest is divided by."""
        name = "preprocessor_config.json"
        settings = read_settings(self.config.model, name, self._revision) or {}
        mean = settings.get("image_mean", IMAGENET[0])
        std = settings.get("image_std", IMAGENET[1])
        if not (_are_three(mean) and _are_three(std) and min(std) > 0):
            raise SetupError(f"the {name} of {self.config.model} is broken: its mean or deviation")
        return [list(mean), list(std)]

    def _why_not_loaded(self, error: Exception) -> str:
        name, reason = self.config.model, str(error)
        if is_out_of_memory(error):
            return f"{name} does not fit into memory; use --device cpu or a smaller --dino-model"
        if lacks_safetensors(reason):
            return (
                f"{name} has no safetensors, and other weights are not loaded; "
                "--dino-model takes another"
            )
        return why_not_loaded(name, error)

    def close(self) -> None:
        """Give back the memory of the model."""
        if self._model is not None:
            self._model = None
            release_memory(self._device)

    def encode(self, pictures: Sequence[Image]) -> list[Features | Exception]:
        """Return the features of each picture, or the `ModelError` that it met.

        Args:
            pictures: Upright RGB pictures of one size, whose sides are multiples of the
                patch size. They are neither scaled nor cropped.

        Raises:
            ValueError: the pictures are not like that.
            BackendLost: the device has failed for good.
        """
        self._check(pictures)
        results: list[Features | Exception] = []
        while len(results) < len(pictures):
            some = pictures[len(results) : len(results) + self.batch_size]
            try:
                results += self._encode_batch(some)
                continue
            except Exception as error:
                if is_fatal(error):
                    raise BackendLost(f"{self._device} failed: {first_line(error)}") from error
                reason = first_line(error)
                if not is_out_of_memory(error):
                    results += self._one_by_one(some, f"{type(error).__name__}: {reason}")
                    continue
            release_memory(self._device)  # outside the handler, which holds the failed batch
            if len(some) == 1:
                results.append(ModelError(f"out of memory: {reason}"))
            else:
                self._halve(len(some))
        return results

    def _check(self, pictures: Sequence[Image]) -> None:
        patch = self.config.patch_size
        for picture in pictures:
            if picture.mode != "RGB" or picture.size != pictures[0].size:
                raise ValueError("pictures of a batch are RGB and of one size")
            if any(side < patch or side % patch for side in picture.size):
                width, height = picture.size
                raise ValueError(f"{width}x{height} is no multiple of patches of {patch} pixels")

    def _halve(self, failed: int) -> None:
        self.batch_size = failed // 2
        self.remarks.append(
            f"{failed} pictures at once do not fit into the memory of {self._device}: "
            f"{self.config.model} goes on with {self.batch_size}"
        )

    def _one_by_one(self, pictures: Sequence[Image], reason: str) -> list[Features | Exception]:
        """Find the picture that makes a batch fail."""
        if len(pictures) == 1:
            return [ModelError(reason)]
        return [result for picture in pictures for result in self.encode([picture])]

    def _encode_batch(self, pictures: Sequence[Image]) -> list[Features | Exception]:
        import torch

        with torch.inference_mode():
            output = self._model(pixel_values=self._pixels(pictures))
            embeddings = output.pooler_output.float()
            patches = output.last_hidden_state[:, self.config.leading_tokens :]
            patches = patches.to(torch.float16).contiguous()
            # What float16 cannot hold has become infinite, too.
            good = embeddings.isfinite().all(1) & patches.isfinite().all(2).all(1)
        return [
            Features(embedding, features)
            if fine
            else ModelError(f"{self.config.model} gave numbers that are not finite")
            for embedding, features, fine in zip(
                embeddings.cpu().numpy(), patches.cpu().numpy(), good.tolist(), strict=True
            )
        ]

    def _pixels(self, pictures: Sequence[Image]) -> Any:
        """Return a tensor of shape (pictures, 3, height, width), normalised."""
        import numpy as np
        import torch

        levels = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures]))
        mean, std = self._mean_and_std
        pixels = levels.to(self._device).permute(0, 3, 1, 2).float().div_(255)
        return pixels.sub_(mean).div_(std).to(self._model.dtype)


def _are_three(values: object) -> bool:
    """Tell whether there is a finite number for each channel."""
    return (
        isinstance(values, (list, tuple))
        and len(values) == 3
        and all(type(value) in (int, float) and math.isfinite(value) for value in values)
    )
