"""Whatever `pcc` prints to be pasted is whole: it runs as printed and does what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from backends.captioners.openai import OpenAICaptioner
from journal import CaptionRecord
from pcc_tui.cli import full_screen
from pcc_tui.desks import command_process
from pcc_tui.errors import CommandFailed
from pcc_tui.widgets.text import Words
from pcc_tui.words.commands import FAMILIES, SITE, Origin, shell_split, shell_words, shortened
from pipeline.photos import decoder
from tests.conftest import Pcc
from tests.support.api_server import ApiServer
from tests.support.apps import make_app, running, shown, until
from tests.support.commands import every_command
from tests.support.photos import make_photos
from tests.support.protocols import OPENAI

PROMPT = "What's in it?\nOne sentence."

PRINTED = re.compile(r"`(pcc [^`]+)`|(?:^|[ :])(pcc (?:run|labels import|--workspace)\b.*)$", re.M)


def printed(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the commands that a command printed."""
    found = PRINTED.finditer(f"{done.stdout}\n{done.stderr}")
    return [match[1] or match[2] for match in found if not match[0].startswith("pcc: ")]


def words_of(command: str) -> list[str]:
    """Return the words of a printed command as bash reads them."""
    script = f"pcc() {{ printf '%s\\0' \"$@\"; }}; {command}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


