"""`pcc try` as a process of its own, followed while a model loads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from pcc_tui.desks.command_process import answer_of
from pcc_tui.errors import CommandFailed
from pipeline.captions.trial import Trial


async def try_in_process(
    arguments: Iterable[str], environment: dict[str, str], tell: Callable[[str], None]
) -> Trial:
    """Caption one photo in a process of its own, and write nothing.

    Args:
        arguments: Of `pcc try`.
        environment: Variables for it; empty ones are left out.
        tell: Gets each line about how far it is.

    Raises:
        CommandFailed: there is no caption, and why.
    """
    answer = await answer_of(["try", "--json", *arguments], environment, tell)
    try:
        return msgspec.json.decode(answer, type=Trial)
    except msgspec.MsgspecError:
        raise CommandFailed("the trial gave an answer that cannot be read") from None
