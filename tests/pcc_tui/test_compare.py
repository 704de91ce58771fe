"""`pcc compare` and `pcc models`: side by side, safe to show, no key at another's door."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from backends.offers import Offer
from pcc_tui.settings import load_settings
from pcc_tui.words.estimates import offer_words
from tests.conftest import Pcc
from tests.support.api_server import ApiServer
from tests.support.protocols import OPENAI

GB = 10**9
KEYS = {"OPENAI_API_KEY": "canary-of-openai-1", "ANTHROPIC_API_KEY": "canary-of-anthropic-1"}


def test_photos_are_captioned_side_by_side_and_nothing_is_kept(
    photos: Callable[..., Path], pcc: Pcc, workspace: Path
) -> None:
    library = photos(2)
    names = sorted(path.name for path in library.iterdir())
    done = pcc("compare", *names, "--photos-dir", library, "--with", "basic", "--with", "mock")

    assert done.returncode == 0, done.stderr
    for name in names:
        assert f"mock: a mock caption for {name}" in done.stdout
    assert list(workspace.iterdir()) == []


def test_one_that_cannot_be_asked_says_why(pcc: Pcc) -> None:
    done = pcc("compare", "--samples", "--with", "mock", "--with", "xai", "--json")
    mock, xai = json.loads(done.stdout)

    assert done.returncode == 0
    assert len(mock["trials"]) == 5
    assert "XAI_API_KEY is not set" in xai["not_run"]
    assert pcc("compare", "--samples", "--with", "xai").returncode == 1
    assert pcc("compare", "--samples", "--with", "nobody").returncode == 64
    assert pcc("compare", "--with", "mock").returncode == 64


def test_a_page_neutralises_what_models_and_files_say(
    photos: Callable[..., Path], pcc: Pcc, tmp_path: Path
) -> None:
    library = photos(1)
    [photo] = library.iterdir()
    photo.rename(library / "a|b<script>.jpg")
    text = "![x](http://evil) | <img src=x> `code`\n# heading"
    with ApiServer(OPENAI, lambda request: OPENAI.good(text)) as server:
        (tmp_path / "pcc.toml").write_text(f'backend = "openai"\nbase_url = "{server.url}"\n')
        done = pcc(
            *("compare", "a|b<script>.jpg", "--photos-dir", library, "--with", "openai/gpt-4o"),
            *("--page", tmp_path / "page.md", "--workspace", tmp_path, "--yes"),
            environment=KEYS,
        )

    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.md").read_text()
    assert "\\<img src=x\\>" in page
    assert "\\!\\[x\\](http:\\/\\/evil) \\|" in page
    assert "a\\|b\\<script\\>.jpg" in page
    assert "\n# heading" not in page
    assert (tmp_path / "page" / "1.jpg").stat().st_mode & 0o077 == 0


def test_photos_are_never_written_to(photos: Callable[..., Path], pcc: Pcc, tmp_path: Path) -> None:
    library = photos(2)
    [first, second] = sorted(library.iterdir())
    first.rename(library / "1.jpg")
    before = {path.name: path.read_bytes() for path in library.iterdir()}
    for page in (f"{library}.md", library / "in.md", library):
        done = pcc(
            *("compare", second.name, "--photos-dir", library, "--with", "mock"),
            *("--page", page),
        )
        assert done.returncode == 64, done.stderr
    assert {path.name: path.read_bytes() for path in library.iterdir()} == before


@pytest.mark.parametrize("path", ["../secret.jpg", "/etc/hostname", "absent.jpg"])
def test_photos_are_named_inside_the_photos_directory(
    photos: Callable[..., Path], pcc: Pcc, path: str
) -> None:
    library = photos(1)
    (library.parent / "secret.jpg").write_bytes(next(library.iterdir()).read_bytes())
    compared = pcc("compare", path, "--photos-dir", library, "--with", "mock")
    tried = pcc("try", path, "--photos-dir", library, "--backend", "mock")

    assert (compared.returncode, tried.returncode) == (64, 64)


def test_a_photo_that_cannot_be_decoded_is_named(photos: Callable[..., Path], pcc: Pcc) -> None:
    library = photos(1)
    (library / "torn.jpg").write_bytes(b"torn")
    tried = pcc("try", "torn.jpg", "--photos-dir", library, "--backend", "mock")

    assert tried.returncode == 1
    assert "pcc: torn.jpg cannot be decoded: UnidentifiedImageError" in tried.stderr


def test_a_photo_named_twice_is_asked_once(photos: Callable[..., Path], pcc: Pcc) -> None:
    library = photos(2)
    first, second = sorted(path.name for path in library.iterdir())
    done = pcc(
        *("compare", first, first, second, "--photos-dir", library, "--with", "mock", "--json")
    )

    [entry] = json.loads(done.stdout)
    assert [trial["rel_path"] for trial in entry["trials"]] == [first, second]


def test_server_and_model_chosen_for_one_backend_are_told_to_no_other(workspace: Path) -> None:
    """Or a key, and photos, would go to another vendor's server."""
    (workspace / "pcc.toml").write_text(
        'backend = "openai"\nmodel = "gpt-4o"\nbase_url = "http://127.0.0.1:9/v1"\n'
    )
    settings = load_settings(workspace, KEYS)

    for backend in ("anthropic", "gemini", "xai", "local"):
        told = settings.options(backend)
        assert (told.base_url, told.model) == (None, None)
    for chosen in ("openai", None):
        told = settings.options(chosen)
        assert (told.base_url, told.model) == ("http://127.0.0.1:9/v1", "gpt-4o")


def test_models_are_listed_with_prices_memory_and_ends(pcc: Pcc) -> None:
    offers = json.loads(pcc("models", "--json").stdout)
    by_model = {offer["model"]: offer for offer in offers}

    assert by_model["gpt-6-luna"]["default"]
    assert by_model["gpt-6-luna"]["usd_in"] == 0.1
    assert by_model["gpt-4o-mini"]["ends"] == "2027-01-14"
    assert by_model["Qwen/Qwen2.5-VL-3B-Instruct"]["gigabytes"]["int4"] == pytest.approx(3.2)
    assert "ends 2027-01-14" in pcc("models", "--backend", "openai").stdout
    assert pcc("models", "--backend", "nobody").returncode == 64


@pytest.mark.parametrize(
    ("card", "words"), [(3.9, "too big"), (4.1, "tight"), (5.3, "tight"), (5.4, "fits")]
)
def test_memory_is_held_against_the_card(card: float, words: str) -> None:
    offer = Offer(backend="local", model="m", gigabytes={"int4": 3.2, "none": 7.5})

    assert offer_words(offer, round(card * GB)) == f"int4 3.2 GB {words}, 16 bit 7.5 GB too big"
    assert offer_words(offer, None) == "int4 3.2 GB, 16 bit 7.5 GB"
