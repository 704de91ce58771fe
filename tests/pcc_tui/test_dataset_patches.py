"""Patch files spoilt, of another model, made anew and interrupted; ids that do harm."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backends.encoders.dino import DinoEncoder
from backends.errors import BackendLost
from journal import DiskFull
from pipeline.datasets.patch_files import PatchFiles
from tests.conftest import CLEAN_ENVIRONMENT, PCC
from tests.support.enriching import (
    CONFIG,
    ENRICH,
    read_dataset,
    record,
    run_here,
    save_patches,
    tree,
    wait_until,
    write_dataset,
)
from tests.support.enriching_models import (
    KINDS,
    OTHER,
    V3,
    WIDTH,
    Model,
    arrays,
    files,
    flags,
    ok,
)
from tests.support.photos import noise_jpeg
from tests.support.pty_app import pty_app

pytestmark = pytest.mark.usefixtures("offline")


def test_spoilt_patch_files_are_mended_and_the_old_ones_kept(
    workspace: Path, few: Path, patches: Path, model: Model, tmp_path: Path
) -> None:
    dataset = workspace / "dataset.jsonl"
    ok(workspace, *ENRICH, few, *flags(model(V3)))
    data, whole, inodes = dataset.read_bytes(), arrays(patches), files(patches)
    save_patches(patches / "0.npy", (196, 1024))
    (patches / "1.npy").write_bytes((patches / "1.npy").read_bytes()[:-2])
    save_patches(patches / "2.npy", (3696, WIDTH), fill=float("nan"))
    spoilt = {name: (patches / name).read_bytes() for name in ("0.npy", "1.npy", "2.npy")}
    report = ok(workspace, *ENRICH, few, *flags(model(V3), "patches", "--backup", tmp_path / "old"))
    assert report["made"]["patches"] == 2
    discarded = run_here(workspace, "dataset", "verify", "--discard", tmp_path / "old", "--json")
    assert json.loads(discarded.stdout)["discarded"] == 1
    assert ok(workspace, *ENRICH, few, *flags(model(V3), "patches"))["made"]["patches"] == 1

    assert {path.name: path.read_bytes() for path in (tmp_path / "old").iterdir()} == spoilt
    assert all(np.array_equal(array, whole[name]) for name, array in arrays(patches).items())
    assert files(patches)["3.npy"] == inodes["3.npy"]
    assert dataset.read_bytes() == data  # no embedding was touched


def test_another_model_is_refused_where_shapes_do_not_tell_and_replaces_where_they_do(
    workspace: Path, few: Path, patches: Path, model: Model
) -> None:
    ok(workspace, *ENRICH, few, *flags(model(V3), "patches"))
    first = arrays(patches)
    (patches / "0.npy").unlink()
    refused = run_here(workspace, *ENRICH, few, *flags(model(OTHER), "patches"))
    assert refused.returncode == 1
    assert "--redo patches" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert len(files(patches)) == 3
    ok(workspace, *ENRICH, few, *flags(model(OTHER), "patches", "--redo", "patches"))
    second = arrays(patches)
    assert not any(np.array_equal(first[name], second[name]) for name in first)
    report = ok(workspace, *ENRICH, few, *flags(model(KINDS[1]), "patches"))
    assert report["made"]["patches"] == 4
    assert {array.shape for array in arrays(patches).values()} == {(4800, WIDTH)}


class FullAfter:
    """Writes patch files until the disk is full."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.write = PatchFiles.write

    def __call__(self, files: PatchFiles, image_id: str, array: NDArray[np.float16]) -> None:
        if self.left == 0:
            raise DiskFull(files.directory, array.nbytes, 0)
        self.left -= 1
        self.write(files, image_id, array)


