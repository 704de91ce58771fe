"""The OCR engine on drawn text: what the gate lets through, what is read, and where."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import SequenceMatcher
from importlib.metadata import EntryPoint, EntryPoints
from math import dist
from pathlib import Path
from random import Random

import msgspec
import pytest
from PIL import Image

from backends import registry
from backends.errors import ModelError, SetupError
from backends.ocr.base import OcrEngine, OcrOptions, TextGate, TextLine
from backends.ocr.rapid import RECOGNITION, RapidOcr
from backends.ocr.text import clean_text, language_of
from pipeline.samples import scenes
from tests.support.drawn_text import (
    BLACK,
    WHITE,
    draw_east_asian,
    draw_line,
    draw_page,
    sentence,
)

ROOT = Path(__file__).parents[2]
SIGN = "Harbour Cafe 24"


class EchoOcr(OcrEngine):
    """An engine as somebody else might write it."""

    name = "echo"

    def open(self) -> None:
        self.source = "echo 1"

    def close(self) -> None:
        pass

    def gate(self, picture: Image.Image) -> TextGate:
        return TextGate(True, 1.0, 1)

    def read(self, picture: Image.Image, gate: TextGate | None = None) -> list[TextLine]:
        return [TextLine(((0, 0), (1, 0), (1, 1), (0, 1)), "echo", 1.0, None)]

    def model_hashes(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="module")
def engine() -> Iterator[OcrEngine]:
    opened = registry.make_ocr()
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    found = EntryPoints(
        [
            EntryPoint("echo", f"{__name__}:EchoOcr", registry.OCR_ENGINES.group),
            EntryPoint("broken", "no_such_module:Nothing", registry.OCR_ENGINES.group),
            EntryPoint("wrong", "json:dumps", registry.OCR_ENGINES.group),
        ]
    )
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: found)


def texts(lines: list[TextLine]) -> list[str]:
    return [line.text for line in lines]


@pytest.mark.parametrize(
    ("size", "angle", "light"),
    [
        (14, 0, False),
        (28, 0, True),
        (56, 0, False),
        (40, 90, False),
        (40, 180, False),
        (40, 270, True),
        (40, -10, False),
        (40, 15, True),
    ],
)
def test_a_line_is_let_through_and_read_where_it_stands(
    engine: OcrEngine, size: int, angle: float, light: bool
) -> None:
    ink, paper = (WHITE, (20, 30, 60)) if light else (BLACK, WHITE)
    drawn = draw_line(SIGN, size, canvas=(480, 360), angle=angle, ink=ink, paper=paper)
    gate = engine.gate(drawn.image)
    [line] = engine.read(drawn.image, gate)

    assert (gate.has_text, gate.boxes, gate.reason) == (True, 1, None)
    assert 0.4 <= gate.confidence <= 1
    assert (line.text, line.language) == (SIGN, "und-Latn")
    assert line.confidence > 0.9
    for found, ink_corner in zip(line.quad, drawn.quad, strict=True):
        assert dist(found, ink_corner) < 6 + size / 2


def test_a_screenshot_is_read_line_by_line(engine: OcrEngine) -> None:
    rng = Random(3)
    lines = [sentence(rng, 4) for _ in range(8)]
    page = draw_page(lines, 16, canvas=(640, 300))

    first = engine.read(page)
    assert texts(first) == lines
    assert first == engine.read(page, engine.gate(page))


def test_small_print_is_nearly_right(engine: OcrEngine) -> None:
    rng = Random(4)
    lines = [sentence(rng, 4) for _ in range(3)]
    read = texts(engine.read(draw_page(lines, 10, canvas=(420, 100))))
    assert SequenceMatcher(None, "\n".join(lines), "\n".join(read)).ratio() > 0.95


def test_rows_are_read_from_left_to_right(engine: OcrEngine) -> None:
    page = Image.new("RGB", (640, 260), WHITE)
    words = ["Monday", "Tuesday", "Friday", "Sunday"]
    for place, word in enumerate(words):
        cell = draw_line(word, 32, canvas=(300, 100)).image
        page.paste(cell, (10 + 320 * (place % 2), 10 + 130 * (place // 2) + 6 * (place % 2)))
    assert texts(engine.read(page)) == words


def test_a_small_line_on_a_large_wall_is_read_by_the_gates_box(engine: OcrEngine) -> None:
    drawn = draw_line(SIGN, 24, canvas=(1600, 1200))
    gate = engine.gate(drawn.image)
    [line] = engine.read(drawn.image, gate)

    assert line.text == SIGN
    assert all(dist(*corners) < 24 for corners in zip(line.quad, drawn.quad, strict=True))


@pytest.mark.parametrize(
    ("scene", "seed", "reason"),
    [
        (scenes.beach, 0, "Nothing looks like text."),
        (scenes.dinner, 1, "Nothing looks like text."),
        (scenes.meadow, 2, "Nothing looks enough like text: 0.4 is asked."),
    ],
)
def test_a_photo_without_text_is_skipped_for_a_reason(
    engine: OcrEngine,
    scene: Callable[[Random, tuple[int, int]], Image.Image],
    seed: int,
    reason: str,
) -> None:
    gate = engine.gate(scene(Random(seed), (1280, 960)))

    assert (gate.has_text, gate.boxes, gate.found) == (False, 0, ())
    assert re.fullmatch(reason, gate.reason or "")


@pytest.mark.parametrize("size", [(1, 1), (7, 900), (900, 9), (9, 900)])
def test_a_picture_without_room_for_text_has_none(engine: OcrEngine, size: tuple[int, int]) -> None:
    picture = Image.new("RGB", size, WHITE)
    assert not engine.gate(picture).has_text
    assert engine.read(picture) == []


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_other_modes_are_read_as_rgb(engine: OcrEngine, mode: str) -> None:
    drawn = draw_line("Exit", 40, canvas=(200, 100))
    assert texts(engine.read(drawn.image.convert(mode))) == ["Exit"]


@pytest.mark.parametrize(
    ("text", "language"),
    [("你好世界", "und-Hani"), ("図書館へ", "ja"), ("Größe", "und-Latn"), ("2024", None)],
)
def test_the_script_tells_the_language_as_far_as_it_can(
    engine: OcrEngine, text: str, language: str | None
) -> None:
    [line] = engine.read(draw_east_asian(text, 40))
    assert (line.text, line.language) == (text, language)


def test_two_engines_read_at_once(engine: OcrEngine) -> None:
    pictures = [draw_line(word, 40, canvas=(240, 100)).image for word in ("Left", "Right")]
    alone = [engine.read(picture) for picture in pictures]
    other = registry.make_ocr()
    other.open()

    with ThreadPoolExecutor(2) as pool:
        work = [
            pool.submit(lambda each: [each.read(picture) for picture in pictures], each)
            for each in (engine, other)
        ]
        assert [done.result() for done in work] == [alone, alone]


def test_what_goes_wrong_inside_is_a_model_error(engine: OcrEngine) -> None:
    broken = Image.new("RGB", (64, 64))
    broken.close()
    with pytest.raises(ModelError, match="rapidocr failed: "):
        engine.gate(broken)
    with pytest.raises(ModelError, match="rapidocr failed: "):
        engine.read(broken)


WARM_UP = """
import os, sys
touched = []
def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "os.mkdir"):
        touched.append((event, arguments))
    elif event == "open" and isinstance(arguments[2], int):
        if arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            touched.append((event, arguments))
