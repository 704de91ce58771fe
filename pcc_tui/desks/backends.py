"""Backends to choose from: what each is, needs and offers, and a trial on one photo."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from backends.base import Captioner
from backends.errors import SetupError
from backends.offers import Offer
from backends.registry import backend_class, backend_names, missing_extra
from pcc_tui.desks.command_process import answer_of
from pcc_tui.desks.commands import Commands
from pcc_tui.known_servers import is_known, keep_server, server_question
from pcc_tui.settings import Settings
from pcc_tui.workspace import Workspace
from pipeline.captions.trial import Trial


class BackendChoice(msgspec.Struct, frozen=True):
    """A backend to choose, and what it needs.

    Attributes:
        name: Name of the backend.
        summary: What the backend is, in one line.
        needs: What the backend needs, and whether it is there.
        ready: Whether a run could start at once.
        local: Whether its models run on this machine.
        offers: Models worth choosing.
    """

    name: str
    summary: str
    needs: str
    ready: bool
    local: bool = False
    offers: list[Offer] = []


class BackendsDesk:
    """Lists the backends, and tries one of them on a photo.

    Args:
        workspace: The workspace, whose settings hold keys and choices.
        commands: Makes the command of a trial.
    """

    def __init__(self, workspace: Workspace, commands: Commands) -> None:
        self._workspace = workspace
        self._commands = commands

    async def choices(self) -> list[BackendChoice]:
        """Return every backend that is known; this imports the module of each."""
        return await asyncio.to_thread(self._choices)

    def _choices(self) -> list[BackendChoice]:
        return [look_at(name, self._workspace.settings) for name in backend_names()]

    def server_question(self, backend: str, typed: str | None = None) -> str | None:
        """Return what to ask before photos go to a server that only a file names, else None.

        Args:
            backend: Name of the backend. One that is not there is asked about by nobody: the
                command says what is amiss.
            typed: The address in a field, which is the file's own until somebody changes it.
        """
        settings = self._workspace.settings
        options = settings.options(backend)
        address = typed or options.base_url
        if address != settings.choices.base_url or is_known(address):
            return None
        try:
            kind = backend_class(backend)
        except SetupError:
            return None
        if kind.local:
            return None
        key = kind.key_name if kind.key_name in options.keys else None
        return server_question(backend, str(address), key)

    def keep_server(self) -> None:
        """Remember that the server of the settings is meant."""
        keep_server(self._workspace.settings.choices.base_url)

    async def try_photo(
        self,
        backend: str,
        *,
        model: str | None,
        quantize: str | None,
        base_url: str | None,
        prompt: str,
        tell: Callable[[str], None],
    ) -> Trial:
        """Caption one photo in a process of its own, by choices over the settings; keep nothing.

        Args:
            backend: Name of the backend.
            model: Model id, None for the backend's own.
            quantize: Bits of a local model's weights, None for what fits.
            base_url: Another server, None for the vendor's.
            prompt: The instruction, empty for that of the settings.
            tell: Gets each line about how far the command is.

        Raises:
            CommandFailed: there is no caption; says why.
        """
        command = self._commands.try_photo(backend, model, quantize)
        unlisted = {"PCC_BASE_URL": base_url or "", "PCC_PROMPT": prompt}
        return await answer_of(command, Trial, environment=unlisted, tell=tell)


def look_at(name: str, settings: Settings) -> BackendChoice:
    """Return what a backend is, needs and offers."""
    if mend := missing_extra(name):
        return BackendChoice(name, "not installed", f"Not installed: {mend}", ready=False)
    try:
        kind: type[Captioner] = backend_class(name)
        offers = kind.offers(settings.options(name))
    except SetupError as error:
        return BackendChoice(name, "not installed", str(error), ready=False)
    summary = (kind.__doc__ or "").strip().partition("\n")[0]
    place = "Stays on this machine." if kind.local else "Sends pixels, and no more, to a server."
    parts = [place]
    ready = True
    if kind.key_name is not None:
        ready = kind.key_name in settings.keys
        state = "is set" if ready else "is not set; a server of your own needs none"
        parts.append(f"{kind.key_name} {state}.")
    if kind.default_model is not None:
        parts.append(f"Model unless named: {kind.default_model}.")
    return BackendChoice(name, summary, "\n".join(parts), ready, kind.local, offers)
