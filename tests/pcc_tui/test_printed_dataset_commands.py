"""What `pcc ingest`, `dataset`, `compare` and others print to be pasted runs and does what it says.

`test_printed_commands.py` does the same for the commands about captions.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from journal import seal
from pcc_tui.widgets.text import Words
from pipeline.datasets.patch_files import MANIFEST, PatchManifest
from pipeline.jobs.progress import DonePhoto, Progress, Snapshot
from pipeline.samples import library
from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc
from tests.pcc_tui.test_datasets_screen import bench
from tests.pcc_tui.test_printed_commands import printed, words_of
from tests.support.apps import make_app, running, shown, until
from tests.support.enriching_models import V3, Model, few_photos, flags
from tests.support.ingesting import SCRIPTED, tiny_png, wait_until
from tests.support.photos import make_photos
from tests.support.scripted_ocr import FAILING, install


class Home:
    """Paths that a shell would read and no setting names, and commands with a scripted engine."""

    def __init__(self, tmp_path: Path, pcc: Pcc) -> None:
        home = tmp_path / "Ann's `odd` $HOME"
        self.photos = home / "my photos"
        self.workspace = home / "the place"
        self.cache = home / 'a "cache"'
        self.mended = tmp_path / "mended"
        self.photos.mkdir(parents=True)
        self.environment = install(tmp_path / "engine", mended=str(self.mended))
        self._pcc = pcc
        self.site = ("--workspace", str(self.workspace), "--photos-dir", str(self.photos))
        self.kept = ("--cache", str(self.cache))

    def run(self, *arguments: str | Path, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        done = self._pcc(*arguments, environment=self.environment)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def paste(
        self, command: str, *more: str, code: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as it was printed, in the directory in which it was printed."""
        return self.run(*words_of(command), *more, code=code)

    def statuses(self) -> list[tuple[str, str]]:
        """Return stage and status of each outcome in the cache."""
        lines = (self.cache / "outcomes.jsonl").read_bytes().splitlines()
        return [(one["stage"], one["status"]) for one in map(json.loads, lines)]