def stop_after(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let the disk be full after so many patch files."""
    full = FullAfter(count)
    monkeypatch.setattr(
        PatchFiles, "write", lambda files, image_id, array: full(files, image_id, array)
    )


def test_patches_made_anew_by_one_model_are_not_taken_for_those_of_another(
    workspace: Path, few: Path, patches: Path, model: Model
) -> None:
    ok(workspace, *ENRICH, few, *flags(model(OTHER), "patches"))
    wanted = arrays(patches)
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 2)
        redo = flags(model(V3), "patches", "--redo", "patches")
        assert run_here(workspace, *ENRICH, few, *redo).returncode == 1
    ok(workspace, *ENRICH, few, *flags(model(OTHER), "patches", "--redo", "patches"))
    assert all(np.array_equal(array, wanted[name]) for name, array in arrays(patches).items())


def test_a_redo_with_another_model_that_stopped_half_way_leaves_no_mixture(
    workspace: Path, few: Path, patches: Path, model: Model
) -> None:
    """The plain command that follows either refuses, or ends with files of one model."""
    ok(workspace, *ENRICH, few, *flags(model(V3), "patches"))
    first = arrays(patches)
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 2)
        redo = flags(model(OTHER), "patches", "--redo", "patches")
        assert run_here(workspace, *ENRICH, few, *redo).returncode == 1
    done = run_here(workspace, *ENRICH, few, *flags(model(OTHER), "patches"))
    same = [np.array_equal(array, first[name]) for name, array in arrays(patches).items()]
    assert done.returncode == 1 or not any(same)


def test_embeddings_made_anew_are_no_patches_made_anew(
    workspace: Path, few: Path, patches: Path, model: Model
) -> None:
    ok(workspace, *ENRICH, few, *flags(model(V3)))
    before = files(patches)
    encode, left = DinoEncoder.encode, [2]

    def lose_device(encoder: DinoEncoder, pictures: Any) -> Any:
        if left[0] == 0:
            raise BackendLost("the device is gone")
        left[0] -= 1
        return encode(encoder, pictures)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DinoEncoder, "encode", lose_device)
        redo = flags(model(V3), "embedding", "--redo", "embedding")
        assert run_here(workspace, *ENRICH, few, *redo).returncode == 1
    report = ok(workspace, *ENRICH, few, *flags(model(V3), "patches", "--redo", "patches"))
    assert report["made"]["patches"] == 4
    assert not set(files(patches).values()) & set(before.values())


def test_a_full_disk_in_the_middle_keeps_what_was_made(
    workspace: Path, few: Path, patches: Path, model: Model
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 2)
        done = run_here(workspace, *ENRICH, few, *flags(model(V3)))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "disk full" in done.stderr
    before = files(patches)
    assert len(before) == 2
    report = ok(workspace, *ENRICH, few, *flags(model(V3)))
    # The picture that broke off had its embedding made, and that was kept.
    assert (report["made"]["patches"], report["made"]["embedding"]) == (2, 1)
    assert before.items() <= files(patches).items()
    assert all(one["dinov3_embedding"] for one in read_dataset(workspace / "dataset.jsonl"))
    assert not list(patches.glob(".*"))


def test_ids_that_lead_elsewhere_harm_nothing(
    tmp_path: Path, workspace: Path, few: Path, patches: Path, model: Model
) -> None:
    dataset = workspace / "dataset.jsonl"
    ids = ("../../escaped", "x" * 300, "a/b")
    write_dataset(dataset, *(record(f"{n}.jpg", image_id=ids[n]) for n in range(3)))
    before = set(tree(tmp_path))
    report = ok(workspace, *ENRICH, few, *flags(model(V3), "patches"))

    assert (report["made"]["patches"], report["failed"]["features"]) == (1, 0)
    assert files(patches).keys() == {"3.npy"}
    assert {path for path in set(tree(tmp_path)) - before if workspace not in path.parents} == set()
    assert [one["image_id"] for one in read_dataset(dataset)] == [*ids, "3"]


def test_two_records_with_one_id_are_not_computed_again_and_again(
    workspace: Path, all_shapes: Path, model: Model
) -> None:
    names = sorted(path.name for path in all_shapes.iterdir())
    for name in names[2:]:
        (all_shapes / name).unlink()
    items = (
        record(name, image_id="same", aspect_bucket=Path(name).stem, height=..., width=...)
        for name in names[:2]
    )
    write_dataset(workspace / "dataset.jsonl", *items)
    ok(workspace, *ENRICH, all_shapes, *flags(model(V3), "patches"))
    before = tree(workspace)
    again = ok(workspace, *ENRICH, all_shapes, *flags(model(V3), "patches"))
    assert again["shared_ids"] == ["same"]
    assert tree(workspace) == before


def test_a_model_that_cannot_be_loaded_costs_no_caption(
    tmp_path: Path, workspace: Path, few: Path
) -> None:
    hollow = tmp_path / "hollow"
    hollow.mkdir()
    (hollow / "config.json").write_text(json.dumps(CONFIG))
    wanted = ("--pass-filter", "embedding,caption", "--backend", "mock", "--dino-model", hollow)
    done = run_here(workspace, *ENRICH, few, *wanted)
    assert (done.returncode, done.stderr.count("\n")) == (64, 1)
    assert str(hollow) in done.stderr
    assert not list(workspace.rglob("captions*.jsonl"))


def test_answered_with_yes_and_killed_in_the_middle_of_a_redo_each_image_is_computed_once(
    workspace: Path, few: Path, patches: Path, model: Model
) -> None:
    for number in range(4, 10):
        (few / f"{number}.jpg").write_bytes(noise_jpeg(number, (96, 50)))
    for number in range(10):
        save_patches(patches / f"{number}.npy", (3696, WIDTH))
    old = files(patches)
    redo = (*ENRICH, few, *flags(model(V3), "patches", "--redo", "patches"))
    asking = [str(argument) for argument in redo if argument != "--yes"]
    side = workspace / "dataset.jsonl.enriching" / "features.anew.jsonl"
    with pty_app([*PCC, *asking], workspace, CLEAN_ENVIRONMENT) as app:
        app.wait_for("Make them? (y/n)")
        assert files(patches) == old
        app.type("y\n")
        wait_until(lambda: side.exists() and side.read_bytes().count(b"\n") >= 2)
        app.process.kill()
        assert app.process.wait(30) == -signal.SIGKILL
    kept = side.read_bytes().count(b"\n")
    half = {name: inode for name, inode in files(patches).items() if inode != old[name]}
    assert kept <= len(half) < 10
    report = ok(workspace, *redo)

    assert report["made"]["patches"] == 10 - kept
    new = files(patches)
    assert sum(new[name] == inode for name, inode in half.items()) == kept
    assert not set(new.values()) & set(old.values())
    assert not list(patches.glob(".*"))
