"""A cache: all of a photo or nothing, once, whoever writes; and what the queue hears of it."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest

from journal import JournalError, JournalLost, Status, check, scan
from pipeline.ingest.cache.counting import counted
from pipeline.ingest.cache.lines import Lines
from pipeline.ingest.cache.manifest import ModelFacts, dataset_digest, manifest_path, read_manifest
from pipeline.ingest.cache.records import Detection, Embedding, Outcome, RegionLabel, StageEnd, Text
from pipeline.ingest.cache.store import Cache, PhotoResult
from pipeline.ingest.errors import CacheRefused
from pipeline.ingest.queue.base import Item
from pipeline.ingest.queue.sqlite_queue import SqliteQueue
from pipeline.ingest.workers.committer import Committer
from pipeline.ingest.workers.leasing import Leases
from tests.support.ingesting import open_to_others

SIGLIP = ModelFacts("siglip", {"weights": "1"})


def rows(cache: Cache) -> dict[tuple[str, str], int]:
    """Return which row each region has."""
    return {one.identity(): one.row for _, one in scan(cache.vectors.keys, Embedding)}


def result(
    path: str, *, item: str | None = None, status: Status = "success", regions: int = 1
) -> PhotoResult:
    """Return what came of a photo: regions with vectors, and a text."""
    done = status == "success"
    outcomes = [
        Outcome(
            rel_path=path,
            stage=stage,
            status=status,
            at="2025-05-01T10:00:00Z",
            digest=f"blake3:{path}",
            lines=(regions if stage == "detect" else 1) if done else 0,
            item_hash=item or f"item of {path}",
        )
        for stage in ("detect", "ocr")
    ]
    if not done:
        return PhotoResult(outcomes)
    detections = [
        Detection(
            rel_path=path,
            region_id=f"r{number}",
            bbox=(0, 0, 1, 1),
            labels=[RegionLabel("dog", 0.5)],
            caption=None,
            detector_version="owl",
        )
        for number in range(regions)
    ]
    text = Text(rel_path=path, text_id="t0", text="A", confidence=1, language=None, source="engine")
    return PhotoResult(
        outcomes,
        detections,
        [text],
        [np.full(4, number, np.float32) for number in range(regions)],
        SIGLIP,
    )


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """Return a cache that is begun."""
    made = Cache(tmp_path / "cache")
    made.begin()
    return made


def ended(cache: Cache) -> list[tuple[str, str, str]]:
    """Return photo, stage and status of each outcome on disk."""
    return [(one.rel_path, one.stage, one.status) for _, one in scan(cache.outcomes_path, Outcome)]


def test_the_same_work_counts_once(cache: Cache) -> None:
    cache.add([result("a"), result("b", regions=2)])
    Cache(cache.directory).add([result("a"), result("c")])
    cache.add([result("c"), result("b", status="error_model")])
    assert Counter(ended(cache)) == {
        (path, stage, "success"): 1 for path in "abc" for stage in ("detect", "ocr")
    }
    regions = [one.identity() for _, one in scan(cache.detections, Detection)]
    assert regions == [("a", "r0"), ("b", "r0"), ("b", "r1"), ("c", "r0")]
    assert rows(cache) == {identity: row for row, identity in enumerate(regions)}
    assert np.fromfile(cache.vectors.rows, "<f4").reshape(-1, 4)[:, 0].tolist() == [0, 0, 1, 0]
    assert len(list(scan(cache.texts, Text))) == 3
    assert open_to_others(cache.directory) == []


@pytest.mark.parametrize("emptied", ["detections", "texts", "outcomes_path"])
def test_a_cache_that_lost_what_was_written_is_lost(cache: Cache, emptied: str) -> None:
    cache.add([result("a")])
    path: Path = getattr(cache, emptied)
    path.write_bytes(b"")

    with pytest.raises(JournalLost, match=f"{path.name} was cut short"):
        cache.add([result("b")])
    Cache(cache.directory).add([result("b")])  # whoever starts next takes what is there


def test_success_takes_the_place_of_an_error_and_new_work_that_of_old(cache: Cache) -> None:
    cache.add([result("a", status="error_model")])
    cache.add([result("a", status="error_model")])
    cache.add([result("a")])
    cache.add([result("a", item="another")])
    assert [status for _, stage, status in ended(cache) if stage == "ocr"] == [
        "error_model",
        "success",
        "success",
    ]


def test_torn_lines_and_rows_of_a_killed_worker_are_passed_over(cache: Cache) -> None:
    cache.add([result("a")])
    for path in (cache.detections, cache.texts, cache.outcomes_path, cache.vectors.keys):
        with path.open("ab") as file:
            file.write(b'{"image_id":"b","sta')
    with cache.vectors.rows.open("ab") as file:
        file.write(b"torn")
    cache.add([result("b", regions=2)])
    assert {path for path, _, _ in ended(cache)} == {"a", "b"}
    assert rows(cache) == {("a", "r0"): 0, ("b", "r0"): 1, ("b", "r1"): 2}
    assert cache.vectors.rows.stat().st_size == 3 * 4 * 4
    assert check(cache.outcomes_path, Outcome).damaged == 0


def test_embeddings_of_two_models_do_not_mix(cache: Cache) -> None:
    other = ModelFacts("another", {"weights": "2"})
    cache.vectors.require(other)
    cache.add([result("a")])
    cache.vectors.require(SIGLIP)
    with pytest.raises(CacheRefused, match="siglip"):
        cache.vectors.require(other)


def test_what_it_says_of_itself(cache: Cache) -> None:
    begun = read_manifest(cache.directory)
    cache.add([result("a")])
    cache.say({"ocr": ModelFacts("engine 1", {"file": "12"})})
    said = cache.say({"detect": ModelFacts("owl")})
    assert said.models == {
        "ocr": ModelFacts("engine 1", {"file": "12"}),
        "detect": ModelFacts("owl"),
    }
    assert said.dataset_digest == dataset_digest([("a", "blake3:a")]) != begun.dataset_digest
    assert Cache(cache.directory).begin().cache_id == begun.cache_id == said.cache_id


def test_a_directory_of_something_else_is_refused(tmp_path: Path, cache: Cache) -> None:
    manifest_path(cache.directory).unlink()
    Cache(cache.directory).begin()  # nothing is in it yet
    cache.add([result("a")])
    manifest_path(cache.directory).unlink()
    with pytest.raises(CacheRefused, match=r"lost its manifest"):
        Cache(cache.directory).begin()
    manifest_path(cache.directory).write_text("[]")
    with pytest.raises(CacheRefused, match="cannot be understood"):
        Cache(cache.directory).begin()


def test_four_processes_add_the_same_at_once(cache: Cache) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pipeline.ingest.cache.store import Cache\n"
        "from tests.pipeline.test_ingest_cache import result\n"
        "cache = Cache(Path(sys.argv[1]))\n"
        "for number in range(25):\n"
        "    cache.add([result(f'{number:02}')])\n"
    )
    command = [sys.executable, "-c", program, str(cache.directory)]
    adding = [subprocess.Popen(command, cwd=Path(__file__).parents[2]) for _ in range(4)]
    assert [process.wait(timeout=60) for process in adding] == [0, 0, 0, 0]
    assert Counter(path for path, _, _ in ended(cache)) == {f"{n:02}": 2 for n in range(25)}
    assert len(list(scan(cache.detections, Detection))) == 25
    assert sorted(rows(cache).values()) == list(range(25))


def leased_result(leases: Leases, queue: SqliteQueue) -> PhotoResult:
    """Return a result for the one item of a queue."""
    queue.enqueue([Item("key", "a", None, "blake3:a", ("ocr",))])
    (leased,) = leases.take(1)
    return msgspec.structs.replace(result("a"), leased=leased)


def test_the_queue_hears_of_nothing_that_is_not_on_disk(cache: Cache) -> None:
    queue = SqliteQueue(cache.directory / "queue.sqlite")
    failures: list[JournalError] = []
    leases = Leases(queue, "worker")
    committer = Committer(cache, leases, lambda: False, lambda committed: None, failures.append)
    made = leased_result(leases, queue)
    cache.texts.mkdir()  # so nothing can be written there
    committer.append(made)
    with pytest.raises(JournalError):
        committer.flush()
    with pytest.raises(JournalError):
        committer.close()
    assert len(failures) == 1
    counts = queue.counts()
    assert (counts.leased, counts.done) == (1, 0)
    assert ended(cache) == []

    cache.texts.rmdir()
    again = Committer(cache, leases, lambda: False, lambda committed: None, failures.append)
    again.append(made)
    again.close()
    assert queue.counts().done == 1
    assert len(ended(cache)) == 2
    queue.close()


def test_what_another_worker_was_given_meanwhile_is_left_to_it(cache: Cache) -> None:
    queue = SqliteQueue(cache.directory / "queue.sqlite")
    settled: list[PhotoResult] = []
    slow, quick = Leases(queue, "slow"), Leases(queue, "quick")
    committer = Committer(
        cache,
        slow,
        lambda: False,
        lambda committed: settled.extend(record for _, record in committed),
        lambda error: None,
    )
    made = leased_result(slow, queue)
    queue.abandon("slow")
    assert len(quick.take(1)) == 1
    committer.append(made)
    committer.close()
    assert settled == [made], "it is off the worker's hands"
    assert ended(cache) == []
    assert queue.counts().leased == 1
    queue.close()


def test_an_outcome_that_counts_a_billion_lines_takes_no_memory(cache: Cache) -> None:
    cache.add([result("a")])
    found = Lines(cache.texts, Text)
    found.refresh()

    def count(lines: int, item_hash: str | None = None) -> list[str]:
        outcome = StageEnd("a", "ocr", "success", item_hash=item_hash, lines=lines)
        return [text.text for text in counted(found.of("a"), outcome)]

    assert count(2_000_000_000) == ["A"]
    assert count(0) == []
    assert count(1, "another item") == []