@pytest.fixture
def home(tmp_path: Path, pcc: Pcc, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Return paths with nothing but an empty folder of photos."""
    monkeypatch.delenv("PCC_QUEUE", raising=False)
    return Home(tmp_path, pcc)


def names_of(commands: list[str], words: int = 2) -> list[list[str]]:
    return [words_of(command)[:words] for command in commands]


# Ingestion


def test_an_ingestion_prints_how_to_see_why_and_try_again(home: Home) -> None:
    tiny_png(home.photos / "good.png", 1)
    tiny_png(home.photos / "fails.png", 2, FAILING)
    tiny_png(home.photos / "left out.png", 3, FAILING)
    told = (*SCRIPTED, "--exclude", "left*", *home.kept)
    status, again = printed(home.run("ingest", "run", *told, *home.site))
    assert names_of([status, again]) == [["ingest", "status"], ["ingest", "run"]]
    found = home.paste(status)
    assert "fails.png" in found.stdout
    [the_same] = printed(found)
    assert sorted(words_of(the_same)) == sorted(words_of(again))

    # Whoever knows the cache alone is told of photos, stages and engine as well.
    [alone] = printed(home.run("ingest", "status", *home.kept))
    home.mended.touch()
    assert "1 photo (1 success)" in home.paste(alone).stdout
    assert home.statuses().count(("ocr", "success")) == 2
    assert {stage for stage, _ in home.statuses()} == {"ocr"}
    assert printed(home.run("ingest", "status", *home.kept)) == []


def test_where_there_is_no_cache_the_ingestion_that_makes_one_is_printed(home: Home) -> None:
    tiny_png(home.photos / "good.png", 1)
    told = (*home.kept, *home.site)
    commands = ("status", "pause", "resume")
    made = [printed(home.run("ingest", command, *told, code=64)) for command in commands]
    assert made[1:] == made[:1] * 2
    home.paste(made[0][0], *SCRIPTED)

    for command in commands:
        assert printed(home.run("ingest", command, *told)) == []


@pytest.mark.parametrize(
    ("queue", "environment", "named"),
    [
        ("redis://host:1/2", "", ["--queue", "redis://host:1/2"]),
        ("redis://host:1/2", "redis://host:1/2", []),
        ("sqlite", "", []),
        ("sqlite", "redis://host:1/2", ["--queue", "sqlite"]),
    ],
)
def test_a_queue_is_named_unless_the_environment_tells_it_and_no_password_is(
    home: Home, queue: str, environment: str, named: list[str]
) -> None:
    home.environment |= {"PCC_QUEUE": environment, "PHOTOS_DIR": str(home.photos)}
    [make] = printed(home.run("ingest", "status", "--queue", queue, code=64))

    assert words_of(make) == ["ingest", "run", *named]


def test_an_ingestion_with_something_to_fill_in_is_not_for_pasting(home: Home) -> None:
    told = ("--queue", "redis://:secret@host:1")
    done = home.run("ingest", "status", *told, code=64)

    assert printed(done) == []
    assert "secret" not in done.stderr
    assert (
        "pcc ingest run --queue redis://… --photos-dir DIR, where redis://… is the address of the "
        "queue and DIR holds the photos, makes one"
    ) in done.stderr.replace("'", "")


def test_an_import_prints_the_ingestion_that_mends_its_cache(home: Home, tmp_path: Path) -> None:
    tiny_png(home.photos / "good.png", 1)
    home.run("ingest", "run", *SCRIPTED, *home.kept, *home.site)
    manifest = home.cache / "manifest.json"
    whole = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps(whole | {"dataset_digest": "blake3:0"}))
    taking = ("ingest", "import", home.cache, "--db", tmp_path / "it's.sqlite")
    refused = home.run(*taking, code=None)
    [mend] = printed(refused)

    assert refused.returncode != 0
    home.paste(mend)
    assert home.statuses() == [("ocr", "success")]
    assert printed(home.run(*taking)) == []
    empty = tmp_path / "no cache"
    empty.mkdir()
    taking_none = ("ingest", "import", empty, "--db", tmp_path / "none.sqlite", *home.site)
    [make] = printed(home.run(*taking_none, code=None))
    home.paste(make, *SCRIPTED)
    assert printed(home.run(*taking_none)) == []
    # No ingestion goes into a cache of another form, so none is printed.
    for other in ({"phase": 9}, {"version": 9}):
        manifest.write_text(json.dumps(whole | other))
        assert printed(home.run(*taking, code=None)) == []


@contextmanager
def paused_ingestion(home: Home) -> Iterator[subprocess.Popen[str]]:
    """Start an ingestion whose queue is paused."""
    tiny_png(home.photos / "good.png", 1)
    told = ("ingest", "run", *SCRIPTED, *home.kept, *home.site)
    home.run(*told)
    home.run("ingest", "pause", *home.kept)
    tiny_png(home.photos / "more.png", 2)
    job = subprocess.Popen(
        [*PCC, *told],
        env={**CLEAN_ENVIRONMENT, **home.environment},
        cwd=home.photos.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: (home.workspace / "run.json").exists(), "the job is there")
        yield job
    finally:
        job.kill()
        job.communicate()


def test_a_paused_ingestion_shows_on_the_run_screen_how_it_goes_on(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And `pcc doctor` prints how to follow it."""
    with paused_ingestion(home) as job:
        [follow] = printed(home.run("doctor", *home.site, code=None))
        assert re.search("0 of 1|1 photos wait", home.paste(follow, "--once").stdout)
        monkeypatch.chdir(home.photos)
        [resume] = re.findall(r"`(pcc [^`]+)`", asyncio.run(remarks_on_run_screen(home)))
        assert words_of(resume)[:2] == ["ingest", "resume"]
        home.paste(resume)
        assert job.wait(30) == 0
    assert home.statuses() == [("ocr", "success")] * 2


async def remarks_on_run_screen(home: Home) -> str:
    app = make_app(home.workspace, home.photos)
    async with running(app, (160, 60)) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: "ingest resume" in shown(app.screen))
        return str(app.screen.query_one("#errors-now", Words).content)


