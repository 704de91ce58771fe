"""The fitting process: compiles while its owner makes vectors, then finds the clusters.

`fit_process.py` starts this process, so that the compiled code of numba, the output of
UMAP and the memory of both do not burden the job.
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
        incoming: Requests of the owner.
        outgoing: Replies to the owner.
    """

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        decode = msgspec.msgpack.Decoder(FitRequest).decode
        self._requests: Iterator[FitRequest] = map(decode, read_messages(incoming))
        self._outgoing = outgoing

    def serve(self) -> None:
        """Answer requests until the owner closes its end."""
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
