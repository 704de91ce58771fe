"""What a training dataset lacks, pass by pass: each pass can be run, the whole can be checked."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.console import JustifyMethod
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import DataTable

from backends.registry import backend_class
from pcc_tui.clean import clean
from pcc_tui.dialogs.ask import AskDialog
from pcc_tui.dialogs.confirm import ConfirmDialog
from pcc_tui.errors import CommandFailed
from pcc_tui.screens.base import PccScreen
from pcc_tui.screens.parts.ingestion_rows import ABOUT, IngestionRows
from pcc_tui.widgets.text import Words
from pcc_tui.words.datasets import (
    bar,
    enrich_words,
    shard_words,
    synth_words,
    validation_words,
    verify_words,
)
from pcc_tui.words.estimates import estimate_rows
from pcc_tui.words.figures import data_size, tidy
from pcc_tui.words.ingestion import import_words, ingest_words
from pcc_tui.words.job import pace
from pipeline.datasets.enrich_report import EnrichPlan, EnrichReport
from pipeline.datasets.passes import DEFAULT_PASSES, PASSES, TOGETHER
from pipeline.datasets.shards.report import ShardReport
from pipeline.ingest.importing.report import ImportReport
from pipeline.ingest.report import IngestReport
from pipeline.jobs.progress import Snapshot
from pipeline.synth.report import SynthReport

if TYPE_CHECKING:
    from pcc_tui.desks.job_link import JobEnd

STEPS = {
    "shards": "WebDataset shards of image, record and patches",
    "synthetic": "a set of drawn images of 16x16 pixels",
}
"""What each further row makes: shards of the dataset, and a set that needs no photos."""

HEADINGS = ("Pass", "There", "Missing", "Share", "Now", "Makes")


class DatasetsScreen(PccScreen):
    """The passes with their counts, the running one, and the last report."""

    MODE = "datasets"
    AUTO_FOCUS = "#passes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r,enter", "run_row", "Run", key_display="r", id="datasets.run"),
        Binding("a", "run_all", "Run all", id="datasets.run_all"),
        Binding("space", "pause", "Pause/resume", id="datasets.pause"),
        Binding("s", "stop", "Stop", id="datasets.stop"),
        Binding("v", "verify", "Verify", id="datasets.verify"),
        Binding("m", "model", "Model", id="datasets.model"),
        Binding("i", "import", "Import", id="datasets.import"),
        Binding("f5,c", "count", "Count again", key_display="c", id="datasets.count"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._plan: EnrichPlan | None = None
        self._ingest = IngestionRows(self, self._set, self._tell)

    def compose_body(self) -> ComposeResult:
        """Lay out the place, the passes, the job and the report."""
        with Vertical(id="datasets"):
            yield Words(id="dataset")
            table: DataTable[Text] = DataTable(id="passes", cursor_type="row", zebra_stripes=True)
            yield table
            yield Words(id="ingestion")
            yield Words(id="dataset-job")
            with VerticalScroll(id="report", can_focus=True):
                yield Words(id="dataset-report")

    def on_mount(self) -> None:
        """Count while the screen is new, and after every job."""
        super().on_mount()
        self.pcc.job_ended.subscribe(self, self._job_ended)
        table = self._table
        for heading in HEADINGS:
            table.add_column(heading, key=heading)
        for name, each in PASSES.items():
            table.add_row(name, "", "", "", "", each.about, key=name)
        for name, members in TOGETHER.items():
            table.add_row(name, "", "", "", "", f"{' and '.join(members)} at once", key=name)
        for name, about in {**ABOUT, **STEPS}.items():
            table.add_row(name, "", "", "", "", about, key=name)

    def on_screen_resume(self) -> None:
        """Count again: the dataset may have changed meanwhile."""
        super().on_screen_resume()
        self.action_count()

    @property
    def _table(self) -> DataTable[Text | str]:
        return self.query_one("#passes", DataTable)

    # What is shown

    def action_count(self) -> None:
        """Look at what is missing."""
        self.background("plan", self._count)
        if self.workspace.photos_dir is not None:
            self.background("ingestion", self._ingest.count)

    async def _count(self) -> None:
        place = self.query_one("#dataset", Words)
        if self.workspace.photos_dir is None:
            place.say("No photos directory yet; p in Library chooses one.", "$warning")
            return
        counted = [name for name, each in PASSES.items() if not each.makes_file]
        self._plan = await self.desks.datasets.plan(counted)
        self._show_plan(self._plan)
        # The model determines the shape of patches; to ask a hub for it may take long, or fail.
        try:
            patches = await self.desks.datasets.plan(["patches"])
        except CommandFailed as error:
            self._set("patches", "Makes", f"unknown: {error}")
            return
        self._plan.lacking["patches"] = patches.lacking["patches"]
        self._plan.patch_bytes = patches.patch_bytes
        self._show_counts(self._plan)

    def _show_plan(self, plan: EnrichPlan) -> None:
        workspace = self.workspace
        new = f", {plan.new:,} of them new" if plan.new else ""
        odd = [
            f"{count:,} {what}"
            for count, what in (
                (len(plan.missing), "without their image"),
                (len(plan.malformed), "malformed lines"),
                (len(plan.superseded), "superseded lines"),
                (plan.broken, "broken images"),
            )
            if count
        ]
        place = workspace.photos_dir
        photos = "" if place is None else f" · images in {tidy(place)}"
        self.query_one("#dataset", Words).say(
            f"{tidy(workspace.dataset)} · {plan.total:,} records{new}{photos}"
            + (f"\n{' · '.join(odd)}" if odd else "")
        )
        self._show_counts(plan)

    def _show_counts(self, plan: EnrichPlan) -> None:
        for name in PASSES:
            lacking = plan.lacking.get(name)
            if lacking is None:
                continue
            self._set(name, "There", f"{plan.total - lacking:,}")
            self._set(name, "Missing", f"{lacking:,}")
            self._set(name, "Share", bar((plan.total - lacking) / max(1, plan.total)))
        if "patches" in plan.lacking:
            size = f", {data_size(plan.patch_bytes)} to write" if plan.patch_bytes else ""
            self._set("patches", "Makes", f"{PASSES['patches'].about}{size}")

    def _set(self, row: str, column: str, text: str) -> None:
        justify: JustifyMethod = "right" if column in ("There", "Missing") else "left"
        cell = Text(clean(text), justify=justify)
        self._table.update_cell(row, column, cell, update_width=True)

    def show_snapshot(self, shot: Snapshot | None) -> None:
        """Show how the job is doing, in the row of the pass it works for."""
        lacking = {} if self._plan is None else self._plan.lacking
        for name, each in PASSES.items():
            made_by = each.made_by and each.made_by.name
            is_at_work = shot is not None and shot.stage == made_by and lacking.get(name)
            self._set(name, "Now", shot.state if shot is not None and is_at_work else "")
        self._ingest.show_snapshot(shot)
        job = self.query_one("#dataset-job", Words)
        job.say("" if shot is None else f"{shot.stage}, {shot.state}: {pace(shot)}", "$success")

    def _job_ended(self, ended: JobEnd | None) -> None:
        """Show what a job of this screen did, and count again."""
        if ended is None:
            return
        if words := _report_words(ended):
            self._tell(words)
        if self.is_current:
            self.action_count()

    def _tell(self, lines: list[str]) -> None:
        whole = map(self.workspace.origin().complete, lines)
        self.query_one("#dataset-report", Words).say("\n".join(whole))

    # What is done

    def _row(self) -> str:
        table = self._table
        return str(table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value)

    def on_data_table_row_selected(self) -> None:
        """Run the row: Enter does what r does."""
        self.action_run_row()

    def action_run_row(self) -> None:
        """Run the pass or the step under the cursor."""
        row = self._row()
        if row == "shards":
            self.pcc.start_pcc(self.desks.commands.shards())
        elif row == "synthetic":
            question = "How many images? They go to a directory of their own in datasets/"
            dialog = AskDialog(question, "Number of images, then Enter", "10000")
            self.app.push_screen(dialog, self._generate)
        elif row in ABOUT:
            self._ingest.run(row)
        elif row == "patches" or row in TOGETHER:
            self._ask_for_room(row)
        else:
            self._enrich(row)

    def action_run_all(self) -> None:
        """Run all passes but the patches, which take much room."""
        self._enrich(*DEFAULT_PASSES)

    def _enrich(self, *passes: str) -> None:
        """Run some passes; what is billed or may be a mistake is made only after a yes."""
        backend = self.workspace.settings.choices.backend
        captions = 0 if self._plan is None else self._plan.to_do.get("caption", 0)
        if "caption" not in passes or backend_class(backend).key_name is None:
            captions = 0
        names_server = "caption" in passes and self.desks.backends.server_question(backend)
        if captions or names_server or self._most_miss_their_image():
            self.background("enrich", self._ask_and_start, passes, captions)
        else:
            self._start(passes, True)

    def _most_miss_their_image(self) -> bool:
        plan = self._plan
        return plan is not None and 2 * len(plan.missing) > plan.total - plan.new

    async def _ask_and_start(self, passes: tuple[str, ...], captions: int) -> None:
        plan, questions = self._plan, []
        if plan is not None and self._most_miss_their_image():
            questions.append(
                f"{len(plan.missing):,} of {plan.total - plan.new:,} records miss their image, "
                f"such as {plan.missing[0]}. Is {self.workspace.photos_dir} the right directory?"
            )
        if captions:
            bill = await self.desks.captions.estimate_of(captions)
            rows = [f"{name}: {value}" for name, value in estimate_rows(bill)]
            question = f"{captions:,} captions by {bill.backend} may cost money. Make them?"
            questions.append("\n".join([question, *rows]))
        for question in questions:
            if not await self.app.push_screen_wait(ConfirmDialog(question)):
                return
        backend = self.workspace.settings.choices.backend
        if "caption" in passes and not await self.pcc.admits_server(backend):
            return
        self._start(passes, True)

    def _start(self, passes: Iterable[str], agreed: bool | None) -> None:
        if agreed:
            self.pcc.start_pcc(self.desks.commands.enrich(passes))

    def _ask_for_room(self, row: str) -> None:
        size = 0 if self._plan is None else self._plan.patch_bytes
        count = 0 if self._plan is None else self._plan.lacking.get("patches", 0)
        question = f"{count:,} patch files take {data_size(size)}. Make them?"
        self.app.push_screen(ConfirmDialog(question), partial(self._start, (row,)))

    def _generate(self, count: str | None) -> None:
        if count:
            self.pcc.start_pcc(self.desks.commands.generate(count))

    def action_pause(self) -> None:
        """Pause the job, or let it go on; without a job, on a row of ingestion, the queue."""
        if self._row() in ABOUT and not self.pcc.link.running:
            self.carry_out(self._ingest.switch_queue)
            return
        self.pcc.pause_or_resume_job()

    def action_stop(self) -> None:
        """Stop the job after what is in flight; what was made by then is written."""
        self.pcc.command_job("stop")

    def action_verify(self) -> None:
        """Check every record and every patch file, or what the row of a set or a stage is about."""
        self.background("verify", self._verify)

    async def _verify(self) -> None:
        self._tell(["Checking …"])
        if self._row() == "synthetic":
            self._tell(validation_words(await self.desks.datasets.validate_newest_set()))
            return
        if self._row() in ABOUT:
            await self._ingest.tell_status()
            return
        report = await self.desks.datasets.verify(lambda line: self._tell([line]))
        self._tell(verify_words(report, tidy(self.workspace.dataset)))

    def action_import(self) -> None:
        """Import what ingestion found into a database."""
        self._ingest.ask_for_database()

    def action_model(self) -> None:
        """Choose the DINO; on the row of the masks, choose the tokenizer."""
        if self._row() in ABOUT:
            self.pcc.tell("The models of ingestion are options of `pcc ingest run --help`")
            return
        choices = self.workspace.settings.choices
        if self._row() == "t5":
            setting, what, name = "t5_model", "T5 tokenizer", choices.t5_model
        else:
            setting, what, name = "dino_model", "DINO", choices.dino_model
        question = f"{what}: id on the hub, or a directory"
        dialog = AskDialog(question, "Id or directory, then Enter", name or "")
        self.app.push_screen(dialog, partial(self._choose, setting))

    def _choose(self, setting: str, name: str | None) -> None:
        if name:
            self.carry_out(self._keep, setting, name)

    async def _keep(self, setting: str, name: str) -> None:
        await self.workspace.save(**{setting: name})
        self.action_count()


def _report_words(ended: JobEnd) -> list[str]:
    """Return what a job of this screen did, or why a job failed; nothing for any other job."""
    match ended.report:
        case EnrichReport() as report:
            return enrich_words(report)
        case IngestReport() as report:
            return ingest_words(report, go_on="r goes on", why="v tells why")
        case ImportReport() as report:
            return import_words(report)
        case ShardReport() as report if not ended.failed:
            return shard_words(report)
        case SynthReport() as report if not ended.failed:
            return synth_words(report)
        case _:
            return [ended.words] if ended.words and ended.failed else []
