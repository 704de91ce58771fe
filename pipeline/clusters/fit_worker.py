"""The fitting process: compiles while its owner still makes vectors, then finds the clusters.

Started by `fit_process.py`. What numba compiles, what UMAP prints, and the memory
of both stay in here.
"""

from __future__ import annotations

import resource
import traceback
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

import msgspec

from backends.helper_process import read_messages, taken_pipes, write_message
from pipeline.clusters.fitting import fit, warm_up
from pipeline.clusters.messages import Fit, FitPhase, FitReply, FitRequest, Unfit


class FitServer:
    """Answers the requests of one owner.

    Args:
        incoming: Its requests.
        outgoing: Where replies go.
    """

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        decode = msgspec.msgpack.Decoder(FitRequest).decode
        self._requests: Iterator[FitRequest] = map(decode, read_messages(incoming))
        self._outgoing = outgoing

    def serve(self) -> None:
        """Answer until the owner is gone."""
        for request in self._requests:
            if not isinstance(request, Fit):
                warm_up()
                continue
            try:
                self._send(fit(request, lambda what, share: self._send(FitPhase(what, share))))
            except MemoryError:
                self._send(Unfit("out of memory; --sample takes fewer photos at once"))
            except Exception as error:
                traceback.print_exc()
                self._send(Unfit(f"{type(error).__name__}: {error}"))

    def _send(self, reply: FitReply) -> None:
        write_message(self._outgoing, msgspec.msgpack.encode(reply))


def main() -> None:
    """Serve standard input and output."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with taken_pipes() as (incoming, outgoing), suppress(BrokenPipeError):
        FitServer(incoming, outgoing).serve()


if __name__ == "__main__":
    main()
