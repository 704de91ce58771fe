"""Making shards of a dataset, from what a user asked for to a complete index."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from pipeline.datasets.errors import MixedPatches
from pipeline.datasets.records import Fingerprint, fingerprint
from pipeline.datasets.shards.directory import look_at, take_over
from pipeline.datasets.shards.index import (
    Format,
    Patches,
    ShardIndex,
    ShardOptions,
    source_of,
)
from pipeline.datasets.shards.patches import PatchSource
from pipeline.datasets.shards.report import ShardReport
from pipeline.datasets.shards.samples import LiveRecords, read_live_records
from pipeline.datasets.shards.step import NAMED, ShardStep
from pipeline.datasets.shards.writer import ShardWriter
from pipeline.jobs.progress import Progress
from pipeline.jobs.run_file import new_run_id
from pipeline.jobs.run_job import JobFrame, JobResult, Watcher, run_job
from pipeline.jobs.step import Ending
from pipeline.photos.errors import PhotosDirMissing
from pipeline.photos.walk import is_empty_or_gone

STAGE = "shards"


class ShardRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked for.

    Attributes:
        workspace: Directory of the log and the control socket.
        dataset: The JSONL file.
        input_dir: Directory of the images; only ever read.
        out: Directory for the shards.
        patches_dir: Directory of the patch files, None to leave them out.
        format: Format of the shards.
        shard_size: Bytes of a shard at most, unless a single sample is larger.
        keep_metadata: Whether images stay the files they are.
        decoders: Number of processes that decode.
    """

    workspace: Path
    dataset: Path
    input_dir: Path
    out: Path
    patches_dir: Path | None = None
    format: Format = "webdataset"
    shard_size: int = 1_000_000_000
    keep_metadata: bool = False
    decoders: int = 1


class PreparedShards(msgspec.Struct):
    """What there is to do; nothing is touched yet.

    Attributes:
        request: What was asked for.
        index: Index of what the directory holds.
        patches: The patch files, None to leave them out.
        fingerprint: Fingerprint of the dataset as it was read.
    """

    request: ShardRequest
    index: ShardIndex
    patches: PatchSource | None
    fingerprint: Fingerprint | None

    @property
    def is_done(self) -> bool:
        """Whether all shards are there."""
        return self.index.complete

    def report(self) -> ShardReport:
        """Return the report of a run that had nothing to do."""
        return _report(self.request, self.index, "nothing to do")


def prepare_shards(request: ShardRequest) -> PreparedShards:
    """Read the dataset and look at the directory.

    Raises:
        OtherShards: the directory holds shards of something else.
        MixedPatches: some patch files are still another model's.
        PhotosDirMissing: there are no images at all.
    """
    patches = None if request.patches_dir is None else PatchSource(request.patches_dir)
    manifest = patches.manifest if patches else None
    if manifest is not None and manifest.unfinished:
        raise MixedPatches(manifest.model, manifest.revision)
    if is_empty_or_gone(request.input_dir):
        raise PhotosDirMissing(request.input_dir, "it is empty")
    before = fingerprint(request.dataset)
    wanted = ShardIndex(
        format=request.format,
        source=source_of(request.dataset),
        options=ShardOptions(
            shard_size=request.shard_size,
            with_patches=patches is not None,
            keep_metadata=request.keep_metadata,
        ),
        patches=None if manifest is None else Patches.of(manifest),
    )
    return PreparedShards(request, look_at(request.out, wanted), patches, before)


async def run_shards(prepared: PreparedShards, watch: Watcher) -> JobResult[ShardReport]:
    """Make the shards that are missing.

    Raises:
        JournalLocked: another process makes shards there.
        WorkspaceBusy: another job runs in this workspace.
        OtherShards: the directory holds shards of something else, or the dataset changed.
        DiskFull: the room ran out; whole shards stay.
        PhotosDirMissing: the images are gone, all of them.
        DecoderUnavailable: no decoding process can be started.
    """
    request = prepared.request
    index, lock = take_over(request.out, prepared.index)
    try:
        if index.complete:  # another process was at work until just now
            return JobResult(Ending.DONE, None, _report(request, index, "nothing to do"))
        return await _make_shards(prepared, index, watch)
    finally:
        lock.release()


async def _make_shards(
    prepared: PreparedShards, index: ShardIndex, watch: Watcher
) -> JobResult[ShardReport]:
    request, run, began = prepared.request, new_run_id(), time.monotonic()
    before = index.samples
    live = read_live_records(request.dataset, request.input_dir, prepared.patches, index.line)
    live.fingerprint = prepared.fingerprint  # the one of the state whose digest is known
    progress = Progress(
        run=run,
        stage=STAGE,
        backend=STAGE,
        total=live.count,
        skipped={"success": before} if before else {},
    )
    step = ShardStep(
        ShardWriter(request.out, index, live, prepared.patches),
        live,
        keep_metadata=request.keep_metadata,
        decoders=request.decoders,
        progress=progress,
    )
    frame = JobFrame(
        run=run,
        stage=STAGE,
        workspace=request.workspace,
        journal=request.dataset,
        told={"dataset": str(request.dataset)},
    )

    def report(ending: Ending) -> ShardReport:
        made = _report(request, index, ending.value)
        made.run, made.made, made.warnings = run, index.samples - before, live.warnings
        made.named = _named(live) | {reason: names for reason, names in step.named.items() if names}
        made.seconds = round(time.monotonic() - began, 3)
        return made

    return await run_job(step, frame, watch, report)


def _named(live: LiveRecords) -> dict[str, list[str]]:
    """Return the lines that are no sample, the first thousand of each reason."""
    lines = {"malformed": live.malformed, "superseded": sorted(live.superseded)}
    return {
        reason: [f"line {number:,}" for number in numbers[:NAMED]]
        for reason, numbers in lines.items()
        if numbers
    }


def _report(request: ShardRequest, index: ShardIndex, ending: str) -> ShardReport:
    return ShardReport(
        ending=ending,
        directory=str(request.out),
        format=index.format,
        urls=urls_of(request.out, index),
        complete=index.complete,
        samples=index.samples,
        shards=len(index.shards),
        bytes=index.bytes,
        skipped=index.skipped,
        without_patches=index.without_patches,
    )


def urls_of(directory: Path, index: ShardIndex) -> str | None:
    """Return what a reader takes to find all shards of a directory, None without any shard."""
    if not index.shards:
        return None
    if index.format == "parquet":
        return str(directory / "shard-*.parquet")
    if len(index.shards) == 1:
        return str(directory / index.shards[0].name)
    last = f"{len(index.shards) - 1:06d}"
    return str(directory / f"shard-{{000000..{last}}}.tar")
