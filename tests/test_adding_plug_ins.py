"""The plug-ins that the documentation shows are run as it says: in a checkout, and in a package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backends.base import Caption, Options, PhotoInput, encode_picture
from backends.errors import CallError, SetupError, TransientError
from backends.ocr.base import OcrOptions
from backends.retry import RetryPolicy
from pipeline.ingest.vision.text_reading import TextReader
from tests.conftest import CLEAN_ENVIRONMENT, PCC
from tests.support.api_server import ApiServer, Reply
from tests.support.protocols.openai import OpenAIProtocol
from tests.support.runs import records
from tests.test_docs import ROOT, blocks

PAGE = "docs/adding_a_backend.md"


def plug_ins() -> dict[str, str]:
    """Return the code of each plug-in that the page shows, by its class."""
    found = {}
    for code in blocks(PAGE, "python"):
        if (name := re.search(r"^class (\w+)", code, re.M)) is not None:
            found[name[1]] = code
    return found


def shown(name: str) -> Any:
    """Return the class of a plug-in that the page shows."""
    names: dict[str, Any] = {}
    exec(plug_ins()[name], names)
    return names[name]


def test_the_example_of_a_captioner_works() -> None:
    picture = encode_picture(Image.new("RGB", (9, 9), (255, 0, 128)), "rgb")
    answer = shown("AverageColour")(Options()).caption(PhotoInput(picture, "a.jpg"))

    assert answer == Caption(text="a.jpg: mostly #ff0080")


def test_the_example_of_a_detector_works() -> None:
    picture = Image.new("RGB", (20, 10))
    picture.paste((250, 5, 0), (3, 2, 8, 6))
    detector = shown("ColourDetector")("colours", ["red", "blue"])
    detector.open()
    wrong = shown("ColourDetector")("colours", ["dog"])

    assert detector.detect([picture]) == [[((3, 2, 8, 6), "red", 1.0)]]
    with pytest.raises(SetupError, match="looks for colours alone"):
        wrong.open()


def test_the_example_of_an_ocr_engine_works() -> None:
    picture = Image.new("RGB", (20, 10))
    engine = shown("SizeReader")(OcrOptions())
    engine.open()

    [read] = TextReader(engine).read(picture)
    assert (read.text, read.source) == ("20 x 10", "sizes 1")


def check_that_pcc_finds_them(path: Path, workspace: Path, folder: Path) -> None:
    """Caption and embed with the examples, which stand first where Python looks for modules."""
    environment = {**CLEAN_ENVIRONMENT, "PYTHONPATH": str(path)}
    for command in (
        ("run", "--backend", "average", "--photos-dir", folder),
        ("embed", "--embedder", "letters"),
    ):
        done = subprocess.run(
            [*PCC, *map(str, command)],
            cwd=workspace,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    captions = [record.caption or "" for record in records(workspace)]
    assert len(captions) == 3
    assert all("mostly #" in caption for caption in captions)
    assert "3 captions have vectors (letters-1)" in done.stdout


def test_the_examples_work_in_a_checkout(
    tmp_path: Path, workspace: Path, photos: Callable[..., Path]
) -> None:
    """Each is one file and one line in a table."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    shutil.copytree(ROOT / "backends", checkout / "backends")
    for name in ("journal", "pipeline", "pcc_tui", "styles"):
        (checkout / name).symlink_to(ROOT / name)
    registry = checkout / "backends" / "registry.py"
    page = (ROOT / PAGE).read_text("utf-8")
    lines = re.findall(r'"\w+": BuiltIn\("(backends\.\w+)\.(\w+):(\w+)"\),', page)
    tables = dict(re.findall(r"\| `(backends/\w+)/` \| `(\w+)` \|", page))
    assert len(lines) == len(tables) == 4
    for (package, module, kind), line in zip(
        lines, re.findall(r'"\w+": BuiltIn\("backends\..+?"\),', page), strict=True
    ):
        directory = package.replace(".", "/")
        (checkout / directory / f"{module}.py").write_text(plug_ins()[kind])
        before, table, after = registry.read_text("utf-8").partition(f"{tables[directory]}: ")
        start, brace, rest = after.partition("{\n")
        registry.write_text(f"{before}{table}{start}{brace}        {line}\n{rest}")

    check_that_pcc_finds_them(checkout, workspace, photos(3))
    found = subprocess.run(
        [sys.executable, "-c", FIND_ALL],
        env={**os.environ, "PYTHONPATH": str(checkout)},
        cwd=workspace,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == [kind for _, _, kind in lines]


FIND_ALL = """
from backends.registry import CAPTIONERS, DETECTORS, EMBEDDERS, OCR_ENGINES
for kind, name in zip(
    (CAPTIONERS, EMBEDDERS, DETECTORS, OCR_ENGINES), ("average", "letters", "colours", "sizes")
):
    print(kind.find(name).__name__)
"""


def test_the_examples_work_in_a_package(
    tmp_path: Path, workspace: Path, photos: Callable[..., Path]
) -> None:
    project = tmp_path / "my_plugins"
    project.mkdir()
    [settings] = blocks(PAGE, "toml")
    (project / "pyproject.toml").write_text(settings)
    code = plug_ins()
    (project / "my_plugins.py").write_text(f"{code['AverageColour']}\n\n{code['LetterCounts']}")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(tmp_path), str(project)], check=True)
    [wheel] = tmp_path.glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path / "installed", "zip")

    check_that_pcc_finds_them(tmp_path / "installed", workspace, photos(3))


class AnyPath(OpenAIProtocol):
    """A server whose every path gives a caption."""

    def is_caption(self, path: str) -> bool:
        return True


async def test_the_example_of_a_backend_on_a_server_works() -> None:
    photo = PhotoInput(encode_picture(Image.new("RGB", (9, 9), (255, 0, 128)), "jpeg"))
    replies = [Reply(body={"caption": "pink"}), Reply(503), Reply(body="oops"), Reply(400)]
    with ApiServer(AnyPath(), lambda request: replies[min(request.number, 3)]) as server:
        patient = RetryPolicy(attempts=2, first_wait=0.001, longest_wait=0.002)
        options = Options(base_url=f"http://127.0.0.1:{server.port}")
        captioner = shown("HomeServer")(options, patient)
        answers = [await captioner.caption_batch([photo]) for _ in range(3)]
        await captioner.close()

    [first], [second], [third] = answers
    assert first == Caption(text="pink")
    assert isinstance(second, TransientError)
    assert type(third) is CallError
    assert len(server.requests) == 4
