"""What is decoded ahead of the workers: bounded, handed out in batches, held in a pause."""

from __future__ import annotations

import asyncio
import enum

from pipeline.jobs.stage import Decoded


class _Marker(enum.Enum):
    """What stands between decoded photos."""

    DRAINED = "nothing more is being decoded: do not wait for a full batch"
    END = "no photo will come any more"


class DecodedBuffer:
    """Room for photos between decoding and the workers.

    Args:
        workers: How many take batches.
        places: How many photos may be decoded, or on their way, and not taken.
        resumed: While it is not set, no photo is handed out.
    """

    def __init__(self, workers: int, places: int, resumed: asyncio.Event) -> None:
        self._workers = workers
        self._places = asyncio.Semaphore(places)
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

    def make_room(self, places: int) -> None:
        """Add places: only a stage that is open knows how many photos it takes at once."""
        for _ in range(places):
            self._places.release()

    async def batch(self, most: int) -> list[Decoded]:
        """Return the next batch of at most so many photos; empty at the end."""
        async with self._filling:  # one batch at a time: a marker is for whoever fills
            batch: list[Decoded] = []
            while len(batch) < most:
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
