"""RapidOCR: PaddleOCR's models on ONNX Runtime, which the package brings along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blake3 import blake3

from backends.errors import ModelError, SetupError, first_line
from backends.installation import extra_line
from backends.ocr.base import OcrEngine, OcrOptions, TextGate, TextLine
from backends.ocr.box_limits import (
    FAINT_SCORE,
    LEAST_CONFIDENCE,
    READ_SCORE,
    has_room,
    judge,
    united,
)
from backends.ocr.geometry import (
    along_text,
    cut_out,
    lengths,
    quad_inside,
    reading_order,
    upside_down,
)
from backends.ocr.text import clean_text, language_of
from backends.plugins import explained, require_modules

if TYPE_CHECKING:
    from PIL.Image import Image

    from backends.ocr.geometry import Corners, Pixels

DETECTION = "PP-OCRv6_det_small.onnx"
DIRECTION = "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
RECOGNITION = "PP-OCRv6_rec_small.onnx"

GATE_EDGE = 640
"""Longest side of the picture that the gate looks at, in pixels. Letters are seen from about 2 %
of it on. 448 pixels take half the time, but lose signs of 17 pixels in a photo of 640."""

READ_EDGES = 960, 1600
"""Least and most of the longest side in which lines are looked for, in pixels."""

MOST_ENLARGED = 2.0
"""The most by which a small picture is enlarged to come to the least edge."""

PADDED_SIDE = 32
"""Side of the detector's grid, in pixels; the detector would blow a shorter side up to it."""

LINE_HEIGHT = 48
"""Pixels to which the recogniser brings each line."""


class RapidOcr(OcrEngine):
    """Reads Latin letters, Han and Kana with the models of the package.

    Another model for recognition is a PaddleOCR model in ONNX form that holds its characters
    (`character` in its metadata), as the models of RapidOCR do. Lines in right-to-left scripts
    come out in the order of the picture, not of the language.
    """

    name = "rapidocr"
    _engine: Any = None

    def __init__(self, options: OcrOptions) -> None:
        require_modules("rapidocr", "onnxruntime")
        super().__init__(options)

    def open(self) -> None:
        """Load the three models; see `OcrEngine.open`."""
        files = self._files()
        model = files["Rec"].name

        def why(error: Exception) -> str:
            return f"the OCR engine rapidocr does not load with {model}: {_told(error)}"

        with explained("the OCR engine rapidocr", "ocr", why):
            import numpy as np
            from rapidocr import RapidOCR

            if self.options.model is not None:
                _require_characters(files["Rec"])
            threads = "EngineConfig.onnxruntime.intra_op_num_threads"
            waiting = "EngineConfig.onnxruntime.inter_op_num_threads"
            engine = RapidOCR(
                params={
                    "Global.log_level": "critical",
                    threads: self.options.threads,
                    waiting: 1,
                    "Det.limit_type": "max",  # it shall not scale what is scaled already
                    "Det.limit_side_len": 2 * READ_EDGES[1],
                    "Rec.rec_batch_num": 1,  # no padding, and no line depends on its neighbours
                    "Cls.cls_thresh": 1.0,  # it shall tell what is turned, and leave it so
                    # With paths given, it looks for nothing on the network.
                    **{f"{part}.model_path": str(path) for part, path in files.items()},
                }
            )
            blank = np.zeros((LINE_HEIGHT, LINE_HEIGHT, 3), dtype=np.uint8)
            engine(blank, use_det=True, use_cls=False, use_rec=False)
            engine(blank, use_det=False, use_cls=True, use_rec=True)
        self._engine = engine
        models = ", ".join(files[part].stem for part in ("Det", "Rec"))
        self.source = f"rapidocr {version('rapidocr')}: {models}"

    def close(self) -> None:
        """Give back the memory of the models."""
        self._engine = None

    def model_hashes(self) -> dict[str, str]:
        """Return the BLAKE3 of the three model files; see `OcrEngine.model_hashes`."""
        files = self._files().values()
        return {path.name: blake3().update_mmap(path).hexdigest() for path in files}

    def gate(self, picture: Image) -> TextGate:
        """Look for text in the picture at 640 pixels, without reading it."""
        if not has_room(picture):
            return TextGate(False, 0.0, 0, "The picture is too small to hold text.")
        with _naming_what_failed():
            scale = min(1.0, GATE_EDGE / max(picture.size))
            boxes, scores = self._detect(_pixels(picture, scale), FAINT_SCORE)
        return judge([box / scale for box in boxes], scores, picture.size)

    def read(self, picture: Image, gate: TextGate | None = None) -> list[TextLine]:
        """Look for lines at 960 to 1,600 pixels and read them in the picture's own pixels.

        What the gate alone has found is read, too, since the detector sees some lines, such as
        a small line on a large empty wall, only in a small picture.
        """
        if not has_room(picture):
            return []
        gate = gate or self.gate(picture)
        with _naming_what_failed():
            scale = _reading_scale(max(picture.size))
            scaled = _pixels(picture, scale)
            boxes = [box / scale for box in self._detect(scaled, READ_SCORE)[0]]
            boxes = [along_text(box) for box in united(boxes, gate)]
            if not boxes:
                return []
            whole = _pixels(picture, 1.0)
            cuts = [
                # Large letters lose nothing at the smaller scale, and come out of it smoother.
                cut_out(scaled, box * scale)
                if scale < 1 and lengths(box)[1] * scale >= LINE_HEIGHT
                else cut_out(whole, box)
                for box in boxes
            ]
            return self._lines(boxes, cuts, picture.size)

    def _lines(
        self, boxes: list[Corners], cuts: list[Pixels], size: tuple[int, int]
    ) -> list[TextLine]:
        """Return the lines in boxes of a picture of that size, whose pixels are in `cuts`."""
        kept: list[tuple[Corners, TextLine]] = []
        for box, (text, confidence, turned) in zip(boxes, self._recognised(cuts), strict=True):
            text = clean_text(text)
            if text and confidence >= LEAST_CONFIDENCE:
                quad = quad_inside(upside_down(box) if turned else box, size)
                kept.append((box, TextLine(quad, text, confidence, language_of(text))))
        return [kept[place][1] for place in reading_order([box for box, _ in kept])]

    def _recognised(self, cuts: list[Pixels]) -> list[tuple[str, float, bool]]:
        """Return text and confidence of each cut, and whether the cut is upside down.

        The classifier errs about some upright lines. So a cut that it calls turned is read
        both ways, and the surer reading counts.
        """
        import numpy as np

        _, turns = self._engine.cls_and_rotate(cuts)
        doubtful = [place for place, (turn, _) in enumerate(turns.cls_res) if turn == "180"]
        turned = [np.ascontiguousarray(np.rot90(cuts[place], 2)) for place in doubtful]
        found = self._engine.recognize_txt([*cuts, *turned])
        readings = [
            (text, float(score)) for text, score in zip(found.txts, found.scores, strict=True)
        ]
        best = [(*reading, False) for reading in readings[: len(cuts)]]
        for place, reading in zip(doubtful, readings[len(cuts) :], strict=True):
            if reading[1] > best[place][1]:
                best[place] = (*reading, True)
        return best

    def _detect(self, pixels: Pixels, least: float) -> tuple[list[Corners], list[float]]:
        """Return boxes, clockwise from their top left, in pixels of the picture, and their scores.

        The engine keeps the settings of a call for the next call, so each call gives them all.
        """
        import numpy as np

        found = self._engine(
            _padded(pixels), use_det=True, use_cls=False, use_rec=False, box_thresh=least
        )
        if found.boxes is None:
            return [], []
        boxes = [np.asarray(box, dtype=np.float32) for box in found.boxes]
        return boxes, [float(score) for score in found.scores]

    def _files(self) -> dict[str, Path]:
        """Return the model files by their part in RapidOCR's settings."""
        package = find_spec("rapidocr")
        assert package is not None
        assert package.origin is not None
        models = Path(package.origin).parent / "models"
        own = self.options.model
        files = {
            "Det": models / DETECTION,
            "Cls": models / DIRECTION,
            "Rec": models / RECOGNITION if own is None else Path(own),
        }
        for path in files.values():
            if not path.is_file():
                mend = "" if str(path) == own else f"; rapidocr 3.10 holds it: {extra_line('ocr')}"
                raise SetupError(f"the OCR model {path} is not there{mend}")
        return files


