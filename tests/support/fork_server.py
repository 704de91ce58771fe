"""A process that has imported what helper processes need, and forks for each of them.

What it forks is a process like any other: with pipes, a session, a command line and an
exit status of its own, and a child of the test's process. Only the imports, and what numba
compiles, are shared. `forking.py` is the other end.

`python -P -m tests.support.fork_server DESCRIPTOR KIND PADDING`
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from backends.local_captioner import model_process
from pcc_tui.cli.commands import COMMANDS
from pipeline.clusters import fit_process
from pipeline.ingest.workers import worker_pool
from pipeline.photos import decoder

MOST_BYTES = 1 << 20
DESCRIPTORS = 3


class Order(NamedTuple):
    """A process to become.

    Attributes:
        module: What runs, as after `-m`.
        arguments: The whole command line.
        environment: All variables.
        directory: Where it runs.
        mask: Its umask.
        new_session: Whether it leaves the session of the test.
    """

    module: str
    arguments: list[str]
    environment: dict[str, str]
    directory: str
    mask: int
    new_session: bool


def load_commands() -> None:
    """Import what commands need, but not Textual, which reads variables that the app sets."""
    commands = {each.module for group in COMMANDS.values() for each in group.values()}
    for name in ("pcc_tui.cli.main", *commands, "pipeline.captions.run", "pipeline.ingest.run"):
        importlib.import_module(name)


def load_decoder() -> None:
    """Import what decodes photos."""
    from PIL import Image

    Image.init()
    for name in ("pillow_heif", decoder.WORKER_MODULE):
        importlib.import_module(name)


def load_fitting() -> None:
    """Import what finds clusters, and let numba compile it.

    No thread may have run before a fork, so all of it happens in this one.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    os.environ["NUMBA_NUM_THREADS"] = "1"
    importlib.import_module("hdbscan")
    importlib.import_module(fit_process.WORKER_MODULE)
    from pipeline.clusters.fitting import warm_up

    with threadpool_limits(1):
        warm_up()


def load_models() -> None:
    """Import what holds models; no model is loaded, since that needs threads."""
    for name in (
        *(model_process.WORKER_MODULE, worker_pool.MODULE, "backends.local_captioner.processors"),
        *("accelerate", "bitsandbytes", "cv2", "onnxruntime", "rapidocr"),
        *("transformers.models.qwen2_5_vl.modeling_qwen2_5_vl",),
        *("transformers.models.qwen2_5_vl.processing_qwen2_5_vl",),
    ):
        with suppress(ImportError):
            importlib.import_module(name)
    import transformers

    for name in ("AutoConfig", "AutoProcessor", "AutoModelForImageTextToText", "GenerationConfig"):
        getattr(transformers, name)


LOADERS: dict[str, Callable[[], None]] = {
    "commands": load_commands,
    "decoder": load_decoder,
    "fitting": load_fitting,
    "models": load_models,
}


def serve(orders: socket.socket) -> Order | None:
    """Fork until nobody asks any more; return the order in a process that was forked for it."""
    with suppress(BrokenPipeError):
        orders.sendall(b"\n")
    while True:
        try:
            data, received, _, _ = socket.recv_fds(orders, MOST_BYTES, DESCRIPTORS)
        except ConnectionResetError:  # it was ended before it was asked
            return None
        if not data:
            return None
        while not data.endswith(b"\n"):
            data += orders.recv(MOST_BYTES)
        reading, writing = os.pipe()
        between = os.fork()
        if between:
            os.close(writing)
            with open(reading, "rb") as answer:
                told = answer.read()
            os.waitpid(between, 0)  # now the process is the test's
            for descriptor in received:
                os.close(descriptor)
            orders.sendall(told + b"\n")
            continue
        os.close(reading)
        between = os.getpid()
        if pid := os.fork():
            os.write(writing, b"%d" % pid)
            os._exit(0)
        os.close(writing)
        while os.getppid() == between:  # a helper asks to be told of the death of its parent
            time.sleep(0.001)
        orders.close()
        for standard, descriptor in enumerate(received):
            os.dup2(descriptor, standard)
            os.close(descriptor)
        return Order(*json.loads(data))


def become(order: Order) -> None:
    """Be as if this process had been started for an order."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if order.new_session:
        os.setsid()
    os.chdir(order.directory)
    os.umask(order.mask)
    os.environ.clear()
    os.environ.update(order.environment)
    if path := order.environment.get("PYTHONPATH"):
        sys.path[:0] = path.split(os.pathsep)
    sys.argv, sys.orig_argv = order.arguments[3:], order.arguments
    _rename(b"\0".join(map(os.fsencode, order.arguments)))
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        before = getattr(sys, name)  # opened on another file, and remembers what that could do
        mode, buffering = ("w" if descriptor else "r"), (1 if os.isatty(descriptor) else -1)
        stream = open(  # noqa: SIM115 - as long as the process
            descriptor, mode, buffering, before.encoding, before.errors, closefd=False
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _rename(command_line: bytes) -> None:
    """Show another command line in the list of processes."""
    fields = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()
    start, end = int(fields[45]), int(fields[46])
    assert len(command_line) < end - start
    ctypes.memmove(start, command_line.ljust(end - start, b"\0"), end - start)


def run(module: str) -> None:
    """Run a module as `-m` does, but for what it imports."""
    sys.modules.pop(module, None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # to take apart what was imported takes half a second


def main() -> Any:
    """Serve the test that started this; end as whatever was forked."""
    descriptor, kind, _ = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the test's process answers for all
    LOADERS[kind]()
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(descriptor)) as orders:
        order = serve(orders)
    if order is not None:
        become(order)
        run(order.module)


if __name__ == "__main__":
    main()
