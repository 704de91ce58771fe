"""The fitting process: compiles while its owner makes vectors, then finds the clusters.

`fit_process.py` starts this process, so that the compiled code of numba, the output of
UMAP and the memory of both do not burden the job.
"""

from __future__ import annotations

import traceback

from backends.helper_server import Owner, serving
from pipeline.clusters.fitting import fit, warm_up
from pipeline.clusters.messages import Fit, FitPhase, FitReply, FitRequest, Unfit


def serve(owner: Owner[FitRequest, FitReply]) -> None:
    """Answer the requests of one owner until it is gone."""
    for request in owner.requests:
        if not isinstance(request, Fit):
            warm_up()
            continue
        try:
            owner.send(fit(request, lambda what, share: owner.send(FitPhase(what, share))))
        except MemoryError:
            owner.send(Unfit("out of memory; --sample takes fewer photos at once"))
        except Exception as error:
            traceback.print_exc()
            owner.send(Unfit(f"{type(error).__name__}: {error}"))


def main() -> None:
    """Serve standard input and output."""
    with serving(FitRequest) as owner:
        serve(owner)


if __name__ == "__main__":
    main()
