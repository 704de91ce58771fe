"""The arrows between the packages, and what must not be imported before it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from pcc_tui.cli.commands import COMMANDS, GROUPS

ROOT = Path(__file__).parents[1]

MAY_IMPORT = {
    "journal": set[str](),
    "backends": set[str](),
    "pipeline": {"backends", "journal"},
    "pcc_tui": {"pipeline", "backends", "journal"},
}

ROOMS_MAY_IMPORT = {
    "pipeline": {
        "photos": set[str](),
        "samples": set[str](),
        "jobs": {"photos"},
        "captions": {"jobs", "photos"},
        "embeddings": {"captions", "jobs", "photos"},
        "clusters": {"captions", "embeddings", "jobs", "photos"},
        "reports": {"captions", "clusters", "embeddings", "jobs", "photos"},
        "datasets": {"captions", "jobs", "photos"},
        "ingest": {"captions", "embeddings", "jobs", "photos"},
        "synth": {"jobs"},
    },
    "pcc_tui": {
        "words": set[str](),
        "widgets": {"words", "clean", "probes"},
        "desks": {"words", "workspace", "settings", "locations", "errors", "known_servers"},
        "dialogs": {"widgets", "desks", "base_app", "clean"},
        "screens": {
            *("dialogs", "widgets", "desks", "words"),
            *("base_app", "workspace", "probes", "clean", "errors"),
        },
        "cli": {
            *("app", "desks", "words", "workspace", "settings", "keys", "locations"),
            *("graphics", "probes", "terminal", "toml", "preferences", "clean", "errors"),
            "known_servers",
        },
    },
}
"""Which rooms of a package, and which modules at its root, each room may know."""

HEAVY = (
    *("torch", "transformers", "umap", "openai", "anthropic", "google", "numpy", "scipy"),
    *("cv2", "onnxruntime", "rapidocr", "redis"),
)
APP_ALONE = ("psutil", "pynvml", "tomlkit")
SCREENS = ("textual", "textual_image")


def modules_imported(path: Path) -> set[str]:
    """Return the dotted names of all modules that a file imports, wherever it does."""
    names = set[str]()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imported(path: Path) -> set[str]:
    """Return the first names of all modules that a file imports."""
    return {name.partition(".")[0] for name in modules_imported(path)}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_arrows_point_one_way(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        forbidden = imported(path) & (MAY_IMPORT.keys() - MAY_IMPORT[package] - {package})
        assert not forbidden, f"{path.relative_to(ROOT)} imports {forbidden}"


ROOMS = [(package, room) for package, rooms in ROOMS_MAY_IMPORT.items() for room in rooms]


@pytest.mark.parametrize("package", ROOMS_MAY_IMPORT)
def test_every_room_is_guarded(package: str) -> None:
    there = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    assert there == ROOMS_MAY_IMPORT[package].keys()


@pytest.mark.parametrize(("package", "room"), ROOMS)
def test_rooms_know_only_the_rooms_below(package: str, room: str) -> None:
    allowed = ROOMS_MAY_IMPORT[package][room] | {room}
    for path in (ROOT / package / room).rglob("*.py"):
        known = {
            name.split(".")[1] for name in modules_imported(path) if name.startswith(f"{package}.")
        }
        forbidden = known - allowed
        assert not forbidden, f"{path.relative_to(ROOT)} imports {forbidden}"


@pytest.mark.parametrize("package", ["journal", "backends", "pipeline"])
def test_only_the_top_floor_knows_screens_and_consoles(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        assert not imported(path) & {*SCREENS, "rich", "typer"}


def modules_after(code: str) -> set[str]:
    """Return the names of all modules loaded after running some code."""
    script = f"import sys\n{code}\nprint('modules:', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(done.stdout.rpartition("modules: ")[2].split())


def loaded_by(code: str) -> set[str]:
    """Return the first names of all modules loaded after running some code."""
    return {name.partition(".")[0] for name in modules_after(code)}


def run_pcc(*arguments: str) -> str:
    return (
        f"import sys\nfrom pcc_tui.cli import main\nsys.argv = {['pcc', *arguments]!r}\nmain._run()"
    )


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["doctor"], ["stats"]])
def test_quick_commands_load_nothing_heavy(arguments: list[str]) -> None:
    assert not loaded_by(run_pcc(*arguments)) & {*HEAVY, *SCREENS, *APP_ALONE}


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        *(([], set[str]()), (["--help"], set[str]())),
        *(([group, "--help"], set[str]()) for group in GROUPS),
        (["no-such-command"], set()),
        (["stats"], {"stats"}),
        (["ingest", "status", "--help"], {"ingest_control"}),
    ],
)
def test_a_command_is_imported_when_it_is_called(arguments: list[str], called: set[str]) -> None:
    all_there_are = {each.module for group in COMMANDS.values() for each in group.values()}
    loaded = modules_after(run_pcc(*arguments))

    assert loaded & all_there_are == {f"pcc_tui.cli.{module}" for module in called}


def test_a_headless_run_loads_no_screen(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"broken")
    arguments = ["--photos-dir", str(tmp_path / "photos"), "--workspace", str(tmp_path)]
    loaded = loaded_by(run_pcc("run", "--backend", "mock", *arguments))

    assert "asyncio" in loaded
    assert not loaded & {*HEAVY, *SCREENS, *APP_ALONE, "PIL", "rich"}


def test_opening_the_app_loads_nothing_heavy() -> None:
    loaded = loaded_by("import pcc_tui.app")

    assert "textual" in loaded
    assert not loaded & {*HEAVY, "textual_image"}


def test_a_run_with_nothing_to_do_starts_no_engine(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    arguments = ["--photos-dir", str(tmp_path / "photos"), "--workspace", str(tmp_path)]
    loaded = loaded_by(run_pcc("run", "--backend", "basic", *arguments))

    assert not loaded & {"asyncio", "PIL", "dotenv"}


def test_looking_at_clusters_needs_no_numbers() -> None:
    code = (
        "from pcc_tui.screens.clusters import ClustersScreen\n"
        "from pathlib import Path\n"
        "from pipeline.clusters.opening import open_view\n"
        "from pipeline.clusters.search import Searcher\n"
        "view = open_view(Path('nowhere'), Path('nowhere.jsonl'), None)\n"
        "Searcher(view.photos, Path('nowhere'), None).search('dog', 'words')\n"
    )
    assert not loaded_by(code) & {"numpy", "scipy", "sklearn"}
