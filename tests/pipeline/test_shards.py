"""Shards: what plain readers get from them, and the same bytes however they came about."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import os
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pytest
from blake3 import blake3
from PIL import Image
from pyarrow import parquet

from journal import DiskFull, JournalLocked
from pipeline.datasets.errors import OtherShards
from pipeline.datasets.patch_files import MANIFEST, PatchManifest
from pipeline.datasets.patch_grid import patch_count
from pipeline.datasets.shards import shard_file, step, writer
from pipeline.datasets.shards.directory import DirectoryLock
from pipeline.datasets.shards.report import ShardReport
from pipeline.datasets.shards.run import ShardRequest, prepare_shards, run_shards
from pipeline.jobs.errors import RunStopped
from pipeline.jobs.progress import Snapshot
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import PhotosDirMissing, StorageError
from pipeline.photos.exporting import EXPORT
from pipeline.photos.images import load_photo
from pipeline.photos.photo import LoadedPhoto
from tests.support.photos import noise_jpeg

CANARY = b"CANARY-51.4778N"
WIDTH = 8
BUCKET, PATCH_SIZE = (1024, 1024), 256
PATCHES = patch_count(BUCKET, PATCH_SIZE)

Records = list[dict[str, Any]]


async def nobody(snapshot: Callable[[], Snapshot]) -> None:
    """Watch a job without showing it."""
    await asyncio.Event().wait()


class Place:
    """A dataset with its images, and where its shards go."""

    def __init__(self, root: Path) -> None:
        self.images, self.dataset = root / "images", root / "d.jsonl"
        self.out, self.workspace = root / "out", root / "workspace"
        self.patches = root / "patches"
        for folder in (self.images, self.workspace, self.patches):
            folder.mkdir()

    def fill(self, count: int, size: tuple[int, int] = (96, 64)) -> Records:
        """Make so many images and a record of each."""
        for number in range(count):
            (self.images / f"{number:03d}.jpg").write_bytes(noise_jpeg(number, size))
        return self.write(
            [
                {"image_path": f"{number:03d}.jpg", "caption": f"№ {number}", "n": [1.50, number]}
                for number in range(count)
            ]
        )

    def write(self, records: Records) -> Records:
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        self.dataset.write_text("".join(lines), "utf-8")
        return records

    def request(self, **options: Any) -> ShardRequest:
        return ShardRequest(
            **{
                "workspace": self.workspace,
                "dataset": self.dataset,
                "input_dir": self.images,
                "out": self.out,
                "shard_size": 20_480,
                "decoders": 2,
                **options,
            }
        )

    def make(self, **options: Any) -> ShardReport:
        return asyncio.run(run_shards(prepare_shards(self.request(**options)), nobody)).report

    def samples(self) -> list[dict[str, Any]]:
        """Return what the plain library reads, decoded."""
        urls = sorted(map(str, self.out.glob("*.tar")))
        return read(urls, "pil")

    def index(self) -> dict[str, Any]:
        (index,) = self.out.glob("*index.json")
        found: dict[str, Any] = json.loads(index.read_bytes())
        return found

    def bytes_of_shards(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.out.iterdir())}


def read(urls: str | list[str] | None, *decoders: str) -> list[dict[str, Any]]:
    """Return what the plain library reads; it leaves closing its files to the collector."""
    import webdataset

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        dataset = webdataset.WebDataset(urls, shardshuffle=False)
        samples = list(dataset.decode(*decoders) if decoders else dataset)
        gc.collect()
    return samples


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.convert("RGB").tobytes()


def test_the_plain_library_reads_everything_back(place: Place) -> None:
    records = place.fill(20)
    report = place.make()
    samples = place.samples()

    assert [sample["json"] for sample in samples] == records
    for sample, record in zip(samples, records, strict=True):
        assert sample["jpg"].tobytes() == pixels(place.images / record["image_path"])
    assert [sample["__key__"] for sample in samples] == [f"{n:09d}" for n in range(20)]
    assert report.samples == report.made == 20
    assert report.shards == len(list(place.out.glob("*.tar"))) > 2
    assert report.urls == f"{place.out}/shard-{{000000..{report.shards - 1:06d}}}.tar"


def test_the_pattern_in_the_report_is_understood(place: Place) -> None:
    place.fill(9)

    assert len(read(place.make().urls)) == 9


def test_a_record_is_passed_through_byte_for_byte(place: Place) -> None:
    place.fill(2)
    lines = [
        b'\xef\xbb\xbf{ "image_path":"000.jpg" , "x": 1.500e+0, "x": 2,"u":"\\u00e9" }\r\n',
        b'{"image_path": "001.jpg", "big": 123456789012345678901234567890}',
    ]
    place.dataset.write_bytes(b"".join(lines))
    place.make()
    data = b"".join(place.bytes_of_shards().values())

    assert lines[0][3:-2] in data
    assert lines[1] in data
    assert b"\xef\xbb\xbf{" not in data


def test_the_index_tells_what_is_there(place: Place) -> None:
    place.fill(20)
    place.make()
    index = place.index()

    assert index["complete"] is True
    assert index["source"] == {
        "name": "d.jsonl",
        "bytes": place.dataset.stat().st_size,
        "digest": f"blake3:{blake3(place.dataset.read_bytes()).hexdigest()}",
    }
    following = 0
    for shard in index["shards"]:
        data = (place.out / shard["name"]).read_bytes()
        assert shard["digest"] == f"blake3:{blake3(data).hexdigest()}"
        assert shard["bytes"] == len(data) <= 20_480
        assert int(shard["first"]) == following
        following = int(shard["last"]) + 1
        assert following - int(shard["first"]) == shard["samples"]
    assert index["samples"] == following == 20
    assert index["bytes"] == sum(shard["bytes"] for shard in index["shards"])
    assert str(place.images) not in (place.out / "index.json").read_text()


@pytest.mark.parametrize("kind", ["webdataset", "parquet"])
@pytest.mark.parametrize("decoders", [1, 4])
def test_the_same_bytes_with_any_number_of_processes(
    place: Place, kind: str, decoders: int
) -> None:
    place.fill(20)
    (place.images / "007.jpg").write_bytes(b"broken")
    place.make(decoders=2, format=kind)
    once = place.bytes_of_shards()
    place.make(decoders=decoders, format=kind, out=place.out.with_name("again"))
    place.out = place.out.with_name("again")

    assert place.bytes_of_shards() == once


def test_one_large_sample_stands_alone(place: Place) -> None:
    place.fill(5, (32, 32))
    (place.images / "002.jpg").write_bytes(noise_jpeg(9, (640, 480), quality=95))
    place.make()

    assert [shard["samples"] for shard in place.index()["shards"]] == [2, 1, 2]


def test_a_second_run_writes_nothing(place: Place) -> None:
    place.fill(6)
    place.make()

    def states() -> dict[str, tuple[int, int, bytes]]:
        files = sorted(path for path in place.dataset.parent.rglob("*") if path.is_file())
        return {
            str(path): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
            for path in files
        }

    before = states()
    prepared = prepare_shards(place.request())

    assert prepared.is_done
    assert prepared.report().samples == 6
    assert states() == before


def test_what_cannot_be_a_sample_is_counted_and_named(place: Place) -> None:
    records = place.fill(6)
    (place.images / "002.jpg").unlink()
    data = (place.images / "003.jpg").read_bytes()
    (place.images / "003.jpg").write_bytes(data[: len(data) // 2])
    (place.images / "folder.jpg").mkdir()
    os.mkfifo(place.images / "fifo.jpg")
    lines = place.dataset.read_bytes()
    place.dataset.write_bytes(
        b"no record\n"
        + lines
        + b'\n{"image_path": "../d.jsonl"}\n{"image_path": "a/../../x.jpg"}\n'
        + b'{"image_path": "folder.jpg"}\n{"image_path": "fifo.jpg"}\n{"image_path": ""}\n'
        + b'{"image_path": "000.jpg", "caption": "later"}\n'
        + b'{"image_path": "004.jpg", "note": "\xff\xfe"}\n'
    )
    report = place.make()
    samples = place.samples()

    assert [sample["json"]["image_path"] for sample in samples] == [
        "001.jpg",
        "004.jpg",
        "005.jpg",
        "000.jpg",
    ]
    assert samples[-1]["json"]["caption"] == "later"
    assert samples[0]["json"] == records[1]
    assert report.skipped == {
        "broken": 1,
        "malformed": 2,
        "missing": 3,
        "outside": 3,
        "superseded": 1,
    }
    assert report.named["missing"] == ["002.jpg", "folder.jpg", "fifo.jpg"]
    assert report.named["broken"] == ["003.jpg"]
    assert report.named["malformed"] == ["line 1", "line 15"]
    assert place.index()["skipped"] == report.skipped


def test_names_of_any_kind(place: Place, tmp_path: Path) -> None:
    names = ["a.b.c.jpg", "ünï/ço dé.jpeg", "日本.JPG", "e\u0301.jpg", "x'$(id)`.jpg", "noending"]
    for number, name in enumerate(names):
        (place.images / name).parent.mkdir(exist_ok=True)
        (place.images / name).write_bytes(noise_jpeg(number, (32, 32)))
    elsewhere = tmp_path / "elsewhere.jpg"
    elsewhere.write_bytes(noise_jpeg(99, (32, 32)))
    named = [name.replace("e\u0301", "\u00e9") for name in names] + [str(elsewhere)]
    place.write([{"image_path": name} for name in named])
    place.make()
    samples = place.samples()

    assert [sample["json"]["image_path"] for sample in samples] == named
    for sample, path in zip(samples, [*map(place.images.joinpath, names), elsewhere], strict=True):
        assert sample["jpg"].tobytes() == pixels(path)


def photo_that_tells(orientation: int = 1) -> bytes:
    """Return a JPEG with GPS, an artist and a video behind it."""
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = orientation, CANARY.decode()
    exif[0x8825] = {1: "N", 2: (51.0, 28.0, 40.0), 3: "W", 4: (0.0, 0.0, 5.0)}
    buffer = BytesIO()
    Image.open(BytesIO(noise_jpeg(1, (96, 64)))).save(buffer, "JPEG", exif=exif, quality=92)
    return buffer.getvalue() + b"ftypmp42" + CANARY


@pytest.mark.parametrize("kind", ["webdataset", "parquet"])
def test_nothing_leaks(place: Place, kind: str) -> None:
    for orientation in (1, 6):
        (place.images / f"{orientation}.jpg").write_bytes(photo_that_tells(orientation))
    place.write([{"image_path": "1.jpg"}, {"image_path": "6.jpg"}])
    place.make(format=kind)

    for name, data in place.bytes_of_shards().items():
        for secret in (CANARY, b"Exif", b"ftypmp42"):
            assert secret not in data, name
    assert CANARY in (place.images / "1.jpg").read_bytes()


def test_photos_stand_upright(place: Place) -> None:
    (place.images / "6.jpg").write_bytes(photo_that_tells(6))
    place.write([{"image_path": "6.jpg"}])
    place.make()
    [sample] = place.samples()
    upright = load_photo(place.images / "6.jpg", EXPORT).picture

    assert sample["jpg"].size == (64, 96) == (upright.width, upright.height)


def test_metadata_may_be_kept(place: Place) -> None:
    files = {"1.JPEG": photo_that_tells(), "2.json": noise_jpeg(2, (32, 32))}
    buffer = BytesIO()
    Image.new("RGB", (32, 32)).save(buffer, "WEBP")
    files["3.webp"] = buffer.getvalue()
    for name, data in files.items():
        (place.images / name).write_bytes(data)
    place.write([{"image_path": name} for name in files])
    place.make(keep_metadata=True)
    first, second, third = read(sorted(map(str, place.out.glob("*.tar"))))

    assert first["jpg"] == files["1.JPEG"]
    assert second["jpg"] == files["2.json"]
    assert json.loads(second["json"]) == {"image_path": "2.json"}
    assert third["webp"] == files["3.webp"]


@pytest.fixture
def patched(place: Place) -> Place:
    """Return a dataset whose images 1, 2 and 3 lack patches, each in its own way."""
    place.write(
        [
            {**record, "image_id": f"id.{n}", "aspect_bucket": "1024x1024"}
            for n, record in enumerate(place.fill(5))
        ]
    )
    manifest = PatchManifest(
        model="/home/me/dino",
        model_type="dinov2",
        patch_size=PATCH_SIZE,
        width=WIDTH,
        leading_tokens=1,
    )
    (place.patches / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    rng = np.random.default_rng(1)
    for number in (0, 2, 3, 4):
        rows = PATCHES + 1 if number == 2 else PATCHES
        array = rng.normal(size=(rows, WIDTH)).astype(np.float16)
        np.save(place.patches / f"id.{number}.npy", array)
    with (place.patches / "id.3.npy").open("r+b") as file:
        file.truncate(200)
    return place


def test_patches_go_along(patched: Place) -> None:
    report = patched.make(patches_dir=patched.patches)
    samples = patched.samples()

    assert ["npy" in sample for sample in samples] == [True, False, False, False, True]
    for number in (0, 4):
        expected = np.load(patched.patches / f"id.{number}.npy")
        np.testing.assert_array_equal(samples[number]["npy"], expected)
    assert report.without_patches == {"missing": 1, "stale": 1, "truncated": 1}
    assert report.named["patches stale"] == ["002.jpg"]
    assert patched.index()["patches"] == {
        "model": "dino",
        "patch_size": PATCH_SIZE,
        "width": WIDTH,
    }


def test_ids_that_climb_out_find_no_patches(patched: Place) -> None:
    np.save(patched.patches.parent / "outside.npy", np.zeros((PATCHES, WIDTH), np.float16))
    patched.write([{"image_path": "000.jpg", "image_id": "../outside"}])

    assert patched.make(patches_dir=patched.patches).without_patches == {"missing": 1}


def test_parquet_holds_typed_columns_and_the_whole_record(patched: Place) -> None:
    records: Records = [
        {
            "image_path": "000.jpg",
            "image_id": "id.0",
            "caption": '日本 "q"',
            "height": 64,
            "width": 96,
            "aspect_bucket": "1024x1024",
            "dinov3_embedding": [0.5, -1, 2e-3],
            "t5_attention_mask": [1, 1, 0],
            "more": {"deep": [None]},
        },
        {
            "image_path": "001.jpg",
            "caption": ["no text"],
            "height": "64",
            "width": 2**40,
            "dinov3_embedding": [1.0, "2"],
            "t5_attention_mask": [True, 256],
        },
        {"image_path": "002.jpg", "dinov3_embedding": [1e300], "t5_attention_mask": [-1]},
    ]
    lines = [json.dumps(record) for record in records]
    patched.dataset.write_text("\n".join(lines))
    patched.make(format="parquet", patches_dir=patched.patches, shard_size=1_000_000)
    [shard] = patched.out.glob("*.parquet")
    first, second, third = parquet.read_table(shard).to_pylist()

    assert [row["record"] for row in (first, second, third)] == lines
    for name in ("image_path", "caption", "height", "width", "t5_attention_mask"):
        assert first[name] == records[0][name]
    assert first["dinov3_embedding"] == pytest.approx([0.5, -1, 2e-3])
    assert first["key"] == "000000000"
    assert first["image"]["path"] == "000000000.jpg"
    assert first["image"]["bytes"] == (patched.images / "000.jpg").read_bytes()
    assert first["patches"] == (patched.patches / "id.0.npy").read_bytes()
    assert {name: second[name] for name in ("caption", "height", "width", "patches")} == {
        "caption": None,
        "height": None,
        "width": None,
        "patches": None,
    }
    assert second["dinov3_embedding"] is second["t5_attention_mask"] is None
    assert third["t5_attention_mask"] is third["dinov3_embedding"] is None


def test_parquet_is_split_by_bytes(place: Place) -> None:
    place.fill(30)
    report = place.make(format="parquet", shard_size=40_000)
    index = place.index()

    assert report.shards > 2
    assert all(shard["bytes"] <= 40_000 for shard in index["shards"])
    rows = [
        row["key"]
        for path in sorted(place.out.glob("*.parquet"))
        for row in parquet.read_table(path, columns=["key"]).to_pylist()
    ]
    assert rows == [f"{number:09d}" for number in range(30)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"shard_size": 30_720}, "other options"),
        ({"keep_metadata": True}, "other options"),
        ({"format": "parquet"}, "other options"),
        ({"patches_dir": Path("nowhere")}, "other options"),
    ],
)
def test_other_options_are_refused(place: Place, change: dict[str, Any], why: str) -> None:
    place.fill(4)
    place.make()
    before = place.bytes_of_shards()

    with pytest.raises(OtherShards, match=why):
        place.make(**change)
    assert place.bytes_of_shards() == before


def test_another_state_of_the_dataset_is_refused(place: Place) -> None:
    records = place.fill(4)
    place.make()
    before = place.bytes_of_shards()
    place.write(records[:3])

    with pytest.raises(OtherShards, match=r"another state of d\.jsonl"):
        place.make()
    assert place.bytes_of_shards() == before


@pytest.mark.parametrize(
    ("name", "content"), [("index.json", b"{}"), ("shard-000002.tar", b"somebody's")]
)
def test_names_of_somebody_else_are_refused(place: Place, name: str, content: bytes) -> None:
    place.fill(4)
    place.out.mkdir()
    (place.out / name).write_bytes(content)

    with pytest.raises(OtherShards):
        place.make()
    assert place.bytes_of_shards() == {name: content}


def test_an_index_that_leads_elsewhere_is_refused(place: Place) -> None:
    place.fill(4)
    place.make()
    index = json.dumps(place.index()).replace("shard-000000.tar", "../../shard-000000.tar")
    (place.out / "index.json").write_text(index)

    with pytest.raises(OtherShards, match="names files of another form"):
        place.make()


def test_other_files_are_no_trouble(place: Place) -> None:
    place.fill(4)
    place.out.mkdir()
    (place.out / "README.md").write_text("mine")
    place.make()

    assert (place.out / "README.md").read_text() == "mine"
    assert len(place.samples()) == 4


def test_a_shard_that_was_taken_away_is_noticed(place: Place) -> None:
    place.fill(12)
    place.make()
    (place.out / "shard-000001.tar").unlink()

    with pytest.raises(OtherShards, match=r"shard-000001\.tar"):
        place.make()


def test_two_at_once_are_refused(place: Place) -> None:
    place.fill(4)
    place.out.mkdir()
    lock = DirectoryLock(place.out)
    try:
        with pytest.raises(JournalLocked):
            place.make()
    finally:
        lock.release()

    assert list(place.out.iterdir()) == []


def test_no_room_is_told_before_the_first_shard(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.fill(4)
    monkeypatch.setattr(writer, "free_bytes", lambda directory: 10_000)
    with pytest.raises(DiskFull):
        place.make()

    assert [path.name for path in place.out.iterdir()] == ["index.json"]


def test_a_disk_that_fills_up_leaves_whole_shards(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.fill(20)
    place.make(out=place.out.with_name("whole"))
    written, write = 0, shard_file.ShardFile.write

    def failing(file: shard_file.ShardFile, data: bytes) -> int:
        nonlocal written
        written += len(data)
        if written > 50_000 and not file._given_up:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data)

    with monkeypatch.context() as patch:
        patch.setattr(shard_file.ShardFile, "write", failing)
        with pytest.raises(DiskFull):
            place.make()
    names = sorted(path.name for path in place.out.iterdir())
    assert names == ["index.json", "shard-000000.tar", "shard-000001.tar"]

    report = place.make()
    resumed = place.bytes_of_shards()
    place.out = place.out.with_name("whole")
    assert resumed == place.bytes_of_shards()
    assert report.made < report.samples == 20


def test_a_dataset_that_changes_meanwhile_ends_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.fill(8)
    begin = writer.ShardWriter._begin_shard

    def changing(made: writer.ShardWriter, sample: Any) -> Any:
        with place.dataset.open("a") as file:
            file.write('{"image_path": "new.jpg"}\n')
        return begin(made, sample)

    monkeypatch.setattr(writer.ShardWriter, "_begin_shard", changing)
    with pytest.raises(OtherShards, match="before somebody changed it"):
        place.make()

    assert [path.name for path in place.out.iterdir()] == ["index.json"]


def test_images_that_vanish_all_at_once_are_no_empty_dataset(place: Place) -> None:
    place.fill(4)
    prepared = prepare_shards(place.request())
    place.images.rename(place.images.with_name("elsewhere"))

    with pytest.raises(PhotosDirMissing):
        asyncio.run(run_shards(prepared, nobody))
    assert place.index()["complete"] is False


def test_a_share_that_fails_leaves_no_shards_without_pictures(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(pool: DecoderPool, path: str) -> LoadedPhoto:
        raise StorageError(path, "OSError: Input/output error")

    place.fill(30)
    with monkeypatch.context() as failing:
        failing.setattr(DecoderPool, "decode", fail)
        with pytest.raises(RunStopped, match="Input/output error"):
            place.make()
    assert list(place.out.glob("*.tar")) == []

    assert place.make().samples == 30


def test_a_patch_file_goes_with_the_first_record_of_its_id(place: Place) -> None:
    place.write([{**record, "image_id": "same"} for record in place.fill(2)])
    np.save(place.patches / "same.npy", np.zeros((PATCHES, WIDTH), np.float16))
    report = place.make(patches_dir=place.patches)

    assert ["npy" in sample for sample in place.samples()] == [True, False]
    assert report.without_patches == {"shared": 1}


def test_nothing_to_put_in_is_no_error(place: Place) -> None:
    place.write([{"image_path": "none.jpg"}])
    (place.images / "another.jpg").touch()
    report = place.make()

    assert (report.samples, report.shards, report.urls, report.complete) == (0, 0, None, True)
    assert report.skipped == {"missing": 1}


Command = Literal["pause", "stop"]


@pytest.fixture
def stepping(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Command], None]:
    """Give the step a command by itself, before a sample is written."""
    add = step.ShardStep._add

    def at(number: int, command: Command) -> None:
        async def adding(made: step.ShardStep, candidate: Any, picture: Any) -> None:
            if candidate.line == number:
                getattr(made, command)()
                if command == "pause":
                    assert made.snapshot().state == "paused"
                    asyncio.get_running_loop().call_soon(made.resume)
            await add(made, candidate, picture)

        monkeypatch.setattr(step.ShardStep, "_add", adding)

    return at


def test_paused_and_resumed_it_makes_the_same(
    place: Place, stepping: Callable[[int, Command], None]
) -> None:
    place.fill(12)
    place.make(out=place.out.with_name("whole"))
    stepping(5, "pause")
    place.make()
    paused = place.bytes_of_shards()
    place.out = place.out.with_name("whole")

    assert paused == place.bytes_of_shards()


@pytest.mark.parametrize("kind", ["webdataset", "parquet"])
def test_stopped_anywhere_it_goes_on_to_the_same_bytes(
    place: Place, stepping: Callable[[int, Command], None], kind: str
) -> None:
    place.fill(24)
    (place.images / "004.jpg").write_bytes(b"broken")
    (place.images / "011.jpg").unlink()
    options = {"format": kind, "shard_size": 20_480 if kind == "webdataset" else 40_000}
    place.make(out=place.out.with_name("whole"), **options)
    for number in (3, 9, 10, 17, 24):
        stepping(number, "stop")
        assert place.make(**options).ending in ("stopped", "done")
        assert not list(place.out.glob(".*"))
    stepping(-1, "stop")
    report = place.make(**options)
    stopped = place.bytes_of_shards()
    place.out = place.out.with_name("whole")

    assert report.complete
    assert stopped == place.bytes_of_shards()
