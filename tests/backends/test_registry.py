"""Plug-ins by name, ours and those of other packages."""

from __future__ import annotations

import importlib.metadata
import threading
from collections.abc import Sequence
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backends import registry
from backends.base import Caption, Captioner, Options, PhotoInput, Picture
from backends.detectors.base import Detector, Proposal
from backends.embedders.base import Embedder
from backends.errors import SetupError
from backends.plugins import BuiltIn, PluginKind


class ShoutCaptioner(Captioner):
    """A backend as somebody else might write it."""

    name = "shout"

    def caption(self, photo: PhotoInput) -> Caption:
        """Say in which thread this runs."""
        return Caption(text=threading.current_thread().name)


class LengthEmbedder(Embedder):
    """An embedder as somebody else might write it."""

    model = "length"
    dimensions = 1

    def open(self) -> None:
        pass

    def embed_texts(self, texts: Sequence[str]) -> Any:
        return np.ones((len(texts), 1), np.float32)


class NothingDetector(Detector):
    """A detector as somebody else might write it."""

    usual_threshold = 0.5

    def detect(self, pictures: Sequence[Image.Image]) -> list[list[Proposal]]:
        return [[] for _ in pictures]


KINDS: list[PluginKind[Any]] = [
    registry.CAPTIONERS,
    registry.EMBEDDERS,
    registry.DETECTORS,
    registry.OCR_ENGINES,
]


def offer(monkeypatch: pytest.MonkeyPatch, **places: str) -> None:
    """Have packages offer plug-ins in every group."""

    def found(group: str) -> EntryPoints:
        return EntryPoints(EntryPoint(name, place, group) for name, place in places.items())

    monkeypatch.setattr(importlib.metadata, "entry_points", found)


def test_ours_are_there() -> None:
    ours = ["basic", "mock", "local", "openai", "anthropic", "gemini", "xai"]
    assert registry.backend_names()[:7] == ours
    assert registry.make_backend("mock", Options()).name == "mock"
    for kind in KINDS:
        assert all(kind.find(name) for name in kind.built_in)


def test_wrong_name_lists_those_that_exist_and_the_nearest() -> None:
    with pytest.raises(SetupError, match=r"did you mean openai.*basic, mock, local, openai"):
        registry.backend_class("opnai")
    with pytest.raises(SetupError, match=r"did you mean minilm.*, and any sentence-transformers"):
        registry.make_embedder("minilmm")


def test_plugins_of_every_kind_are_found_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, shout=f"{__name__}:ShoutCaptioner")
    assert registry.make_backend("shout", Options()).name == "shout"
    offer(monkeypatch, length=f"{__name__}:LengthEmbedder")
    assert registry.make_embedder("length:of/words").name == "length:of/words"
    offer(monkeypatch, nothing=f"{__name__}:NothingDetector")
    detector = registry.make_detector("nothing:at/all", ["dog"], threshold=0.25)
    assert (detector.model, detector.threshold) == ("nothing:at/all", 0.25)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.what)
@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("no_such_module:Nothing", "does not load: No module named 'no_such_module'"),
        ("json:Nothing", "does not load: module 'json' has no attribute 'Nothing'"),
        ("json:dumps", "is no subclass of"),
    ],
)
def test_plugin_that_does_not_fit_is_told_apart(
    monkeypatch: pytest.MonkeyPatch, kind: PluginKind[Any], place: str, fault: str
) -> None:
    offer(monkeypatch, theirs=place)
    with pytest.raises(SetupError, match=rf"{kind.what} theirs \({place}\) {fault}"):
        kind.find("theirs")
    monkeypatch.setitem(kind.built_in, "ours", BuiltIn(place))
    with pytest.raises(SetupError, match=rf"{kind.what} ours \({place}\) {fault}"):
        kind.find("ours")


async def test_plain_captions_run_in_a_thread() -> None:
    [answer] = await ShoutCaptioner(Options()).caption_batch(
        [PhotoInput(Picture(1, 1, "rgb", b"abc"))]
    )
    assert isinstance(answer, Caption)
    assert answer.text != threading.current_thread().name


async def test_errors_come_back_in_place_of_captions() -> None:
    captioner = registry.make_backend("mock", Options(mock_error_rate=1.0))
    photo = PhotoInput(Picture(1, 1, "rgb", b"abc"), name="a.jpg")
    [answer] = await captioner.caption_batch([photo])
    assert str(answer) == "a mock error"


@pytest.mark.parametrize("rate", [-0.1, 1.1])
def test_mock_refuses_a_share_that_is_none(rate: float) -> None:
    with pytest.raises(SetupError, match="--mock-error-rate"):
        registry.make_backend("mock", Options(mock_error_rate=rate))


@pytest.mark.parametrize("latency", [-1.0, float("inf"), float("nan")])
def test_mock_refuses_a_time_that_is_none(latency: float) -> None:
    with pytest.raises(SetupError, match="--mock-latency"):
        registry.make_backend("mock", Options(mock_latency=latency))
