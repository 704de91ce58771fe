"""Results on their way into a dataset: kept as they come, let go of once they are there."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from journal import CaptionRecord, JournalLocked, Seal, check_seal, seal
from pipeline.datasets.enrich import Enrichment
from pipeline.datasets.enrich_report import EnrichReport
from pipeline.datasets.merge import Merge, Merged
from pipeline.datasets.preparation import prepare_enrichment
from pipeline.datasets.request import EnrichRequest
from pipeline.datasets.side_journals import SideJournal, SideJournals
from pipeline.datasets.side_records import FeatureRecord, SizeRecord
from pipeline.jobs.pause_point import GivenUp
from pipeline.jobs.progress import Snapshot
from pipeline.jobs.run_job import JobResult
from pipeline.jobs.step import Ending
from tests.support.datasets import (
    caption_journal,
    caption_of,
    feature_journal,
    feature_of,
    keep,
    read_dataset,
    request_for,
    size_journal,
    size_of,
)

LONG_AGO, LONG_AHEAD = 1_000_000_000, 4_000_000_000
"""Before and after the records of a test were made."""


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return tmp_path / "d.jsonl"


def photo(tmp_path: Path, changed_at: int) -> Path:
    path = tmp_path / "a.jpg"
    path.touch()
    os.utime(path, (changed_at, changed_at))
    return path


def test_a_result_is_read_back(dataset: Path) -> None:
    keep(dataset, size_of("a.jpg", (3, 4)), size_of("b.jpg", None))
    sizes = size_journal(dataset)

    assert sizes.made("a.jpg")
    assert sizes.read("a.jpg") == size_of("a.jpg", (3, 4))
    assert not sizes.failed("a.jpg")
    for key in ("b.jpg", "c.jpg"):
        assert not sizes.made(key)
        assert sizes.read(key) is None
    assert sizes.failed("b.jpg")
    assert not sizes.failed("c.jpg")


def test_the_last_attempt_counts(dataset: Path) -> None:
    keep(dataset, size_of("a.jpg", None), size_of("b.jpg", (1, 1)))
    sizes = size_journal(dataset)
    keep(dataset, size_of("a.jpg", (3, 4)), size_of("b.jpg", (2, 2)))
    assert not sizes.made("a.jpg")

    sizes.refresh()
    assert sizes.made("a.jpg")
    assert sizes.read("b.jpg") == size_of("b.jpg", (2, 2))


def test_features_without_an_embedding_are_none_where_one_is_wanted(dataset: Path) -> None:
    keep(dataset, feature_of("a.jpg", [0.5]), feature_of("b.jpg", None))
    features = feature_journal(dataset)

    assert features.has_embedding("a.jpg")
    assert features.made("b.jpg")
    assert not features.has_embedding("b.jpg")


def test_features_of_another_model_do_not_count(dataset: Path) -> None:
    keep(dataset, feature_of("a.jpg", [0.5]))
    other = feature_journal(dataset, "another")

    assert not other.made("a.jpg")
    assert other.read("a.jpg") is None


def test_captions_made_anew_by_another_model_do_not_count(dataset: Path) -> None:
    keep(dataset, caption_of("a.jpg", "new"), anew=True)
    for other in ({"backend": "basic"}, {"prompt": "Name the animal."}):
        assert not caption_journal(dataset, anew=True, **other).made("a.jpg")


def test_what_is_made_anew_stands_apart(dataset: Path) -> None:
    keep(dataset, caption_of("a.jpg", "old"))

    assert caption_journal(dataset).made("a.jpg")
    assert not caption_journal(dataset, anew=True).made("a.jpg")
    keep(dataset, caption_of("a.jpg", "new"), anew=True)
    found = caption_journal(dataset, anew=True).read("a.jpg")
    assert found is not None
    assert found.caption == "new"


def test_a_broken_photo_is_remembered_until_its_file_changes(tmp_path: Path, dataset: Path) -> None:
    keep(dataset, size_of("a.jpg", None), size_of("b.jpg", (1, 2)))
    sizes = size_journal(dataset)
    path = photo(tmp_path, LONG_AGO)

    assert sizes.gave_up("a.jpg", path)
    assert sizes.gave_up("a.jpg", tmp_path / "gone.jpg")
    assert not sizes.gave_up("b.jpg", path)
    assert not sizes.gave_up("c.jpg", path)
    keep(dataset, msgspec.structs.replace(size_of("a.jpg", None), at="2020-01-01T00:00:00Z"))
    sizes.refresh()
    assert not sizes.gave_up("a.jpg", path)


@pytest.mark.parametrize("moment", [LONG_AGO, LONG_AHEAD])
def test_the_time_that_a_copy_brings_along_says_nothing(
    tmp_path: Path, dataset: Path, moment: int
) -> None:
    keep(dataset, size_of("a.jpg", None))
    assert size_journal(dataset).gave_up("a.jpg", photo(tmp_path, moment))


def test_failures_of_a_model_or_the_network_are_tried_again(tmp_path: Path, dataset: Path) -> None:
    failures = [
        CaptionRecord(
            rel_path=f"{status}.jpg", caption=None, status=status, at="2030-01-01T00:00:00Z"
        )
        for status in ("error_api", "error_model", "error_corrupt")
    ]
    keep(dataset, *failures)
    captions, path = caption_journal(dataset), photo(tmp_path, LONG_AGO)

    assert not captions.gave_up("error_api.jpg", path)
    assert not captions.gave_up("error_model.jpg", path)
    assert captions.gave_up("error_corrupt.jpg", path)


def broken(dataset: Path, old: bytes, new: bytes) -> SideJournal[SizeRecord]:
    """Return sizes of which one was changed by a failing disk."""
    path = keep(dataset, size_of("a.jpg", (640, 480)), size_of("b.jpg", (3, 4)))
    first, second = path.read_bytes().splitlines(keepends=True)
    assert old in first
    path.write_bytes(first.replace(old, new) + second)
    return size_journal(dataset)


UNREADABLE = {
    "another name of a field that must be": (b'"at"', b'"au"'),
    "another type": (b"640", b'"6"'),
    "no JSON": (b"{", b"["),
}


@pytest.mark.parametrize(("old", "new"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_no_result(dataset: Path, old: bytes, new: bytes) -> None:
    sizes = broken(dataset, old, new)

    assert sizes.read("a.jpg") is None
    assert sizes.read("b.jpg") == size_of("b.jpg", (3, 4))


def test_what_can_be_read_counts_whatever_its_crc_says(dataset: Path) -> None:
    found = broken(dataset, b"640", b"641").read("a.jpg")

    assert found is not None
    assert found.width == 641


def test_settling_gives_no_broken_record_a_crc_that_fits(dataset: Path) -> None:
    sizes = broken(dataset, b"640", b"641")
    (kept,) = [line for line in sizes.path.read_bytes().splitlines() if b"a.jpg" in line]
    sizes.settle({"b.jpg"})

    assert sizes.path.read_bytes() == kept + b"\n"
    assert check_seal(kept) is Seal.BROKEN


@pytest.mark.parametrize("at", ["", "yesterday", "2030-13-45T00:00:00Z"])
def test_a_failure_at_no_time_is_tried_again(tmp_path: Path, dataset: Path, at: str) -> None:
    failure = msgspec.structs.replace(size_of("a.jpg", None), at=at)
    keep(dataset, failure)

    assert not size_journal(dataset).gave_up("a.jpg", photo(tmp_path, LONG_AGO))


def test_torn_and_foreign_lines_are_passed_over(dataset: Path) -> None:
    path = keep(dataset, size_of("a.jpg", (3, 4)))
    line = path.read_bytes()
    path.write_bytes(b"\xff\n{}\n[]\n\n" + line + seal(b'{"rel_path":"b.jpg"}') + line[:20])
    sizes = size_journal(dataset)

    assert sizes.made("a.jpg")
    assert not sizes.made("b.jpg")


def test_settling_keeps_what_is_not_merged(dataset: Path) -> None:
    kept = [size_of("broken.jpg", None), size_of("left the set.jpg", (5, 6))]
    path = keep(dataset, size_of("a.jpg", (1, 2)), *kept, size_of("caf\udce9.jpg", (3, 4)))
    size_journal(dataset).settle({"a.jpg", "broken.jpg"})

    sizes = size_journal(dataset)
    assert [json.loads(line)["rel_path"] for line in path.read_bytes().splitlines()] == [
        "broken.jpg",
        "left the set.jpg",
        "caf\ufffd.jpg",
    ]
    assert sizes.failed("broken.jpg")
    assert sizes.read("left the set.jpg") == kept[1]


def test_settling_keeps_embeddings_that_nobody_asked_for(dataset: Path) -> None:
    keep(dataset, feature_of("a.jpg", [0.5]), feature_of("b.jpg", None))
    feature_journal(dataset, merges_embeddings=False).settle({"a.jpg", "b.jpg"})

    features = feature_journal(dataset)
    assert features.read("a.jpg") == feature_of("a.jpg", [0.5])
    assert not features.made("b.jpg")


def test_nothing_is_left_behind_when_all_is_merged(tmp_path: Path, dataset: Path) -> None:
    keep(dataset, size_of("a.jpg", (1, 2)))
    side = SideJournals(dataset)
    lock = side.lock()
    size_journal(dataset).settle({"a.jpg"})
    feature_journal(dataset).settle(set())
    side.leave(lock)

    assert list(tmp_path.iterdir()) == []


def test_what_waits_stays_when_the_lock_goes(dataset: Path) -> None:
    path = keep(dataset, size_of("a.jpg", (1, 2)))
    side = SideJournals(dataset)
    side.leave(side.lock())

    assert list(side.directory.iterdir()) == [path]
    assert path.read_bytes()


def test_one_enrichment_at_a_time(dataset: Path) -> None:
    side = SideJournals(dataset)
    lock = side.lock()
    with pytest.raises(JournalLocked, match=rf"process {os.getpid()} .*pcc dataset enrich"):
        SideJournals(dataset).lock()

    side.leave(lock)
    second = SideJournals(dataset).lock()
    side.leave(second)


def test_what_waits_is_for_its_owner_alone(dataset: Path) -> None:
    side = SideJournals(dataset)
    lock = side.lock()

    assert side.directory.stat().st_mode & 0o077 == 0
    side.leave(lock)


def captioning(tmp_path: Path, images: Path) -> EnrichRequest:
    """Return the wish for captions of all images."""
    (tmp_path / "workspace").mkdir(exist_ok=True)
    return request_for(tmp_path / "d.jsonl", images, "caption", workspace=tmp_path / "workspace")


def enriched(request: EnrichRequest, signals: int) -> JobResult[EnrichReport]:
    """Enrich, and send so many signals once there are some captions."""

    async def watch(snapshot: Callable[[], Snapshot]) -> None:
        while snapshot().attempted < 5:
            await asyncio.sleep(0.001)
        for _ in range(signals):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0)

    prepared = prepare_enrichment(request)
    try:
        return asyncio.run(Enrichment(prepared).run(watch))
    finally:
        prepared.release()


def captions_of(request: EnrichRequest) -> set[str]:
    """Return the images with a caption, in the dataset or on the way there."""
    in_dataset = read_dataset(request.dataset) if request.dataset.exists() else []
    waiting = caption_journal(request.dataset)
    paths = {f"IMG_{number:05d}.jpg" for number in range(400)}
    made = {each["image_path"] for each in in_dataset if each.get("caption")}
    return made | {path for path in paths if waiting.made(path)}


@pytest.mark.parametrize("signals", [1, 2])
def test_captions_that_were_paid_for_outlive_a_stop_and_an_abort(
    tmp_path: Path, photos: Callable[..., Path], signals: int
) -> None:
    request = captioning(tmp_path, photos(300))
    outcome = enriched(request, signals)

    assert outcome.ending is Ending.STOPPED
    paid = outcome.report.made["caption"]
    assert 5 <= paid < 300
    assert len(captions_of(request)) >= paid

    assert enriched(request, 0).ending is Ending.DONE
    assert len(captions_of(request)) == 300
    assert not SideJournals(request.dataset).directory.exists()


def test_captions_outlive_a_merge_that_was_given_up(
    tmp_path: Path, photos: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_up(merge: Merge) -> Merged:
        raise GivenUp

    request = captioning(tmp_path, photos(8))
    with monkeypatch.context() as patched:
        patched.setattr(Merge, "run", give_up)
        assert enriched(request, 0).ending is Ending.STOPPED
    assert not request.dataset.exists()
    assert len(captions_of(request)) == 8

    second = prepare_enrichment(request)
    second.release()
    assert not second.results.has_work()


def test_kinds_have_journals_of_their_own(dataset: Path) -> None:
    paths = {
        size_journal(dataset).path,
        *(feature_journal(dataset, anew=anew).path for anew in (False, True)),
        *(caption_journal(dataset, anew=anew).path for anew in (False, True)),
    }
    assert len(paths) == 5
    assert {path.parent for path in paths} == {dataset.with_name("d.jsonl.enriching")}
    assert feature_journal(dataset, anew=True).kind is FeatureRecord


@pytest.mark.parametrize("later", ["patches alone", "a failure"])
def test_an_embedding_counts_until_it_is_merged_whatever_came_after_it(
    dataset: Path, later: str
) -> None:
    failed = FeatureRecord(
        rel_path="a.jpg", status="error_model", at="2030-01-01T00:00:00Z", model="tiny-16"
    )
    keep(dataset, feature_of("a.jpg", [0.5]))
    keep(dataset, feature_of("a.jpg", None) if later == "patches alone" else failed)
    features = feature_journal(dataset, merges_embeddings=False)
    assert features.embedding("a.jpg") == [0.5]

    features.settle({"a.jpg"})
    again = feature_journal(dataset)
    assert again.embedding("a.jpg") == [0.5]

    again.settle({"a.jpg"})
    assert not feature_journal(dataset).has_embedding("a.jpg")


def test_an_embedding_of_another_model_is_kept_for_whoever_asks_for_it(dataset: Path) -> None:
    keep(dataset, feature_of("a.jpg", [0.5]))
    feature_journal(dataset, "another").settle({"a.jpg"})

    assert feature_journal(dataset).embedding("a.jpg") == [0.5]


def test_where_nothing_is_merged_settling_writes_nothing(dataset: Path) -> None:
    path = keep(dataset, size_of("a.jpg", None), size_of("b.jpg", (1, 2)))
    before = path.stat()
    size_journal(dataset).settle(set())

    after = path.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("error", ["TimeoutError: too long", "ValueError: needs its plug-in: x"])
def test_what_is_not_the_files_fault_is_tried_again(
    tmp_path: Path, dataset: Path, error: str
) -> None:
    keep(dataset, msgspec.structs.replace(size_of("a.jpg", None), error=error))
    assert not size_journal(dataset).gave_up("a.jpg", photo(tmp_path, LONG_AGO))
