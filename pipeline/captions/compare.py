"""The same photos through several backends, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from backends.base import Captioner, Options, PictureSpec
from backends.errors import BackendError, SetupError
from backends.registry import make_backend
from journal import CaptionRecord
from pipeline.captions.stage import CaptionStage
from pipeline.captions.trial import Trial, trial_of
from pipeline.jobs.stage import Decoded
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import CorruptImageError
from pipeline.photos.photo import Photo


class Contestant(msgspec.Struct, frozen=True):
    """A backend and a model, None for the default model of the backend."""

    backend: str
    model: str | None

    @classmethod
    def named(cls, name: str) -> Contestant:
        """Return the contestant called `backend` or `backend/model`; a model may hold slashes."""
        backend, _, model = name.partition("/")
        return cls(backend, model or None)


class Column(msgspec.Struct, kw_only=True):
    """The captions by one contestant.

    Attributes:
        backend: Name of the backend.
        model: Model id.
        not_run: Why the contestant did not run, None if it ran.
        trials: One trial for each photo.
    """

    backend: str
    model: str | None
    not_run: str | None = None
    trials: list[Trial] = []


async def compare(
    photos_dir: Path,
    paths: Sequence[str],
    contestants: Sequence[Contestant],
    options: Mapping[str, Options],
) -> list[Column]:
    """Caption some photos by each contestant in turn; nothing is written.

    Args:
        photos_dir: The photos directory.
        paths: Relative paths in it.
        contestants: The backends and models to compare.
        options: What each backend is told, by its name.
    """
    return [await _ask(photos_dir, paths, one, options[one.backend]) for one in contestants]


async def small_pictures(photos_dir: Path, paths: Sequence[str], edge: int) -> list[bytes | None]:
    """Return JPEGs of some photos, their longer side at most `edge` pixels; None for a broken one.

    The JPEGs hold only pixels, no metadata.
    """
    pictures: list[bytes | None] = []
    async with DecoderPool(photos_dir, PictureSpec(edge, "jpeg"), processes=1) as decoders:
        for path in paths:
            try:
                pictures.append((await decoders.decode(path)).picture.data)
            except CorruptImageError:
                pictures.append(None)
    return pictures


async def _ask(
    photos_dir: Path, paths: Sequence[str], contestant: Contestant, options: Options
) -> Column:
    model = contestant.model or options.model
    options = msgspec.structs.replace(options, model=model)
    try:
        captioner = make_backend(contestant.backend, options)
    except SetupError as error:
        return Column(backend=contestant.backend, model=contestant.model, not_run=str(error))
    try:
        trials = await _caption(captioner, photos_dir, paths)
    except SetupError as error:
        return Column(backend=captioner.name, model=captioner.model, not_run=str(error))
    return Column(backend=captioner.name, model=captioner.model, trials=trials)


async def _caption(captioner: Captioner, photos_dir: Path, paths: Sequence[str]) -> list[Trial]:
    stage = CaptionStage(captioner, run="comparison", prompt="")
    trials = []
    try:
        await stage.open()
        async with DecoderPool(photos_dir, captioner.picture, processes=1) as decoders:
            for path in paths:
                outcome: CaptionRecord | Exception
                try:
                    decoded = Decoded(Photo.at(path), await decoders.decode(path))
                    [outcome] = await stage.process([decoded])
                except (CorruptImageError, BackendError) as error:
                    outcome = error
                trials.append(_trial(path, outcome))
    finally:
        await stage.close()
    return trials


def _trial(path: str, outcome: CaptionRecord | Exception) -> Trial:
    if isinstance(outcome, Exception):
        return Trial(rel_path=path, caption=None, error=f"{type(outcome).__name__}: {outcome}")
    return trial_of(outcome)
