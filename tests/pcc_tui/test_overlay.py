"""What was found in a photo, over its picture and beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import cast

import pytest
from PIL import Image, ImageColor, ImageDraw
from textual.pilot import Pilot

from journal import split_path
from pcc_tui.app import PccApp
from pcc_tui.screens.review import ReviewScreen
from pcc_tui.widgets.findings import FindingsView
from pcc_tui.widgets.overlay import COLOURS, MOST_DRAWN, Mark, Overlay, draw, overlay_of
from pcc_tui.widgets.picture import PictureBox
from pipeline.ingest.cache.findings import Findings, FindingsIndex
from pipeline.ingest.cache.manifest import read_manifest, write_manifest
from tests.pcc_tui.test_hostile import HOSTILE
from tests.support.apps import caption, make_app, running, shown, until, write_records
from tests.support.ingested import Thing, Writing, ingested, looked_at
from tests.support.pty_app import INVISIBLE

SIZE = (900, 600)
DOG = Thing((90.0, 60.0, 400.0, 400.0), {"dog": 0.83, "cat": 0.41})
BOAT = Thing((500.0, 200.0, 850.0, 560.0), {"boat": 0.7})
SIGN = Writing((420.0, 60.0, 800.0, 140.0), "NO SWIMMING")
Pixel = tuple[int, int, int]


def found_in(workspace: Path, path: str) -> Findings | None:
    index = FindingsIndex(workspace / "cache")
    index.refresh()
    return index.of(path)


# The drawing


@pytest.mark.parametrize("across", [40, 600], ids=["half cells", "pixels"])
def test_boxes_are_where_the_things_are_and_the_picture_stays(across: int) -> None:
    picture = Image.new("RGB", (640, 420), "#808080")
    box = Mark(0, ((0.25, 0.25), (0.75, 0.75)), "dog")
    text = Mark(0, ((0.1, 0.85), (0.6, 0.85), (0.6, 0.95), (0.1, 0.95)))
    drawn = draw(picture, Overlay((box,), (text,)), (across, across * 420 // 640))

    line = 640 / across
    red = _extent(drawn, lambda pixel: pixel == ImageColor.getrgb(COLOURS[0]))
    assert max(abs(a - b) for a, b in zip(red, (160, 105, 480, 315), strict=True)) <= line
    edge = round(line / 2)
    along = {drawn.getpixel((x, round(0.85 * 420) + edge)) for x in range(100, 380)}
    assert along == {(0, 0, 0), (255, 255, 255)}
    assert drawn.getpixel((600, 50)) == drawn.getpixel((320, 250)) == (128, 128, 128)
    assert picture.getcolors() == [(640 * 420, (128, 128, 128))]


def test_neighbouring_boxes_have_colours_that_a_poor_terminal_tells_apart() -> None:
    from rich.color import Color, ColorSystem

    poor = {Color.parse(colour).downgrade(ColorSystem.STANDARD).number for colour in COLOURS}
    assert len(poor) == len(COLOURS)


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (3, 2), (40, 28), (600, 400)])
def test_no_coordinates_are_too_odd_to_draw(tmp_path: Path, size: tuple[int, int]) -> None:
    odd = [
        *((1e300, -1e300, 5.0, 5.0), (400.0, 400.0, 90.0, 60.0), (0.0, 0.0, 0.0, 0.0)),
        *((-50.0, -50.0, 5000.0, 5000.0), (899.9, 599.9, 900.0, 600.0)),
    ]
    things = [Thing(box, {text[:60]: 0.5}) for box, text in zip(odd * 4, HOSTILE, strict=False)]
    things = [thing for thing in things if "\ud800" not in next(iter(thing.labels))]
    ingested(tmp_path, looked_at("a.jpg", things, [Writing(box, "x") for box in odd]))
    found = found_in(tmp_path, "a.jpg")
    assert found is not None
    overlay = overlay_of(found, boxes=True, texts=True)
    picture = Image.new("RGB", (90, 60))

    assert len(overlay.boxes) == len(things) > 15
    drawn = draw(picture, overlay, size)
    assert drawn.width * 60 == drawn.height * 90


def test_a_thing_that_is_small_on_the_terminal_is_not_hidden_by_its_number() -> None:
    picture = Image.new("RGB", (640, 420), "#808080")
    box = Mark(8, ((0.5, 0.5), (0.6, 0.65)))
    drawn = draw(picture, Overlay((box,)), (40, 26))

    assert drawn.getpixel((350, 245)) == (128, 128, 128)
    assert drawn.getpixel((340, 190)) in ((0, 0, 0), ImageColor.getrgb(COLOURS[8 % 6]))


def test_of_many_things_the_best_are_drawn(tmp_path: Path) -> None:
    ingested(tmp_path, looked_at("a.jpg", [DOG] * 300))
    found = found_in(tmp_path, "a.jpg")
    assert found is not None
    drawn = overlay_of(found, boxes=True, texts=True)

    assert [mark.number for mark in drawn.boxes] == list(range(MOST_DRAWN))


# What a cache knows


def test_a_copy_has_what_its_original_has_until_that_is_another_file(tmp_path: Path) -> None:
    original = looked_at("a.jpg", [DOG], [SIGN])
    ingested(tmp_path, original, looked_at("b.jpg", [DOG], [SIGN], copy_of="a.jpg"))
    found = found_in(tmp_path, "b.jpg")
    assert found is not None
    assert found.regions is not None
    assert found.texts is not None
    assert found.copied_from == "a.jpg"
    assert found.size == SIZE
    assert [found.regions[0].labels[0].label, found.texts[0].text] == ["dog", "NO SWIMMING"]

    ingested(tmp_path, looked_at("a.jpg", [BOAT], digest="blake3:2"))
    found = found_in(tmp_path, "b.jpg")
    assert found is not None
    assert (found.regions, found.texts, found.missing) == (None, None, 2)


def test_the_last_word_on_a_photo_counts(tmp_path: Path) -> None:
    ingested(tmp_path, looked_at("a.jpg", [DOG, BOAT], [SIGN]))
    ingested(tmp_path, looked_at("a.jpg", [BOAT], not_read="no text", digest="blake3:2"))
    ingested(tmp_path, looked_at("c.jpg", error="OSError: truncated"))
    found, failed = found_in(tmp_path, "a.jpg"), found_in(tmp_path, "c.jpg")

    assert found is not None
    assert failed is not None
    assert found.regions is not None
    assert [region.labels[0].label for region in found.regions] == ["boat"]
    assert (found.texts, found.not_read, found.missing) == ([], "no text", 0)
    assert failed.errors[0] == "detect: OSError: truncated"
    assert found_in(tmp_path, "nobody.jpg") is None


# The screen


class Looked:
    """The app on its Review screen, and what one asks of it."""

    def __init__(self, pilot: Pilot[int]) -> None:
        self.pilot = pilot
        self.app = cast(PccApp, pilot.app)

    @property
    def list(self) -> str:
        return shown(self.app.screen.query_one("#findings-scroll"))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        await until(self.pilot, condition)

    async def lists(self, *texts: str) -> None:
        view = self.app.screen.query_one(FindingsView)
        await self.until(lambda: all(text in str(view.content) for text in texts))

    async def is_told(self, words: str) -> None:
        told = self.app._notifications
        await self.until(lambda: any(words in each.message for each in told))

    def colours(self) -> set[Pixel]:
        """Return the colours of the picture as the terminal shows it, of halves of cells."""
        found = set[Pixel]()
        for strip in self.app.screen._compositor.render_strips():
            for segment in strip:
                if "▀" in segment.text and segment.style is not None:
                    for colour in (segment.style.color, segment.style.bgcolor):
                        if colour is not None and colour.triplet is not None:
                            found.add(tuple(colour.triplet))  # type: ignore[arg-type]
        return found

    def is_boxed(self) -> bool:
        """Tell whether the red of the first box is in the picture, which has none itself."""
        return any(red > 220 and green < 60 > blue for red, green, blue in self.colours())


@asynccontextmanager
async def review(
    workspace: Path, photos: Path, size: tuple[int, int] = (100, 40)
) -> AsyncIterator[Looked]:
    async with running(make_app(workspace, photos), size) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: isinstance(pilot.app.screen, ReviewScreen))
        await until(pilot, lambda: "1 of" in shown(pilot.app.screen))
        yield Looked(pilot)


@pytest.fixture
def library(workspace: Path, tmp_path: Path) -> Path:
    """Return two grey photos with captions."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(2):
        Image.new("RGB", SIZE, "#7f7f7f").save(photos / f"IMG_{number:05d}.jpg")
    write_records(workspace, caption(0, "the first"), caption(1, "the second"))
    return photos


