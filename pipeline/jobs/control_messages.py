"""What a job and its clients send each other over the control socket: JSON, one message a line.

The job first says which job it is, `{"job": {...}}` as in `run.json`. Then it sends
`{"snapshot": {...}}` ten times a second, and `{"reply": "..."}` to each command. A client sends
`{"command": "pause", "by": "watch"}`; the commands are `pause`, `resume`, `stop`, `abort` and
`retry`, and `by`, which may be left out, says who commands.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from pipeline.jobs.progress import Snapshot
from pipeline.jobs.run_file import RunFile

SILENCE_SECONDS = 10.0
"""A job that sends nothing for this long is stopped or hangs."""

LONGEST_MESSAGE = 1 << 20
"""Bytes of a message of a job, at most."""

LONGEST_COMMAND = 1 << 12
"""Bytes of a message of a client, at most."""

Command = Literal["pause", "resume", "stop", "abort", "retry"]

NAMELESS = "client"
"""Who commands, where a client does not say so."""

Client = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class Message(msgspec.Struct, omit_defaults=True):
    """One line between a job and a client.

    Attributes:
        job: Which job this is, from the job and before everything else.
        snapshot: The state of the job, from the job.
        command: What the job is told to do, from a client.
        by: What the client is, such as `app` or `watch`; beside a command alone.
        reply: The answer to a command, from the job.
    """

    job: RunFile | None = None
    snapshot: Snapshot | None = None
    command: Command | None = None
    by: Client = NAMELESS
    reply: str | None = None


decode = msgspec.json.Decoder(Message).decode


def line_of(message: Message) -> bytes:
    """Return the line that says a message."""
    return msgspec.json.encode(message) + b"\n"
