"""What a run of the captioner is asked to do, and what remains to be done.

This module loads no model, no decoder and no event loop, so that a run with nothing
to do ends quickly.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import msgspec

from backends.base import Options
from backends.registry import CAPTIONERS, backend_class
from journal import CAPTIONS, WriterLock, make_directory
from pipeline.captions.edits import read_edits
from pipeline.captions.file_states import FileStates
from pipeline.captions.last_captioner import LastCaptioner
from pipeline.captions.plan import (
    History,
    Maker,
    Plan,
    Selection,
    load_makers,
    make_plan,
    read_history,
)
from pipeline.captions.prompt_file import prompt_hash
from pipeline.jobs.run_file import new_run_id
from pipeline.photos.photo import photo_key
from pipeline.photos.walk import walk_photos


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked for.

    Attributes:
        photos_dir: The photos directory, which is never written to.
        workspace: The directory of the journal, the log and `run.json`.
        journal: The captions journal.
        backend: Name of the backend.
        options: Options of the backend.
        recalled: Who captioned last, where nobody named a backend and this is why it is used.
        selection: Which photos are captioned again.
        run: Id of the run, None to make an id from the time.
        limit: Photos attempted in this run at most.
        restart_every: Photos after which this process ends with exit code 2.
        budget: US dollars that the run may cost.
        dry_run: Decode everything and call no model.
        include: Globs of photos that are included; empty for all photos.
        exclude: Globs of photos that are left out.
    """

    photos_dir: Path
    workspace: Path
    journal: Path
    backend: str
    options: Options
    recalled: LastCaptioner | None = None
    selection: Selection = Selection()
    run: str | None = None
    limit: int | None = None
    restart_every: int | None = None
    budget: float | None = None
    dry_run: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class PreparedRun(msgspec.Struct):
    """A planned run whose journal is locked; nothing is loaded yet.

    Attributes:
        request: What was asked for.
        run: Id of the run.
        plan: What there is to do, and what is skipped.
        warnings: Sentences about the walk and the backend.
        batch: Relative paths of the photos that this process will caption.
        remaining: Photos to do, including the photos of this process.
        later: Photos of this run that further processes will work on.
        history: What earlier processes of the run did.
        lock: The lock on the journal.
    """

    request: RunRequest
    run: str
    plan: Plan
    warnings: list[str]
    batch: list[str]
    remaining: int
    later: int
    history: History
    lock: WriterLock

    def going_on(self, attempted: int = 0) -> str:
        """Return the command that goes on with the run, to be made whole by what prints it.

        It names the run, so that no photo is captioned twice and the limit and the budget of the
        run hold.

        Args:
            attempted: Photos attempted, if as many more as the limit says are to follow.
        """
        more = ""
        if attempted and self.request.limit is not None:
            more = f" --limit {len(self.history.attempted) + attempted + self.request.limit}"
        return f"`pcc run --run-id {shlex.quote(self.run)}{more}`"


class RunReport(msgspec.Struct, kw_only=True, tag_field="kind", tag="run"):
    """The result of a run, as `pcc run --json` prints it.

    Attributes:
        run: Id of the run.
        attempted: Photos whose record this process brought to disk.
        by_status: Photos attempted, by status.
        seconds: Time from the first photo to the last, without pauses.
        rate: Photos a second.
        tokens_in: Tokens of pictures and prompts.
        tokens_out: Tokens of answers.
        cost_usd: Price of all calls in US dollars.
        remaining: Photos still to do.
    """

    run: str
    attempted: int = 0
    by_status: dict[str, int] = {}
    seconds: float = 0.0
    rate: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    remaining: int = 0


def plan_run(request: RunRequest, states: FileStates | None = None) -> tuple[Plan, list[str]]:
    """Return what a run would do, and warnings about the walk and the backend; write nothing.

    Args:
        request: The run.
        states: Tells which photos changed, None to look them up.

    Raises:
        PhotosDirMissing: the photos directory cannot be read.
        SetupError: there is no such backend.
    """
    walked = walk_photos(request.photos_dir, request.include, request.exclude)
    index, edits = load_makers(request.journal), read_edits(request.journal)
    warnings = walked.warnings + edits.warnings
    plan = make_plan(
        walked.paths,
        index,
        request.selection,
        maker_of(request),
        set(edits.texts),
        states or FileStates(request.journal, request.photos_dir),
    )
    plan.passed_over = walked.passed_over
    if not plan.to_do:
        return plan, warnings
    return plan, warnings + backend_class(request.backend).notices(request.options)


def maker_of(request: RunRequest) -> Maker:
    """Return the maker of the records of a run.

    Raises:
        SetupError: there is no such backend.
    """
    model, prompt = request.options.model, prompt_hash(request.options.prompt)
    if model is None or request.backend not in CAPTIONERS:
        kind = backend_class(request.backend)  # whose import a plan with a model can do without
        return Maker(kind.name, kind.model_for(request.options), prompt)
    return Maker(request.backend, model, prompt)


def prepare_run(request: RunRequest) -> PreparedRun:
    """Lock the journal and plan a run.

    Raises:
        PhotosDirMissing: the photos directory cannot be read.
        SetupError: there is no such backend.
        JournalLocked: another process writes the journal.
    """
    for directory in (request.workspace, request.journal.parent):
        make_directory(directory)
    lock = WriterLock(request.journal, f"pcc run in {request.workspace}", CAPTIONS)
    try:
        stale = request.selection.stale
        states = FileStates(request.journal, request.photos_dir, captioned_too=stale)
        plan, warnings = plan_run(request, states)
        states.save()
        run = request.run or new_run_id()
        history = read_history(lock.path, run, maker_of(request), plan.to_do)
        to_do = [path for path in plan.to_do if photo_key(path) not in history.attempted]
        wanted = to_do
        if request.limit is not None:
            wanted = to_do[: max(0, request.limit - len(history.attempted))]
        batch = wanted[: request.restart_every]
    except BaseException:
        lock.release()
        raise
    return PreparedRun(
        request, run, plan, warnings, batch, len(to_do), len(wanted) - len(batch), history, lock
    )
