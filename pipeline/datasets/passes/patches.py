"""The pass `patches`: a file for each image with what DINO sees in every patch of its crop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.datasets.features import FeatureProducer
from pipeline.datasets.passes.base import Pass

if TYPE_CHECKING:
    from pipeline.datasets.gaps import Lacking
    from pipeline.datasets.results import Results


class PatchesPass(Pass):
    """Asks the directory of patch files which files are missing or of another shape."""

    name = "patches"
    about = "a file of DINO's patch features"
    made_by = FeatureProducer
    needs = ("migrate",)
    makes_file = True
    by_default = False
    extra_for = "running DINO"
    producer: FeatureProducer

    def __init__(self, results: Results) -> None:
        super().__init__(results)
        self.files = self.producer.open_patch_files()

    def has_file(self, entry: Lacking) -> bool:
        """Tell whether a patch file is whole and of the shape of its bucket."""
        assert entry.image_id is not None
        assert entry.bucket is not None
        try:
            return self.files.state(entry.image_id, entry.bucket) == "whole"
        except ValueError:  # no file can have that name; making it will tell
            return False

    def has_result(self, entry: Lacking) -> bool:
        """Tell whether a patch file was made anew before a kill."""
        return self.anew and self.producer.journal.has_patches(entry.key)

    def files_to_come(self) -> tuple[int, int]:
        """Return how many patch files are to be made, and how many bytes they add to the disk."""
        sizes = [
            self.files.bytes_to_come(entry.image_id, entry.bucket)
            for entry in self.producer.to_do
            if self.wants(entry)
        ]
        return len(sizes), sum(sizes)

    def prepare(self) -> None:
        """Make sure that there is room for all patch files.

        Raises:
            DiskFull: there is not.
        """
        count, size = self.files_to_come()
        if count:
            self.files.require_room(size)

    def finish(self) -> list[str]:
        """Say whose the patch files are, now that all were to be made anew."""
        if not self.anew:
            return []
        has_patches = self.producer.journal.has_patches
        entries = self.results.entries
        left = self.files.finish({entry.image_id for entry in entries if has_patches(entry.key)})
        if not left:
            return []
        return [
            f"{left:,} patch files of another model could not be made anew; "
            f"they are in {self.files.replaced}"
        ]