sys.dont_write_bytecode = True
from tests.support.drawn_text import draw_line
from backends.registry import make_ocr
picture = draw_line("Exit", 40, canvas=(200, 100)).image
engine = make_ocr()
sys.addaudithook(watch)
engine.open()
gate = engine.gate(picture)
text = engine.read(picture, gate)[0].text
engine.close()
print(gate.has_text, text, touched)
"""


def test_a_warm_up_warns_of_nothing_writes_nothing_and_asks_no_network() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WARM_UP],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True Exit []\n", "")


def test_models_are_named_with_their_hashes(engine: OcrEngine) -> None:
    version = importlib.metadata.version("rapidocr")
    assert engine.source == f"rapidocr {version}: PP-OCRv6_det_small, PP-OCRv6_rec_small"
    hashes = engine.model_hashes()
    assert len(hashes) == 3
    assert len(hashes[RECOGNITION]) == 64


def test_another_model_of_recognition_is_read_from_its_file(
    engine: OcrEngine, tmp_path: Path
) -> None:
    import rapidocr

    carried = Path(rapidocr.__file__).parent / "models" / RECOGNITION
    mine = tmp_path / "mine.onnx"
    mine.symlink_to(carried)
    other = RapidOcr(OcrOptions(model=str(mine)))
    other.open()

    assert other.source.endswith("PP-OCRv6_det_small, mine")
    assert other.model_hashes()["mine.onnx"] == engine.model_hashes()[RECOGNITION]
    assert texts(other.read(draw_line("Exit", 40, canvas=(200, 100)).image)) == ["Exit"]


def test_a_model_that_cannot_be_used_is_named_before_any_photo(tmp_path: Path) -> None:
    import rapidocr

    models = Path(rapidocr.__file__).parent / "models"
    with pytest.raises(SetupError, match=r"absent\.onnx is not there$"):
        RapidOcr(OcrOptions(model=str(tmp_path / "absent.onnx"))).open()
    (tmp_path / "torn.onnx").write_bytes(b"not a model")
    with pytest.raises(SetupError, match=r"does not load with torn\.onnx: "):
        RapidOcr(OcrOptions(model=str(tmp_path / "torn.onnx"))).open()
    [detector] = models.glob("*_det_*.onnx")
    with pytest.raises(SetupError, match="does not hold its characters"):
        RapidOcr(OcrOptions(model=str(detector))).open()


@pytest.mark.parametrize("module", ["rapidocr", "onnxruntime"])
def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    for name in [name for name in sys.modules if name.startswith("rapidocr")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SetupError, match=rf"module {module}: .* install .*\[ocr\]'"):
        registry.make_ocr().open()


def test_wrong_options_and_names_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one thread"):
        registry.make_ocr("rapidocr", OcrOptions(threads=0))
    with pytest.raises(SetupError, match="no OCR engine 'tesseract'; there are: rapidocr"):
        registry.make_ocr("tesseract")


@pytest.mark.usefixtures("plugin")
def test_an_engine_of_another_package_is_found() -> None:
    assert registry.OCR_ENGINES.names() == ["rapidocr", "echo", "broken", "wrong"]
    assert registry.make_ocr("echo").read(Image.new("RGB", (9, 9)))[0].text == "echo"
    for name in ("broken", "wrong"):
        with pytest.raises(SetupError, match=name):
            registry.make_ocr(name)


@pytest.mark.parametrize(
    ("text", "clean"),
    [("\x1b[31mred\x07\x9b", "[31mred"), (" Cafe\u0301\t", "Café"), ("\x00\r\n", "")],
)
def test_text_is_cleaned_of_controls(text: str, clean: str) -> None:
    assert clean_text(text) == clean


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("ｶﾅ", "ja"),
        ("iPhone を", "ja"),
        ("카페 Cafe", "ko"),
        ("Привет!", "und-Cyrl"),
        ("ＡＢＣ", "und-Latn"),
        ("iPhone 手机", None),
        ("ーー", None),
        ("", None),
    ],
)
def test_languages_follow_from_letters_alone(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_a_gate_can_be_recorded(engine: OcrEngine) -> None:
    gate = engine.gate(draw_line(SIGN, 40, canvas=(400, 200)).image)
    assert msgspec.json.decode(msgspec.json.encode(gate), type=TextGate) == gate
