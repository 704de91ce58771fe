"""`chunks.jsonl`, the output of `pcc chunk`: the chosen size, then a line for each chunk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from journal import MAX_LINE_BYTES, UNREADABLE, atomic_rewrite, open_lines
from pipeline.clusters.chunks import CHUNK_SIZE
from pipeline.clusters.moments import dated
from pipeline.clusters.view import ClusterView, chunk_id


class ChunkHead(msgspec.Struct):
    """The first line of the file.

    Attributes:
        chunk_size: Most photos in a chunk.
        chunks: Number of lines that follow.
    """

    chunk_size: int
    chunks: int


class Chunk(msgspec.Struct, kw_only=True):
    """One event of one cluster.

    Attributes:
        chunk: Id of the chunk.
        cluster_id: Id of the cluster.
        cluster: Path of titles to the cluster, joined by ` / `.
        first: When the first photo was taken, ISO 8601; None if no photo is dated.
        last: When the last photo was taken, ISO 8601; None if no photo is dated.
        photos: Relative paths of the photos, in order.
    """

    chunk: str
    cluster_id: str
    cluster: str
    first: str | None
    last: str | None
    photos: list[str]


def chunks_path(workspace: Path) -> Path:
    """Return the path of the chunks of a workspace."""
    return workspace / "chunks.jsonl"


def chosen_chunk_size(workspace: Path) -> int:
    """Return the chunk size that was chosen last, or the default."""
    try:
        with open_lines(chunks_path(workspace)) as file:
            head = msgspec.json.decode(file.readline(MAX_LINE_BYTES), type=ChunkHead)
        return max(1, head.chunk_size)
    except (OSError, *UNREADABLE):
        return CHUNK_SIZE


def chunks_of(view: ClusterView) -> Iterator[Chunk]:
    """Yield the chunks of a library, in the order of display."""
    for leaf in view.leaves():
        for number in range(len(leaf.chunks)):
            photos = [view.photos[place] for place in leaf.chunk(number)]
            days = sorted(filter(None, map(dated, photos)))
            yield Chunk(
                chunk=chunk_id(leaf.id, number),
                cluster_id=leaf.id,
                cluster=" / ".join(view.path(leaf.id)),
                first=days[0] if days else None,
                last=days[-1] if days else None,
                photos=[photo.rel_path for photo in photos],
            )


def write_chunks(workspace: Path, view: ClusterView, size: int) -> int:
    """Write the chunks of a library; return how many there are.

    Raises:
        DiskFull: there is no room; the previous file is kept.
    """
    encode = msgspec.json.Encoder().encode
    lines = [encode(chunk) + b"\n" for chunk in chunks_of(view)]
    head = encode(ChunkHead(size, len(lines))) + b"\n"
    with atomic_rewrite(chunks_path(workspace), needed=len(head) + sum(map(len, lines))) as file:
        file.write(head)
        file.writelines(lines)
    return len(lines)
