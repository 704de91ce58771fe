"""Where the image of a record is looked for: the one answer for every pass, check and pack.

Programs that wrote a dataset wrote paths relative to whatever they ran in. So an image is looked
for from the input directory, then from the directory of the dataset, then from the current one;
what is found in the input directory by any of these is known by its path in there, and therefore
is one image with one record.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from pipeline.datasets.records import Record, find_image, input_dirs_of, locate, system_name
from pipeline.photos.photo import photo_key
from pipeline.photos.spelling import spellings_of


class ImagePlaces:
    """The directories from which the paths of a dataset may lead.

    Args:
        input_dir: Directory of the images, None where it is not known: no image is looked for.
        dataset: The dataset, whose directory is the second place.
        is_known: Tells of the key of an image whether it is in the input directory, for which no
            file need be looked at then.

    Attributes:
        root: Absolute path of the input directory, empty where it is not known.
    """

    def __init__(
        self,
        input_dir: Path | None,
        dataset: Path,
        is_known: Callable[[str], bool] = lambda key: False,
    ) -> None:
        self._input_dirs: tuple[str, ...] = () if input_dir is None else input_dirs_of(input_dir)
        self.root = self._input_dirs[0] if self._input_dirs else ""
        self._others = dict.fromkeys([os.path.abspath(dataset.parent), str(Path.cwd())])
        self._is_known = is_known

    def path_of(self, record: Record) -> str | None:
        """Return the path of the image of a record, as the system spells it.

        Returns:
            A path relative to the input directory, or absolute for an image elsewhere; where
            there is no image, the path that it would have. None for a path that climbs out of
            the input directory to no image in it, or is none at all.
        """
        path = locate(record, *self._input_dirs)
        if not self._input_dirs:
            return path
        if path is None:
            name = system_name(record)
            found = None if name is None or name.startswith("/") else self._elsewhere(name)
            return None if found is None or found.startswith("/") else found
        if path.startswith("/") or self._is_known(photo_key(path)):
            return path
        if find_image(self.root, path) is not None:
            return path
        return self._elsewhere(path) or path

    def find(self, path: str) -> tuple[str, int] | None:
        """Return how an image is spelt on disk and its size in bytes, None without a file."""
        return find_image(self.root, path)

    def twins_of(self, keys: Iterable[str]) -> list[str]:
        """Return the images that are passed over, since they share a key with another file."""
        return [
            twin
            for key in keys
            if not key.isascii() and not key.startswith("\0")
            for twin in islice(spellings_of(self.root, key), 1, None)
        ]

    def _elsewhere(self, path: str) -> str | None:
        """Return the path of an image that is found from another place."""
        for place in self._others:
            whole = os.path.normpath(os.path.join(place, path))
            found = find_image(place, whole)
            if found is not None:
                return self._within(found[0])
        return None

    def _within(self, whole: str) -> str:
        """Return an absolute path relative to the input directory, if it leads in there."""
        for spelt in (whole, os.path.realpath(whole)):
            for root in self._input_dirs:
                if spelt.startswith(f"{root}/"):
                    return spelt.removeprefix(f"{root}/")
        return whole
