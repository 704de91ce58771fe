"""What the documentation shows is run, and what it names exists."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backends.base import Options
from backends.detectors.checkpoint import GROUNDING_DINO, OWLV2, OWLVIT, REVISIONS, SIGLIP
from backends.image_tokens import text_tokens
from backends.offers import CONTEXT_GIGABYTES
from backends.prompts import DEFAULT_PROMPT
from backends.registry import backend_class
from pcc_tui.cli.full_screen import check_keys
from pcc_tui.cli.main import app
from pcc_tui.keys import bindings
from pcc_tui.preferences import load_preferences
from pcc_tui.settings import load_settings
from pipeline.captions.estimate import TYPICAL_TOKENS_OUT
from tests.conftest import CLEAN_ENVIRONMENT, Pcc
from tests.support.api_server import ApiServer
from tests.support.commands import every_command

ROOT = Path(__file__).parents[1]
COMMANDS = every_command()
APP_PAGE = ROOT / "docs" / "app.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)


def help_of(*command: str) -> str:
    """Return the help of a command, which has to exist."""
    shown = CliRunner().invoke(app, [*command, "--help"], prog_name="pcc")
    assert shown.exit_code == 0, command
    return shown.output


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text("utf-8")):
        path, _, heading = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        assert not heading or heading in anchors(there), target


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def shown_commands(page: Path) -> Iterator[list[str]]:
    """Yield the command lines of `pcc` on a page, in blocks and within sentences, by word."""
    in_block = False
    for line in page.read_text("utf-8").split("\n"):
        if line.lstrip().startswith("```"):
            in_block = not in_block
            continue
        for text in [line] if in_block else re.findall(r"`([^`]+)`", line):
            if command := re.fullmatch(r"\s*(?:[A-Z_]+=\S+ )*pcc( .*)?", text):
                yield shlex.split(command[1] or "", comments=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_shown_exists_with_its_flags(page: Path) -> None:
    for words in shown_commands(page):
        name, rest = "", list(words)
        while rest and re.match("[a-z]", rest[0]) and hasattr(COMMANDS[name], "commands"):
            name = f"{name} {rest.pop(0)}".strip()
            assert name in COMMANDS, words
        options = COMMANDS[name].params
        flags = {flag for each in options for flag in (*each.opts, *each.secondary_opts)}
        used = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert used <= {*flags, "--help"}, words


def test_the_examples_of_settings_are_valid(tmp_path: Path) -> None:
    choices, preferences, prices = blocks("docs/settings.md", "toml")
    (tmp_path / "config.toml").write_text(preferences)
    liked = load_preferences(tmp_path / "config.toml")
    check_keys(liked)
    assert liked.keys["app.review"] == "v"
    (tmp_path / "pcc.toml").write_text(choices)
    (tmp_path / "prices.toml").write_text(prices)
    settings = load_settings(tmp_path, {})

    assert settings.choices.base_url == "ollama"
    assert settings.prices == {"my-model": (0.10, 0.40)}


def test_every_command_and_flag_of_the_readme_exists() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for command in set(re.findall(r"`pcc ([a-z]+(?: [a-z]+)?)", text)) - {"demo"}:
        help_of(*command.split())
    commands = ("run", "watch", "plan", "estimate", "compare")
    deeper = (
        *(("dataset", "enrich"), ("dataset", "shards"), ("synth", "generate")),
        *(("ingest", "run"), ("ingest", "import")),
    )
    known = "".join(help_of(*each) for each in ([], *zip(commands), *deeper))
    for flag in set(re.findall(r"--[a-z][a-z-]+", text)):
        assert flag in known, flag


def test_every_key_is_in_the_documentation() -> None:
    told = re.findall(r"^\| `(\w+\.\w+)` \| `(.+?)` \| (.+) \|$", APP_PAGE.read_text("utf-8"), re.M)
    ours = [(binding.id, binding.key, binding.description) for binding in bindings()]
    assert told == ours


def test_the_table_of_costs_is_what_the_rules_give() -> None:
    page = (ROOT / "docs" / "api_providers.md").read_text("utf-8")
    row = r"^\| ([a-z]+-[\w.-]+)(?:, `--detail low`)? \| ([\d,]+) \| ([\d.]+) \|"
    rows = re.findall(row, page, re.M)
    kinds = [backend_class(name) for name in ("openai", "anthropic", "gemini", "xai")]
    providers = {offer.model: kind for kind in kinds for offer in kind.offers(Options())}
    for model, tokens, dollars in rows:
        options, kind = Options(model=model), providers[model]
        prices, picture = kind.prices(options), kind.image_tokens(options, 1024, 768)
        assert prices is not None
        assert picture == int(tokens.replace(",", "")), model
        price = prices.price(picture + text_tokens(DEFAULT_PROMPT), TYPICAL_TOKENS_OUT)
        assert price is not None
        assert f"{1000 * price.total:.2f}" == dollars, model
    assert len(rows) == 6


def test_every_model_on_offer_has_a_release_date() -> None:
    for page, names in (
        ("api_providers", ("openai", "anthropic", "gemini", "xai")),
        ("self_hosted_models", ("local",)),
    ):
        text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
        table = text.partition("| model | released |")[2].partition("\n\n")[0]
        for name in names:
            for offer in backend_class(name).offers(Options()):
                assert re.search(rf"(^\| |, ){re.escape(offer.model)}[ ,]", table, re.M), (
                    offer.model
                )


def test_models_for_24_gb_fit_at_16_bits() -> None:
    text = (ROOT / "docs" / "self_hosted_models.md").read_text("utf-8")
    table = text.partition("### On a card of 24 GB")[2].partition("###")[0]
    rows = re.findall(r"^\| (\S+/[^\s,]+).*? \| ([\d.]+) \|", table, re.M)
    offers = {
        offer.model: offer.gigabytes["none"] for offer in backend_class("local").offers(Options())
    }
    assert len(rows) == 7
    for model, gigabytes in rows:
        assert float(gigabytes) == offers[model]
        assert offers[model] + CONTEXT_GIGABYTES < 24


def test_the_default_prompt_is_documented() -> None:
    assert DEFAULT_PROMPT in (ROOT / "docs" / "settings.md").read_text("utf-8").splitlines()


def test_the_pinned_models_are_documented() -> None:
    page = (ROOT / "docs" / "ingestion.md").read_text("utf-8")
    for model, commit in REVISIONS.items():
        assert re.search(rf"^\| \w+ \| `{model}` \| `{commit}` \|", page, re.M), model
    assert {OWLV2, OWLVIT, GROUNDING_DINO, SIGLIP} == {*REVISIONS}


def test_the_line_of_the_readme_for_uv_runs(tmp_path: Path) -> None:
    """What uv would install is borrowed from the environment of the tests."""
    [line] = re.findall(r"^uv run .+$", (ROOT / "README.md").read_text("utf-8"), re.M)
    done = subprocess.run(
        [Path(sys.executable).with_name("uv"), *shlex.split(line)[1:]],
        cwd=tmp_path,
        env={
            **CLEAN_ENVIRONMENT,
            "UV_PROJECT": str(ROOT),
            "UV_PROJECT_ENVIRONMENT": sys.prefix,
            "UV_NO_SYNC": "1",
            "UV_OFFLINE": "1",
            "UV_CACHE_DIR": str(tmp_path / "uv"),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "41 photos" in done.stdout
    assert (tmp_path / "pcc-demo" / "captions.jsonl").exists()


def test_readme_has_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "make demo" in text
    assert "make test" in text


@pytest.mark.parametrize(
    ("page", "count"), [("clusters", 14), ("datasets", 3), ("synthetic", 2), ("ingestion", 4)]
)
def test_every_command_and_flag_of_a_page_exists(page: str, count: int) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    named = re.findall(r"^pcc ((?:(?:labels|dataset|synth|ingest) )?[a-z]+)", text, re.M)
    commands = {tuple(command.split()) for command in named}
    known = "".join(help_of(*command) for command in {*commands, ("watch",)})
    assert len(commands) == count
    for flag in set(re.findall(r"--[a-z][a-z-]+", text)):
        assert flag in known, flag


def test_the_first_run_goes_as_told(
    pcc: Pcc, workspace: Path, photos: Callable[..., Path], server: ApiServer
) -> None:
    page = ROOT / "docs" / "first_run.md"
    library = photos(30)
    [choices] = blocks("docs/first_run.md", "toml")
    (workspace / "pcc.toml").write_text(choices.replace("/home/me/Photos", str(library)))
    environment = {"OPENAI_API_KEY": "sk-loopback", "PCC_BASE_URL": server.url}
    for command in re.findall(r"^ *pcc( .+)$", page.read_text("utf-8"), re.M):
        done = pcc(*command.split(), environment=environment)
        assert done.returncode == 0, (command, done.stderr)
    assert len(server.captions) == 31  # one to try, and each photo once

    rows = re.findall(
        r"^\| `pcc (\w+) --json` \| (.+) \|$",
        (ROOT / "docs" / "contracts.md").read_text("utf-8"),
        re.M,
    )
    for command, keys in rows:
        found = json.loads(pcc(command, "--json", environment=environment).stdout)
        told = re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", keys))
        assert set(told) <= set(found), command
    assert len(rows) == 4


def test_the_example_of_reading_a_workspace_works(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [example] = blocks("docs/contracts.md", "python")
    lines = [
        {"rel_path": "a.jpg", "caption": "first", "status": "success"},
        {"rel_path": "a.jpg", "caption": "second", "status": "success"},
        {"rel_path": "b.jpg", "caption": "machine", "status": "success"},
        {"rel_path": "c.jpg", "caption": None, "status": "error_corrupt"},
    ]
    journal = "".join(json.dumps(line) + "\n" for line in lines)
    (workspace / "captions.jsonl").write_text(journal + '{"rel_path":"b.j')
    (workspace / "edits.jsonl").write_text(json.dumps({"rel_path": "b.jpg", "caption": "hand"}))
    monkeypatch.chdir(workspace)
    names: dict[str, Any] = {}
    exec(example, names)

    assert names["captions"] == {"a.jpg": "second", "b.jpg": "hand"}


def test_the_example_of_a_synthetic_set_works(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [example] = [text for text in blocks("docs/synthetic.md", "python") if "import" in text][1:]
    monkeypatch.chdir(workspace)
    names: dict[str, Any] = {}
    exec(example, names)

    said = capsys.readouterr().out.splitlines()
    assert said[0] == "256 kB"
    assert said[1].startswith("(800, 16, 16)")
    assert (workspace / "my-set" / "metadata.json").exists()


def test_the_symptoms_of_troubleshooting_are_messages() -> None:
    packages = ("backends", "journal", "pcc_tui", "pipeline")
    sources = [
        path.read_text("utf-8") for name in packages for path in ROOT.glob(f"{name}/**/*.py")
    ]
    # A message may be written in several strings, one a line.
    told = re.sub(r'"\s*\n\s*f?"', "", "\n".join(sources))
    page = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
    cells = re.findall(r"^\| (`.+?`)(?: \(exit code 73\))? \|", page, re.M)
    symptoms = [symptom for cell in cells for symptom in re.findall(r"`([^`]+)`", cell)]
    for symptom in symptoms:
        assert symptom in told, symptom
    assert len(symptoms) > 30
