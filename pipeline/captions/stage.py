"""The captioning stage: turns decoded photos into caption records, with one backend."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

import msgspec

from backends import answers
from backends.base import Caption, Captioner, Loading, PhotoInput, PictureSpec
from backends.errors import AnswerError
from backends.keys import scrub
from journal import CaptionRecord, Status, split_path, utc_now
from pipeline.captions.health import BackendHealth
from pipeline.jobs.errors import RunStopped, describe
from pipeline.jobs.stage import Decoded, FailedAttempt, Stage, Usage
from pipeline.photos.photo import Photo

SAME_COMMAND = "the same command goes on"


class CaptionStage(Stage[CaptionRecord]):
    """Hands photos to a captioner, and makes records from the answers.

    Args:
        captioner: The backend, which this stage opens and closes.
        run: Id of the run.
        prompt: Short hash of the prompt.
        go_on: How the work goes on that the backend has stopped.
    """

    name = "caption"
    record_type = CaptionRecord

    def __init__(
        self, captioner: Captioner, run: str, prompt: str, go_on: str = SAME_COMMAND
    ) -> None:
        self.captioner = captioner
        self.picture: PictureSpec | None = captioner.picture
        self.workers = captioner.workers
        self.unexpected: Status = "error_model" if captioner.local else "error_api"
        self._run = run
        self._prompt = prompt
        self._health = BackendHealth(captioner.name, go_on, local=captioner.local)
        self._stopped: RunStopped | None = None

    @property
    def model(self) -> str | None:
        """Model id of the backend."""
        return self.captioner.model

    @property
    def loading(self) -> Loading | None:
        """Progress of the backend while it gets ready, None when it is ready."""
        return self.captioner.loading

    @property
    def remarks(self) -> list[str]:
        """Remarks of the backend, a sentence each."""
        return self.captioner.remarks

    @property
    def trouble(self) -> str | None:
        """What the backend waits for, None while all goes well."""
        return self.captioner.trouble

    @property
    def batch_size(self) -> int:
        """Photos in each call; a backend may change the number to what fits into memory."""
        return self.captioner.batch_size

    async def open(self) -> None:
        """Open the backend."""
        await self.captioner.open()

    async def close(self) -> None:
        """Close the backend."""
        await self.captioner.close()

    def stop_waiting(self) -> None:
        """End every wait of the backend for another attempt."""
        self.captioner.stop_waiting()

    async def process(self, photos: Sequence[Decoded]) -> list[CaptionRecord | Exception]:
        """Caption a batch; an answer that is not a caption becomes an error record."""
        began = monotonic()
        captions = await self.captioner.caption_batch([self._input(photo) for photo in photos])
        seconds = (monotonic() - began) / len(photos)
        return [
            self._outcome(photo, caption, seconds)
            for photo, caption in zip(photos, captions, strict=True)
        ]

    def _outcome(
        self, photo: Decoded, caption: Caption | Exception, seconds: float
    ) -> CaptionRecord | Exception:
        """Return the record of an answer, or why there is none."""
        if isinstance(caption, Exception):
            self._stopped = self._health.note(caption) or self._stopped
            return caption
        judged = _judged(caption)
        fault = judged if isinstance(judged, AnswerError) else None
        self._stopped = self._health.note(fault) or self._stopped
        return self._record(photo, caption, judged, seconds)

    def _input(self, photo: Decoded) -> PhotoInput:
        """Return what the backend may see: only a local backend gets more than pixels."""
        if not self.captioner.local:
            return PhotoInput(photo.seen.picture)
        name = split_path(photo.photo.path)[0].rpartition("/")[2]
        return PhotoInput(photo.seen.picture, name, photo.seen.facts)

    def _record(
        self, photo: Decoded, caption: Caption, judged: str | AnswerError, seconds: float
    ) -> CaptionRecord:
        record = self._blank(photo.photo, "success" if isinstance(judged, str) else "error_api")
        if isinstance(judged, str):
            record.caption = scrub(judged)
        else:
            record.error = describe(judged)
        record.seconds = round(seconds, 3)
        record.tokens_in = caption.tokens_in
        record.tokens_out = caption.tokens_out
        record.cost_usd = caption.cost_usd
        return _with_facts(record, photo)

    def _blank(self, photo: Photo, status: Status) -> CaptionRecord:
        rel_path, raw_path = split_path(photo.path)
        return CaptionRecord(
            rel_path=rel_path,
            raw_path=raw_path,
            caption=None,
            status=status,
            backend=self.captioner.name,
            model=self.captioner.model,
            prompt=self._prompt,
            run=self._run,
            at=utc_now(),
        )

    def failed(self, failure: FailedAttempt) -> CaptionRecord:
        """Return the record of an attempt without an answer."""
        record = self._blank(failure.photo, failure.status)
        record.error = failure.error
        record.cost_usd = failure.cost_usd
        record.seconds = None if failure.seconds is None else round(failure.seconds, 3)
        if failure.loaded is not None:
            record = _with_facts(record, Decoded(failure.photo, failure.loaded))
        return record

    def copied(self, record: CaptionRecord, photo: Photo) -> CaptionRecord:
        """Return the record of an identical photo, with the same caption and without cost."""
        copy = self._blank(photo, record.status)
        return msgspec.structs.replace(
            copy,
            caption=record.caption,
            error=record.error,
            digest=record.digest,
            taken=record.taken,
            phash=record.phash,
            copied_from=record.copied_from or record.rel_path,
        )

    def digest(self, record: CaptionRecord) -> str | None:
        """Return the content hash of the file."""
        return record.digest

    def may_copy(self, record: CaptionRecord, digest: str) -> bool:
        """Tell whether a record has a digest, and the backend, model and prompt of this stage."""
        made = (record.backend, record.model, record.prompt)
        ours = (self.captioner.name, self.captioner.model, self._prompt)
        return record.digest == digest and made == ours

    def usage(self, record: CaptionRecord) -> Usage:
        """Return the tokens and the cost of a record."""
        return Usage(
            rel_path=record.rel_path,
            status=record.status,
            text=record.caption or record.error or "",
            tokens_in=record.tokens_in or 0,
            tokens_out=record.tokens_out or 0,
            cost_usd=record.cost_usd,
            seconds=record.seconds,
            raw_path=record.raw_path,
        )

    def watch(self, error: Exception | None) -> None:
        """Stop the run where the next photo would fare as the last ones did; see `BackendHealth`.

        Raises:
            RunStopped: the backend is not worth asking again.
        """
        if self._stopped is not None:
            raise self._stopped


def _judged(caption: Caption) -> str | AnswerError:
    """Return the text of a caption, or why there is none: either way the call has its price."""
    try:
        return answers.read(caption)
    except AnswerError as error:
        return error


def _with_facts(record: CaptionRecord, photo: Decoded) -> CaptionRecord:
    """Add what later stages need when they have only the journal; never coordinates."""
    record.digest = photo.seen.digest
    record.taken = photo.seen.facts.taken
    record.phash = photo.seen.phash
    return record
