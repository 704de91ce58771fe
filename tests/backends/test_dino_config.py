"""What a DINO says of itself, read from its own files or the hub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backends.encoders.dino_config import DEFAULTS, OPEN_MODEL, DinoConfig, read_config
from backends.errors import SetupError
from tests.support import hub_server
from tests.support.encoders import (
    KINDS,
    WIDTH,
    Kind,
    change,
    features,
    noise,
    opened,
    run_script,
    save_kind,
)
from tests.support.hub_server import COMMIT, HubServer

pytestmark = pytest.mark.usefixtures("offline")

# --- config.json


def test_reading_a_configuration_loads_nothing_heavy(dino_files: Path) -> None:
    script = (
        "import sys\n"
        "from backends.encoders.dino_config import read_config\n"
        "import backends.encoders.dino, backends.encoders.t5\n"
        "print(read_config(sys.argv[1]).width, *sys.modules)"
    )
    width, *modules = run_script(script, str(dino_files)).split()

    assert width == str(WIDTH)
    assert not {"torch", "transformers", "numpy", "huggingface_hub", "PIL"} & {*modules}


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_configuration_is_read(kind: Kind, tmp_path: Path) -> None:
    directory = str(save_kind(kind, tmp_path))

    family, patch_size, registers = kind
    expected = DinoConfig(directory, family, patch_size, WIDTH, 1 + registers)
    assert read_config(directory) == expected


@pytest.mark.parametrize("model_type", DEFAULTS)
def test_what_a_configuration_leaves_out_is_what_transformers_takes(
    model_type: str, tmp_path: Path
) -> None:
    from transformers import AutoConfig

    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))

    config, theirs = read_config(str(tmp_path)), AutoConfig.from_pretrained(tmp_path)

    assert config.patch_size == theirs.patch_size
    assert config.width == theirs.hidden_size
    assert config.leading_tokens == 1 + getattr(theirs, "num_register_tokens", 0)


def test_a_patch_may_be_given_by_both_sides(dino_files: Path) -> None:
    change(dino_files / "config.json", patch_size=[16, 16])

    encoder = opened(dino_files)

    assert encoder.config.patch_size == 16
    [found] = features(encoder, noise((48, 32)))
    assert found.patches.shape == (6, WIDTH)


BROKEN = {
    "": "broken",
    "{": "broken",
    "[]": "holds no settings",
    '"dinov2"': "holds no settings",
    "{}": "names no model type",
    '{"model_type": 7}': "names no model type",
    '{"model_type": null}': "names no model type",
    '{"model_type": "dinov3_convnext"}': "dinov3_convnext",
    '{"model_type": "clip"}': "dinov2, dinov2_with_registers and dinov3_vit work",
    '{"model_type": "a\\nb\\u001b[31m"}': r"'a\\nb\\x1b\[31m'",
    '{"model_type": "dinov2", "patch_size": 0}': "patch_size",
    '{"model_type": "dinov2", "patch_size": "14"}': "patch_size",
    '{"model_type": "dinov2", "patch_size": true}': "patch_size",
    '{"model_type": "dinov2", "patch_size": null}': "patch_size",
    '{"model_type": "dinov2", "patch_size": [14]}': "patch_size",
    '{"model_type": "dinov2", "patch_size": [14, 16]}': "not square: 14 x 16",
    '{"model_type": "dinov2", "hidden_size": -1}': "hidden_size",
    '{"model_type": "dinov2", "hidden_size": 1e400}': "hidden_size",
    '{"model_type": "dinov2", "hidden_size": ' + "9" * 5000 + "}": "broken",
    '{"model_type": "dinov3_vit", "num_register_tokens": -1}': "num_register_tokens",
    '{"model_type": "dinov3_vit", "num_channels": 1}': "num_channels",
    '{"a":' * 100_000: "broken",
    " " * (1 << 20) + "{}": "too large",
    "\ud800": "broken",
}


@pytest.mark.parametrize(("content", "told"), BROKEN.items(), ids=map(str, range(len(BROKEN))))
def test_a_broken_configuration_is_told_in_one_line(
    content: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_bytes(content.encode("utf-8", "surrogatepass"))

    with pytest.raises(SetupError, match=told) as caught:
        read_config(str(tmp_path))

    assert str(caught.value).isprintable()


def test_no_configuration_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"has no config\.json; download it anew"):
        read_config(str(tmp_path))
    with pytest.raises(SetupError, match="no such directory and no such model"):
        read_config(str(tmp_path / "nothing"))


# --- the hub

LOAD = """
import sys
from backends.encoders.dino import DinoEncoder
from backends.encoders.dino_config import read_config
from backends.errors import SetupError
for model in sys.argv[2:]:
    try:
        config = read_config(model)
        print(config.patch_size, config.leading_tokens)
        if sys.argv[1] == "all":
            encoder = DinoEncoder(config, device="cpu")
            encoder.open()
            print("opened", *encoder.remarks)
    except SetupError as error:
        print(error)
"""


def test_the_hub_is_asked_for_one_file_and_only_once(dino_files: Path, tmp_path: Path) -> None:
    with HubServer(dino_files) as hub:
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        first = run_script(LOAD, "config", "tiny/model", **own)
        asked = [*hub.requests]
        again = run_script(LOAD, "config", "tiny/model", **own)

        assert first == again == "16 5\n"
        assert hub.requests == asked
    assert {path for _, path in asked} == {"/tiny/model/resolve/main/config.json"}
    assert run_script(LOAD, "config", "tiny/model", **own, HF_HUB_OFFLINE="1") == first


def test_a_model_from_the_hub_opens_without_it_later(dino_files: Path, tmp_path: Path) -> None:
    (dino_files / "preprocessor_config.json").unlink()
    with HubServer(dino_files) as hub:
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        first = run_script(LOAD, "all", "tiny/model", **own)

    assert first == "16 5\nopened\n"
    assert run_script(LOAD, "all", "tiny/model", **own) == first  # the hub has gone
    assert not [path for _, path in hub.requests if path.endswith((".bin", ".py"))]


def test_what_the_hub_refuses_is_told(
    dino_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = hub_server.find
    monkeypatch.setattr(
        hub_server,
        "find",
        lambda directory, path: "GatedRepo" if "gated" in path else served(directory, path),
    )
    with HubServer(dino_files) as hub:
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        gated, unknown = run_script(LOAD, "config", "its/gated", "its/other", **own).splitlines()
    offline = run_script(LOAD, "config", "its/third", **own, HF_HUB_OFFLINE="1")

    assert "its/gated is gated: accept its licence on https://huggingface.co/its/gated" in gated
    assert "`hf auth login`" in gated
    assert f"--dino-model {OPEN_MODEL}" in gated
    assert "no such directory and no such model on the hub" in unknown
    assert "cannot be reached" in offline


def test_a_revision_is_taken(dino_files: Path, tmp_path: Path) -> None:
    script = LOAD.replace("read_config(model)", f"read_config(model, {COMMIT!r})")
    with HubServer(dino_files) as hub:
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        assert run_script(script, "config", "tiny/model", **own) == "16 5\n"
    assert {path for _, path in hub.requests} == {f"/tiny/model/resolve/{COMMIT}/config.json"}
