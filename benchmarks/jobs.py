"""Whole runs: `pcc run` as a process, against a server in another process."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pool
from pathlib import Path

from backends.base import PictureSpec
from benchmarks.journal import write_journal
from benchmarks.table import PCC, Row, best_of, run_process
from journal import CaptionRecord, scan
from pipeline.jobs.cores import decoder_count
from pipeline.photos.images import load_photo
from tests.support.api_server import ApiServer, Reply
from tests.support.photos import make_photos, noise_jpeg
from tests.support.protocols import OPENAI, Protocol

LARGE_PHOTOS = 240
NOTHING_TO_DO = 44_000


@contextmanager
def serving(protocol: Protocol, latency: float) -> Iterator[str]:
    """Run the loopback server in a separate process, and yield the URL of the server."""
    command = [sys.executable, "-m", "tests.support.api_server", "--protocol", protocol.name]
    command += ["--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}{protocol.base_path}"
        server.kill()


def load(path: Path) -> None:
    """Load one photo as the job does."""
    load_photo(path, PictureSpec(1024))


def mock_row(folder: Path) -> Row:
    """Caption 12-megapixel JPEGs with `mock`, beside loading them on all cores."""
    root = folder / "large"
    root.mkdir()
    data = noise_jpeg(1, (4000, 3000), quality=90)
    paths = [root / f"IMG_{number:04d}.jpg" for number in range(LARGE_PHOTOS)]
    for number, path in enumerate(paths):
        path.write_bytes(data + number.to_bytes(4, "big"))  # each file differs
    with Pool(decoder_count()) as pool:
        pool.map(load, paths[:8])
        began = time.perf_counter()
        pool.map(load, paths, chunksize=1)
        alone = LARGE_PHOTOS / (time.perf_counter() - began)
    report = run_captioner(root, folder / "mock", "--backend", "mock")
    rate = float(str(report["rate"]))
    return Row(
        f"job, mock, {LARGE_PHOTOS} x 12 megapixels",
        "-",
        f"{rate:.1f}/s",
        f"{alone:.1f}/s (load alone)",
        f"{rate / alone:.0%}",
        "85 %",
    )


def run_captioner(photos: Path, workspace: Path, *arguments: str) -> dict[str, object]:
    """Run `pcc run --json`, and return the report with time and memory."""
    workspace.mkdir()
    command = [*PCC, "run", "--json", "--photos-dir", str(photos), "--workspace", str(workspace)]
    used = run_process([*command, *arguments], workspace)
    report: dict[str, object] = json.loads(used.output[used.output.index("{\n") :])
    return {**report, "used": used}


def api_row(
    folder: Path,
    protocol: Protocol,
    *,
    latency: float,
    workers: int,
    photos: Path,
    count: int,
    goal: str,
) -> Row:
    """Caption with the vendor's real SDK against a server with latency."""
    workspace = Path(tempfile.mkdtemp(dir=folder)) / "w"
    model = ["--model", "gpt-4o-mini"] if protocol is OPENAI else []
    with serving(protocol, latency) as url:
        report = run_captioner(
            *(photos, workspace, "--backend", protocol.name, "--base-url", url, *model),
            *("--max-workers", str(workers)),
        )
    used = report["used"]
    ideal = workers / latency
    rate = float(str(report["rate"]))
    cpu = used.cpu_seconds / count  # type: ignore[attr-defined]
    return Row(
        f"job, {protocol.name} of {latency:g} s, {workers} workers, {count} photos",
        "7.9/s (best peer)" if workers == 8 else "-",
        f"{rate:.1f}/s",
        f"{ideal:.0f}/s",
        f"{rate:.1f}/s ({rate / ideal:.0%}), {cpu:.3f} CPU s, {used.peak_mb:.0f} MB",  # type: ignore[attr-defined]
        goal,
    )


def peer_row(folder: Path) -> Row:
    """Measure the case of the peers: 500 photos of 1600x1200, 8 workers, 200 ms latency."""
    photos = folder / "peer"
    make_photos(photos, 500, (1600, 1200))
    goal = "36/s, 0.03 CPU s, 400 MB"
    return api_row(folder, OPENAI, latency=0.2, workers=8, photos=photos, count=500, goal=goal)


def wide_row(folder: Path, protocol: Protocol = OPENAI) -> Row:
    """Measure many workers against a slow server, with pictures of about 200 KB as sent."""
    photos = folder / "wide"
    make_photos(photos, 1500, (1024, 1024))
    return api_row(
        folder, protocol, latency=1.0, workers=64, photos=photos, count=1500, goal="95 %"
    )