def test_what_failed_shows_whole_commands_on_the_run_screen(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress(run="r", stage="caption", backend="openai", total=1, skipped={})
    progress.trouble = "`pcc run --retry-status error_api` goes on"
    said = "no such model; `pcc models --backend openai` lists models"
    shot = progress.snapshot()
    shot.errors = [DonePhoto("a.jpg", "error_api", said, None)]
    monkeypatch.chdir(home.photos)
    words = asyncio.run(errors_on_run_screen(home, shot))
    found = re.findall(r"`(pcc [^`]+)`", words)

    assert names_of(found, 3) == [
        ["run", "--retry-status", "error_api"],
        ["models", "--backend", "openai"],
    ]
    for command in found:
        assert words_of(command)[-4:] == list(home.site)
    assert "gpt" in home.paste(found[1]).stdout


async def errors_on_run_screen(home: Home, shot: Snapshot) -> str:
    app = make_app(home.workspace, home.photos)
    async with running(app, (160, 40)) as pilot:
        await pilot.press("3")
        app.show_snapshot(shot)
        await until(pilot, lambda: "a.jpg" in shown(app.screen))
        return str(app.screen.query_one("#errors-now", Words).content)


# Datasets


def dataset_of(home: Home, captions: list[str]) -> Path:
    """Return a dataset of photos with masks that no tokenizer made."""
    dataset = home.workspace / "my data.jsonl"
    dataset.parent.mkdir(exist_ok=True)
    names = make_photos(home.photos, len(captions), (64, 48))
    lines = [
        {"image_path": name, "caption": caption, "t5_attention_mask": [1] * 5 + [0] * 72}
        for name, caption in zip(names, captions, strict=True)
    ]
    dataset.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return dataset


@pytest.mark.usefixtures("offline")
def test_a_check_of_masks_prints_how_to_make_them_anew(home: Home, t5: Path) -> None:
    dataset = dataset_of(home, ["A boat on a lake.", "A dog."])
    told = ("--masks", "--t5-model", t5, "--input-dir", home.photos)
    # Where nobody names the images, the command has a blank, and is not for pasting.
    unnamed = home.run("dataset", "verify", dataset, *told[:-2], code=1)
    assert printed(unnamed) == []
    [line] = re.findall(r"; (pcc .+), where DIR holds the images, mends", unnamed.stdout)
    before = dataset.read_bytes()
    assert "2 enriched" in home.run(*words_of(line)[:-1], home.photos).stdout
    dataset.write_bytes(before)

    [mend] = printed(home.run("dataset", "verify", dataset, *told, code=1))
    assert "2 enriched" in home.paste(mend).stdout
    assert "masks are not" not in home.run("dataset", "verify", dataset, *told, code=None).stdout

    # A caption that is made while its mask is there leaves the mask behind.
    dataset.write_text(dataset.read_text().replace("A dog.", ""))
    more = ("--output-jsonl", dataset, "--t5-model", t5, "--backend", "basic")
    done = home.run("dataset", "enrich", *more, "--pass-filter", "caption", *home.site)
    [again] = printed(done)
    home.paste(again)
    assert "masks are not" not in home.run("dataset", "verify", dataset, *told, code=None).stdout


@pytest.mark.usefixtures("offline")
def test_patch_files_of_two_models_print_how_to_make_the_rest(
    home: Home, model: Model, tmp_path: Path
) -> None:
    home.photos.rmdir()
    few_photos(home.photos, 2)
    home.workspace.mkdir()
    dataset, patches = home.workspace / "my data.jsonl", home.workspace / "the patches"
    images = ("--input-dir", home.photos, "--patches-dir", patches)
    small = tmp_path / "a model"
    small.symlink_to(model(V3))
    made = ("--output-jsonl", dataset, *flags(small, "dimensions,patches"))
    home.run("dataset", "enrich", *images, *made)
    kept = patches / MANIFEST
    found = msgspec.json.decode(kept.read_bytes(), type=PatchManifest)
    unfinished = msgspec.structs.replace(found, unfinished=True)
    kept.write_bytes(msgspec.json.encode(unfinished))
    check = ("dataset", "verify", dataset, *images)
    pack = ("dataset", "shards", dataset, *images, "--with-patches", "--out", tmp_path / "out")
    [rest] = printed(home.run(*check, code=None))
    assert list(map(words_of, printed(home.run(*pack, code=1)))) == [words_of(rest)]
    home.paste(rest, "--yes", "--device", "cpu")
    assert printed(home.run(*check, code=None)) == []
    assert printed(home.run(*pack)) == []


@pytest.mark.usefixtures("offline")
def test_captions_without_a_backend_print_where_backends_are_listed(home: Home) -> None:
    make_photos(home.photos, 1)
    home.workspace.mkdir()
    done = home.run("dataset", "enrich", "--pass-filter", "migrate,caption", *home.site, code=64)
    [listing] = printed(done)

    assert "basic" in home.paste(listing).stdout


def test_the_datasets_screen_shows_whole_commands(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_png(home.photos / "fails.png", 2, FAILING)
    home.run("ingest", "run", *SCRIPTED, *home.site)
    manifest = PatchManifest(
        model="it's small", model_type="dinov3_vit", patch_size=16, width=32, leading_tokens=5
    )
    patches = home.workspace / "dinov3_patches"
    patches.mkdir()
    unfinished = msgspec.structs.replace(manifest, unfinished=True)
    (patches / MANIFEST).write_bytes(msgspec.json.encode(unfinished))
    dataset = {"image_path": "fails.png", "image_id": "a", "aspect_bucket": "1024x1024"}
    (home.workspace / "dataset.jsonl").write_text(json.dumps(dataset) + "\n")
    monkeypatch.chdir(home.photos)
    checked, status, notice = asyncio.run(reports_on_datasets_screen(home))
    [options] = re.findall(r"`(pcc [^`]+)`", notice)
    assert "--detector" in home.paste(options).stdout
    [rest] = re.findall(r"`(pcc [^`]+)`", checked)
    [again] = re.findall(r"`(pcc [^`]+)`", status)

    assert "it's small" in words_of(rest)
    assert words_of(rest)[-4:] == list(home.site)
    home.mended.touch()
    assert "1 photo (1 success)" in home.paste(again).stdout


async def reports_on_datasets_screen(home: Home) -> tuple[str, str, str]:
    """Return what the checks of the dataset and of the texts found, and a notice on models."""
    async with bench(home.workspace, home.photos) as one:
        report = one.screen.query_one("#dataset-report", Words)
        await one.press("v")
        await one.until(lambda: "another model" in str(report.content))
        checked = str(report.content)
        await one.go_to("ocr")
        await one.press("v")
        await one.until(lambda: "Given up" in str(report.content))
        status = str(report.content)
        await one.press("m")
        await one.until(lambda: one.app._notifications)
        return checked, status, [*one.app._notifications][-1].message


# The rest


def test_a_page_of_a_comparison_says_what_asks_again(home: Home, tmp_path: Path) -> None:
    name, *_ = make_photos(home.photos, 2)
    (home.photos / name).rename(home.photos / "-Ann's `$HOME`.jpg")
    page = tmp_path / "side by side.md"
    told = ("--with", "mock", "--with", "basic", "--prompt", "What's in it?\nSay.")
    home.run("compare", *told, "--page", page, *home.site, "--", "-Ann's `$HOME`.jpg")
    before = page.read_text()
    [line] = re.findall(r"^Made on [-\d]+ by: (.+)$", before, re.M)
    page.write_text("")
    home.paste(re.sub(r"\\([\W_])", r"\1", line))

    seconds = r"\d+\.\d\d \|"
    assert re.sub(seconds, "", page.read_text()) == re.sub(seconds, "", before)


@pytest.mark.parametrize(
    "command",
    [
        ("try", "IMG_00001.jpg"),
        ("estimate", "--pilot", "2"),
        ("run", "--retry-status", "error_model", "--force", "--limit", "1", "--run-id", "r 1"),
    ],
    ids=lambda command: command[0],
)
def test_what_asks_for_a_server_prints_itself(home: Home, command: tuple[str, ...]) -> None:
    make_photos(home.photos, 2)
    home.workspace.mkdir()
    line = b'{"rel_path":"a.jpg","caption":"c","status":"success","backend":"openai","model":"m 1"}'
    journal = home.workspace.parent / "the journal"
    journal.write_bytes(seal(line))
    site = (*home.site, "--captions-jsonl", str(journal))
    [vendor] = printed(home.run(*command, *site, code=64))

    assert words_of(vendor)[: len(command)] == list(command)
    assert words_of(vendor)[len(command) :] == ["--backend", "openai", "--model", "m 1", *site]
    # Nothing asks for a server any more, only for the key.
    assert "OPENAI_API_KEY" in home.paste(vendor, code=None).stderr


def test_what_reads_clusters_prints_how_to_make_them(home: Home) -> None:
    make_photos(home.photos, 12)
    home.run("run", "--backend", "basic", *home.site)
    embedder = ("--embedder", "tfidf")
    [make] = printed(home.run("chunk", *home.site, code=None))
    clusters = home.workspace / "clusters.jsonl"
    clusters.write_bytes(b"damage")
    [plain] = printed(home.run("chunk", *home.site, code=None))
    assert [*words_of(plain)] == [*words_of(make)[:1], "--force", *words_of(make)[1:]]
    home.paste(plain, *embedder)
    assert printed(home.run("chunk", *home.site)) == []

    clusters.write_bytes(clusters.read_bytes()[:-9])
    [anew] = printed(home.run("chunk", *home.site, code=None))
    home.paste(anew)
    assert printed(home.run("chunk", *home.site)) == []

    [learnt] = home.workspace.rglob("learnt.bin")
    learnt.write_bytes(b"damage")
    search = ("search", "photo", "--by", "meaning", *home.site)
    [vectors] = printed(home.run(*search, code=None))
    home.paste(vectors)
    assert printed(home.run(*search)) == []
    assert {*words_of(anew)} & {*words_of(vectors)} >= {*embedder, *home.site}


RECORD = b'{"rel_path":"gone.jpg","caption":"c","status":"success"}\n'


def test_a_demo_prints_whole_commands(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """And neither `models` nor `synth` nor `watch` prints any."""
    monkeypatch.setattr(library, "make_library", lambda place: len(make_photos(place, 2)))
    place = home.photos.parent / "a demo"
    place.mkdir()
    (place / "captions.jsonl").write_bytes(b"damage\n" + RECORD)
    [check] = printed(home.run("demo", place))

    assert words_of(check) == [
        *("journal", "check", "--workspace", str(place)),
        *("--photos-dir", str(place / "photos")),
    ]
    assert "1 damaged" in home.paste(check, code=None).stdout
    assert printed(home.run("models", *home.site, "--backend", "openai")) == []
    made = ("synth", "generate", "--num-images", "30", "--yes", *home.site)
    assert printed(home.run(*made)) == []
    assert printed(home.run("watch", "--once", *home.site)) == []
