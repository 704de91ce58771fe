"""What is decoded ahead of the workers: bounded, handed out in batches, held in a pause."""

from __future__ import annotations

import asyncio
import enum

from pipeline.jobs.stage import Decoded


class _Marker(enum.Enum):
    """What stands between decoded photos."""

    DRAINED = "nothing more is being decoded: do not wait for a full batch"
    END = "no photo will come any more"


class Ahead:
    """Room for photos between decoding and the workers.

    Args:
        workers: How many take batches.
        batch_size: Photos to a batch.
        spare: Places beyond one batch for each worker.
        resumed: While it is not set, no photo is handed out.
    """

    def __init__(self, workers: int, batch_size: int, spare: int, resumed: asyncio.Event) -> None:
        self._workers = workers
        self._batch_size = batch_size
        self._places = asyncio.Semaphore(workers * batch_size + spare)
        self._ready: asyncio.Queue[Decoded | _Marker] = asyncio.Queue()
        self._filling = asyncio.Lock()
        self._resumed = resumed
        self._ended = False

    async def reserve(self) -> None:
        """Wait for a place for one more photo."""
        await self._places.acquire()

    def give_back(self) -> None:
        """Free a reserved place that no photo will take."""
        self._places.release()

    def put(self, decoded: Decoded) -> None:
        """Put a photo in the place reserved for it."""
        self._ready.put_nowait(decoded)

    def drained(self) -> None:
        """Tell that nothing is being decoded, so a batch that is begun will not grow."""
        self._ready.put_nowait(_Marker.DRAINED)

    def end(self) -> None:
        """Hand out nothing any more."""
        self._ended = True
        for _ in range(self._workers):
            self._ready.put_nowait(_Marker.END)

    async def batch(self) -> list[Decoded]:
        """Return the next batch; empty at the end."""
        async with self._filling:  # one batch at a time: a marker is for whoever fills
            batch: list[Decoded] = []
            while len(batch) < self._batch_size:
                item = await self._ready.get()
                await self._resumed.wait()
                if self._ended or item is _Marker.END:
                    return []
                if isinstance(item, Decoded):
                    self._places.release()
                    batch.append(item)
                elif batch:
                    break
            return batch
