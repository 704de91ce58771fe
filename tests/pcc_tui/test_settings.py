"""Flags beat the environment, the environment beats files, and mistakes are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pcc_tui.errors import SettingsError
from pcc_tui.settings import load_settings, save_choices
from tests.conftest import Pcc


def test_environment_beats_config_env_beats_toml(tmp_path: Path) -> None:
    (tmp_path / "pcc.toml").write_text('photos_dir = "/from/toml"\nbackend = "mock"\n')
    assert load_settings(tmp_path, {}).photos_dir == Path("/from/toml")

    (tmp_path / "config.env").write_text("PHOTOS_DIR=/from/file\nOPENAI_API_KEY='abc def '\n")
    (tmp_path / "config.env").chmod(0o600)
    settings = load_settings(tmp_path, {})
    assert settings.photos_dir == Path("/from/file")
    assert settings.keys == {"OPENAI_API_KEY": "abc def"}
    assert settings.warnings == []

    environment = {"PHOTOS_DIR": "/from/environment", "OPENAI_API_KEY": "xyz"}
    settings = load_settings(tmp_path, environment)
    assert settings.photos_dir == Path("/from/environment")
    assert settings.keys == {"OPENAI_API_KEY": "xyz"}
    assert settings.choices.backend == "mock"


def test_file_that_others_can_read_gets_a_warning(tmp_path: Path) -> None:
    (tmp_path / "config.env").write_text("OPENAI_API_KEY=x\n")
    (tmp_path / "config.env").chmod(0o644)

    [warning] = load_settings(tmp_path, {}).warnings
    assert "chmod 600" in warning


@pytest.mark.parametrize("name", ["OPENAI_KEY", "OPENAI_APIKEY", "ANTROPIC_API_KEY", "PHOTO_DIR"])
def test_likely_typos_get_a_hint(tmp_path: Path, name: str) -> None:
    warnings = load_settings(tmp_path, {name: "x"}).warnings
    expected = [] if name == "OPENAI_APIKEY" else [name]
    assert [warning.split()[0] for warning in warnings] in (expected, [name])


@pytest.mark.parametrize("name", ["HOME_API_KEY", "MISTRAL_API_KEY", "MY_OWN_API_KEY"])
def test_key_of_a_backend_of_somebody_elses_is_no_typo(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.env").write_text(f"{name}=sesame-open-123\n")
    (tmp_path / "config.env").chmod(0o600)
    settings = load_settings(tmp_path, {})

    assert settings.warnings == []
    assert settings.keys[name] == "sesame-open-123"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('backedn = "mock"\n', "pcc.toml.*did you mean 'backend'"),
        ("max_workers = 'many'\n", "pcc.toml.*max_workers"),
        ("max_workers = -3\n", "pcc.toml.*max_workers"),
        ("= broken\n", "pcc.toml cannot be read"),
        ('photos_dir = "a\\u0000b"\n', "pcc.toml cannot be read: a NUL"),
    ],
)
def test_mistakes_in_toml_name_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pcc.toml").write_text(text)
    with pytest.raises(SettingsError, match=message):
        load_settings(tmp_path, {})


@pytest.mark.parametrize("value", ["soon", "-1", "0"])
def test_time_limit_must_be_one(tmp_path: Path, value: str) -> None:
    with pytest.raises(SettingsError, match="PCC_REQUEST_TIMEOUT"):
        load_settings(tmp_path, {"PCC_REQUEST_TIMEOUT": value})


def test_broken_settings_exit_with_64(pcc: Pcc, workspace: Path) -> None:
    (workspace / "pcc.toml").write_text("backedn = 1\n")
    done = pcc("plan")
    assert done.returncode == 64
    assert "did you mean 'backend'" in done.stderr


def test_choices_in_toml_are_used(photos: Callable[..., Path], pcc: Pcc, workspace: Path) -> None:
    folder = photos(1)
    (workspace / "pcc.toml").write_text(f'photos_dir = "{folder}"\nbackend = "mock"\n')
    assert pcc("run").returncode == 0
    assert "a mock caption" in (workspace / "captions.jsonl").read_text()


@pytest.mark.parametrize("value", [b"\xff\xfe", b"a\0b"])
def test_config_env_that_is_no_text_is_told(tmp_path: Path, value: bytes) -> None:
    (tmp_path / "config.env").write_bytes(b"PHOTOS_DIR=" + value + b"\n")
    with pytest.raises(SettingsError, match=r"config\.env cannot be read"):
        load_settings(tmp_path, {})


def test_a_wrong_value_is_refused_before_the_file_is_touched(tmp_path: Path) -> None:
    path = tmp_path / "pcc.toml"
    path.write_text("# mine\nmax_workers = 4\n")
    with pytest.raises(SettingsError, match="max_workers"):
        save_choices(tmp_path, {"max_workers": 5000})
    assert path.read_text() == "# mine\nmax_workers = 4\n"


def test_a_change_keeps_comments_and_order(tmp_path: Path) -> None:
    path = tmp_path / "pcc.toml"
    path.write_text('# mine\nmodel = "a"  # tried\nmax_workers = 4\n')
    save_choices(tmp_path, {"model": "b", "max_workers": None, "backend": "mock"})
    assert path.read_text() == '# mine\nmodel = "b"  # tried\nbackend = "mock"\n'
    assert path.stat().st_mode & 0o077 in (0, 0o044)
