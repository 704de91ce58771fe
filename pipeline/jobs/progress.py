"""How far a job is: counted as records reach the disk, sampled by any client.

Nothing is pushed: a slow client or a closed screen costs the job nothing.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec

from backends.base import Loading
from journal import Status
from pipeline.jobs.stage import Usage

State = Literal["starting", "running", "paused", "stopping", "finished"]

RATE_WINDOW_SECONDS = 10.0
"""The time over which the present rate is a mean."""

MOST_COMMITS = 1000
"""Commits that are remembered for the rate: many more than the journal makes in the window."""

SHOWN_RESULTS = 5
SHOWN_ERRORS = 20


Count = Annotated[int, msgspec.Meta(ge=-(1 << 53), le=1 << 53)]
Figure = Annotated[float, msgspec.Meta(ge=0, le=1e11)]
"""Numbers that can be shown: what sends a snapshot need not be a job of ours."""


class DonePhoto(msgspec.Struct, frozen=True):
    """A photo just done.

    Attributes:
        rel_path: Path of the photo relative to the photos directory, readable.
        status: How the attempt ended.
        text: The result in words, or why there is none.
        seconds: Time the stage took, None where the stage was never asked.
        raw_path: Base64 of the path's bytes, only where they are not UTF-8.
    """

    rel_path: str
    status: str
    text: str
    seconds: float | None
    raw_path: str | None = None


class Snapshot(msgspec.Struct, kw_only=True, tag_field="kind", tag="snapshot"):
    """The state of a job at one moment; the only thing that screens and clients see.

    Attributes:
        run: Id of the run.
        stage: Name of the stage.
        backend: Name of the backend.
        model: Model id.
        state: What the job is doing.
        total: Photos to do in this process.
        later: Photos of the run that further processes will do.
        attempted: Photos whose record is on disk.
        by_status: Attempted photos by status.
        skipped: Photos done before, by status.
        seconds: Time since the job began, pauses left out.
        rate_now: Photos a second over the last ten seconds.
        rate: Photos a second since the job began.
        eta_seconds: Time until the last photo of the run, None while no rate is known.
        tokens_in: Tokens of pictures and prompts.
        tokens_out: Tokens of answers.
        cost_usd: Price of the tokens in US dollars.
        current: Photos being worked on, the oldest first.
        last: Photos just done, the newest first.
        errors: Photos that failed, the newest first.
        loading: How far the backend is with getting ready, None when the backend is ready.
        remarks: What the user should know about the work so far, the newest sentence last.
        trouble: What the work waits for, such as a server that is down; None while all goes well.
    """

    run: str
    stage: str
    backend: str
    model: str | None
    state: State
    total: Count
    attempted: Count
    by_status: dict[str, Count]
    skipped: dict[str, Count]
    seconds: Figure
    rate_now: Figure
    rate: Figure
    eta_seconds: Figure | None
    tokens_in: Count
    tokens_out: Count
    cost_usd: Figure
    current: list[str]
    last: list[DonePhoto]
    errors: list[DonePhoto]
    later: Count = 0
    loading: Loading | None = None
    remarks: list[str] = []
    trouble: str | None = None

    @property
    def remaining(self) -> int:
        """Photos of this process that have no record yet."""
        return self.total - self.attempted


class Progress:
    """Counts records that are on disk; both counting and sampling are cheap.

    Args:
        run: Id of the run.
        stage: Name of the stage.
        backend: Name of the backend.
        total: Photos to do.
        later: Photos of the run that further processes will do.
        skipped: Photos done before, by status.
        clock: Returns seconds that never decrease.
    """

    def __init__(
        self,
        *,
        run: str,
        stage: str,
        backend: str,
        total: int,
        later: int = 0,
        skipped: dict[str, int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.run, self.stage, self.backend = run, stage, backend
        self.model: str | None = None
        self.loading: Loading | None = None
        self.remarks: list[str] = []
        self.trouble: str | None = None
        self.total = total
        self.later = later
        self.skipped = skipped
        self.state: State = "starting"
        self.by_status: Counter[str] = Counter()
        self.tokens_in = self.tokens_out = 0
        self.cost_usd = 0.0
        self._clock = clock
        self._began = clock()
        self._paused_at: float | None = None
        self._paused_for = 0.0
        self._recent: deque[tuple[float, int]] = deque(maxlen=MOST_COMMITS)
        self._current: dict[str, None] = {}
        self._last: deque[DonePhoto] = deque(maxlen=SHOWN_RESULTS)
        self._errors: deque[DonePhoto] = deque(maxlen=SHOWN_ERRORS)

    @property
    def attempted(self) -> int:
        """Photos whose record is on disk."""
        return self.by_status.total()

    def begin(self) -> None:
        """Start the clock: the backend is loaded, the first photo comes."""
        self._began = self._clock()
        if self._paused_at is None:
            self.state = "running"
        else:
            self._paused_at = self._began

    def finish(self) -> None:
        """Stop the clock: nothing more will come."""
        self.pause(True)
        self.state = "finished"

    def start(self, rel_path: str) -> None:
        """Note that a photo is being worked on."""
        self._current[rel_path] = None

    def add(self, usages: list[Usage]) -> None:
        """Count photos whose records have just reached the disk together."""
        self._recent.append((self._active_seconds(), len(usages)))
        for usage in usages:
            self._current.pop(usage.rel_path, None)
            self.by_status[usage.status] += 1
            self.tokens_in += usage.tokens_in
            self.tokens_out += usage.tokens_out
            self.cost_usd += usage.cost_usd or 0.0
            if usage.status != "success":
                self._errors.appendleft(_result(usage))
        for usage in usages[-SHOWN_RESULTS:]:
            self._last.appendleft(_result(usage))

    def take_back(self, status: Status) -> None:
        """Uncount the earlier outcome of a photo that was worked on again."""
        self.by_status[status] -= 1

    def pause(self, paused: bool) -> None:
        """Stop or restart the clock."""
        now = self._clock()
        self.state = "paused" if paused else "running"
        if paused and self._paused_at is None:
            self._paused_at = now
        elif not paused and self._paused_at is not None:
            self._paused_for += now - self._paused_at
            self._paused_at = None

    def snapshot(self) -> Snapshot:
        """Return the state of this moment."""
        seconds = self._active_seconds()
        rate = self.attempted / seconds if seconds > 0 else 0.0
        rate_now = self._rate_now(seconds)
        remaining = self.total - self.attempted + self.later
        pace = rate_now or rate
        return Snapshot(
            run=self.run,
            stage=self.stage,
            backend=self.backend,
            model=self.model,
            state=self.state,
            total=self.total,
            later=self.later,
            attempted=self.attempted,
            by_status={status: count for status, count in self.by_status.items() if count},
            skipped=self.skipped,
            seconds=seconds,
            rate_now=rate_now,
            rate=rate,
            eta_seconds=remaining / pace if pace else None,
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            cost_usd=self.cost_usd,
            current=list(self._current)[:SHOWN_RESULTS],
            last=list(self._last),
            errors=list(self._errors),
            loading=self.loading,
            remarks=self.remarks[-SHOWN_RESULTS:],
            trouble=self.trouble,
        )

    def _active_seconds(self) -> float:
        now = self._clock() if self._paused_at is None else self._paused_at
        return max(0.0, now - self._began - self._paused_for)

    def _rate_now(self, seconds: float) -> float:
        start = seconds - RATE_WINDOW_SECONDS
        while self._recent and self._recent[0][0] < start:
            self._recent.popleft()
        window = min(seconds, RATE_WINDOW_SECONDS)
        return sum(count for _, count in self._recent) / window if window > 0 else 0.0


def _result(usage: Usage) -> DonePhoto:
    return DonePhoto(usage.rel_path, usage.status, usage.text, usage.seconds, usage.raw_path)