class Place:
    """A workspace and photos that no setting names, captioned by a server on loopback."""

    def __init__(self, tmp_path: Path, pcc: Pcc, server: ApiServer) -> None:
        self.pcc = pcc
        self.server = server
        self.photos = tmp_path / "my photos"
        self.workspace = tmp_path / "other place"
        self.journal = tmp_path / "the journal.jsonl"
        make_photos(self.photos, 6, (64, 48))
        self.site = (
            *("--workspace", str(self.workspace), "--photos-dir", str(self.photos)),
            *("--captions-jsonl", str(self.journal)),
        )
        self.maker = (
            *("--backend", "openai", "--model", "m one", "--base-url", server.url),
            *("--prompt", PROMPT),
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = self.pcc(*arguments, *self.site)
        assert done.returncode == 0, done.stderr
        return done

    def paste(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as it was printed, in the directory in which it was printed."""
        return self.pcc(*words_of(command))

    def last(self) -> dict[str, CaptionRecord]:
        """Return the last record of each photo."""
        from journal import scan

        return {record.rel_path: record for _, record in scan(self.journal, CaptionRecord)}


@pytest.fixture
def place(tmp_path: Path, pcc: Pcc, server: ApiServer) -> Place:
    """Caption four of six photos; the second call failed."""
    made = Place(tmp_path, pcc, server)
    server.script = lambda asked: OPENAI.error(400, "no") if asked.number == 1 else OPENAI.good()
    made.run("run", *made.maker, "--limit", "4", "--max-workers", "1")
    server.script = lambda asked: OPENAI.good()
    return made


def test_the_retry_that_a_run_prints_retries_alone_and_with_the_same_backend(
    place: Place, server: ApiServer
) -> None:
    server.script = lambda asked: OPENAI.error(400, "no")
    done = place.run("run", *place.maker, "--limit", "1")
    server.script = lambda asked: OPENAI.good()
    before = len(server.captions)
    [command] = printed(done)
    again = place.paste(command)

    assert again.returncode == 0, again.stderr
    assert "2 to retry, 0 missing" in again.stdout
    assert len(server.captions) == before + 2
    last = place.last()
    assert len(last) == 5  # the sixth has no caption, and was not asked for one
    assert {(made.backend, made.model, made.status) for made in last.values()} == {
        ("openai", "m one", "success")
    }
    assert len({made.prompt for made in last.values()}) == 1


def test_every_row_of_the_plan_does_what_it_says(place: Place, server: ApiServer) -> None:
    other = [*place.maker[:-1], "Another prompt"]
    lines = place.run("plan", *other).stdout
    rows = dict(re.findall(r"^(\w+) +\d+   (pcc .+)$", lines, re.M))
    assert rows.keys() == {"missing", "error_api", "stale"}
    prompts = {made.rel_path: made.prompt for made in place.last().values()}

    assert place.paste(rows["error_api"]).returncode == 0
    assert len(place.last()) == 4
    assert place.paste(rows["stale"]).returncode == 0
    assert len(place.last()) == 4
    assert not {made.prompt for made in place.last().values()} & {*prompts.values()}
    assert place.paste(rows["missing"]).returncode == 0

    assert len(place.last()) == 6
    assert len({made.prompt for made in place.last().values()}) == 1
    assert {made.backend for made in place.last().values()} == {"openai"}


def test_a_plan_that_names_no_backend_names_the_last_one(place: Place) -> None:
    done = place.run("plan", "--prompt", PROMPT)
    commands = printed(done)

    assert "stale" in done.stdout
    assert len(commands) == 2  # nothing is stale
    for command in commands:
        words = words_of(command)
        for option, value in zip(place.maker[::2], place.maker[1::2], strict=True):
            assert words[words.index(option) + 1] == value


def test_commands_that_count_and_check_print_whole_commands(place: Place) -> None:
    with open(place.journal, "ab") as file:
        file.write(b"damage\n" + b'{"rel_path":"x","caption":"c","status":"success"}\n')
    commands = [
        *printed(place.run("stats")),
        *printed(place.pcc("journal", "check", *place.site)),
        *printed(place.run("run", *place.maker)),
    ]

    assert [words_of(command)[:2] for command in commands] == [
        ["journal", "check"],
        ["journal", "repair"],
        ["journal", "check"],
    ]
    for command in commands[:2]:
        assert str(place.journal) in place.paste(command).stdout


def test_commands_about_clusters_print_whole_commands(place: Place) -> None:
    place.run("run", *place.maker)
    asked = [
        *printed(place.pcc("labels", "list", *place.site)),
        *printed(place.pcc("search", "photo", "--by", "meaning", *place.site)),
        *printed(place.pcc("search", "photo", *place.site)),
        *printed(place.run("report", "--format", "csv")),
    ]
    names = [" ".join(words_of(command)[:1]) for command in asked]
    assert names == ["cluster", "embed", "embed", "cluster", "run"]
    for command in dict.fromkeys(asked):
        done = place.paste(command)
        assert done.returncode == 0, done.stderr
    [back] = printed(place.run("labels", "export", "--out", str(place.workspace / "my labels.csv")))

    assert place.paste(back).returncode == 0
    odd = place.workspace / "odd.csv"
    odd.write_text("a,b\n")
    [export] = printed(place.pcc("labels", "import", str(odd), *place.site))
    assert "Written: " in place.paste(export).stdout
    [listing] = printed(place.pcc("labels", "rename", "no such", "x", *place.site))
    assert "unclustered" in place.paste(listing).stdout


GONE = ("--backend", "openai", "--model", "gone")
KEY = {"OPENAI_API_KEY": "sk-test-1234567890abcdef"}


@pytest.fixture
def vendor(place: Place, server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return a place whose vendor has no model until `server.script` says otherwise."""
    monkeypatch.setattr(OpenAICaptioner, "default_url", server.url)
    (place.workspace / "captioner.json").unlink()
    server.script = lambda asked: OPENAI.error(404, "no such model")
    make_photos(place.photos, 14, (64, 48))
    return place


def test_a_run_that_a_server_stopped_goes_on_as_it_was_told(
    vendor: Place, server: ApiServer
) -> None:
    told = ("--limit", "12", "--retry-stale", "--exclude", "*13.jpg")
    done = vendor.pcc("run", *GONE, *told, "--max-workers", "1", *vendor.site, environment=KEY)
    models, on, again = printed(done)
    assert done.returncode == 1
    assert "gpt" in vendor.paste(models).stdout
    assert {*words_of(on)} >= {*told, *GONE, "--run-id"}
    server.script = lambda asked: OPENAI.good()
    before = len(server.captions)

    assert vendor.pcc(*words_of(on), environment=KEY).returncode == 0
    assert len(server.captions) == before + 2
    assert vendor.pcc(*words_of(again), environment=KEY).returncode == 0
    assert len(server.captions) == before + 13  # one had failed before
    made = vendor.last().values()
    assert [one.model for one in made if one.status == "success"] == ["gone"] * 13


def test_a_trial_of_a_model_that_is_gone_prints_where_models_are_listed(vendor: Place) -> None:
    done = vendor.pcc("try", *GONE, *vendor.site, environment=KEY)
    [models] = printed(done)

    assert "gpt" in vendor.paste(models).stdout


def test_a_forced_run_that_stops_at_its_limit_goes_on_behind_it(
    place: Place, server: ApiServer
) -> None:
    done = place.run("run", *place.maker, "--force", "--limit", "2")
    [on] = printed(done)
    before = len(server.captions)
    again = place.paste(on)

    assert again.returncode == 0
    assert len(server.captions) == before + 2
    [last] = printed(again)
    assert place.paste(last).returncode == 0
    assert len(server.captions) == before + 4
    assert len({record.run for record in place.last().values()}) == 1


def test_a_server_that_is_not_shown_is_not_replaced_by_the_vendor(place: Place) -> None:
    """An address may hold a key, a journal tells none, and no photo goes where nobody sent it."""
    hidden = place.run("plan", *place.maker, "--base-url", f"{place.server.url}?key=secret")
    (place.workspace / "captioner.json").unlink()
    unknown = place.run("plan", "--prompt", PROMPT)

    assert "secret" not in hidden.stdout + hidden.stderr
    for told in (hidden, unknown):
        lines = re.findall(
            r"   (pcc run .+)(, where URL is the address of the server)$", told.stdout, re.M
        )
        assert len(lines) == told.stdout.count("pcc run") == 2
        done = place.pcc(*words_of(lines[0][0]), environment=KEY)
        assert "--base-url 'URL' is no address" in done.stderr


def test_photos_are_named_so_that_no_shell_and_no_command_takes_them_for_options(
    place: Place,
) -> None:
    (place.photos / "IMG_00000.jpg").rename(place.photos / "--model.jpg")
    (place.workspace / "captioner.json").unlink()
    [command] = printed(place.pcc("try", *place.site, "--", "--model.jpg"))
    words = [*words_of(command)]
    assert words[-2:] == ["--", "--model.jpg"]
    words[1:1] = ["--base-url", place.server.url]

    assert "--model.jpg: " in place.pcc(*words).stdout


def test_a_decoder_that_does_not_start_is_told_by_the_doctor(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "WORKER_MODULE", "no.such.module")
    [command] = printed(place.pcc("try", *place.maker, *place.site))

    assert "no decoding process starts: " in place.paste(command).stdout


def test_what_is_misspelt_prints_where_the_right_words_are(place: Place) -> None:
    [command] = printed(place.pcc("run", "--limits", "1"))

    assert "pcc [OPTIONS]" in place.paste(command).stdout


def test_an_estimate_prints_the_pilot_that_measures_it(place: Place) -> None:
    [command] = printed(place.run("estimate", *place.maker, "--model", "new"))
    before = len(place.server.captions)
    done = place.paste(command.replace("--pilot 20", "--pilot 2"))

    assert done.returncode == 0, done.stderr
    assert len(place.server.captions) == before + 2


async def test_screens_show_whole_commands(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.photos.parent)
    with open(place.journal, "ab") as file:
        file.write(b"damage\n")
    (place.workspace / "captions.jsonl").write_bytes(place.journal.read_bytes())
    shown_app = make_app(place.workspace, place.photos)
    async with running(shown_app, (200, 40)) as pilot:
        await until(pilot, lambda: "malformed" in shown(shown_app.screen))
        words = str(shown_app.screen.query_one("#statuses", Words).content)
    [command] = [match[1] for match in re.finditer(r"`(pcc [^`]+)`", words)]

    assert words_of(command)[:2] == ["journal", "check"]
    assert "1 damaged" in place.paste(command).stdout


def test_an_app_that_leaves_a_job_prints_how_to_show_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    left = SimpleNamespace(job_kept=True, return_code=0)
    monkeypatch.setattr(full_screen, "_make_app", lambda *_, **__: left)
    monkeypatch.setattr(full_screen, "_run", lambda _: 0)
    full_screen.open_app(place.workspace, place.photos)
    [again] = re.findall("again: (pcc .+)$", capfd.readouterr().err, re.M)

    assert words_of(again) == list(place.site[:4])
    assert "pcc [OPTIONS]" in place.paste(again).stdout  # there is no terminal to open the app on


async def test_an_answer_that_cannot_be_read_names_the_command_that_gave_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nonsense(*_: object) -> bytes:
        return b"nonsense"

    monkeypatch.setattr(command_process, "_output_of", nonsense)
    with pytest.raises(CommandFailed) as failed:
        await command_process.answer_of(["stats", *place.site], dict)
    [command] = re.findall("`(pcc [^`]+)`", str(failed.value))

    assert "success" in place.paste(command).stdout


def test_what_is_configured_is_left_out(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    (workspace / "pcc.toml").write_text(f'photos_dir = "{photos(2)}"\nbackend = "mock"\n')
    done = pcc("plan", "--workspace", workspace, "--photos-dir", photos(2))

    assert printed(done) == ["pcc run"]


@pytest.mark.parametrize(
    "name",
    [
        *("it's", "two\nlines", "tab\there", "\udcff raw", "back\\\n", "ü"),
        *("a`b", "`", "`pcc run`\n'", "$HOME", "costs $'x'", '"'),
    ],
)
def test_a_shell_reads_back_what_is_printed(name: str) -> None:
    command = shell_words(["pcc", "--prompt", name])
    origin = Origin("run", {"--workspace": (name,)})
    whole = origin.complete(f"see `pcc embed --embedder {shlex.quote(name)}`, or `pcc stats`")

    assert words_of(command) == ["--prompt", name]
    assert "\n" not in command
    assert shell_split(command) == ["pcc", "--prompt", name]
    assert origin.complete(whole) == whole
    first, second = re.findall("`([^`]+)`", whole)
    assert words_of(first) == ["embed", "--embedder", name, "--workspace", name]
    assert words_of(second) == ["stats", "--workspace", name]


def test_what_cannot_be_pasted_stands_without_backquotes() -> None:
    origin = Origin("plan", {"--base-url": ("URL",)}, has_photos=False)

    assert origin.complete("`pcc run` does it; `pcc stats`") == (
        "pcc run --base-url URL --photos-dir DIR, where URL is the address of the server and DIR "
        "holds the photos, does it; `pcc stats`"
    )
    assert origin.complete("`pcc run --photos-dir x --base-url y`").startswith("`pcc run")


def test_a_notice_holds_whole_commands_alone() -> None:
    sentence = "Mend it: `pcc run --limit 3` goes on"

    assert shortened(sentence, 100) == sentence
    assert shortened(sentence, 30) == "Mend it: `pcc run --limit 3` …"
    assert shortened(sentence, 20) == "Mend it: …"


def test_sentences_with_other_backquotes_stay() -> None:
    origin = Origin("run", {"--workspace": ("w",)})

    for sentence in ("`basic` looks", "`pcc", "`pcc 'odd`", "`pccx run`"):
        assert origin.complete(sentence) == sentence
    assert origin.complete("see `pcc stats`") == "see `pcc stats --workspace w`"
    assert origin.complete("`pcc stats --workspace v`") == "`pcc stats --workspace v`"


def test_commands_take_the_options_that_are_handed_on() -> None:
    options = {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in every_command().items()
        if not hasattr(command, "commands")
    }
    # What a command knows as an argument, and what goes to others only.
    elsewhere = {
        ("dataset verify", "--output-jsonl"),
        ("ingest import", "--cache"),
        ("plan", "--retry-list"),
        ("dataset shards", "--output-jsonl"),
    }
    for members, names in FAMILIES:
        for member in members:
            missing = {name for name in names if name not in options[member]}
            assert {(member, name) for name in missing} <= elsewhere, member
    for name, taken in options.items():
        if not name.startswith(("synth", "demo")) and name != "ingest import":
            assert {*SITE} <= taken, name
