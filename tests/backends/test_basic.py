"""`basic` says what is true and nothing else."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from PIL import Image

from backends import answers
from backends.base import Caption, Facts, Options, PhotoInput, encode_picture
from backends.captioners import basic
from backends.captioners.basic import BasicCaptioner

FACTS = Facts(
    width=4000,
    height=3000,
    format="JPEG",
    taken="2008-10-22T16:28:39",
    latitude=43.4674,
    longitude=11.8851,
    camera="NIKON COOLPIX P6000",
)


def caption(image: Image.Image, facts: Facts) -> str:
    answer = BasicCaptioner(Options()).caption(
        PhotoInput(encode_picture(image, "rgb"), "x.jpg", facts)
    )
    assert isinstance(answer, Caption)
    return answer.text


def test_facts_become_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(basic, "_gazetteer", lambda: None)

    assert caption(Image.new("RGB", (256, 192), (200, 30, 30)), FACTS) == (
        "Photo in landscape format, taken on the afternoon of Wednesday 22 October 2008 (autumn), "
        "near 43.5° N, 11.9° E, camera NIKON COOLPIX P6000. Dim, mainly red."
    )


@pytest.mark.parametrize(
    ("latitude", "longitude", "place"),
    [
        (43.4674, 11.8851, "near Arezzo, Italy"),
        (46.0207, 7.7491, "near Zermatt, Switzerland"),
        (-45.0, -130.0, "near 45.0° S, 130.0° W"),
    ],
)
def test_gazetteer_names_a_town_that_is_near(latitude: float, longitude: float, place: str) -> None:
    facts = replace(FACTS, latitude=latitude, longitude=longitude)
    assert place in caption(Image.new("RGB", (9, 9)), facts)


@pytest.mark.parametrize(
    ("latitude", "month", "season"),
    [
        (50, 1, "winter"),
        (50, 7, "summer"),
        (-34, 1, "summer"),
        (-34, 9, "spring"),
        (50, 12, "winter"),
    ],
)
def test_seasons_follow_the_hemisphere(latitude: float, month: int, season: str) -> None:
    facts = Facts(
        width=1,
        height=1,
        format="JPEG",
        taken=f"2020-{month:02d}-15T12:00:00",
        latitude=latitude,
        longitude=8,
    )
    assert f"({season})" in caption(Image.new("RGB", (9, 9)), facts)


@pytest.mark.parametrize("latitude", [None, 1.3])
def test_no_season_where_none_is_known(latitude: float | None) -> None:
    facts = Facts(
        width=1,
        height=1,
        format="JPEG",
        taken="2020-01-15T12:00:00",
        latitude=latitude,
        longitude=103,
    )
    assert "(" not in caption(Image.new("RGB", (9, 9)), facts)


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((0, 0, 0), "black"),
        ((255, 255, 255), "white"),
        ((128, 128, 128), "grey"),
        ((220, 20, 20), "red"),
        ((250, 140, 10), "orange"),
        ((240, 230, 30), "yellow"),
        ((30, 160, 40), "green"),
        ((30, 200, 200), "turquoise"),
        ((30, 60, 220), "blue"),
        ((130, 40, 200), "purple"),
        ((250, 100, 180), "pink"),
        ((110, 70, 40), "brown"),
    ],
)
def test_colours_have_their_names(colour: tuple[int, int, int], name: str) -> None:
    facts = Facts(width=100, height=100, format="PNG")
    assert caption(Image.new("RGB", (64, 64), colour), facts).lower().endswith(f" mainly {name}.")


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((100, 100), "square"),
        ((300, 400), "portrait"),
        ((400, 300), "landscape"),
        ((900, 300), "panorama"),
    ],
)
def test_shapes_have_their_names(size: tuple[int, int], shape: str) -> None:
    facts = Facts(width=size[0], height=size[1], format="PNG")
    assert f"Photo in {shape} format." in caption(Image.new("RGB", (64, 64)), facts)


@pytest.mark.parametrize(
    "camera",
    [
        "</think> X-100",
        "<|im_end|>",
        "no " * 26,
        "-" * 80,
        "I'm sorry, but I can't assist with that request.",
        "I cannot view images",
        "ACME [/INST] \\boxed{7}",
    ],
)
def test_no_name_of_a_camera_makes_the_sentences_another_answer(camera: str) -> None:
    text = caption(Image.new("RGB", (9, 9)), replace(FACTS, camera=camera))
    assert answers.read(Caption(text=text)) == text
