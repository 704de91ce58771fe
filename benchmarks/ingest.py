"""`pcc ingest` beside scripts that read photos one by one, and insert lines one by one."""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

from benchmarks.table import PCC, Row, run_process
from pipeline.ingest.cache.records import Detection, Outcome, RegionLabel
from pipeline.ingest.cache.store import Cache, PhotoResult
from pipeline.jobs.cores import usable_cores
from pipeline.samples import scenes
from tests.support.drawn_text import draw_line, sentence

PHOTOS = 96
SIGNED = 4
"""One photo in this number shows a sign."""

IMPORTED = 40_000
REGIONS = 5

READ_EACH = """
import json, sys
from pathlib import Path
from PIL import Image, ImageOps
from rapidocr import RapidOCR
engine = RapidOCR(params={"Global.log_level": "critical"})
with open("texts.jsonl", "w") as out:
    for path in sorted(Path(sys.argv[1]).iterdir()):
        photo = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        found = engine(photo, use_det=True, use_cls=True, use_rec=True)
        for text, score in zip(found.txts or (), found.scores or ()):
            out.write(json.dumps({"image_id": path.name, "text": text, "score": score}) + "\\n")
            out.flush()
"""

INSERT_EACH = """
import json, sqlite3, sys
base = sqlite3.connect("naive.sqlite")
base.execute("CREATE TABLE regions(image TEXT, region TEXT, bbox TEXT, caption TEXT)")
base.execute("CREATE TABLE labels(image TEXT, region TEXT, label TEXT, score REAL)")
base.execute("CREATE INDEX by_image ON regions(image)")
base.execute("CREATE INDEX by_label ON labels(label)")
for line in open(sys.argv[1]):
    record = json.loads(line)
    name = record["image_id"], record["region_id"]
    base.execute("INSERT INTO regions VALUES (?, ?, ?, ?)",
                 (*name, json.dumps(record["bbox"]), record["caption"]))
    for label in record["labels"]:
        base.execute("INSERT INTO labels VALUES (?, ?, ?, ?)",
                     (*name, label["label"], label["score"]))
base.commit()
"""


def ingest_rows(folder: Path) -> list[Row]:
    """Read the text of a library with two workers, including start-up; import a cache."""
    return [_read_row(folder), _import_row(folder)]


def _read_row(folder: Path) -> Row:
    photos = folder / "photos"
    _draw(photos)
    naive = run_process([sys.executable, "-c", READ_EACH, str(photos)], folder)
    workers = usable_cores()
    arguments = ["--photos-dir", str(photos), "--stages", "ocr", "--workers", str(workers)]
    ours = run_process([*PCC, "ingest", "run", *arguments, "--workspace", str(folder)], folder)
    return Row(
        f"ingest, text of {PHOTOS} photos of 2 megapixels, {workers} workers",
        f"{PHOTOS / naive.seconds:.2f} a second (one script, all cores)",
        f"{PHOTOS / ours.seconds:.2f} a second, {ours.peak_mb:.0f} MB in all",
        "-",
        f"{naive.seconds / ours.seconds:.2f} times",
        "-",
    )


def _draw(photos: Path) -> None:
    photos.mkdir()
    rng = Random(7)
    kinds = (scenes.lake, scenes.city_night, scenes.meadow)
    for number in range(PHOTOS):
        photo = kinds[number % len(kinds)](rng, (1632, 1224))
        if number % SIGNED == 0:
            photo.paste(draw_line(sentence(rng, 2), 40, canvas=(480, 100)).image, (300, 350))
        photo.save(photos / f"{number:04d}.jpg", quality=88)


def _import_row(folder: Path) -> Row:
    cache = Cache(folder / "big")
    cache.begin()
    cache.add([_result(number) for number in range(IMPORTED)])
    cache.say({})
    naive = run_process([sys.executable, "-c", INSERT_EACH, str(cache.detections)], folder)
    ours = run_process(
        [*PCC, "ingest", "import", str(cache.directory), "--db", str(folder / "ours.sqlite")],
        folder,
    )
    lines = IMPORTED * REGIONS
    return Row(
        f"import, {lines:,} regions with two labels each",
        f"{naive.seconds:.1f} s (json and sqlite3, nothing checked)",
        f"{ours.seconds:.1f} s, {ours.peak_mb:.0f} MB",
        "-",
        f"{ours.seconds / naive.seconds:.1f} of its time",
        "-",
    )


def _result(number: int) -> PhotoResult:
    name = f"2024/{number % 100:02d}/IMG_{number:06d}.jpg"
    outcome = Outcome(
        rel_path=name,
        stage="detect",
        status="success",
        at="2026-01-01T00:00:00Z",
        digest=f"blake3:{number:064x}",
        lines=REGIONS,
        width=1600,
        height=1200,
    )
    regions = [
        Detection(
            rel_path=name,
            region_id=f"r{place}",
            bbox=(10.0 * place, 20.0, 300.5 + place, 420.1),
            labels=[RegionLabel("dog", 0.91), RegionLabel(f"thing {number % 50}", 0.4)],
            caption="A dog runs along the water in the evening.",
            detector_version="owlv2:model@0123456789ab",
        )
        for place in range(REGIONS)
    ]
    return PhotoResult([outcome], regions)
