"""Photo-like scenes drawn with Pillow alone, the same for the same seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Size = tuple[int, int]
Scene = Callable[[Random, Size], Image.Image]

GRAIN = 0.05
"""Share of film grain laid over every scene, so that skies are not flat."""


def gradient(size: Size, stops: Sequence[Colour]) -> Image.Image:
    """Return a vertical gradient through evenly spaced colours."""
    column = Image.new("RGB", (1, len(stops)))
    column.putdata(list(stops))
    return column.resize((1, size[1]), Image.Resampling.BICUBIC).resize(size)


def ridge(rng: Random, width: int, level: float, height: float, roughness: float) -> list[float]:
    """Return the heights of a skyline by midpoint displacement, one for each pixel column."""
    points = [level + rng.uniform(-height, height) for _ in range(3)]
    while len(points) < width:
        height *= roughness
        between = [
            (left + right) / 2 + rng.uniform(-height, height) for left, right in pairwise(points)
        ]
        points = [value for pair in zip(points, [*between, 0.0], strict=True) for value in pair][
            :-1
        ]
    step = len(points) / width
    return [points[int(column * step)] for column in range(width)]


def fill_below(image: Image.Image, heights: Sequence[float], colour: Colour) -> None:
    """Fill everything below a skyline."""
    outline = [*enumerate(heights), (image.width, image.height), (0, image.height)]
    ImageDraw.Draw(image).polygon(outline, fill=colour)


def glow(
    image: Image.Image, centre: tuple[float, float], radius: float, colour: Colour
) -> Image.Image:
    """Return the image with a shining disc and the light around it."""
    light = Image.new("RGB", image.size)
    x, y = centre
    ImageDraw.Draw(light).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    halo = light.filter(ImageFilter.GaussianBlur(radius * 1.6))
    return ImageChops.screen(
        ImageChops.screen(image, halo), light.filter(ImageFilter.GaussianBlur(2))
    )


def disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour) -> None:
    """Draw a filled circle."""
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def finish(rng: Random, image: Image.Image) -> Image.Image:
    """Return the image slightly blurred and with grain, as a lens and a sensor would give it."""
    soft = image.filter(ImageFilter.GaussianBlur(0.8))
    small = (image.width // 2, image.height // 2)
    grain = Image.frombytes("L", small, rng.randbytes(small[0] * small[1])).resize(image.size)
    return Image.blend(soft, grain.convert("RGB"), GRAIN)


def beach(rng: Random, size: Size) -> Image.Image:
    """Sea, sand and sunshades under a summer sky."""
    width, height = size
    image = gradient(size, [(64, 132, 214), (150, 200, 240), (214, 232, 240)])
    image = glow(
        image, (width * rng.uniform(0.6, 0.9), height * 0.16), height * 0.05, (255, 244, 214)
    )
    draw = ImageDraw.Draw(image)
    sea = gradient((width, int(height * 0.25)), [(20, 96, 150), (40, 150, 180), (130, 205, 205)])
    image.paste(sea, (0, int(height * 0.42)))
    for _ in range(60):
        x, y = rng.uniform(0, width), height * rng.uniform(0.5, 0.66)
        draw.line((x, y, x + rng.uniform(20, 90), y), fill=(226, 242, 244), width=2)
    fill_below(image, ridge(rng, width, height * 0.67, height * 0.012, 0.6), (226, 200, 152))
    for _ in range(rng.randint(4, 7)):
        x, y, span = rng.uniform(0.05, 0.95) * width, height * rng.uniform(0.72, 0.9), width * 0.05
        colour = rng.choice([(214, 60, 52), (244, 196, 48), (44, 110, 180), (240, 240, 240)])
        draw.line((x, y - span, x, y + span * 0.5), fill=(120, 90, 60), width=5)
        draw.pieslice((x - span, y - span * 1.6, x + span, y - span * 0.3), 180, 360, fill=colour)
    return finish(rng, image)


def mountains(rng: Random, size: Size) -> Image.Image:
    """Ranges behind ranges, the far ones pale, snow on the highest."""
    width, height = size
    image = gradient(size, [(70, 120, 190), (170, 204, 230), (236, 232, 220)])
    peaks = ridge(rng, width, height * 0.38, height * 0.16, 0.55)
    fill_below(image, peaks, (238, 242, 248))
    fill_below(
        image,
        [y + height * (0.1 + 0.03 * math.sin(x / 17)) for x, y in enumerate(peaks)],
        (122, 136, 160),
    )
    for step in range(4):
        level = height * (0.56 + 0.1 * step)
        shade = (96 - 20 * step, 124 - 18 * step, 116 - 24 * step)
        fill_below(image, ridge(rng, width, level, height * 0.05, 0.58), shade)
    return finish(rng, image)


def lake(rng: Random, size: Size) -> Image.Image:
    """A sunset mirrored in still water."""
    width, height = size
    sky = gradient((width, height // 2), [(52, 44, 96), (200, 88, 84), (250, 180, 96)])
    sky = glow(sky, (width * rng.uniform(0.3, 0.7), height * 0.42), height * 0.04, (255, 226, 160))
    fill_below(sky, ridge(rng, width, height * 0.42, height * 0.05, 0.55), (40, 32, 56))
    image = Image.new("RGB", size)
    image.paste(sky, (0, 0))
    mirrored = sky.transpose(Image.Transpose.FLIP_TOP_BOTTOM).filter(ImageFilter.GaussianBlur(5))
    image.paste(Image.eval(mirrored, lambda value: value * 3 // 4), (0, height // 2))
    return finish(rng, image)


def city_night(rng: Random, size: Size) -> Image.Image:
    """Towers with lit windows under a dark sky."""
    width, height = size
    image = gradient(size, [(8, 10, 28), (24, 22, 56), (92, 54, 84)])
    draw = ImageDraw.Draw(image)
    for layer in range(3):
        x = -20.0
        while x < width:
            span, top = (
                rng.uniform(0.05, 0.11) * width,
                height * rng.uniform(0.2, 0.5) + layer * height * 0.14,
            )
            body = 34 - 9 * layer
            draw.rectangle((x, top, x + span, height), fill=(body, body, body + 14))
            for row in range(int(top) + 12, height, 22):
                for column in range(int(x) + 8, int(x + span) - 8, 16):
                    if rng.random() < 0.4:
                        lit = rng.choice([(255, 214, 130), (255, 236, 190), (170, 200, 255)])
                        draw.rectangle((column, row, column + 7, row + 11), fill=lit)
            x += span + rng.uniform(2, 12)
    return finish(rng, image)


def fireworks(rng: Random, size: Size) -> Image.Image:
    """Bursts over a black skyline."""
    width, height = size
    image = gradient(size, [(4, 6, 20), (14, 16, 44), (36, 26, 52)])
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.5) * height
        colour = rng.choice(
            [(255, 80, 90), (255, 210, 90), (110, 220, 255), (190, 120, 255), (120, 255, 150)]
        )
        for spoke in range(48):
            angle, reach = spoke * math.tau / 48, rng.uniform(0.08, 0.16) * height
            end = (x + reach * math.cos(angle), y + reach * math.sin(angle) + reach * 0.15)
            draw.line((x, y, *end), fill=colour, width=2)
    image = ImageChops.screen(image, image.filter(ImageFilter.GaussianBlur(9)))
    fill_below(image, ridge(rng, width, height * 0.86, height * 0.03, 0.7), (6, 6, 10))
    return finish(rng, image)


def meadow(rng: Random, size: Size) -> Image.Image:
    """Flowers in the grass, the near ones large."""
    width, height = size
    image = gradient(size, [(110, 170, 226), (206, 228, 240), (206, 228, 240)])
    fill_below(image, ridge(rng, width, height * 0.38, height * 0.04, 0.5), (92, 140, 78))
    image.paste(
        gradient((width, int(height * 0.58)), [(126, 168, 70), (62, 116, 40)]),
        (0, int(height * 0.42)),
    )
    draw = ImageDraw.Draw(image)
    for y in sorted(rng.uniform(0.44, 1.0) * height for _ in range(420)):
        x, span = rng.uniform(0, width), 2 + 12 * (y / height - 0.4)
        colour = rng.choice([(232, 64, 72), (250, 214, 70), (244, 244, 240), (176, 96, 200)])
        draw.line((x, y, x + rng.uniform(-4, 4), y + span * 3), fill=(50, 96, 36), width=2)
        disc(draw, x, y, span, colour)
        disc(draw, x, y, span / 3, (90, 60, 30))
    return finish(rng, image)


def snow(rng: Random, size: Size) -> Image.Image:
    """Firs on a white slope, flakes in the air."""
    width, height = size
    image = gradient(size, [(168, 186, 206), (214, 222, 232), (240, 242, 246)])
    fill_below(image, ridge(rng, width, height * 0.62, height * 0.06, 0.5), (242, 245, 250))
    draw = ImageDraw.Draw(image)
    for y in sorted(rng.uniform(0.6, 0.94) * height for _ in range(38)):
        x, span = rng.uniform(0, width), 0.12 * (y - height * 0.4)
        for tier in range(4):
            top, reach = y - span * (3.4 - tier * 0.8), span * (0.45 + 0.2 * tier)
            draw.polygon(
                ((x, top), (x - reach, top + span), (x + reach, top + span)),
                fill=(30, 62 + 6 * tier, 52),
            )
    for _ in range(500):
        x, y, span = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(1, 3)
        disc(draw, x, y, span, (255, 255, 255))
    return finish(rng, image)


def desert(rng: Random, size: Size) -> Image.Image:
    """Dunes, each with a lit and a shaded side."""
    width, height = size
    image = gradient(size, [(84, 140, 200), (216, 214, 200), (244, 220, 180)])
    for step in range(4):
        shade = 1 - 0.12 * step
        crest = ridge(rng, width, height * (0.5 + 0.13 * step), height * 0.06, 0.42)
        fill_below(image, crest, (int(226 * shade), int(160 * shade), int(92 * shade)))
        fill_below(
            image,
            [y + 14 + 0.06 * x for x, y in enumerate(crest)],
            (int(196 * shade), int(126 * shade), int(70 * shade)),
        )
    return finish(rng, image)


def forest(rng: Random, size: Size) -> Image.Image:
    """Trunks in autumn light."""
    width, height = size
    image = gradient(size, [(236, 200, 110), (210, 130, 50), (120, 66, 30)])
    draw = ImageDraw.Draw(image)
    for depth in range(3):
        for _ in range(16):
            x, span = rng.uniform(0, width), (6 + 9 * depth) * rng.uniform(0.7, 1.3)
            draw.rectangle(
                (x, 0, x + span, height * (0.8 + 0.06 * depth)),
                fill=(110 - 34 * depth, 70 - 22 * depth, 44 - 12 * depth),
            )
        for _ in range(260):
            x, y, span = rng.uniform(0, width), rng.uniform(0, 0.5) * height, rng.uniform(4, 14)
            colour = rng.choice([(222, 120, 30), (240, 176, 50), (176, 60, 30), (140, 120, 40)])
            disc(draw, x, y, span, colour)
    return finish(rng, image)


def dinner(rng: Random, size: Size) -> Image.Image:
    """Plates and glasses on a wooden table, from above."""
    width, height = size
    image = gradient(size, [(134, 88, 52), (116, 74, 44), (128, 84, 50)])
    draw = ImageDraw.Draw(image)
    for board in range(0, width, width // 7):
        draw.line((board, 0, board, height), fill=(92, 56, 34), width=4)
    for column in range(3):
        for row in range(2):
            x = width * (0.2 + 0.3 * column + rng.uniform(-0.03, 0.03))
            y = height * (0.28 + 0.44 * row + rng.uniform(-0.03, 0.03))
            span = height * 0.17
            disc(draw, x, y, span, (242, 240, 234))
            disc(draw, x, y, span * 0.7, (226, 222, 214))
            for _ in range(26):
                angle, reach, dot = (
                    rng.uniform(0, math.tau),
                    rng.uniform(0, span * 0.55),
                    rng.uniform(6, 16),
                )
                food = rng.choice([(196, 60, 40), (98, 148, 52), (232, 190, 90), (150, 90, 50)])
                centre = (x + reach * math.cos(angle), y + reach * math.sin(angle))
                draw.ellipse(
                    (centre[0] - dot, centre[1] - dot, centre[0] + dot, centre[1] + dot), fill=food
                )
            glass = (x + span * 1.15, y - span * 0.8)
            draw.ellipse(
                (glass[0] - 26, glass[1] - 26, glass[0] + 26, glass[1] + 26),
                fill=(120, 20, 40),
                outline=(230, 230, 230),
                width=4,
            )
    return finish(rng, image)


def harbour(rng: Random, size: Size) -> Image.Image:
    """Sailing boats before a row of coloured houses."""
    width, height = size
    image = gradient(size, [(120, 180, 230), (210, 228, 238), (60, 120, 150)])
    draw = ImageDraw.Draw(image)
    x = 0.0
    while x < width:
        span, top = rng.uniform(0.05, 0.09) * width, height * rng.uniform(0.22, 0.36)
        colour = rng.choice(
            [(222, 130, 96), (236, 206, 130), (170, 196, 204), (206, 110, 110), (238, 230, 214)]
        )
        draw.rectangle((x, top, x + span, height * 0.58), fill=colour)
        draw.polygon(((x, top), (x + span / 2, top - 30), (x + span, top)), fill=(150, 72, 56))
        for row in range(int(top) + 16, int(height * 0.54), 40):
            for column in range(int(x) + 12, int(x + span) - 16, 28):
                draw.rectangle((column, row, column + 11, row + 18), fill=(70, 84, 100))
        x += span
    image.paste(
        gradient((width, height - int(height * 0.58)), [(72, 134, 160), (24, 70, 104)]),
        (0, int(height * 0.58)),
    )
    for y in sorted(rng.uniform(0.66, 0.92) * height for _ in range(7)):
        x, span = rng.uniform(0.05, 0.95) * width, 0.25 * (y - height * 0.4)
        draw.polygon(
            (
                (x - span, y),
                (x + span, y),
                (x + span * 0.7, y + span * 0.35),
                (x - span * 0.7, y + span * 0.35),
            ),
            fill=rng.choice([(240, 240, 240), (180, 50, 46), (36, 62, 110)]),
        )
        draw.polygon(
            ((x, y - 4), (x, y - span * 1.9), (x + span * 0.8, y - 4)), fill=(250, 248, 240)
        )
    return finish(rng, image)


def balloons(rng: Random, size: Size) -> Image.Image:
    """Hot-air balloons over morning hills."""
    width, height = size
    image = gradient(size, [(96, 150, 214), (250, 214, 190), (252, 230, 200)])
    fill_below(image, ridge(rng, width, height * 0.8, height * 0.05, 0.5), (120, 130, 96))
    draw = ImageDraw.Draw(image)
    for _ in range(9):
        x, y, span = (
            rng.uniform(0.05, 0.95) * width,
            rng.uniform(0.1, 0.6) * height,
            rng.uniform(0.03, 0.08) * height,
        )
        colours = rng.sample(
            [(220, 50, 60), (250, 200, 60), (50, 120, 190), (80, 170, 90), (240, 240, 240)], 2
        )
        for band in range(8):
            left = x - span + band * span / 4
            draw.pieslice(
                (x - span, y - span, x + span, y + span * 1.1),
                180 + band * 22.5,
                202.5 + band * 22.5,
                fill=colours[band % 2],
            )
            draw.line((x, y + span * 1.5, left + span / 8, y), fill=(80, 60, 50), width=1)
        draw.polygon(
            (
                (x - span, y),
                (x + span, y),
                (x + span * 0.2, y + span * 1.3),
                (x - span * 0.2, y + span * 1.3),
            ),
            fill=colours[0],
        )
        draw.rectangle(
            (x - span * 0.15, y + span * 1.45, x + span * 0.15, y + span * 1.7), fill=(110, 76, 44)
        )
    return finish(rng, image)


def chat_screenshot(rng: Random, size: Size) -> Image.Image:
    """A chat on a phone: bubbles with words in them."""
    width, height = size
    image = Image.new("RGB", size, (245, 246, 248))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, height * 0.08), fill=(32, 110, 200))
    draw.text((width * 0.06, height * 0.03), "Family trip", fill="white", font_size=height // 42)
    lines = [
        "Train leaves at 8:45",
        "Who has the tickets?",
        "I do",
        "Platform 7",
        "See you there!",
        "Bring water",
        "Photos tonight",
    ]
    y = height * 0.12
    for number, line in enumerate(rng.sample(lines, 6)):
        mine = number % 2 == 1
        left = width * (0.32 if mine else 0.05)
        draw.rounded_rectangle(
            (left, y, left + width * 0.62, y + height * 0.07),
            24,
            fill=(210, 232, 255) if mine else "white",
        )
        draw.text((left + 24, y + height * 0.022), line, fill=(30, 34, 40), font_size=height // 48)
        y += height * 0.1
    return image


def map_screenshot(rng: Random, size: Size) -> Image.Image:
    """A town map with a route and a label."""
    width, height = size
    image = Image.new("RGB", size, (236, 232, 222))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height * 0.6, width, height), fill=(170, 208, 232))
    for _ in range(12):
        x, y = rng.uniform(0, width), rng.uniform(0, height * 0.6)
        draw.rectangle((x, y, x + width * 0.16, y + height * 0.06), fill=(200, 224, 186))
    for _ in range(14):
        draw.line(
            (rng.uniform(0, width), 0, rng.uniform(0, width), height * 0.6), fill="white", width=10
        )
        y = rng.uniform(0, height * 0.6)
        draw.line((0, y, width, y + rng.uniform(-60, 60)), fill="white", width=10)
    route = [
        (width * 0.1 * step, height * (0.5 - 0.03 * step + rng.uniform(-0.03, 0.03)))
        for step in range(1, 10)
    ]
    draw.line(route, fill=(38, 110, 230), width=12, joint="curve")
    draw.text(
        (width * 0.08, height * 0.05),
        "Old Harbour, 12 min",
        fill=(20, 20, 20),
        font_size=height // 36,
    )
    return image


SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        beach,
        mountains,
        lake,
        city_night,
        fireworks,
        meadow,
        snow,
        desert,
        forest,
        dinner,
        harbour,
        balloons,
    )
}
"""The photo-like scenes by name."""
