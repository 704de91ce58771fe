"""Nothing is written, and no foreign file is opened, but through the functions for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("backends", "journal", "pipeline", "pcc_tui")

OWN, FOREIGN = "journal/own_files.py", "journal/foreign_files.py"

WRITERS = {
    "os": {
        *("chmod", "chown", "link", "makedirs", "mkdir", "mkfifo", "mknod", "remove"),
        *("removedirs", "rename", "renames", "replace", "rmdir", "symlink", "truncate", "unlink"),
    },
    "shutil": {"chown", "copy", "copy2", "copyfile", "copytree", "make_archive", "move", "rmtree"},
    "tempfile": {"NamedTemporaryFile", "TemporaryDirectory", "mkdtemp", "mkstemp"},
    "sqlite3": {"connect"},
    "logging": {"FileHandler"},
}
"""Functions of modules that change what is on disk."""

METHODS = {
    *("chmod", "hardlink_to", "mkdir", "rmdir", "symlink_to", "touch", "unlink", "write_bytes"),
    "write_text",
}
"""Methods of paths that change what is on disk."""

READERS = {"read_bytes", "read_text"}

ALLOWED = {
    "backends/hardware.py": "the kernel's own files below /proc",
    "backends/embedders/sentence.py": "the kernel's own files below /proc",
    "pipeline/photos/memory.py": "the kernel's own files below /proc and /sys",
    "pcc_tui/cli/doctor.py": "the kernel's own files below /proc",
    "backends/helper_server.py": "the pipes that the process was started with",
    "backends/local_captioner/meters.py": "the null device",
    "pcc_tui/cli/streams.py": "the null device",
    "backends/installation.py": "the files of this installation",
    "pipeline/reports/html_page.py": "the parts of the page, which are installed with it",
    "backends/encoders/dino_config.py": "a model that the user named, or the hub's cache",
    "backends/local_captioner/processors.py": "a model that the user named, or the hub's cache",
    "pipeline/ingest/dry_run.py": "a directory of its own among the system's temporary ones",
    "pcc_tui/cli/compare.py": "a directory of its own among the system's temporary ones",
}
"""Files that touch nothing but what the value says."""

OTHER_DESCRIPTORS = {
    "journal/disk.py": "a directory, to sync the directory",
    "journal/rewrite.py": "a leftover, to ask for its lock",
    "pipeline/synth/staging.py": "a directory, to lock the directory",
    "pipeline/datasets/shards/directory.py": "a directory, to lock the directory",
    "pipeline/jobs/socket_place.py": "a directory, to lock the directory",
    "pipeline/photos/images.py": "a photo, which the decoding process alone opens",
}
"""Files that call `os.open` to read, and what they open so."""


def calls() -> Iterator[tuple[str, ast.Call, str, str]]:
    """Yield each call of the product: file, call, what it is called on, and its name."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name in (OWN, FOREIGN) or name in ALLOWED:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    yield name, node, *_named(node.func)


def _named(function: ast.expr) -> tuple[str, str]:
    if isinstance(function, ast.Attribute):
        on = function.value.id if isinstance(function.value, ast.Name) else "…"
        return on, function.attr
    return "", function.id if isinstance(function, ast.Name) else ""


def _mode(call: ast.Call) -> str:
    """Return the mode of a call of `open`, as far as it is written there."""
    modes = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
    return "".join(str(mode.value) for mode in modes if isinstance(mode, ast.Constant)) or "r"


def _is_given_descriptor(call: ast.Call) -> bool:
    """Tell whether `open` gets a descriptor that `open_own` or `os.open` made."""
    first = call.args[0]
    opened = isinstance(first, ast.Call) and _named(first.func)[1] in ("open_own", "_descriptor")
    return opened or (isinstance(first, ast.Name) and first.id == "descriptor")


def test_what_is_written_passes_one_function() -> None:
    found = []
    for name, call, on, function in calls():
        writes = (
            function in WRITERS.get(on, ())
            or (on not in ("os", "") and function in METHODS)
            or (on == "" and function in ("TemporaryDirectory", "NamedTemporaryFile", "mkstemp"))
            or (
                (on, function) == ("", "open")
                and set(_mode(call)) & set("wax+")
                and not _is_given_descriptor(call)
            )
            or (on == "np" and function in ("savez", "memmap") and "r" not in ast.unparse(call))
        )
        if writes:
            found.append(f"{name}:{call.lineno}: {ast.unparse(call)}")

    assert found == [], f"write through {OWN}"


def test_a_foreign_file_is_opened_by_one_function() -> None:
    found = []
    for name, call, on, function in calls():
        opens = (
            function in READERS
            or ((on, function) == ("", "FileIO") and name != OWN)
            or ((on, function) == ("", "open") and not _is_given_descriptor(call))
            or ((on, function) == ("os", "open") and name not in OTHER_DESCRIPTORS)
            or (function == "open" and call.args and _mode_of_method(call).startswith(("r", "w")))
        )
        if opens:
            found.append(f"{name}:{call.lineno}: {ast.unparse(call)}")

    assert found == [], f"open through {FOREIGN}"


def _mode_of_method(call: ast.Call) -> str:
    """Return the mode of `path.open(mode)`, empty for anything else called so."""
    first = call.args[0]
    is_method = isinstance(call.func, ast.Attribute) and not isinstance(call.func.value, ast.Call)
    mode = str(first.value) if is_method and isinstance(first, ast.Constant) else ""
    return mode if mode in ("r", "rb", "w", "wb", "a", "ab", "x", "xb") else ""
