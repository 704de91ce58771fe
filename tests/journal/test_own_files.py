"""Whatever stands at a path, nothing of somebody else's is written over, and nothing hangs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from journal import (
    CAPTIONS,
    CaptionRecord,
    ForbiddenPlace,
    JournalLost,
    JournalWriter,
    NotOurs,
    TooLarge,
    WriterLock,
    atomic_rewrite,
    clear_leftovers,
    data_kind,
    make_directory,
    make_own_copy,
    move,
    open_database,
    open_own,
    open_regular,
    own_files,
    protect,
    read_whole,
    remove,
    scan,
    seal,
)
from journal.file_kinds import DATABASE
from tests.support.programs import as_root_of_its_own

PICTURE = b"\xff\xd8\xff\xe0 a photo\n{"
LINE = b'{"rel_path":"a.jpg","caption":"c","status":"success"}'


@pytest.fixture(autouse=True)
def nothing_protected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no directory protected for other tests."""
    monkeypatch.setattr(own_files, "_protected", {})
    monkeypatch.setattr(own_files, "_found_outside", set())


def _append(path: Path) -> None:
    os.close(open_own(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND))


def _rewrite(path: Path) -> None:
    with atomic_rewrite(path) as file:
        file.write(b"new")


def _lock(path: Path) -> None:
    WriterLock(path, "a test", CAPTIONS).release()


def _database(path: Path) -> None:
    open_database(path, DATABASE).close()


WRITERS = [_append, _rewrite, _lock, _database]


@pytest.mark.parametrize("write", WRITERS)
def test_no_link_is_written_through(tmp_path: Path, write: Callable[[Path], None]) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(LINE + b"\n")
    link.symlink_to(target)

    with pytest.raises(NotOurs, match="is a link"):
        write(link)
    assert target.read_bytes() == LINE + b"\n"
    assert link.is_symlink()


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("stands", ["FIFO", "directory", "dangling link"])
def test_nothing_but_a_regular_file_is_opened(
    tmp_path: Path, write: Callable[[Path], None], stands: str
) -> None:
    path = tmp_path / "it"
    if stands == "FIFO":
        os.mkfifo(path)
    elif stands == "directory":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(NotOurs, match=f"{path} is a {stands.removeprefix('dangling ')}"):
        write(path)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("write", [_lock, _database])
def test_a_file_of_another_kind_stays(tmp_path: Path, write: Callable[[Path], None]) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(PICTURE)

    with pytest.raises(NotOurs, match=r"photo\.jpg is not"):
        write(photo)
    assert photo.read_bytes() == PICTURE


def test_a_second_name_of_a_file_is_not_written_through(tmp_path: Path) -> None:
    photo, log = tmp_path / "photo.jpg", tmp_path / "caption.log"
    photo.write_bytes(PICTURE)
    os.link(photo, log)

    with pytest.raises(NotOurs, match="hard link"):
        _append(log)
    make_own_copy(log)
    _append(log)
    _rewrite(log)
    assert photo.read_bytes() == PICTURE
    assert photo.stat().st_nlink == 1


