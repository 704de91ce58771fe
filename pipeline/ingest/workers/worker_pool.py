"""The workers of a run, each a process of its own: started, watched, replaced, ended."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from backends.base import Loading
from backends.errors import SetupError
from backends.helper import Helper, HelperDied
from backends.hub import ENVIRONMENT
from backends.processes import KILL_SECONDS
from pipeline.ingest.cache.manifest import ModelFacts
from pipeline.ingest.cache.records import StageName
from pipeline.ingest.errors import WorkersDied
from pipeline.ingest.workers.messages import (
    Order,
    Told,
    WorkerFailed,
    WorkerReply,
    WorkerRequest,
    WorkerSetup,
)
from pipeline.jobs.errors import RunStopped

MODULE = "pipeline.ingest.workers.worker"

MOST_DEATHS = 10
"""Deaths with nothing done in between; if there are more, the photos are not to blame."""

GOODBYE_SECONDS = 10.0
"""Time in seconds that workers have when they are to end at once."""

SILENCE_SECONDS = 600.0
"""A worker that says nothing for so long hangs; while a model loads, it may be silent for long."""

log = logging.getLogger("pcc.ingest")


class Member(Helper[WorkerRequest, WorkerReply]):
    """One worker of a pool.

    Args:
        setup: The first message to the worker.
    """

    def __init__(self, setup: WorkerSetup) -> None:
        super().__init__(MODULE, WorkerReply, environment=ENVIRONMENT, patience=SILENCE_SECONDS)
        self._setup = setup
        self.told = Told(loading=Loading("starting"), remarks=[], models={}, current=[])
        self.failure: WorkerFailed | None = None
        self._order: Order | None = None

    async def attend(self) -> str | None:
        """Start the worker and listen to it until it ends; return what it died of, if it did.

        Raises:
            SetupError: the worker cannot be started.
        """
        try:
            await self.start()
            self.send(self._setup)
            if self._order is not None:  # given while the process was being started
                self.send(self._order)
            while True:
                message = await self.receive()
                if isinstance(message, WorkerFailed):
                    self.failure = message
                else:
                    self.told = message
        except HelperDied as died:
            if not self.started:
                raise SetupError(f"a worker {died}") from None
            if died.status == 0 or self.failure:
                return None
            raised = died.last_line if (died.status or 0) > 0 else ""
            return raised or str(died).removeprefix("died of ").removeprefix("gave ")

    def end(self, *, at_once: bool) -> None:
        """Have the worker finish what is in flight, or give it up, and end."""
        self._order = Order(at_once)
        if self.started:
            self.send(self._order)


class WorkerPool:
    """Keeps a number of workers running until they are to end.

    Args:
        setups: The first message to each worker; the names of the workers differ.

    Attributes:
        remarks: What came up in the pool, a sentence each.
    """

    def __init__(self, setups: list[WorkerSetup]) -> None:
        self.remarks: list[str] = []
        self._fallen: list[str] = []
        self._setups = setups
        self._members: dict[str, Member] = {}
        self._keeping: list[asyncio.Task[None]] = []
        self._is_ending = False
        self._deaths = 0

    async def run(self) -> None:
        """Keep the workers running until `end` is called and they have ended.

        Raises:
            SetupError: a model cannot be loaded.
            RunStopped: a worker says that no other would fare better.
            WorkersDied: workers die again and again, and nothing gets done.
        """
        self._keeping = [asyncio.create_task(self._keep(setup)) for setup in self._setups]
        keeping = self._keeping
        await asyncio.wait(keeping, return_when=asyncio.FIRST_EXCEPTION)
        self.end(at_once=True)  # after an error; otherwise all have ended
        await asyncio.wait(keeping, timeout=GOODBYE_SECONDS)
        self.kill()
        for ended in await asyncio.gather(*keeping, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    async def _keep(self, setup: WorkerSetup) -> None:
        """Keep one worker running: start another when it dies."""
        number = 0
        while not self._is_ending:
            name = setup.worker if not number else f"{setup.worker}.{number}"
            member = self._members[setup.worker] = Member(
                msgspec.structs.replace(setup, worker=name)
            )
            died_of = await member.attend()
            if member.failure is not None:
                raise _error(member.failure)
            if died_of is None:
                return
            self._deaths += 1
            self._fallen.append(name)
            log.error("worker died", {"worker": name, "cause": died_of})
            self.remarks.append(f"worker {name} died of {died_of}; another takes its place")
            if self._deaths > MOST_DEATHS:
                raise WorkersDied(
                    f"{self._deaths} workers died and nothing got done; the last of {died_of}"
                )
            number += 1

    def take_fallen(self) -> list[str]:
        """Return the workers that died since this was last asked."""
        fallen, self._fallen = self._fallen, []
        return fallen

    def something_done(self) -> None:
        """Forget deaths: the workers get on."""
        self._deaths = 0

    def end(self, *, at_once: bool = False) -> None:
        """Have all workers finish what is in flight, or give it up, and end."""
        self._is_ending = True
        for member in self._members.values():
            member.end(at_once=at_once)

    def kill(self) -> None:
        """End all workers, whatever they do, and wait for none that cannot be killed."""
        self._is_ending = True
        for member in self._members.values():
            member.kill()
        for keeper in self._keeping:
            asyncio.get_running_loop().call_later(2 * KILL_SECONDS, keeper.cancel)

    @property
    def loading(self) -> Loading | None:
        """What the workers are loading, None as soon as one of them can work."""
        states = [member.told.loading for member in self._members.values()]
        return None if None in states or not states else states[0]

    @property
    def models(self) -> dict[StageName, ModelFacts]:
        """The models of each stage, as far as a worker has told them."""
        found: dict[StageName, ModelFacts] = {}
        for member in self._members.values():
            found.update(member.told.models)
        return found

    @property
    def current(self) -> list[str]:
        """Photos that workers are busy with."""
        return [path for member in self._members.values() for path in member.told.current]

    def all_remarks(self) -> list[str]:
        """Return what came up in the pool and in its workers, once each."""
        said = [remark for member in self._members.values() for remark in member.told.remarks]
        return list(dict.fromkeys([*self.remarks, *said]))


def _error(failed: WorkerFailed) -> Exception:
    return SetupError(failed.reason) if failed.setup else RunStopped(failed.reason)