def _reading_scale(edge: int) -> float:
    """Return by how much to scale a picture whose longest side is `edge` pixels."""
    least, most = READ_EDGES
    if edge > most:
        return most / edge
    return min(MOST_ENLARGED, max(1.0, least / edge))


def _pixels(picture: Image, scale: float) -> Pixels:
    import numpy as np
    from PIL.Image import Resampling

    picture = picture.convert("RGB")
    if scale != 1:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        picture = picture.resize(size, Resampling.BILINEAR, reducing_gap=2.0)
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])


def _padded(pixels: Pixels) -> Pixels:
    """Return pixels with both sides as long as the detector's grid at least."""
    import cv2
    import numpy as np

    down, right = (max(0, PADDED_SIDE - side) for side in pixels.shape[:2])
    if not down and not right:
        return pixels
    padded = cv2.copyMakeBorder(pixels, 0, down, 0, right, cv2.BORDER_REPLICATE)
    return np.asarray(padded, dtype=np.uint8)


def _require_characters(model: Path) -> None:
    """Refuse a model without its characters: RapidOCR would download a list of them."""
    from onnxruntime import InferenceSession

    session = InferenceSession(str(model), providers=["CPUExecutionProvider"])
    if "character" not in session.get_modelmeta().custom_metadata_map:
        raise SetupError(f"the OCR model {model} does not hold its characters in its metadata")


@contextmanager
def _naming_what_failed() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise ModelError(f"rapidocr failed: {_told(error)}") from error


def _told(error: Exception) -> str:
    """Return what an error says; an error of a session quotes a whole traceback."""
    return first_line(error.__cause__ if isinstance(error.__cause__, Exception) else error)