def test_a_lock_note_that_is_a_link_is_replaced(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(PICTURE)
    (tmp_path / "j.lock").symlink_to(photo)

    _lock(tmp_path / "j")
    assert photo.read_bytes() == PICTURE


@pytest.mark.parametrize("write", [*WRITERS, make_directory])
@pytest.mark.parametrize("name", ["new", "deep/down", "../photos/new", "link/new", "link/../new"])
def test_nothing_is_written_inside_a_protected_directory(
    tmp_path: Path, write: Callable[[Path], None], name: str
) -> None:
    photos = tmp_path / "photos"
    (photos / "deep").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(photos / "deep")
    path = tmp_path / name if name.startswith("link") else photos / name
    before = sorted(photos.rglob("*"))
    protect(photos)

    with pytest.raises(ForbiddenPlace, match="inside the photos directory"):
        write(path)
    assert sorted(photos.rglob("*")) == before
    write(tmp_path / "elsewhere" / "new")


def test_a_mount_of_the_photos_elsewhere_is_the_photos(tmp_path: Path) -> None:
    for name in ("photos", "mounted"):
        (tmp_path / name).mkdir()
    write = (
        "import sys; from pathlib import Path; from journal import protect, remove\n"
        "protect(Path(sys.argv[1])); remove(Path(sys.argv[2]))"
    )
    script = f"mount --bind photos mounted; exec {sys.executable} -c '{write}' photos mounted/new"
    told = subprocess.run(
        as_root_of_its_own(script), cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert "ForbiddenPlace: mounted/new is inside the photos directory photos" in told.stderr


def test_nothing_is_removed_or_moved_inside_a_protected_directory(tmp_path: Path) -> None:
    photo, other = tmp_path / "photos/a.jpg", tmp_path / "other"
    photo.parent.mkdir()
    photo.touch()
    other.touch()
    protect(photo.parent)

    for act in (lambda: remove(photo), lambda: move(photo, other), lambda: move(other, photo)):
        with pytest.raises(ForbiddenPlace):
            act()  # type: ignore[no-untyped-call]
    assert photo.exists()
    assert other.exists()


def test_no_directory_is_made_behind_a_link_of_a_workspace(tmp_path: Path) -> None:
    elsewhere, workspace = tmp_path / "elsewhere", tmp_path / "workspace"
    elsewhere.mkdir()
    workspace.mkdir()
    (workspace / "embeddings").symlink_to(elsewhere)

    with pytest.raises(NotOurs, match="embeddings is a link"):
        make_directory(workspace / "embeddings/minilm", below=workspace)
    assert not any(elsewhere.iterdir())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        LINE[:20],
        LINE[:20] + b" <torn>\n",
        b"\0" * 512,
        b"\xef\xbb\xbf" + LINE + b"\r\n",
        b"not a record\n" + LINE + b"\n",
        b'{"rel_path":1}\n\xff\xfe\n' + LINE,
    ],
)
def test_a_journal_with_what_a_crash_leaves_is_a_journal(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(content)

    WriterLock(path, "a test", CAPTIONS).release()


@pytest.mark.parametrize(
    "content", [PICTURE, b"\0\0\0\x20ftypheic", b"some text\n", b'{"name": "x"}\n', b"[]\n"]
)
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(content)

    with pytest.raises(NotOurs, match="is not a captions journal"):
        WriterLock(path, "a test", CAPTIONS)
    assert path.read_bytes() == content


def test_a_file_is_replaced_only_by_its_like(tmp_path: Path) -> None:
    path, kind = tmp_path / "table.csv", data_kind("a table", b"rel_path,")
    path.write_bytes(PICTURE)

    with (
        pytest.raises(NotOurs, match=r"table\.csv is not a table"),
        atomic_rewrite(path, kind=kind),
    ):
        pass
    assert path.read_bytes() == PICTURE
    path.write_bytes(b"rel_path,caption\n")
    with atomic_rewrite(path, kind=kind) as file:
        file.write(b"rel_path,other\n")
    assert path.read_bytes() == b"rel_path,other\n"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_foreign_file_is_regular_and_bounded(tmp_path: Path, device: str) -> None:
    fifo, large = tmp_path / "fifo", tmp_path / "large"
    os.mkfifo(fifo)
    with large.open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(NotOurs, match="is a FIFO"):
        open_regular(fifo)
    with pytest.raises(NotOurs, match="is a device"):
        read_whole(Path(device))
    with pytest.raises(TooLarge, match="large has more than 1,000 bytes"):
        read_whole(large, 1000)


# What other programs do to a journal that is being written


def _writer(path: Path) -> JournalWriter[CaptionRecord]:
    return JournalWriter(WriterLock(path, "a test", CAPTIONS))


def _record(name: str) -> CaptionRecord:
    return CaptionRecord(rel_path=name, caption="c", status="success")


@pytest.mark.parametrize("foreign", [b"half a line", LINE[:-5], LINE, b"\n\n"])
def test_a_record_starts_on_a_line_of_its_own_behind_what_others_append(
    tmp_path: Path, foreign: bytes
) -> None:
    path = tmp_path / "j"
    writer = _writer(path)
    writer.append(_record("before.jpg"))
    writer.flush()
    with path.open("ab") as file:
        file.write(foreign)
    writer.append(_record("behind.jpg"))
    writer.close()

    names = [record.rel_path for _, record in scan(path, CaptionRecord)]
    assert [name for name in names if name != "a.jpg"] == ["before.jpg", "behind.jpg"]
    assert foreign in path.read_bytes()


def _empty(path: Path) -> None:
    os.truncate(path, 0)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 10)


def _refill(path: Path) -> None:
    other = seal(b'{"rel_path":"other.jpg","caption":"c","status":"success"}')
    path.write_bytes(other * 10)  # the same file, longer than before


@pytest.mark.parametrize("harm", [_empty, _cut, _refill])
@pytest.mark.parametrize("goes_on", [True, False])
def test_a_journal_that_lost_what_was_written_is_lost(
    tmp_path: Path, harm: Callable[[Path], None], goes_on: bool
) -> None:
    path = tmp_path / "j"
    writer = _writer(path)
    writer.append(_record("before.jpg"))
    writer.flush()
    harm(path)
    if goes_on:
        writer.append(_record("behind.jpg"))

    with pytest.raises(JournalLost, match="cut short or changed"):
        writer.close()


# What a kill leaves behind

WRITE_FOR_EVER = """
import sys, time
from pathlib import Path
from journal import atomic_rewrite
with atomic_rewrite(Path(sys.argv[1])) as file:
    print("writing", flush=True)
    time.sleep(60)
"""


def test_a_leftover_goes_when_its_process_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "captions.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_FOR_EVER, path], stdout=subprocess.PIPE
    ) as writing:
        assert writing.stdout is not None
        writing.stdout.readline()
        clear_leftovers(tmp_path)
        assert len([*tmp_path.iterdir()]) == 1
        writing.kill()

    clear_leftovers(tmp_path)
    assert [*tmp_path.iterdir()] == []