async def test_a_key_goes_from_boxes_to_text_to_nothing(workspace: Path, library: Path) -> None:
    ingested(workspace, looked_at("IMG_00000.jpg", [DOG, BOAT], [SIGN]))
    async with review(workspace, library) as one:
        await one.until(one.colours)
        assert not one.is_boxed()
        await one.press("o")
        await one.lists("r0 dog 0.83, cat 0.41", "r1 boat 0.70")
        await one.until(one.is_boxed)
        assert "NO SWIMMING" not in one.list
        await one.press("o")
        await one.lists("r1 boat 0.70", "t0 NO SWIMMING 0.97")
        await one.until(lambda: one.is_boxed() and max(map(min, one.colours())) > 230)
        await one.press("o")
        await one.until(lambda: "boat" not in one.list)
        await one.lists("t0 NO SWIMMING")
        await one.until(lambda: not one.is_boxed())
        await one.press("j")
        await one.lists("Not looked at yet.")
        await one.press("o", "k")
        await one.until(lambda: not one.app.screen.query_one("#findings-scroll").display)
        await one.until(lambda: one.colours() and max(map(max, one.colours())) < 140)


async def test_what_a_run_writes_appears_and_reasons_are_told(
    workspace: Path, library: Path
) -> None:
    ingested(workspace)
    async with review(workspace, library) as one:
        await one.press("o", "o")
        await one.lists("Not looked at yet.")
        ingested(workspace, looked_at("IMG_00000.jpg", [DOG], not_read="no text to be seen"))
        await one.lists("r0 dog", "Text not read: no text to be seen")
        await one.until(one.is_boxed)
        with (workspace / "cache" / "outcomes.jsonl").open("ab") as half:
            half.write(b'{"image_id": "IMG_0')
        await one.press("j")
        ingested(workspace, looked_at("IMG_00001.jpg", error="OSError: truncated"))
        await one.lists("ocr: OSError: truncated")


