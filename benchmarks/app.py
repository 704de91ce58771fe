"""The app in tmux: time to the first paint, time from key to screen, and memory."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from benchmarks.journal import record, write_journal
from benchmarks.table import PCC, Row, tree_mb
from journal import utc_now
from pipeline.clusters.tree_file import (
    Clustering,
    ClusteringHead,
    Node,
    Placed,
    clusters_path,
    write_clustering,
)
from tests.support.photos import make_photos, noise_jpeg
from tests.support.terminal import Terminal, terminal

PRESSES = 120
MILLION = 1_000_000
TREE_PHOTOS, TREE_GROUPS, TREE_LEAVES = 44_400, 60, 10  # with equal numbers of photos


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of the app, with separate preferences and cache."""
    own = {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_CACHE_HOME": str(folder / "cache")}
    return {**os.environ, **own}


@contextmanager
def opened(
    workspace: Path, photos: Path, *, size: tuple[int, int] = (120, 40)
) -> Iterator[Terminal]:
    """Open the app on a workspace in a separate terminal."""
    command = [*PCC, "--workspace", str(workspace), "--photos-dir", str(photos)]
    with terminal(command, workspace, environment(workspace), size) as window:
        yield window


class Listener:
    """A client of tmux in control mode, which sends keys and receives output at once."""

    def __init__(self, window: Terminal) -> None:
        self._client = subprocess.Popen(
            ["tmux", "-L", window.socket, "-C", "attach"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        self._commands: IO[bytes] = self._client.stdin
        self._events: IO[bytes] = self._client.stdout

    def milliseconds(self, key: str, shows: bytes) -> float:
        """Press a key, and return the milliseconds until a text has been drawn."""
        began = time.perf_counter()
        self._commands.write(f"send-keys {key}\n".encode())
        self._commands.flush()
        self.read_until(shows)
        return (time.perf_counter() - began) * 1000

    def read_until(self, shows: bytes) -> None:
        """Read the drawn output until a text appears."""
        drawn = b""
        while shows not in drawn:
            line = self._events.readline()
            if not line:
                raise RuntimeError("tmux is gone")
            if line.startswith(b"%output"):
                drawn = drawn[-200:] + line.split(b" ", 2)[2]

    def close(self) -> None:
        """Disconnect from tmux."""
        self._client.kill()
        self._client.wait()


def key_to_screen(
    window: Terminal, presses: int = PRESSES, rest: float = 0.03
) -> tuple[float, float]:
    """Walk down the list of Review; return median and 99th percentile in milliseconds.

    Args:
        window: The terminal with the app.
        presses: Number of keys.
        rest: Seconds on each row before the next key.
    """
    first = position(window)
    listener = Listener(window)
    time.sleep(0.3)  # a new client makes tmux draw everything
    times = []
    try:
        for row in range(first + 1, first + 1 + presses):
            times.append(listener.milliseconds("j", f"{row:,} of ".encode()))
            time.sleep(rest + (row * 7 % 13) / 1000)  # never in step with a timer
    finally:
        listener.close()
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def position(window: Terminal) -> int:
    """Return the row of the cursor in the list."""
    found = re.search(r"^\s*([\d,]+) of ", window.screen(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"no position on the screen:\n{window.screen()}")
    return int(found[1].replace(",", ""))


def fill_journal(workspace: Path, count: int) -> None:
    """Write a journal of `count` captions."""
    workspace.mkdir(parents=True, exist_ok=True)
    write_journal(workspace / "captions.jsonl", count)


def latency_row(work: str, times: tuple[float, float], goal: str) -> Row:
    """Return a row of the table for median and 99th percentile."""
    figure = f"{times[0]:.0f} ms, p99 {times[1]:.0f} ms"
    return Row(work, "15 ms, worst 27 (harlequin, idle)", figure, "-", figure, goal)


def paint_row(folder: Path) -> Row:
    """Start the app, and wait for the first screen."""
    photos = folder / "photos"
    make_photos(photos, 20)
    times = []
    for number in range(5):
        workspace = folder / f"w{number}"
        workspace.mkdir()
        began = time.perf_counter()
        with opened(workspace, photos) as window:
            window.wait_for("1 Library")
            times.append(time.perf_counter() - began)
    best = min(times)
    return Row(
        "app, start to first paint",
        "0.72 s (harlequin)",
        f"{best:.2f} s",
        "-",
        f"{best:.2f} s",
        "0.6 s",
    )


def idle_row(folder: Path) -> Row:
    """Press keys in an idle app."""
    photos, workspace = folder / "photos", folder / "w"
    photos.mkdir()
    fill_journal(workspace, 5000)
    with opened(workspace, photos) as window:
        window.wait_for("1 Library")
        window.press("4")
        window.wait_for("of 5,000")
        time.sleep(1)
        return latency_row("app, key to screen, idle", key_to_screen(window), "15 ms")


def busy_row(folder: Path) -> Row:
    """Press keys while `mock` runs at full speed on small photos."""
    photos, workspace = folder / "photos", folder / "w"
    workspace.mkdir()
    make_photos(photos, 400)
    data = noise_jpeg(1, (64, 48))
    for number in range(60_000):
        (photos / f"X{number:06d}.jpg").write_bytes(data + number.to_bytes(4, "big"))
    command = [
        *PCC,
        "run",
        "--backend",
        "mock",
        "--workspace",
        str(workspace),
        "--photos-dir",
        str(photos),
    ]
    with (
        subprocess.Popen(command, stdout=subprocess.DEVNULL) as job,
        opened(workspace, photos) as window,
    ):
        window.wait_for("1 Library")
        window.press("4")
        window.wait_for("1 of ")
        time.sleep(1)
        times = key_to_screen(window)
        rate = re.search(r"([\d.]+)/s", window.screen())
        if job.poll() is not None:
            raise RuntimeError("the job was over too soon")
        job.terminate()
    shown = rate[1] if rate else "?"
    return latency_row(f"app, key to screen, job at {shown}/s", times, "30 ms, p99 100 ms")


def million_row(folder: Path) -> Row:
    """Press keys while 1,000,000 records load."""
    photos, workspace = folder / "photos", folder / "w"
    photos.mkdir()
    fill_journal(workspace, MILLION)
    with opened(workspace, photos) as window:
        window.wait_for("1 Library")
        began = time.perf_counter()
        window.press("4")
        window.wait_for(" of ", "✓")
        usable = time.perf_counter() - began
        loading = key_to_screen(window, 40)
        window.wait_for(f"of {MILLION:,}", seconds=60)
        filled = time.perf_counter() - began
        window.press("G")
        window.wait_for(f"{MILLION:,} of {MILLION:,}")
        memory = tree_mb(window.pid())
    row = latency_row("app, key to screen, 1,000,000 records loading", loading, "30 ms, p99 100 ms")
    row.ours = f"usable {usable:.2f} s, all {filled:.1f} s, {memory:.0f} MB"
    return row


def pictures_row(folder: Path) -> Row:
    """Press keys slowly enough that each picture of 12 megapixels is decoded and drawn."""
    photos, workspace = folder / "photos", folder / "w"
    photos.mkdir()
    workspace.mkdir()
    data = noise_jpeg(1, (4000, 3000), quality=90)
    lines = []
    for number in range(PRESSES * 2):
        (photos / f"IMG_{number:04d}.jpg").write_bytes(data + number.to_bytes(4, "big"))
        lines.append(f'{{"rel_path":"IMG_{number:04d}.jpg","caption":"c","status":"success"}}\n')
    (workspace / "captions.jsonl").write_text("".join(lines))
    with opened(workspace, photos) as window:
        window.wait_for("1 Library")
        window.press("4")
        window.wait_for(f"of {PRESSES * 2}", "▀")
        times = key_to_screen(window, rest=0.25)
    return latency_row("app, key to screen, 12 megapixels a row", times, "30 ms, p99 100 ms")


def clusters_row(folder: Path) -> Row:
    """Walk down the tree of 44,000 photos in 600 clusters, open branches and search."""
    photos, workspace = folder / "photos", folder / "w"
    photos.mkdir()
    fill_journal(workspace, TREE_PHOTOS)
    titles = _plant_tree(workspace)
    with opened(workspace, photos) as window:
        window.wait_for("1 Library")
        began = time.perf_counter()
        window.press("5")
        window.wait_for("▸", titles[0])
        usable = time.perf_counter() - began
        times = _down_the_tree(window, titles)
        memory = tree_mb(window.pid())
    row = latency_row("app, key to screen, tree of 44,400 photos", times, "30 ms, p99 100 ms")
    row.ours = f"usable {usable:.2f} s, {memory:.0f} MB"
    return row


def _plant_tree(workspace: Path) -> list[str]:
    """Write the clusters of a journal; return the titles of its groups from the top down."""
    nodes, placed = [], []
    for group in range(TREE_GROUPS):
        nodes.append(_node(f"g{group:03d}", None, f"group {group:03d} of many", leaf=False))
        nodes += [
            _node(f"c{group:03d}{leaf}", f"g{group:03d}", f"cluster {group}.{leaf}")
            for leaf in range(TREE_LEAVES)
        ]
    leaves = [node.id for node in nodes if node.leaf]
    for number in range(TREE_PHOTOS):
        leaf_id = leaves[number * len(leaves) // TREE_PHOTOS]
        placed.append(
            Placed(rel_path=record(number).rel_path, cluster=leaf_id, distance=0.3, x=0.0, y=0.0)
        )
    head = ClusteringHead(
        at=utc_now(),
        embedder="tfidf",
        model="tfidf-svd",
        seed=0,
        min_cluster_size=50,
        min_samples=20,
        assign_noise=False,
        fitted=TREE_PHOTOS,
        input="",
        nodes=len(nodes),
        photos=len(placed),
    )
    write_clustering(clusters_path(workspace), Clustering(head, nodes, placed))
    return [f"group {group:03d}" for group in range(TREE_GROUPS)]


def _node(id_: str, parent: str | None, title: str, *, leaf: bool = True) -> Node:
    return Node(id=id_, parent=parent, title=title, keywords=["a"], cohesion=0.7, leaf=leaf)


def _down_the_tree(window: Terminal, titles: list[str]) -> tuple[float, float]:
    """Walk down the groups; return median and 99th percentile in milliseconds."""
    listener = Listener(window)
    times = []
    try:
        listener.read_until(b"Quit")  # a new client makes tmux draw everything
        time.sleep(0.3)
        for number, title in enumerate(titles[1:], 1):
            times.append(listener.milliseconds("j", title.encode()))
            time.sleep(0.03 + (number * 7 % 13) / 1000)
    finally:
        listener.close()
    return statistics.median(times), statistics.quantiles(times, n=100)[98]
