"""The line that installs an extra, told from what each installer leaves behind.

What pip, pipx and uv leave is copied here from real installations; `tests/battery` makes such
installations and runs the lines, and `tests/test_wheel.py` runs the line of pip.
"""

from __future__ import annotations

import json
import shlex
import sys
import sysconfig
from pathlib import Path

import pytest

from backends import installation
from backends.installation import DISTRIBUTION, extra_line, package_line

ROOT = Path(__file__).parents[2]


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run as though from an environment without pip, with a wheel that uv installed."""
    path = tmp_path / "an environment"
    path.mkdir()
    monkeypatch.setattr(sys, "prefix", str(path))
    monkeypatch.setattr(sys, "executable", str(path / "bin" / "python"))
    monkeypatch.setattr(installation, "_HERE", path / "site-packages")
    monkeypatch.setattr(installation, "find_spec", lambda name: None)
    monkeypatch.syspath_prepend(str(path / "site-packages"))
    for variable in ("PIPX_HOME", "UV_TOOL_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    leave(path, INSTALLER="uv\n")
    return path


def leave(prefix: Path, **files: str) -> None:
    """Write what an installer writes beside the packages."""
    directory = prefix / "site-packages" / "picture_captioner_clusterer_chunker-0.1.0.dist-info"
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in {"METADATA": f"Name: {DISTRIBUTION}\nVersion: 0.1.0\n", **files}.items():
        (directory / name).write_text(text)


def with_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "find_spec", lambda name: name)


def receipt(prefix: Path, *requirements: str) -> None:
    (prefix / "uv-receipt.toml").write_text(
        f"[tool]\nrequirements = [{', '.join(requirements)}]\n"
        'entrypoints = [{ name = "pcc", install-path = "/bin/pcc", from = "pcc" }]\n'
    )


def test_a_checkout_is_installed_again_with_the_extra() -> None:
    words = shlex.split(extra_line("api"))
    assert words[-2:] == ["-e", f"{ROOT}[api]"]
    assert words[0] == sys.executable


def test_a_checkout_in_a_folder_with_spaces_is_quoted(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "my 'own' code"
    checkout.mkdir()
    (checkout / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    monkeypatch.setattr(installation, "_HERE", checkout)
    with_pip(monkeypatch)

    assert shlex.split(extra_line("api")) == [
        *(f"{prefix}/bin/python", "-m", "pip", "install", "-e", f"{checkout}[api]")
    ]


def test_a_pyproject_of_others_makes_no_checkout(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (prefix / "site-packages" / "pyproject.toml").write_text('[project]\nname = "other"\n')
    with_pip(monkeypatch)
    assert shlex.split(extra_line("api"))[-1] == f"{DISTRIBUTION}[api]"


def test_pip_of_the_environment_is_asked(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_pip(monkeypatch)
    python = f"'{prefix}/bin/python'"
    assert extra_line("ocr") == f"{python} -m pip install '{DISTRIBUTION}[ocr]'"
    assert package_line("pillow") == f"{python} -m pip install pillow"


def test_without_pip_uv_is_asked_if_it_made_the_installation(prefix: Path) -> None:
    python = f"'{prefix}/bin/python'"
    assert extra_line("ocr") == f"uv pip install --python {python} '{DISTRIBUTION}[ocr]'"

    leave(prefix, INSTALLER="poetry 2.1.1")
    assert extra_line("ocr") == (
        f"{python} -m ensurepip && {python} -m pip install '{DISTRIBUTION}[ocr]'"
    )


def test_an_environment_of_pipx(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "pipx home"
    venv = home / "venvs" / f"{DISTRIBUTION}_2"  # as `pipx install --suffix _2` calls it
    venv.mkdir(parents=True)
    (venv / "pipx_metadata.json").write_text("{}")
    monkeypatch.setattr(sys, "prefix", str(venv))
    with_pip(monkeypatch)  # which pipx shares among its environments
    line = f"pipx runpip {DISTRIBUTION}_2 install '{DISTRIBUTION}[api]'"

    assert extra_line("api") == f"PIPX_HOME='{home}' {line}"
    monkeypatch.setenv("PIPX_HOME", str(home))
    assert extra_line("api") == line


def test_a_tool_of_uv_is_made_again_with_all_that_its_receipt_says(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_TOOL_DIR", str(tmp_path))
    receipt(prefix, f'{{ name = "{DISTRIBUTION}" }}')
    assert extra_line("api") == f"uv tool install '{DISTRIBUTION}[api]'"
    assert package_line("pillow").startswith("uv pip install --python ")

    receipt(prefix, f'{{ name = "{DISTRIBUTION}", extras = ["ocr", "api"], git = "-" }}')
    for direct_url, source in (
        (
            {"url": "https://x/y.git", "vcs_info": {"vcs": "git", "requested_revision": "v1"}},
            "git+https://x/y.git@v1",
        ),
        (
            {"url": "https://x/y.git", "vcs_info": {"vcs": "git", "commit_id": "0"}},
            "git+https://x/y.git",
        ),
        ({"url": "https://x/y.whl", "archive_info": {}}, "https://x/y.whl"),
        ({"url": prefix.as_uri(), "dir_info": {}}, prefix.as_uri()),
    ):
        leave(prefix, **{"direct_url.json": json.dumps(direct_url)})
        assert extra_line("places") == (
            f"uv tool install '{DISTRIBUTION}[api,ocr,places] @ {source}'"
        )

    monkeypatch.setattr(installation, "_HERE", ROOT)
    assert extra_line("ocr") == f"uv tool install -e '{ROOT}[api,ocr]'"


def test_a_tool_of_uv_that_cannot_be_made_again_is_added_to(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"uv pip install --python '{prefix}/bin/python' '{DISTRIBUTION}[api]'"
    ours = f'{{ name = "{DISTRIBUTION}" }}'
    receipt(prefix, ours)
    assert extra_line("api") == line, "uv would look for its tools elsewhere"

    monkeypatch.setenv("UV_TOOL_DIR", str(tmp_path))
    receipt(prefix, ours, '{ name = "rich", specifier = ">=2" }')
    assert extra_line("api") == line, "what came by --with would be lost"

    receipt(prefix, ours)
    gone = {"url": (tmp_path / "gone.whl").as_uri(), "archive_info": {}}
    leave(prefix, **{"direct_url.json": json.dumps(gone)})
    assert extra_line("api") == line, "the wheel that it was made from is gone"


def test_a_python_of_the_system_is_changed_with_consent_alone(
    prefix: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_pip(monkeypatch)
    monkeypatch.setattr(sys, "base_prefix", str(prefix))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    plain = extra_line("api")
    (tmp_path / "EXTERNALLY-MANAGED").touch()

    assert "--break-system-packages" not in plain
    assert extra_line("api") == plain.replace(" install ", " install --break-system-packages ")
