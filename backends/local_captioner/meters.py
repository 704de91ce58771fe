"""Progress of loading, taken from the bars that the libraries would draw on a terminal."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

from backends.base import Loading

Tell = Callable[[Loading], None]


def meter_class(tell: Tell) -> type[tqdm]:
    """Return a progress bar that draws nothing and tells how far it is, ten times a second."""

    class Meter(tqdm):  # type: ignore[misc]
        """Takes the place of the bars of huggingface_hub and Transformers."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            options |= {"file": open(os.devnull, "w"), "disable": False}  # noqa: SIM115
            super().__init__(*arguments, **options)

        def display(self, *_: Any, **__: Any) -> None:
            """Tell instead of drawing."""
            is_bytes = self.unit == "B"
            name = (self.desc or "").rpartition("/")[2]
            what = f"downloading {name}" if is_bytes else name.lower().removeprefix("loading ")
            total = None if self.total is None else int(self.total)
            tell(Loading(what, int(self.n), total, "bytes" if is_bytes else "weights"))

        def close(self) -> None:
            """Tell the end, too."""
            if not self.disable:
                self.display()
            super().close()
            self.fp.close()

    return Meter
