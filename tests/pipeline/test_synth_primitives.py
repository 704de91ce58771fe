"""Each primitive beside a plain reference, pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest

from pipeline.synth.drawing import form_table
from pipeline.synth.primitives import NAMES, PRIMITIVES

Pixels = frozenset[tuple[int, int]]
SIDE = range(16)
FORMS = {primitive.name: [f for g in primitive.groups() for f in g] for primitive in PRIMITIVES}


def pixels_of(form: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> Pixels:
    assert set(np.unique(form)) <= {0, 255}
    return frozenset((x, y) for y in SIDE for x in SIDE if form[y][x])


def inside(width: int, height: int, belongs: Callable[[int, int], bool]) -> Pixels:
    return frozenset((x, y) for x, y in product(range(width), range(height)) if belongs(x, y))


def shifted(pixels: Pixels, width: int, height: int) -> Iterator[Pixels]:
    for right, down in product(range(17 - width), range(17 - height)):
        yield frozenset((x + right, y + down) for x, y in pixels)


def is_in_disc(x: int, y: int, diameter: int, left: int = 0) -> bool:
    middle = Fraction(diameter, 2) + left
    half = Fraction(1, 2)
    return (x + half - middle) ** 2 + (y + half - middle) ** 2 <= Fraction(diameter, 2) ** 2


def points() -> Iterator[Pixels]:
    yield from shifted(frozenset({(0, 0)}), 1, 1)


def lines() -> Iterator[Pixels]:
    for right, down in ((1, 0), (1, 0.5), (1, 1), (0.5, 1), (0, 1), (-0.5, 1), (-1, 1), (-1, 0.5)):
        for length in range(6, 17):
            path = [(int(abs(right) * step), int(down * step)) for step in range(length)]
            widest, lowest = max(x for x, _ in path), max(y for _, y in path)
            drawn = frozenset((x if right >= 0 else widest - x, y) for x, y in path)
            yield from shifted(drawn, widest + 1, lowest + 1)


def crosses() -> Iterator[Pixels]:
    for width, arms in ((1, range(2, 8)), (2, range(3, 8)), (3, range(4, 7))):
        for arm in arms:
            bar, span = range(arm, arm + width), 2 * arm + width
            cross = inside(span, span, lambda x, y, bar=bar: x in bar or y in bar)  # type: ignore[misc]
            yield from shifted(cross, span, span)


def squares() -> Iterator[Pixels]:
    for side in range(4, 15):
        yield from shifted(inside(side, side, lambda x, y: True), side, side)


def frames() -> Iterator[Pixels]:
    for width, side in product((1, 2, 3), range(5, 15)):
        hole = range(width, side - width)
        if len(hole) >= 3:
            frame = inside(side, side, lambda x, y: not (x in hole and y in hole))  # noqa: B023
            yield from shifted(frame, side, side)


def discs() -> Iterator[Pixels]:
    for d in range(7, 16):
        yield from shifted(inside(d, d, lambda x, y: is_in_disc(x, y, d)), d, d)  # noqa: B023


def rings() -> Iterator[Pixels]:
    for width, d in product((1, 2, 3), range(7, 16)):
        if d - 2 * width >= 4:
            disc = inside(d, d, lambda x, y: is_in_disc(x, y, d))  # noqa: B023
            hole = inside(d, d, lambda x, y: is_in_disc(x, y, d - 2 * width, width))  # noqa: B023
            yield from shifted(disc - hole, d, d)


def triangles() -> Iterator[Pixels]:
    for height in range(4, 9):
        low, base = height - 1, 2 * height - 1
        up = inside(base, height, lambda x, y: abs(x - low) <= y)  # noqa: B023
        yield from shifted(up, base, height)
        yield from shifted(frozenset((x, low - y) for x, y in up), base, height)
        yield from shifted(frozenset((y, x) for x, y in up), height, base)
        yield from shifted(frozenset((low - y, x) for x, y in up), height, base)
    for leg in range(5, 15):
        corner = inside(leg, leg, lambda x, y: x <= y)
        for flip_x, flip_y in product((False, True), repeat=2):
            turned = frozenset(
                (leg - 1 - x if flip_x else x, leg - 1 - y if flip_y else y) for x, y in corner
            )
            yield from shifted(turned, leg, leg)


def checkerboards() -> Iterator[Pixels]:
    for cell, cells, parity in product((2, 3, 4), range(4, 9), (0, 1)):
        side = cell * cells
        if side <= 16:
            board = inside(side, side, lambda x, y: (x // cell + y // cell) % 2 == parity)  # noqa: B023
            yield from shifted(board, side, side)


REFERENCES: dict[str, Callable[[], Iterable[Pixels]]] = {
    "point": points,
    "line": lines,
    "cross": crosses,
    "square": squares,
    "frame": frames,
    "disc": discs,
    "ring": rings,
    "triangle": triangles,
    "checkerboard": checkerboards,
}


@pytest.mark.parametrize("name", REFERENCES)
def test_a_primitive_is_what_a_plain_loop_draws(name: str) -> None:
    drawn = [pixels_of(form) for form in FORMS[name]]

    assert set(drawn) == set(REFERENCES[name]())
    assert len(drawn) == len(set(drawn))


def test_a_gradient_is_what_exact_fractions_give() -> None:
    slopes = [(1, 0), (0, 1), (1, 1), (1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2)]
    slopes += [(-right, down) for right, down in slopes[2:]]
    expected = set()
    for (right, down), before, after in product(slopes, range(4), range(4)):
        step = abs(right) + down
        ways = [abs(right) * (x if right >= 0 else 15 - x) + down * y for y in SIDE for x in SIDE]
        span = (15 - before - after) * step
        shares = [Fraction(min(max(way - before * step, 0), span), span) for way in ways]
        expected.add(bytes(int(255 * share + Fraction(1, 2)) for share in shares))

    assert {form.tobytes() for form in FORMS["gradient"]} == expected


def test_no_form_of_a_class_is_one_of_another_even_in_swapped_shades() -> None:
    looks = {
        name: {form.tobytes() for form in forms} | {(255 - form).tobytes() for form in forms}
        for name, forms in FORMS.items()
    }
    for first, second in combinations(looks, 2):
        assert not looks[first] & looks[second], (first, second)


@pytest.mark.parametrize("name", ["ring", "frame"])
def test_a_hole_cannot_be_reached_from_outside(name: str) -> None:
    for form in FORMS[name][::5]:
        walls = pixels_of(form)
        grid = {(x, y) for x in range(-1, 17) for y in range(-1, 17)} - walls
        reached, border = {(-1, -1)}, [(-1, -1)]
        while border:
            x, y = border.pop()
            near = {(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)} & grid - reached
            reached |= near
            border += near
        assert len(grid - reached) >= 9


def test_the_table_holds_every_form_once_in_order() -> None:
    table = form_table()

    assert len(NAMES) == 10
    assert [table.forms_of(label) for label in range(10)] == [len(FORMS[name]) for name in NAMES]
    assert table.weights.tobytes() == b"".join(f.tobytes() for name in NAMES for f in FORMS[name])
