"""What makes the captions: backend, model, prompt, pace, and what a run will take."""

from __future__ import annotations

import asyncio
from typing import ClassVar, get_args

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Select, TextArea
from textual.widgets.option_list import Option

from backends.base import Options, Quantization
from backends.prompts import DEFAULT_PROMPT, PRESETS, preset_of
from journal import RETRYABLE
from pcc_tui.desks.backends import BackendChoice
from pcc_tui.errors import CommandFailed, SettingsError
from pcc_tui.probes import card_bytes
from pcc_tui.screens.base import PccScreen
from pcc_tui.widgets.model_list import ModelList
from pcc_tui.widgets.picture import PictureBox
from pcc_tui.widgets.text import Words, safe, safe_lines
from pcc_tui.words.estimates import estimate_rows, offer_words
from pipeline.captions.plan import Selection

OWN_PROMPT = "your own"
AUTO = "auto"

WORK = {
    "missing": ("photos without a caption", Selection()),
    "failed": ("those, and failed calls again", Selection(statuses=frozenset(RETRYABLE))),
    "stale": ("those, and what another model or prompt wrote", Selection(stale=True)),
    "all": ("everything again", Selection(force=True)),
}
"""What a run works on, in words and as a selection."""


class BackendScreen(PccScreen):
    """The choices of `pcc.toml`, what they cost, and a trial on one photo."""

    MODE = "backend"
    AUTO_FOCUS = "#backends"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "try", "Try on one photo", id="backend.try"),
        Binding("w", "save", "Save", id="backend.save"),
        Binding("r", "start", "Save and start", id="backend.start"),
        Binding("escape", "leave_field", "Back to the list", show=False, id="backend.list"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._choices: list[BackendChoice] = []
        self._card_bytes: int | None = None
        self._shown: str | None = None
        self._filled_from = self.workspace.settings

    def compose_body(self) -> ComposeResult:
        """Lay out the choices on the left, what follows from them on the right."""
        choices = self.workspace.settings.choices
        with Horizontal(id="backend-body"):
            with VerticalScroll(id="form", can_focus=False):
                yield Words("Backend", classes="question")
                yield OptionList(id="backends", compact=True)
                yield Words("Model", classes="question")
                yield _line(choices.model, "the backend's own", "model")
                yield ModelList(id="models", compact=True)
                yield Words("Server, for an API", classes="question")
                yield _line(choices.base_url, "the vendor's", "base-url")
                yield Words("Prompt", classes="question")
                yield Select(
                    [(name, name) for name in (*PRESETS, OWN_PROMPT)],
                    value=preset_of(choices.prompt) or OWN_PROMPT,
                    allow_blank=False,
                    compact=True,
                    id="preset",
                )
                yield TextArea(choices.prompt, tab_behavior="focus", compact=True, id="prompt")
                with Horizontal(classes="numbers"):
                    yield from _number("Workers", choices.max_workers, "max-workers")
                    yield from _number("Batch", choices.batch_size, "batch-size")
                    yield from _number("Per process", choices.restart_every, "restart-every")
                    with Vertical(classes="number"):
                        yield Words("Weights", classes="question")
                        yield Select(
                            [(name, name) for name in (AUTO, *get_args(Quantization))],
                            value=choices.quantize or AUTO,
                            allow_blank=False,
                            compact=True,
                            id="quantize",
                        )
                yield Words("What to caption", classes="question")
                yield Select(
                    [(words, name) for name, (words, _) in WORK.items()],
                    value="missing",
                    allow_blank=False,
                    compact=True,
                    id="work",
                )
            with Vertical(id="outlook"):
                yield Words(id="needs")
                yield Words(id="estimate")
                with Horizontal(id="backend-answers"):
                    yield Button("Try (t)", id="try")
                    yield Button("Save (w)", id="save")
                    yield Button("Start (r)", variant="primary", id="start")
                yield Words("Try shows what a photo would get; nothing is kept.", id="trial")
                yield PictureBox(self.pcc.image_widget, "trial-picture")

    def on_mount(self) -> None:
        """Look at what backends there are."""
        super().on_mount()
        self.background("backends", self._list_backends)

    async def _list_backends(self) -> None:
        self._choices = await self.desks.backends.choices()
        self._card_bytes = card_bytes(await asyncio.to_thread(self.pcc.machine.sample))
        options = self.query_one("#backends", OptionList)
        options.clear_options()
        for choice in self._choices:
            sign = Content.styled("● ", "$success" if choice.ready else "$warning")
            words = Content.assemble(sign, safe(f"{choice.name:<10}", "bold"), safe(choice.summary))
            options.add_option(Option(words, id=choice.name))
        names = [choice.name for choice in self._choices]
        chosen = self.workspace.settings.choices.backend
        options.highlighted = names.index(chosen) if chosen in names else 0

    def _chosen(self) -> BackendChoice | None:
        row = self.query_one("#backends", OptionList).highlighted
        return self._choices[row] if row is not None and row < len(self._choices) else None

    # What follows

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what the backend offers and needs, and what a run with it would take."""
        choice = self._chosen()
        if event.option_list.id == "backends" and choice is not None:
            self._offer(choice)
            self._look_ahead()
        if event.option_list.id == "models" and event.option.id is not None and choice is not None:
            offer = next(one for one in choice.offers if one.model == event.option.id)
            words = offer_words(offer, self._card_bytes)
            self.query_one("#needs", Words).say(f"{offer.model}: {words}.")

    def _offer(self, choice: BackendChoice) -> None:
        """Show a backend's models; forget model and server that were typed for another backend."""
        if self._shown not in (None, choice.name):
            saved = self.workspace.settings.choices
            is_saved = choice.name == saved.backend
            self.query_one("#model", Input).value = (is_saved and saved.model) or ""
            self.query_one("#base-url", Input).value = (is_saved and saved.base_url) or ""
        self._shown = choice.name
        self.query_one(ModelList).show(choice.offers, self._card_bytes)
        self.query_one("#quantize", Select).disabled = not choice.local

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Put the chosen model into the field."""
        if event.option_list.id == "models" and event.option.id is not None:
            self.query_one("#model", Input).value = event.option.id

    def on_input_changed(self) -> None:
        """Estimate again: a field has another value."""
        self._look_ahead()

    def on_select_changed(self, event: Select.Changed) -> None:
        """Put a preset into the editor."""
        preset = PRESETS.get(str(event.value))
        if event.select.id == "preset" and preset is not None:
            self.query_one("#prompt", TextArea).text = preset
        self._look_ahead()

    def on_text_area_changed(self) -> None:
        """Show whether the prompt is a preset or one's own, and estimate again."""
        preset = preset_of(self.query_one("#prompt", TextArea).text) or OWN_PROMPT
        self.query_one("#preset", Select).value = preset
        self._look_ahead()

    def on_screen_resume(self) -> None:
        """Show what another screen may have chosen meanwhile."""
        super().on_screen_resume()
        if self._filled_from is not self.workspace.settings:
            self._filled_from = self.workspace.settings
            self.background("backends", self._list_backends)

    def show_catalogue(self) -> None:
        """Estimate again: more photos have a caption."""
        if not any(worker.group == "estimate" and worker.is_running for worker in self.workers):
            self._look_ahead()

    def _look_ahead(self) -> None:
        choice = self._chosen()
        if choice is not None:
            needs = self.query_one("#needs", Words)
            idle = choice.local and choice.offers and self._card_bytes is None
            words = f"{choice.needs}\nNo GPU was found: it runs on the CPU, slowly." if idle else ""
            needs.say(words or choice.needs, "$success" if choice.ready else "$warning")
            self.background("estimate", self._estimate, choice)

    async def _estimate(self, choice: BackendChoice) -> None:
        await asyncio.sleep(0.2)
        captions, words = self.desks.captions, self.query_one("#estimate", Words)
        if self.workspace.photos_dir is None:
            words.say("No photos directory yet.", "$warning")
            return
        request = msgspec.structs.replace(
            captions.request(self._selection()), backend=choice.name, options=self._options()
        )
        found = await captions.estimate(request)
        if not found.photos_remaining:
            words.say("Nothing to do.")
            return
        lines = [f"{found.photos_remaining:,} photos to caption."]
        lines += [f"{name}: {value}" for name, value in estimate_rows(found)]
        words.say("\n".join([*lines, *found.notices]))

    def _selection(self) -> Selection:
        return WORK[str(self.query_one("#work", Select).value)][1]

    def _options(self) -> Options:
        choice = self._chosen()
        return self.workspace.settings.options(
            None if choice is None else choice.name,
            model=self._field("model"),
            base_url=self._field("base-url"),
            prompt=self.query_one("#prompt", TextArea).text.strip() or None,
            workers=self._number("max-workers"),
            quantize=self._quantize(),
        )

    def _quantize(self) -> str | None:
        value = str(self.query_one("#quantize", Select).value)
        return None if value == AUTO else value

    def _field(self, name: str) -> str | None:
        return self.query_one(f"#{name}", Input).value.strip() or None

    def _number(self, name: str) -> int | None:
        text = self._field(name)
        if text is not None and not (text.isdecimal() and int(text) > 0):
            words = name.replace("-", " ")
            raise SettingsError(f"{words}: {text} is no number above 0; leave it empty for auto")
        return None if text is None else int(text)

    # What the keys do

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Do what the button says."""
        getattr(self, f"action_{event.button.id}")()

    async def _save(self) -> bool:
        choice = self._chosen()
        if choice is None:
            return False
        prompt = self.query_one("#prompt", TextArea).text.strip()
        await self.workspace.save(
            backend=choice.name,
            model=self._field("model"),
            base_url=self._field("base-url"),
            prompt=None if prompt == DEFAULT_PROMPT else prompt or None,
            max_workers=self._number("max-workers"),
            batch_size=self._number("batch-size"),
            restart_every=self._number("restart-every"),
            quantize=self._quantize(),
        )
        return True

    def action_save(self) -> None:
        """Keep the choices in `pcc.toml`."""

        async def save() -> None:
            if await self._save():
                self.pcc.tell(f"Saved in {self.workspace.path / 'pcc.toml'}.")

        self.background("save", save)

    def action_start(self) -> None:
        """Keep the choices and start a run."""

        async def start() -> None:
            if await self._save():
                self.pcc.start_captioning(self._selection())

        self.background("save", start)

    def action_try(self) -> None:
        """Caption one photo with these choices; nothing is kept."""
        self.background("try", self._try)

    async def _try(self) -> None:
        trial = self.query_one("#trial", Words)
        choice = self._chosen()
        if choice is None or not await self.pcc.admits_server(choice.name, self._field("base-url")):
            return
        trial.say(f"Asking {choice.name} …", "dim")
        try:
            tried = await self.desks.backends.try_photo(
                choice.name,
                model=self._field("model"),
                quantize=self._quantize(),
                base_url=self._field("base-url"),
                prompt=self.query_one("#prompt", TextArea).text.strip(),
                tell=lambda line: trial.say(line, "dim"),
            )
        except CommandFailed as error:
            trial.say(str(error), "$error")
            return
        took = f"{tried.rel_path}, {tried.seconds or 0:.2f} s"
        if tried.cost_usd is not None:
            took += f", ${tried.cost_usd:.6f}"
        style = "bold" if tried.caption else "$error"
        caption = safe_lines(tried.caption or tried.error or "", style)
        trial.update(Content.assemble(caption, "\n", safe(took, "dim")))
        path = await self.desks.photos.file_at(tried.rel_path, tried.raw_path)
        thumbnails = self.desks.photos.thumbnails()
        if path is not None and thumbnails is not None:
            await self.query_one(PictureBox).present(thumbnails, path)

    def action_leave_field(self) -> None:
        """Go back to the list of backends."""
        self.set_focus(self.query_one("#backends", OptionList))


def _line(value: str | None, placeholder: str, id: str) -> Input:
    return Input(value or "", placeholder=placeholder, compact=True, id=id)


def _number(words: str, value: int | None, id: str) -> ComposeResult:
    with Vertical(classes="number"):
        yield Words(words, classes="question")
        yield Input(str(value or ""), placeholder="auto", type="integer", compact=True, id=id)