async def test_without_a_cache_or_with_anothers_the_key_says_so(
    workspace: Path, library: Path
) -> None:
    async with review(workspace, library) as one:
        await one.press("o")
        await one.is_told("Nothing was looked for")
        assert not one.app.screen.query_one("#findings-scroll").display
        ingested(workspace, looked_at("IMG_00000.jpg", [DOG]))
        manifest = read_manifest(workspace / "cache")
        manifest.version += 1
        write_manifest(workspace / "cache", manifest)
        await one.press("o")
        await one.is_told("is of version 2, not 1")
        (workspace / "cache" / "manifest.json").write_text("[")
        await one.press("o")
        await one.is_told("cannot be understood")
        manifest.version -= 1
        write_manifest(workspace / "cache", manifest)
        await one.press("o")
        await one.lists("r0 dog")


async def test_a_box_is_where_the_thing_is_in_the_upright_picture(
    workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    upright = Image.new("RGB", (600, 900), "#101010")
    pen = ImageDraw.Draw(upright)
    pen.rectangle((150, 100, 550, 600), fill="#0000ff")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by the viewer, clockwise
    upright.rotate(90, expand=True).save(
        tmp_path / "photos" / "IMG_00000.jpg", exif=exif, quality=95
    )
    write_records(workspace, caption(0))
    thing = Thing((150.0, 100.0, 550.0, 600.0), {"blue": 1.0})
    ingested(workspace, looked_at("IMG_00000.jpg", [thing], size=(600, 900)))
    async with review(workspace, tmp_path / "photos") as one:
        await one.press("o")
        await one.until(one.is_boxed)
        picture = one.app.screen.query_one("#picture", PictureBox).query(".picture").first()
        drawn = cast(Image.Image, picture.image)  # type: ignore[attr-defined]
    blue = _extent(drawn, lambda pixel: pixel[2] > 120 and pixel[0] < 90)
    red = _extent(drawn, lambda pixel: pixel[0] > 200 and pixel[2] < 90)
    assert drawn.height > drawn.width
    line = drawn.width / 15  # the terminal shows so few pixels
    assert max(abs(a - b) for a, b in zip(blue, red, strict=True)) < 2 * line
    assert red[0] < blue[0] < blue[2] < red[2]
    assert blue[3] < red[3]


def _extent(image: Image.Image, holds: Callable[[Pixel], bool]) -> tuple[int, int, int, int]:
    """Return the smallest box around all pixels for which something holds."""
    places = [
        (x, y)
        for x in range(image.width)
        for y in range(image.height)
        if holds(cast(Pixel, image.getpixel((x, y))))
    ]
    xs, ys = [x for x, _ in places], [y for _, y in places]
    return min(xs), min(ys), max(xs), max(ys)


async def test_hostile_labels_and_texts_are_only_shown(workspace: Path, library: Path) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in HOSTILE]
    things = [Thing(DOG.box, {text: 0.5, f"{text} ": 0.4}) for text in texts]
    writings = [Writing(SIGN.box, text) for text in texts]
    ingested(
        workspace,
        looked_at("IMG_00000.jpg", things, writings),
        looked_at("IMG_00001.jpg", not_read=texts[0]),
    )
    async with review(workspace, library, (100, 160)) as one:
        await one.press("o", "o")
        await one.lists("r17 =cmd()", r"\x1b[2J", "[@click=app.quit]press[/]", r"\u202eevil")
        await one.until(one.is_boxed)
        assert not INVISIBLE.search(shown(one.app.screen).replace("\n", ""))
        await one.press("j")
        await one.lists(r"Text not read: \x1b[2J")


async def test_names_that_are_not_utf_8_and_a_list_that_is_long(
    workspace: Path, tmp_path: Path
) -> None:
    name = b"d\xe9j\xe0 vu.jpg"
    photos = tmp_path / "photos"
    photos.mkdir()
    Path(str(photos).encode().decode() + "/" + name.decode("utf-8", "surrogateescape")).write_bytes(
        _grey()
    )
    path = name.decode("utf-8", "surrogateescape")
    rel_path, raw_path = split_path(path)
    record = caption(0)
    record.rel_path, record.raw_path = rel_path, raw_path
    write_records(workspace, record)
    ingested(workspace, looked_at(path, [DOG] * 250))
    async with review(workspace, photos) as one:
        await one.press("o")
        await one.lists("r0 dog", "r199 dog", "and 50 more objects")
        await one.until(one.is_boxed)
        await one.press("tab", "end")
        await one.until(lambda: "and 50 more objects" in one.list)


def _grey() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (90, 60), "#7f7f7f").save(buffer, "JPEG")
    return buffer.getvalue()
