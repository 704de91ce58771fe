"""What DINO makes of images, for the passes `embedding` and `patches`: one run serves both."""

from __future__ import annotations

from collections.abc import Container
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from backends.encoders.dino_config import DinoConfig, read_config
from journal import Follower, Index
from pipeline.datasets.producer import Producer
from pipeline.datasets.side_journals import SideHead, SideJournal
from pipeline.datasets.side_records import FeatureRecord

if TYPE_CHECKING:
    from pipeline.datasets.feature_stage import FeatureStage, FeatureTask
    from pipeline.datasets.gaps import Lacking
    from pipeline.datasets.patch_files import PatchFiles
    from pipeline.datasets.request import EnrichRequest
    from pipeline.datasets.results import Results


class _HeadWithPatches(SideHead, gc=False):
    patches: msgspec.Raw = msgspec.Raw(b"")

    @property
    def wrote_file(self) -> bool:
        return bool(self.patches)


class _HeadWithEmbedding(msgspec.Struct, gc=False):
    """A record without an embedding cannot be read as this, and is passed over."""

    rel_path: str
    embedding: msgspec.Raw
    raw_path: str | None = None
    model: str | None = None


class FeatureJournal(SideJournal[FeatureRecord]):
    """What a DINO made, that waits to be merged.

    An embedding counts until it is merged, whatever came after it: another pass over the
    image may have made patches alone, or failed.

    Args:
        path: The journal; it need not exist.
        model: The DINO; what another made does not count.
        merges_embeddings: Whether embeddings are among what is merged.
    """

    head_type = _HeadWithPatches

    def __init__(self, path: Path, model: str, *, merges_embeddings: bool) -> None:
        self._model = model
        self._merges_embeddings = merges_embeddings
        self._embeddings: Index[str | None] = Index(
            Follower(path, _HeadWithEmbedding), attrgetter("model")
        )
        super().__init__(path, FeatureRecord, lambda attempted: attempted.model == model)

    def refresh(self) -> None:
        """Take in what was written since."""
        super().refresh()
        self._embeddings.refresh()

    def has_embedding(self, key: str) -> bool:
        """Tell whether there is an embedding of an image."""
        return key in self._embeddings and self._embeddings.group(key) == self._model

    def has_patches(self, key: str) -> bool:
        """Tell whether the patch file of an image has been written."""
        attempted = self._last_attempt(key)
        return attempted is not None and attempted.wrote_file

    def embedding(self, key: str) -> list[float] | None:
        """Return the embedding of an image, None where there is none."""
        if not self.has_embedding(key):
            return None
        record = self._read(self._embeddings.offset(key))
        return None if record is None else record.embedding

    def _standing(self) -> set[int]:
        return super()._standing() | self._embeddings.offsets()

    def _unmerged(self, merged: Container[str]) -> set[int]:
        """Return what the base class does, and the offsets of embeddings that still wait."""
        waiting = {
            self._embeddings.offset(key)
            for key in self._embeddings
            if not (self._merges_embeddings and self.has_embedding(key) and key in merged)
        }
        return super()._unmerged(merged) | waiting


class FeatureProducer(Producer[FeatureRecord]):
    """Runs DINO over pictures cropped to their buckets.

    Attributes:
        patch_files: The patch files, None where none are wanted.
    """

    name = "features"
    record_type = FeatureRecord
    needs_bucket = True
    journal: FeatureJournal

    def __init__(self, results: Results) -> None:
        super().__init__(results)
        self.patch_files: PatchFiles | None = None
        self._tasks: dict[str, FeatureTask] = {}

    @property
    def task(self) -> str:
        """What there is to do, told behind the number of images."""
        return f"images for {self.results.request.dino_model}"

    def open_journal(self, path: Path) -> FeatureJournal:
        """Return the side journal, in which only the features of the chosen model count."""
        request = self.results.request
        merges_embeddings = any(each.name == "embedding" for each in request.passes)
        return FeatureJournal(path, request.dino, merges_embeddings=merges_embeddings)

    def open_patch_files(self) -> PatchFiles:
        """Return the patch files, into which features are written from now on.

        Raises:
            SetupError: the model's configuration cannot be read.
            OtherPatches: the patch files are another model's, and are not to be made anew.
        """
        from pipeline.datasets.patch_files import PatchFiles

        request = self.results.request
        files = PatchFiles(
            request.patches_dir, dino_config(request), request.backup, request.dino_revision
        )
        if not self._makes_patches_anew:
            files.require_ours()
        self.patch_files = files
        return files

    @property
    def _makes_patches_anew(self) -> bool:
        return "patches" in self.results.request.anew

    def ready_entries(self) -> list[Lacking]:
        """Return the records to work on, now that all sizes are known, bucket by bucket."""
        from pipeline.datasets.feature_stage import FeatureTask

        self.results.sizes.journal.refresh()
        entries: list[Lacking] = []
        for entry in self.to_do:
            entry.bucket = self.results.sizes.bucket(entry)
            if entry.bucket is None:
                continue  # its header could not be read
            wanted = {
                each.name
                for each in self.passes
                if each.wants(entry) and (each.anew or not each.has_file(entry))
            }
            if wanted:
                image_id = entry.image_id if "patches" in wanted else None
                self._tasks[entry.key] = FeatureTask(entry.bucket, "embedding" in wanted, image_id)
                entries.append(entry)
        return sorted(entries, key=lambda entry: self._tasks[entry.key].bucket)  # share batches

    def make_stage(self) -> FeatureStage:
        """Return the stage that runs DINO."""
        from backends.encoders.dino import DinoEncoder
        from pipeline.datasets.feature_stage import FeatureStage

        request = self.results.request
        encoder = DinoEncoder(
            dino_config(request), device=request.options.device, revision=request.dino_revision
        )
        return FeatureStage(
            encoder,
            self._tasks,
            self.patch_files,
            maker=request.dino,
            anew=self._makes_patches_anew,
        )

    def images_with_new_file(self) -> set[str]:
        """Return the keys of the images that got a patch file in this enrichment."""
        return {
            key
            for key, task in self._tasks.items()
            if task.image_id is not None and self.journal.has_patches(key)
        }

    def made(self) -> dict[str, int]:
        """Return the number of results of this run, by pass."""
        embeddings = sum(
            task.embedding and self.journal.has_embedding(key) for key, task in self._tasks.items()
        )
        return {"embedding": embeddings, "patches": len(self.images_with_new_file())}


def dino_config(request: EnrichRequest) -> DinoConfig:
    """Return the configuration of the model, from the patch files where they are the model's own.

    Raises:
        SetupError: the configuration cannot be read.
    """
    from pipeline.datasets.patch_files import read_manifest

    manifest = read_manifest(request.patches_dir)
    is_on_the_hub = not Path(request.dino_model).is_dir()  # to ask the hub takes a while
    if is_on_the_hub and manifest is not None and manifest.maker == request.dino:
        return manifest.config()
    return read_config(request.dino_model, request.dino_revision)
