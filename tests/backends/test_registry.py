"""Backends by name, ours and those of other packages."""

from __future__ import annotations

import importlib.metadata
import threading
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from backends import registry
from backends.base import Caption, Captioner, Options, PhotoInput, Picture
from backends.errors import SetupError


class ShoutCaptioner(Captioner):
    """A backend as somebody else might write it."""

    name = "shout"

    def caption(self, photo: PhotoInput) -> Caption:
        """Say in which thread this runs."""
        return Caption(text=threading.current_thread().name)


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    found = EntryPoints(
        [
            EntryPoint("shout", f"{__name__}:ShoutCaptioner", registry.CAPTIONERS.group),
            EntryPoint("broken", "no_such_module:Nothing", registry.CAPTIONERS.group),
            EntryPoint("wrong", "json:dumps", registry.CAPTIONERS.group),
        ]
    )
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: found)


def test_ours_are_there() -> None:
    ours = ["basic", "mock", "local", "openai", "anthropic", "gemini", "xai"]
    assert registry.backend_names()[:7] == ours
    assert registry.make_backend("mock", Options()).name == "mock"


def test_wrong_name_lists_those_that_exist_and_the_nearest() -> None:
    with pytest.raises(SetupError, match=r"did you mean openai.*basic, mock, local, openai"):
        registry.backend_class("opnai")


@pytest.mark.usefixtures("plugin")
def test_plugins_are_found_by_entry_point() -> None:
    assert registry.make_backend("shout", Options()).name == "shout"


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize("name", ["broken", "wrong"])
def test_plugin_that_does_not_fit_is_told_apart(name: str) -> None:
    with pytest.raises(SetupError, match=name):
        registry.backend_class(name)


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
