"""Several steps, one after the other, that look like one step from outside."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.jobs.progress import Snapshot
from pipeline.jobs.step import Ending, Step


class Steps:
    """Runs its steps in order; commands go to the one that runs.

    Args:
        steps: Run one after the other.
        last: Runs after the steps, also when a step was stopped, or failed after something was
            made: the last step brings in what was made. An abort leaves the last step out.
    """

    def __init__(self, steps: Sequence[Step], last: Step | None = None) -> None:
        self._steps = steps
        self._last = last
        self._current = steps[0] if steps or last is None else last
        self._paused = False
        self._ended = False
        self._aborted = False

    async def run(self) -> Ending:
        """Work until the last step is done, or until a step is stopped."""
        try:
            ending = await self._run_steps()
        except Exception as error:
            if any(step.snapshot().attempted for step in self._steps):
                try:
                    await self._run_last(Ending.STOPPED)
                except Exception as another:
                    raise error from another
            raise
        return await self._run_last(ending)

    async def _run_last(self, ending: Ending) -> Ending:
        if self._last is None or self._aborted:
            return ending
        self._current = self._last
        if self._paused:
            self._last.pause()
        closing = await self._last.run()
        return closing if ending is Ending.DONE else ending

    async def _run_steps(self) -> Ending:
        ending = Ending.DONE
        for step in self._steps:
            if self._ended:
                return Ending.STOPPED
            self._current = step
            if self._paused:
                step.pause()
            ending = await step.run()
            if ending is not Ending.DONE:
                break
        return ending

    def snapshot(self) -> Snapshot:
        """Return the state of the step that runs."""
        return self._current.snapshot()

    def pause(self) -> None:
        """Let the current step take on nothing more."""
        self._paused = True
        self._current.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        self._paused = False
        self._current.resume()

    def stop(self) -> None:
        """End after what is in flight."""
        self._ended = True
        self._paused = False
        self._current.stop()

    def abort(self) -> None:
        """End now."""
        self._ended = self._aborted = True
        self._current.abort()

    def retry(self) -> int:
        """Retry what failed in the current step."""
        return self._current.retry()
