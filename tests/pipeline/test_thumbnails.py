"""Thumbnails: upright, cached within a limit, made elsewhere, hostile files included."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from pipeline.photos.errors import CorruptImageError, DecoderUnavailable
from pipeline.photos.photo import find_file
from pipeline.photos.thumbnails import THUMBNAIL_EDGE, Thumbnails
from tests.support.photos import noise_jpeg


@asynccontextmanager
async def thumbnails(photos: Path, cache: Path, most: int = 1 << 30) -> AsyncIterator[Thumbnails]:
    made = Thumbnails(photos, cache, most)
    try:
        yield made
    finally:
        await made.close()


def kept(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file()]


async def test_a_thumbnail_is_small_upright_and_kept(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (2000, 1000), "red").save(photos / "a.jpg", exif=exif)
    async with thumbnails(photos, tmp_path / "cache") as made:
        image = await made.image(photos / "a.jpg")
        assert image.size == (THUMBNAIL_EDGE // 2, THUMBNAIL_EDGE)
        [file] = kept(tmp_path / "cache")
        assert file.stat().st_mode & 0o077 == 0
        assert not image.getexif()
    async with thumbnails(photos, tmp_path / "cache") as made:
        again = await made.image(photos / "a.jpg")
        assert again.tobytes() == image.tobytes()
        assert made._opening is None  # it came from the cache
        os.utime(photos / "a.jpg", ns=(1, 1))
        await made.image(photos / "a.jpg")
        assert made._opening is not None  # a changed photo is decoded anew


async def test_the_longest_unused_go_first(tmp_path: Path, photos: Callable[..., Path]) -> None:
    root = photos(12, (320, 240))
    cache = tmp_path / "cache"
    async with thumbnails(root, cache) as made:
        for number in range(12):
            await made.image(root / f"IMG_{number:05d}.jpg")
        size = sum(path.stat().st_size for path in kept(cache))
        for age, path in enumerate(sorted(kept(cache), key=lambda file: file.stat().st_mtime_ns)):
            os.utime(path, (age, age))
        oldest = min(kept(cache), key=lambda file: file.stat().st_mtime)
    async with thumbnails(root, cache, size // 2) as made:
        made._prune()
    left = kept(cache)
    assert 0 < sum(path.stat().st_size for path in left) <= size // 2
    assert oldest not in left


@pytest.mark.parametrize("content", [b"", b"no image", noise_jpeg(1, (64, 48))[:200]])
async def test_a_broken_photo_says_why(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    async with thumbnails(tmp_path, tmp_path / "cache") as made:
        with pytest.raises(CorruptImageError):
            await made.image(tmp_path / "a.jpg")
        with pytest.raises(CorruptImageError):
            await made.image(tmp_path / "absent.jpg")


async def test_a_damaged_thumbnail_is_made_anew(
    tmp_path: Path, photos: Callable[..., Path]
) -> None:
    root = photos(1, (320, 240))
    async with thumbnails(root, tmp_path / "cache") as made:
        image = await made.image(root / "IMG_00000.jpg")
        [file] = kept(tmp_path / "cache")
        (tmp_path / "cache" / "a stray file").write_text("x")
        for damage in (b"", b"no image", file.read_bytes()[:300]):
            file.write_bytes(damage)
            assert (await made.image(root / "IMG_00000.jpg")).tobytes() == image.tobytes()
        made._prune()


async def test_a_cache_that_cannot_be_written_is_no_error(
    tmp_path: Path, photos: Callable[..., Path]
) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    root = photos(1)
    async with thumbnails(root, tmp_path / "cache") as made:
        assert (await made.image(root / "IMG_00000.jpg")).size


async def test_what_is_no_longer_looked_at_holds_nothing_up(
    tmp_path: Path, photos: Callable[..., Path]
) -> None:
    root = photos(30, (1600, 1200))
    async with thumbnails(root, tmp_path / "cache") as made:
        paths = sorted(root.iterdir())
        passed_by = [asyncio.create_task(made.image(path)) for path in paths[:-1]]
        await asyncio.sleep(0)
        for task in passed_by:
            task.cancel()
        assert (await made.image(paths[-1])).size
        await asyncio.gather(*passed_by, return_exceptions=True)
    assert len(kept(tmp_path / "cache")) < 10


async def test_a_process_is_not_forgotten_when_who_started_it_is_gone(
    tmp_path: Path, photos: Callable[..., Path]
) -> None:
    root = photos(1)
    async with thumbnails(root, tmp_path / "cache") as made:
        first = asyncio.create_task(made.image(root / "IMG_00000.jpg"))
        while made._opening is None:
            await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        opened = made._opening
    pool = await opened
    assert not any(Path(f"/proc/{worker.process.pid}").exists() for worker in pool._workers)
    assert pool._workers


async def test_a_process_that_is_stopped_does_not_hold_up_the_end(
    tmp_path: Path, photos: Callable[..., Path]
) -> None:
    root = photos(2)
    async with asyncio.timeout(60), thumbnails(root, tmp_path / "cache") as made:
        await made.image(root / "IMG_00000.jpg")
        assert made._opening is not None
        os.kill((await made._opening)._workers[0].process.pid, signal.SIGSTOP)
        under_way = asyncio.create_task(made.image(root / "IMG_00001.jpg"))
        while not made._turn.locked():
            await asyncio.sleep(0.01)
    with pytest.raises(DecoderUnavailable):
        await asyncio.wait_for(under_way, 60)


def test_a_record_cannot_name_a_file_outside(tmp_path: Path) -> None:
    for name in ("../a.jpg", "/etc/passwd", "a/../../b.jpg", "a\0b"):
        with pytest.raises(ValueError, match="outside"):
            find_file(tmp_path, name, None)
