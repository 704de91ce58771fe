"""What is decoded ahead of the workers: bounded, handed out in batches, held in a pause."""

from __future__ import annotations

import asyncio
import enum

from pipeline.jobs.stage import Decoded


class _Marker(enum.Enum):
    """What stands between decoded photos."""

    DRAINED = "nothing more is being decoded: do not wait for a full batch"
    END = "no photo will come any more"


PLACES_PER_DECODER = 2
"""Photos that are decoded, or on their way, for each decoding process: one is decoded while
another waits. More would only hold memory."""


class DecodedBuffer:
    """Room for photos between decoding and the workers.

    A place is reserved before a photo is decoded. The place is free again when a worker
    takes the photo, or by `give_back` when no worker will.

    Args:
        workers: How many workers take batches.
        decoders: How many processes decode.
        resumed: While this event is not set, no photo is handed out.
    """

    def __init__(self, workers: int, decoders: int, resumed: asyncio.Event) -> None:
        self._workers = workers
        self._places = asyncio.Semaphore(PLACES_PER_DECODER * decoders)
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
