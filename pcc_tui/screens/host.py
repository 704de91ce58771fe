"""What a screen may ask of the app."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from textual.notifications import SeverityLevel

from pipeline.jobs.control import Command
from pipeline.jobs.progress import Snapshot

if TYPE_CHECKING:
    from textual_image.widget._base import Image as ImageWidget

    from pcc_tui.desks.job_link import JobEnd, JobLink
    from pcc_tui.probes import MachineProbe
    from pcc_tui.session import Session

AsyncWork = Callable[..., Coroutine[Any, Any, None]]


class Host(Protocol):
    """The app as its screens know it.

    Attributes:
        session: The workspace.
        link: The job.
        machine: Reads the machine; off the event loop.
        image_widget: The widget that draws pictures, None for none.
        snapshot: The last state of the running job, None while there is none.
        ended: How the last job ended, None before that and while another starts.
        rates: Photos a second of the running job, second by second.
    """

    session: Session
    link: JobLink
    machine: MachineProbe
    image_widget: type[ImageWidget] | None
    snapshot: Snapshot | None
    ended: JobEnd | None
    rates: Sequence[float]

    def start_job(self, extra: Iterable[str] = ()) -> None:
        """Start a job with the settings of the workspace and show it."""

    def start_clustering(self) -> None:
        """Start the clustering of the library and show it."""

    def start_pcc(self, arguments: Sequence[str]) -> bool:
        """Start a command of `pcc` as the job, and stay where one is; tell whether it started."""

    def command_job(self, command: Command) -> None:
        """Tell the running job something."""

    def action_go(self, mode: str) -> None:
        """Show another screen."""

    def tell(self, sentence: str, severity: SeverityLevel = "information") -> None:
        """Say a sentence where it is seen."""

    async def guarded(self, work: AsyncWork, *arguments: Any) -> None:
        """Do something that may fail; a failure is a sentence, not the end."""
