"""The backend `local`: a real model process with a tiny trained model, and what befalls it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest

from backends.base import Caption, Loading, Options, PhotoInput, Picture, encode_picture
from backends.captioners.local import LocalCaptioner
from backends.errors import BackendLost, ModelError, SetupError
from backends.local_captioner import model_process
from backends.local_captioner.generation import LARGEST_BATCH
from tests.support.drawn_pictures import Quarters, draw, random_quarters
from tests.support.hub_server import COMMIT, HubServer

MODEL = str(Path(__file__).parents[1] / "data" / "tiny-qwen2.5-vl")

SIZES = [(400, 300), (300, 400), (640, 640), (250, 500), (800, 300), (333, 777), (512, 384)]


def drawn(count: int, seed: int = 5) -> tuple[list[PhotoInput], list[str]]:
    """Return pictures and what is true of them."""
    rng = Random(seed)
    quarters = [random_quarters(rng) for _ in range(count)]
    sizes = [SIZES[number % len(SIZES)] for number in range(count)]
    photos = [
        PhotoInput(encode_picture(draw(one, size, rng), "rgb"))
        for one, size in zip(quarters, sizes, strict=True)
    ]
    return photos, [one.sentence for one in quarters]


BLACK = PhotoInput(Picture(64, 64, "rgb", bytes(64 * 64 * 3)))
"""The picture that some faults are about."""


@asynccontextmanager
async def opened(**options: Any) -> AsyncIterator[LocalCaptioner]:
    captioner = LocalCaptioner(Options(**{"model": MODEL, "device": "cpu", **options}))
    try:
        await captioner.open()
        yield captioner
    finally:
        await captioner.close()


class TellingCaptioner(LocalCaptioner):
    """Keeps all it told of loading."""

    def __init__(self, options: Options) -> None:
        self.told: list[Loading] = []
        super().__init__(options)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "loading" and value is not None:
            self.told.append(value)
        super().__setattr__(name, value)


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Let the model process have a fault."""

    def have(kind: str) -> None:
        monkeypatch.setattr(model_process, "WORKER_MODULE", "tests.support.faulty_model_worker")
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        monkeypatch.setenv("PCC_TEST_FAULT", kind)
        monkeypatch.setenv("PCC_TEST_MARK", str(tmp_path / "happened"))

    return have


def texts(outcomes: list[Caption | Exception]) -> list[str]:
    return [one.text if isinstance(one, Caption) else repr(one) for one in outcomes]


async def test_batches_say_what_is_in_each_picture() -> None:
    photos, truth = drawn(24)
    async with opened(batch_size=8) as captioner:
        found = [await captioner.caption_batch(photos[at : at + 8]) for at in (0, 8, 16)]
        alone = await captioner.caption_batch(photos[:1])

    assert texts([caption for batch in found for caption in batch]) == truth
    assert alone == found[0][:1], "one by one, the same words and the same counts"
    first = found[0][0]
    assert isinstance(first, Caption)
    assert first.tokens_in is not None
    assert first.tokens_in > 10
    assert first.tokens_out
    assert first.ended == "whole"


async def test_int4_is_nearly_always_right() -> None:
    photos, truth = drawn(32, seed=7)
    async with opened(batch_size=8, quantize="int4") as captioner:
        said = [
            text
            for at in range(0, 32, 8)
            for text in texts(await captioner.caption_batch(photos[at : at + 8]))
        ]

    right = sum(said == true for said, true in zip(said, truth, strict=True))
    assert right >= 30, f"{right} of 32"


async def test_batch_size_is_chosen_by_free_memory() -> None:
    photos, truth = drawn(3)
    async with opened() as captioner:
        assert 1 <= captioner.batch_size <= LARGEST_BATCH["cpu"]
        assert texts(await captioner.caption_batch(photos)) == truth


@pytest.mark.usefixtures("fresh_processes")
async def test_loading_is_told() -> None:
    captioner = TellingCaptioner(Options(model=MODEL, batch_size=1))
    await captioner.open()
    await captioner.close()

    weights = [one for one in captioner.told if one.unit == "weights" and one.total]
    assert weights[-1].done == weights[-1].total
    assert weights[-1].done > 10
    assert captioner.loading is None


