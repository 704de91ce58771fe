"""The stage that runs DINO: from pictures cropped to their buckets to features."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from backends.base import Loading, PictureSpec
from backends.encoders.dino import DinoEncoder, Features
from backends.errors import BackendLost
from journal import DiskFull
from pipeline.datasets.patch_files import PatchFiles
from pipeline.datasets.patch_grid import input_size
from pipeline.datasets.side_records import FeatureRecord
from pipeline.datasets.side_stage import SideStage
from pipeline.jobs.errors import RunStopped, describe
from pipeline.jobs.stage import Decoded, FailedAttempt
from pipeline.photos.geometry import Size
from pipeline.photos.photo import Photo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class FeatureTask(NamedTuple):
    """What is wanted of one image.

    Attributes:
        bucket: Width and height in pixels that the picture is cropped to.
        embedding: Whether the pooled feature is wanted.
        image_id: Id that names the patch file, None where none is wanted.
    """

    bucket: Size
    embedding: bool
    image_id: str | None


class FeatureStage(SideStage[FeatureRecord]):
    """Runs DINO once over each picture, for whatever of it is wanted.

    Args:
        encoder: The encoder; this stage opens it.
        tasks: What is wanted, by the key of each photo.
        patch_files: Where patches go, None where none are wanted.
        maker: What the features are known by.
        anew: Whether all patch files are to be made anew, so that they may change hands.
    """

    name = "features"
    record_type = FeatureRecord
    picture = PictureSpec(max_edge=1024)

    def __init__(
        self,
        encoder: DinoEncoder,
        tasks: Mapping[str, FeatureTask],
        patch_files: PatchFiles | None,
        *,
        maker: str,
        anew: bool,
    ) -> None:
        self.encoder = encoder
        self._tasks = tasks
        self._patch_files = patch_files
        self._maker = maker
        self._anew = anew
        self._fault: Exception | None = None
        self._is_open = False
        patch_size = encoder.config.patch_size
        self._specs = {
            bucket: PictureSpec(
                max_edge=max(bucket), crop=bucket, resize=input_size(bucket, patch_size)
            )
            for bucket in {task.bucket for task in tasks.values()}
        }

    @property
    def model(self) -> str:
        """The model whose features they are."""
        return self.encoder.config.model

    @property
    def loading(self) -> Loading | None:
        """What the stage does until the model is there."""
        return None if self._is_open else Loading(f"loading {self.model}")

    @property
    def remarks(self) -> list[str]:
        """What came up in the encoder."""
        return self.encoder.remarks

    @property
    def batch_size(self) -> int:
        """Photos to a call; the number falls when so many do not fit into memory."""
        return self.encoder.batch_size

    def picture_of(self, photo: Photo) -> PictureSpec:
        """Return the crop of a photo's bucket, in whole patches."""
        return self._specs[self._tasks[photo.key].bucket]

    async def open(self) -> None:
        """Load the model."""
        await asyncio.to_thread(self.encoder.open)
        if self._patch_files is not None and any(task.image_id for task in self._tasks.values()):
            self._patch_files.begin(anew=self._anew)
        self._is_open = True

    async def close(self) -> None:
        """Let go of the model."""
        await asyncio.to_thread(self.encoder.close)

    def look_at(self, photos: Sequence[Decoded]) -> list[FeatureRecord | Exception]:
        """Return a record for each photo; its patch file is on disk by then."""
        by_size: dict[Size, list[int]] = {}
        for place, decoded in enumerate(photos):
            picture = decoded.seen.picture
            by_size.setdefault((picture.width, picture.height), []).append(place)
        outcomes: dict[int, FeatureRecord | Exception] = {}
        for places in by_size.values():
            alike = [photos[place] for place in places]
            outcomes.update(zip(places, self._encode(alike), strict=True))
        return [outcomes[place] for place in range(len(photos))]

    def _encode(self, photos: Sequence[Decoded]) -> list[FeatureRecord | Exception]:
        """Return the records of photos whose pictures are of one size."""
        features = self.encoder.encode([decoded.seen.picture.image() for decoded in photos])
        return [
            found if isinstance(found, Exception) else self._keep(decoded.photo, found)
            for decoded, found in zip(photos, features, strict=True)
        ]

    def _keep(self, photo: Photo, features: Features) -> FeatureRecord:
        """Return the record of an image; a patch file that cannot be written costs no embedding."""
        task = self._tasks[photo.key]
        record = self.record(photo, model=self._maker)
        if task.embedding:
            record.embedding = shortest_floats(features.embedding)
        if task.image_id is not None and self._patch_files is not None:
            try:
                self._patch_files.write(task.image_id, features.patches)
                record.patches = (features.patches.shape[0], features.patches.shape[1])
            except (OSError, ValueError, DiskFull) as error:
                record.status, record.error = "error_model", describe(error)
                self._fault = error
        return record

    def failed(self, failure: FailedAttempt) -> FeatureRecord:
        """Return the record of an image without features."""
        return self.record(failure.photo, failure.status, error=failure.error, model=self._maker)

    def watch(self, error: Exception | None) -> None:
        """Stop where the next photo would fail for the same reason.

        Raises:
            RunStopped: patch files cannot be written, or the device is lost.
        """
        for fault in (error, self._fault):
            if isinstance(fault, (OSError, DiskFull, BackendLost)):
                raise RunStopped(str(fault))


def shortest_floats(vector: NDArray[np.float32]) -> list[float]:
    """Return float32 numbers as the floats whose text is shortest and still reads back the same."""
    return [float(text) for text in map(str, vector)]
