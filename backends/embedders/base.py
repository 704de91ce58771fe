"""What an embedder is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Vectors = NDArray[np.float32]
    """Shape (inputs, dimensions), float32, each row of length 1."""


class Embedder(ABC):
    """Turns texts into vectors of unit length; similar texts get similar vectors.

    Each embedder is one subclass in one file. The methods block. They are called on one
    thread at a time.

    Args:
        name: The name that the user typed.

    Attributes:
        name: The name that the user typed.
        model: The model that makes the vectors; vectors of another are never mixed in.
        dimensions: Numbers in a vector; known once the embedder is open.
        batch_size: Texts in a call.
        sees_pictures: True when the embedder puts pictures into the same space.
        learns: True when the embedder has to be fitted to the texts of the library.
    """

    name: str
    model: str
    dimensions: int = 0
    batch_size: int = 64
    sees_pictures: ClassVar[bool] = False
    learns: ClassVar[bool] = False

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def open(self) -> None:
        """Load the model.

        Raises:
            SetupError: the model cannot be loaded; the message says what mends that.
        """

    @abstractmethod
    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return a vector for each text."""

    def embed_pictures(self, pictures: Sequence[Image]) -> Vectors:
        """Return a vector for each upright RGB picture, where `sees_pictures` is set."""
        raise NotImplementedError

    def knows(self, text: str) -> bool:
        """Tell whether a text says anything to the embedder; if not, the text is like no other."""
        return bool(text.strip())

    def fit(self, texts: Sequence[str]) -> bytes:
        """Learn from the texts of a library, where `learns` is set.

        Returns:
            What was learnt, for `restore` in a later process.
        """
        raise NotImplementedError

    def restore(self, learnt: bytes) -> None:
        """Take over what an earlier process learnt, where `learns` is set.

        Raises:
            ValueError: what was learnt cannot be read.
        """
        raise NotImplementedError


def unit_rows(vectors: Vectors) -> Vectors:
    """Return vectors at length 1; a vector without a direction points along the first axis."""
    import numpy as np

    vectors = vectors.astype(np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    lost = ~(np.isfinite(lengths) & (lengths > 0))[:, 0]
    vectors[lost] = 0
    vectors[lost, 0] = lengths[lost] = 1
    unit: Vectors = vectors / lengths
    return unit