def nothing_row(folder: Path) -> Row:
    """Measure a second run with nothing to do, beside `find` and a key scan of the journal."""
    root, workspace = folder / "done", folder / "nothing"
    workspace.mkdir()
    journal = workspace / "captions.jsonl"
    write_journal(journal, NOTHING_TO_DO)
    for month in range(12):
        (root / "2024" / f"{month:02d}").mkdir(parents=True)
    for number in range(NOTHING_TO_DO):
        (root / f"2024/{number % 12:02d}/IMG_{number:07d}.JPG").touch()
    scan = (
        "from pathlib import Path; from journal import load_index; "
        f"load_index(Path({str(journal)!r}))"
    )

    def bare() -> None:
        subprocess.run(["find", root], stdout=subprocess.DEVNULL, check=True)
        subprocess.run([sys.executable, "-c", scan], check=True)

    command = [*PCC, "run", "--photos-dir", str(root), "--workspace", str(workspace)]

    def ours() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    least, took = best_of(5, bare), best_of(5, ours)
    return Row(
        "second run, nothing to do, 44,000 photos",
        "-",
        f"{took:.2f} s",
        f"{least:.2f} s (find and key scan)",
        f"{took / least:.2f} of that",
        "2.0",
    )


def help_row(folder: Path) -> Row:
    """Measure `pcc --help`."""
    took = best_of(
        5, lambda: subprocess.run([*PCC, "--help"], check=True, stdout=subprocess.DEVNULL)
    )
    bare = best_of(5, lambda: subprocess.run([sys.executable, "-c", ""], check=True))
    return Row(
        "pcc --help",
        "0.38 s (best peer)",
        f"{took:.2f} s",
        f"{bare:.2f} s (python)",
        f"{took:.2f} s",
        "0.25 s",
    )


def kill_row(folder: Path) -> Row:
    """Kill a run of 500 photos half-way, run again, and count photos sent twice and photos lost."""
    photos, workspace = folder / "killed", folder / "w"
    make_photos(photos, 500, (640, 480))
    workspace.mkdir()
    with ApiServer(OPENAI, latency=0.2) as server:
        command = [*PCC, "run", "--backend", "openai", "--base-url", server.url]
        command += ["--model", "gpt-4o-mini", "--max-workers", "8", "--photos-dir", str(photos)]
        with subprocess.Popen(command, cwd=workspace, stdout=subprocess.DEVNULL) as running:
            while len(server.captions) < 250:
                time.sleep(0.01)
            running.kill()
        run_process(command, workspace)
        sent = len(server.captions)
    kept = [record for _, record in scan(workspace / "captions.jsonl", CaptionRecord)]
    lost = 500 - len({record.rel_path for record in kept if record.status == "success"})
    return Row(
        "kill -9 at 250 of 500, 8 workers, run again",
        "1 twice, 0 lost (best peer)",
        f"{sent - 500} twice, {lost} lost",
        "8 in flight",
        f"{sent - 500} twice, {lost} lost",
        "8 twice, 0 lost",
    )


def faults_row(folder: Path) -> Row:
    """Caption 200 photos with a server that fails four times in ten, then retry with a good one."""
    photos, workspace = folder / "faulty", folder / "w"
    make_photos(photos, 200, (640, 480))
    workspace.mkdir()
    choice = random.Random(3)
    faults = [
        Reply(429, headers={"retry-after": "0.1"}),
        OPENAI.error(500, "oops"),
        Reply(raw=b""),
        Reply(body="garbage"),
        OPENAI.empty(),
    ]
    with ApiServer(OPENAI, latency=0.02) as server:
        server.script = lambda request: (
            choice.choice(faults) if choice.random() < 0.4 else OPENAI.good()
        )
        command = [*PCC, "run", "--backend", "openai", "--base-url", server.url]
        command += ["--model", "gpt-4o-mini", "--photos-dir", str(photos)]
        used = run_process(command, workspace)
        requests = len(server.captions)
        kept = [record for _, record in scan(workspace / "captions.jsonl", CaptionRecord)]
        failed = sum(record.status != "success" for record in kept)
        blank = sum(record.status == "success" and not record.caption for record in kept)
        server.script = lambda request: OPENAI.good()
        run_process([*command, "--retry-status", "error_api"], workspace)
        again = len(server.captions) - requests
    return Row(
        "faults in 40 % of answers, 200 photos",
        "13 blank successes (plain script)",
        f"{requests} requests, {used.seconds:.0f} s, {failed} failed, {blank} blank",
        "-",
        f"{blank} blank, rerun sent {again} for {failed}",
        "0 blank, rerun exact",
    )
