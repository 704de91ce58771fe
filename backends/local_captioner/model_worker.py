"""The model process: loads a model, then captions batches until its owner is gone.

`model_process.py` starts it. A crash of CUDA, what a library prints, and memory that
leaks stay in this process.
"""

from __future__ import annotations

import logging
import traceback

from backends.base import Loading
from backends.helper_server import Owner, serving
from backends.local_captioner.families import family_of
from backends.local_captioner.generation import Generator
from backends.local_captioner.loading import explain, load_model
from backends.local_captioner.messages import (
    Answers,
    Batch,
    Beat,
    Load,
    LoadProgress,
    ModelReply,
    ModelRequest,
    Ready,
    Unusable,
)


class ModelServer:
    """Answers the requests of one owner.

    Args:
        owner: The captioner.
    """

    def __init__(self, owner: Owner[ModelRequest, ModelReply]) -> None:
        self._owner = owner

    def serve(self) -> None:
        """Load the model that is asked for first, then caption."""
        load = next(self._owner.requests, None)
        if not isinstance(load, Load):
            return
        try:
            generator, notices = self._make_generator(load)
        except Exception as error:
            traceback.print_exc()  # into the words that the owner keeps
            self._owner.send(Unusable(explain(error, load)))
            return
        self._owner.send(Ready(generator.batch_size, notices))
        for request in self._owner.requests:
            assert isinstance(request, Batch)
            answers = generator.caption([picture.image() for picture in request.pictures])
            self._owner.send(Answers(answers, generator.batch_size))

    def _make_generator(self, load: Load) -> tuple[Generator, list[str]]:
        loaded = load_model(load, self._tell)
        family = family_of(loaded.model, loaded.processor, load.prompt)
        generator = Generator(
            loaded.model,
            loaded.processor,
            family,
            loaded.device,
            lambda: self._owner.send(Beat()),
            load.max_tokens,
        )
        if load.batch_size is not None:
            generator.batch_size = load.batch_size
            return generator, loaded.notices
        self._tell(Loading("measuring memory"))
        generator.choose_batch_size(load.max_edge)
        return generator, loaded.notices

    def _tell(self, loading: Loading) -> None:
        self._owner.send(LoadProgress(loading))


def main() -> None:
    """Serve standard input and output."""
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # int8 has a word on each product
    with serving(ModelRequest) as owner:
        ModelServer(owner).serve()


if __name__ == "__main__":
    main()