async def test_out_of_memory_at_8_and_at_4_halves_the_batch_and_loses_nothing(fault: Any) -> None:
    fault("memory:4")
    photos, truth = drawn(8)
    async with opened(batch_size=8) as captioner:
        found = await captioner.caption_batch(photos)

        assert texts(found) == truth
        assert captioner.batch_size == 2
        assert any("did not fit into memory" in remark for remark in captioner.remarks)


async def test_memory_for_not_even_one_photo_is_that_photos_error(fault: Any) -> None:
    fault("memory:1")
    photos, _ = drawn(2)
    async with opened(batch_size=2) as captioner:
        found = await captioner.caption_batch(photos)

    assert all(isinstance(one, ModelError) and "OutOfMemory" in str(one) for one in found)


@pytest.mark.parametrize("kind", ["die-once", "hang-once", "lose-device-once"])
async def test_a_model_process_that_dies_or_hangs_once_costs_nothing(fault: Any, kind: str) -> None:
    fault(kind)
    photos, truth = drawn(4)
    patience = 8.0 if kind == "hang-once" else None
    async with opened(batch_size=4, request_timeout=patience) as captioner:
        assert texts(await captioner.caption_batch(photos)) == truth
        assert any("started again" in remark for remark in captioner.remarks)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("die-of-black", "died of SIGSEGV over this photo"),
        ("raise-at-black", "this picture cannot be looked at"),
    ],
)
async def test_the_photo_to_blame_is_found_and_the_others_are_captioned(
    fault: Any, kind: str, words: str
) -> None:
    fault(kind)
    photos, truth = drawn(2)
    async with opened(batch_size=3) as captioner:
        first, culprit, last = await captioner.caption_batch([photos[0], BLACK, photos[1]])

        assert captioner.batch_size == 3, "one bad photo makes no batch too large"
    assert texts([first, last]) == truth
    assert isinstance(culprit, ModelError)
    assert words in str(culprit)


async def test_a_batch_that_the_system_kills_for_want_of_memory_is_halved(fault: Any) -> None:
    fault("starve:4")
    photos, truth = drawn(4)
    async with opened(batch_size=4) as captioner:
        assert texts(await captioner.caption_batch(photos)) == truth
        assert captioner.batch_size == 2


async def test_a_model_that_dies_of_every_photo_ends_the_run(fault: Any) -> None:
    fault("die-always")
    photos, _ = drawn(4)
    async with opened(batch_size=1) as captioner:
        outcomes = [(await captioner.caption_batch([photo]))[0] for photo in photos[:2]]
        assert all(isinstance(one, ModelError) for one in outcomes)
        with pytest.raises(BackendLost, match="dies of every photo"):
            await captioner.caption_batch([photos[2]])


async def test_captions_made_before_the_model_is_lost_are_kept(fault: Any) -> None:
    fault("die-of-black")
    photos, truth = drawn(2)
    async with opened(batch_size=5) as captioner:
        found = await captioner.caption_batch([*photos, BLACK, BLACK, BLACK])

    assert texts(found[:2]) == truth
    assert [type(one) for one in found[2:]] == [ModelError, ModelError, BackendLost]


async def test_a_kill_from_outside_in_the_middle_of_a_batch_costs_nothing() -> None:
    photos, truth = drawn(8)
    async with opened(batch_size=8) as captioner:
        assert captioner._process is not None
        victim = captioner._process.process.pid
        idle = psutil.Process(victim).cpu_times().user
        asking = asyncio.create_task(captioner.caption_batch(photos))
        while psutil.Process(victim).cpu_times().user == idle:
            await asyncio.sleep(0.001)  # until it works on the batch
        os.kill(victim, signal.SIGKILL)

        assert texts(await asking) == truth
        assert captioner._process.process.pid != victim


async def test_no_process_is_left_behind() -> None:
    async with opened(batch_size=1) as captioner:
        assert captioner._process is not None
        pid = captioner._process.process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# What cannot be loaded


async def why_not(**options: Any) -> str:
    with pytest.raises(SetupError) as caught:
        async with opened(**options):
            pass
    return str(caught.value)


async def test_a_model_that_is_not_there_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "hub cannot be reached" in await why_not(model="nobody/no-such-model")


