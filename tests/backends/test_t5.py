"""T5: masks that are Transformers' own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from backends.encoders.t5 import MAX_LENGTH, T5Tokenizer
from backends.errors import SetupError
from tests.support.encoders import (
    change,
    run_script,
)
from tests.support.hub_server import HubServer
from tests.support.tiny_t5 import CAPTIONS, save_tiny_t5

pytestmark = pytest.mark.usefixtures("offline")

ODD_CAPTIONS = (
    "",
    " ",
    "\n\t ",
    "a",
    *CAPTIONS,
    "word " * 75 + "word",
    " ".join(CAPTIONS * 5),
    "a</s>b",
    "</s>",
    "</s>" * 100,
    "<pad>",
    "a <pad> b <pad>",
    "<extra_id_0> and <extra_id_1>",
    "<unk>",
    "红色的自行车停在墙边",
    "🚲🐈‍⬛",
    "a\x00b\x00",
    "\x00",
    "\ufeffa",
    "e\u0301 \u202e \u200b",
    "x" * 100_000,
    "a red bicycle " * 8_000,
)


@pytest.fixture(scope="module")
def t5_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_t5(tmp_path_factory.mktemp("models") / "t5")


@pytest.fixture(scope="module")
def t5(t5_files: Path) -> T5Tokenizer:
    tokenizer = T5Tokenizer(str(t5_files))
    tokenizer.open()
    return tokenizer


def test_masks_are_those_of_transformers(t5: T5Tokenizer, t5_files: Path) -> None:
    from transformers import AutoTokenizer

    plain = AutoTokenizer.from_pretrained(t5_files)

    masks = t5.masks(ODD_CAPTIONS)

    for caption, mask in zip(ODD_CAPTIONS, masks, strict=True):
        own = plain(caption, max_length=77, padding="max_length", truncation=True)
        assert mask == own["attention_mask"], caption[:50]
        assert len(mask) == MAX_LENGTH
        assert mask == sorted(mask, reverse=True)
    lengths = [sum(mask) for mask in masks]
    assert lengths[0] == 1  # the token that ends it
    assert lengths[-1] == MAX_LENGTH
    assert len({*lengths}) > 8
    assert all(type(number) is int for number in masks[0])


def test_masks_of_nothing_are_none(t5: T5Tokenizer) -> None:
    assert t5.masks([]) == []


def test_lone_surrogates_count_as_what_cannot_be_read(t5: T5Tokenizer) -> None:
    spoilt = ["\ud800", "a \udc00 red", "\ud83d\udeb2 bicycle", "\ud800\ud800 \udfff"]
    read = ["\ufffd", "a \ufffd red", "🚲 bicycle", "\ufffd\ufffd \ufffd"]

    assert t5.masks(spoilt) == t5.masks(read)


def test_padding_is_on_the_right_whatever_the_files_say(
    t5: T5Tokenizer, t5_files: Path, tmp_path: Path
) -> None:
    directory = Path(shutil.copytree(t5_files, tmp_path / "t5"))
    change(directory / "tokenizer_config.json", padding_side="left")
    tokenizer = T5Tokenizer(str(directory))
    tokenizer.open()

    assert tokenizer.masks(CAPTIONS) == t5.masks(CAPTIONS)


T5 = """
import sys
blocked, *models = sys.argv[1:]
if blocked:
    sys.modules[blocked] = None
from backends.encoders.t5 import T5Tokenizer
from backends.errors import SetupError
assert "torch" not in sys.modules or blocked
for model in models:
    tokenizer = T5Tokenizer(model)
    try:
        tokenizer.open()
        print(sum(tokenizer.masks(["a red bicycle"])[0]))
    except SetupError as error:
        print(error)
"""


def test_a_tokenizer_needs_no_torch(t5: T5Tokenizer, t5_files: Path) -> None:
    quiet = {"TRANSFORMERS_VERBOSITY": "error"}  # it remarks that torch is not there
    length = sum(t5.masks(["a red bicycle"])[0])

    assert run_script(T5, "torch", str(t5_files), **quiet) == f"{length}\n"


def test_a_tokenizer_comes_from_the_hub_and_stays(
    t5: T5Tokenizer, t5_files: Path, tmp_path: Path
) -> None:
    names = ["tiny/model", "its/other"]
    with HubServer(t5_files) as hub:
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "cache")}
        first, unknown = run_script(T5, "", *names, **own).splitlines()
    again, absent = run_script(T5, "", *names, **own, HF_HUB_OFFLINE="1").splitlines()

    assert first == again == str(sum(t5.masks(["a red bicycle"])[0]))
    assert "the tokenizer its/other cannot be loaded: there is no such directory" in unknown
    assert "the model hub cannot be reached" in absent


def test_a_tokenizer_without_its_files_is_refused(t5_files: Path, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(t5_files, tmp_path / "t5"))
    (directory / "tokenizer.json").unlink()

    for lost in (directory, tmp_path / "nothing"):
        with pytest.raises(SetupError, match=r"lacks its tokenizer|cannot be loaded"):
            T5Tokenizer(str(lost)).open()


def test_a_tokenizer_names_the_package_it_misses(
    t5_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)

    with pytest.raises(SetupError, match=r"transformers.*; .* install .*\[datasets\]'"):
        T5Tokenizer(str(t5_files)).open()