async def test_a_text_model_does_not_caption(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert "does not caption pictures" in await why_not(model=str(tmp_path))


async def test_an_architecture_of_tomorrow_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "qwen9_vl"}')
    assert "not native to this Transformers" in await why_not(model=str(tmp_path))


async def test_remote_code_runs_only_when_asked_for(tmp_path: Path) -> None:
    trap = tmp_path / "trapped"
    (tmp_path / "trap.py").write_text(f"open({str(trap)!r}, 'w')")
    (tmp_path / "config.json").write_text(
        '{"model_type": "trap", "auto_map": {"AutoConfig": "trap.TrapConfig"}}'
    )
    assert "--trust-remote-code and --revision" in await why_not(model=str(tmp_path))
    assert not trap.exists()


async def test_weights_in_pickles_are_not_loaded(tmp_path: Path) -> None:
    for path in Path(MODEL).iterdir():
        if path.suffix != ".safetensors":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch trapped'\ntR.")
    assert "has no safetensors" in await why_not(model=str(tmp_path))


async def test_a_card_that_is_not_there_is_said_to_be() -> None:
    assert "CUDA is not available" in await why_not(device="cuda:0")


async def test_a_broken_torchvision_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    words = await why_not()
    assert "torchvision::nms does not exist" in words
    assert "uninstall it" in words


def test_moondream_needs_its_flag_and_a_revision() -> None:
    for options in ({}, {"trust_remote_code": True}):
        with pytest.raises(SetupError, match="--trust-remote-code and --revision"):
            LocalCaptioner(Options(model="vikhyatk/moondream2", **options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "loaded"),
    [
        ("microsoft/Florence-2-large", "florence-community/Florence-2-large"),
        ("OpenGVLab/InternVL2-8B", "OpenGVLab/InternVL3-8B-hf"),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "Qwen/Qwen2.5-VL-7B-Instruct"),
    ],
)
def test_an_id_that_does_not_load_gets_its_native_twin(asked: str, loaded: str) -> None:
    options = Options(model=asked)
    notices = LocalCaptioner.notices(options)

    assert LocalCaptioner.model_for(options) == loaded
    assert [loaded in notice for notice in notices] == [True] * (asked != loaded)


def test_a_revision_of_the_model_asked_for_is_none_of_its_twins() -> None:
    with pytest.raises(SetupError, match="--model florence-community/Florence-2-large"):
        LocalCaptioner(Options(model="microsoft/Florence-2-large", revision="abc"))


@pytest.mark.parametrize(("prompt", "notices"), [("<CAPTION>", 0), ("Write a poem.", 1)])
def test_florence_follows_task_prompts(prompt: str, notices: int) -> None:
    options = Options(model="florence-community/Florence-2-large", prompt=prompt)
    assert len(LocalCaptioner.notices(options)) == notices


def test_several_workers_become_one_and_it_is_said() -> None:
    options = Options(workers=8)

    assert LocalCaptioner(options).workers == 1
    assert any("1 worker" in notice for notice in LocalCaptioner.notices(options))


def test_quarters_have_a_truth_of_their_own() -> None:
    one = Quarters("red", "green", "blue", "white")
    assert one.sentence != Quarters("green", "red", "blue", "white").sentence


# From a hub


async def test_a_model_is_downloaded_once_with_its_bytes_told_and_its_revision_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, truth = drawn(2)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with HubServer(Path(MODEL)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        options = Options(model="tiny/model", revision=COMMIT, batch_size=2)
        captioner = TellingCaptioner(options)
        await captioner.open()
        assert texts(await captioner.caption_batch(photos)) == truth
        await captioner.close()

        assert all(COMMIT in path for _, path in hub.requests if "/resolve/" in path)
    size = (Path(MODEL) / "model.safetensors").stat().st_size
    downloads = [one for one in captioner.told if one.what == "downloading model.safetensors"]
    assert downloads[-1].done == downloads[-1].total == size

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # else its client asks again and again
    async with opened(model="tiny/model", revision=COMMIT, batch_size=2) as again:
        assert texts(await again.caption_batch(photos)) == truth, "the hub is gone, the cache stays"


async def test_a_model_that_the_hub_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with HubServer(Path(MODEL)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert "no such model on the hub" in await why_not(model="tiny/other")
