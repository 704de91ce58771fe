"""`pcc dataset enrich` and `pcc dataset verify`: what they do, and what they tell."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from journal import seal
from pipeline.datasets.buckets import BUCKETS, bucket_name
from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc
from tests.support.enriching import (
    CHEAP,
    CONFIG,
    ENRICH,
    by_path,
    grow_old,
    odd_library,
    read_dataset,
    record,
    run_script,
    save_patches,
    tree,
    write_dataset,
)
from tests.support.pty_app import pty_app
from tests.test_imports import HEAVY, loaded_by, run_pcc


@pytest.fixture
def folder(photos: Callable[..., Path]) -> Path:
    """Return a folder of three photos of 64 x 48."""
    found = photos(3)
    grow_old(found)
    return found


@pytest.fixture
def dataset(workspace: Path) -> Path:
    """Return where the dataset of the workspace is to stand."""
    return workspace / "dataset.jsonl"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a model whose configuration is all there is of it."""
    directory = tmp_path / "model"
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps(CONFIG))
    return directory


def test_a_folder_of_odd_images_becomes_a_dataset(
    tmp_path: Path, pcc: Pcc, workspace: Path, dataset: Path
) -> None:
    folder = tmp_path / "library"
    sizes = odd_library(folder)
    passes = ("--pass-filter", "migrate,dimensions,caption", "--backend", "basic")
    done = pcc(*ENRICH, folder, *passes)

    assert done.returncode == 0, done.stderr
    assert "Processing: 13 new, 0 enriched, 0 skipped (total: 13/13)" in done.stdout
    found = by_path(dataset)
    assert found.keys() == sizes.keys()
    for name, size in sizes.items():
        assert (found[name].get("width"), found[name].get("height")) == (size or (None, None))
        assert ("caption" in found[name]) == (size is not None)
    for bucket in map(bucket_name, BUCKETS):
        assert found[f"{bucket}.jpg"]["aspect_bucket"] == bucket
    assert found["turned.jpg"]["aspect_bucket"] == "768x1280"
    assert [found[name]["image_id"] for name in ("sub/one.jpg", "sub__one.png", "turned.jpg")] == [
        "sub__one.jpg",
        "sub__one.png",
        "turned",
    ]
    assert dataset.stat().st_mode & 0o777 == 0o600

    before = tree(tmp_path)
    again = pcc(*ENRICH, folder, *passes)
    assert again.returncode == 0, again.stderr
    assert "2 images could not be read before, and have not changed" in again.stdout
    assert "Processing: 0 new, 0 enriched, 13 skipped (total: 13/13)" in again.stdout
    assert tree(tmp_path) == before


def test_a_run_with_nothing_to_do_writes_nothing_and_loads_nothing(
    tmp_path: Path, folder: Path, workspace: Path, dataset: Path, model: Path
) -> None:
    write_dataset(dataset, *(record(path.name) for path in sorted(folder.iterdir())))
    for path in folder.iterdir():
        save_patches(workspace / "dinov3_patches" / f"{path.stem}.npy", (3952, 32))
    before = tree(tmp_path)
    common = ["dataset", "enrich", "--workspace", str(workspace), "--input-dir", str(folder)]
    for passes in ([], ["--pass-filter", "dinov3,t5", "--dino-model", str(model)]):
        loaded = loaded_by(run_pcc(*common, *passes))
        assert not loaded & {*HEAVY, "tokenizers", "PIL", "rich", "textual"}
    assert tree(tmp_path) == before


def test_cheap_passes_load_nothing_heavy(folder: Path, workspace: Path, dataset: Path) -> None:
    common = ["dataset", "enrich", "--workspace", str(workspace), "--input-dir", str(folder)]
    loaded = loaded_by(run_pcc(*common, *CHEAP))
    assert not loaded & {*HEAVY, "tokenizers", "PIL"}
    assert len(read_dataset(dataset)) == 3


def test_no_decoder_starts_where_no_header_is_wanted(
    folder: Path, workspace: Path, dataset: Path
) -> None:
    no_decoder = "import pipeline.photos.decoder as d; d.WORKER_MODULE = 'no.such.module'"
    names = sorted(path.name for path in folder.iterdir())
    write_dataset(dataset, *(record(name, aspect_bucket=..., image_id=...) for name in names))
    done = run_script(workspace, no_decoder, *ENRICH, folder, *CHEAP)

    assert done.returncode == 0, done.stderr
    assert read_dataset(dataset) == [record(name) for name in names]


ODD_LINES = (
    (b'{"image_path":"IMG_00000.jpg","score":1e-05,"one":1.0,"big":12345678901234567890}', b","),
    (
        b'  {"image_path" :  "IMG_00001.jpg" , "a":"\\u00e9\\/", "b":"\xc3\xa9", "a" : [1 ,2] } ',
        b",",
    ),
    (b'{"tags":{"height":1,"caption":"\\"width\\":3"},"image_path":"IMG_00002.jpg"}\r', b","),
)
"""A line, and what stands between its last field and the first added one."""


def test_only_what_is_missing_is_added_and_every_other_byte_stays(
    pcc: Pcc, folder: Path, dataset: Path
) -> None:
    before = [line for line, _ in ODD_LINES]
    broken = [b"not json", b'{"image_path":3}', b'["image_path"]', b"", b'{"image_path":"x"', b"\0"]
    dataset.write_bytes(b"\xef\xbb\xbf" + b"\n".join([*before, *broken]))  # and no newline behind
    done = pcc(*ENRICH, folder, *CHEAP, "--verbose")

    assert done.returncode == 0, done.stderr
    named = ", ".join(f"line {number}" for number in (4, 5, 6, 8, 9))
    assert f"5 lines hold no record and stay as they are: {named}" in done.stdout
    after = dataset.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    assert after[3:] == broken
    for number, (old, new) in enumerate(zip(before, after[:3], strict=True)):
        brace = old.rindex(b"}")
        kept = old[:brace].rstrip()
        assert new.startswith(kept)
        assert new.endswith(old[len(kept) :])
        added = json.loads(b"{" + new[len(kept) + 1 : len(new) - len(old) + len(kept)] + b"}")
        assert added == {
            "height": 48,
            "width": 64,
            "aspect_bucket": "1216x832",
            "image_id": f"IMG_{number:05d}",
        }


def test_fields_that_exist_stay_even_where_they_are_wrong(
    pcc: Pcc, folder: Path, dataset: Path
) -> None:
    before = write_dataset(
        dataset,
        b'{"image_path":"IMG_00000.jpg","height":1,"width":null,"aspect_bucket":"","image_id":0}',
        b'{"image_path":"IMG_00001.jpg","height":1e2,"width":"9","aspect_bucket":{},"image_id":""}',
        record("./IMG_00002.jpg"),
    )
    done = pcc(*ENRICH, folder, *CHEAP)
    assert done.returncode == 0, done.stderr
    assert dataset.read_bytes() == before


def test_duplicates_missing_images_and_paths_that_lead_out_are_told_and_kept(
    pcc: Pcc, folder: Path, dataset: Path
) -> None:
    (dataset.with_suffix(".jsonl.idx")).write_bytes(b"stale")
    first, *_, gone, outside = before = [
        record("IMG_00000.jpg", height=...),
        record("IMG_00000.jpg"),
        record("./IMG_00001.jpg", width=...),
        record(str(folder / "IMG_00002.jpg"), width=...),
        record("gone.jpg", width=...),
        record("../../etc/passwd", height=...),
    ]
    write_dataset(dataset, *before)
    done = pcc(*ENRICH, folder, *CHEAP)

    assert done.returncode == 0, done.stderr
    assert "1 lines have another record of their image further down: line 1" in done.stdout
    assert "2 records whose image is not there: gone.jpg, ../../etc/passwd" in done.stdout
    assert "1 records lead out of the input directory: line 6" in done.stdout
    assert "0 new, 2 enriched" in done.stdout
    after = read_dataset(dataset)
    assert [after[0], *after[4:]] == [first, gone, outside]
    assert [one["width"] for one in after[1:4]] == [64, 64, 64]
    assert dataset.with_suffix(".jsonl.idx").read_bytes() == b"stale"


def test_the_document_tells_all_in_numbers(pcc: Pcc, folder: Path, dataset: Path) -> None:
    write_dataset(dataset, record("IMG_00000.jpg", height=...), b"junk", record("gone.jpg"))
    plan = pcc(*ENRICH, folder, *CHEAP, "--dry-run", "--json")
    done = pcc(*ENRICH, folder, *CHEAP, "--json")

    wanted = json.loads(plan.stdout)
    assert (wanted["total"], wanted["new"]) == (4, 2)
    assert wanted["lacking"] == {"migrate": 2, "dimensions": 3}
    report = json.loads(done.stdout)
    shown = {name: report[name] for name in ("total", "new", "enriched", "skipped", "left")}
    assert shown == {"total": 4, "new": 2, "enriched": 1, "skipped": 1, "left": 0}
    assert (report["missing"], report["malformed"]) == (["gone.jpg"], [2])
    assert report["made"]["dimensions"] == 3


def test_a_dry_run_writes_nothing(tmp_path: Path, pcc: Pcc, folder: Path, model: Path) -> None:
    before = tree(tmp_path)
    passes = ("--pass-filter", "dimensions,caption,dinov3", "--dino-model", model)
    done = pcc(*ENRICH, folder, *passes, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "3 records, 3 of them new" in done.stdout
    assert "The patch files to come take" in done.stdout
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pass-filter", "captions"], "there is no pass 'captions'"),
        (["--pass-filter", ""], "there is no pass"),
        (["--redo", "nothing"], "there is no pass 'nothing'"),
        (["--redo", "t5", "--pass-filter", "caption"], "--redo names a pass"),
        (["--input-dir", "nowhere"], "nowhere does not exist"),
        (["--output-jsonl", "nowhere/data.jsonl"], "nowhere does not exist"),
        (["--output-jsonl", "."], "is a directory"),
        (["--backend", "nonsense"], "nonsense"),
        (["--backend", "openai"], "OPENAI_API_KEY"),
        (["--budget", "nan"], "--budget"),
        (["--budget", "-1"], "--budget"),
        (["--budget", "1", "--backend", "openai", "--model", "no-price-has-it"], "price"),
        (["--max-workers", "0"], "--max-workers"),
        (["--frobnicate"], "--frobnicate"),
    ],
)
def test_a_bad_argument_is_one_line_and_64_and_nothing_is_captioned(
    pcc: Pcc, folder: Path, workspace: Path, arguments: list[str], words: str
) -> None:
    environment = {"OPENAI_API_KEY": "some key"} if "--model" in arguments else {}
    passes = () if {"--pass-filter", "--redo"} & {*arguments} else ("--pass-filter", "caption")
    backend = () if "--backend" in arguments else ("--backend", "mock")
    done = pcc(*ENRICH, folder, *passes, *backend, *arguments, environment=environment)
    assert_refused(done, workspace, words)


@pytest.mark.parametrize(
    ("model", "passes", "words"),
    [
        (["--dino-model", "nowhere/to/be/found"], "patches", "nowhere/to/be"),
        (["--dino-model", "nowhere"], "embedding", "nowhere"),
        (["--t5-model", "no/where/at/all"], "caption,t5", "no/where/at/all"),
    ],
)
def test_a_model_that_is_not_there_is_one_line_and_64(
    pcc_process: Pcc, folder: Path, workspace: Path, model: list[str], passes: str, words: str
) -> None:
    done = pcc_process(
        *(*ENRICH, folder, "--pass-filter", passes, "--backend", "mock", *model),
        environment={"HF_HUB_OFFLINE": "1"},
    )
    assert_refused(done, workspace, words)


def assert_refused(done: subprocess.CompletedProcess[str], workspace: Path, words: str) -> None:
    assert done.returncode == 64, done.stdout + done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    dataset = workspace / "dataset.jsonl"
    assert not dataset.exists() or b"caption" not in dataset.read_bytes()
    assert not (workspace / "dataset.jsonl.enriching" / "captions.jsonl").exists()


def test_a_dataset_that_is_no_file_is_refused_and_nothing_hangs(pcc: Pcc, folder: Path) -> None:
    pipe = folder.parent / "pipe"
    os.mkfifo(pipe)
    for command in ((*ENRICH, folder, *CHEAP, "--output-jsonl", pipe), ("dataset", "verify", pipe)):
        assert pcc(*command, timeout=10).returncode == 64


def test_permissions_of_a_dataset_stay_and_a_link_is_left_alone(
    tmp_path: Path, pcc: Pcc, folder: Path, dataset: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.jsonl"
    write_dataset(elsewhere, record("IMG_00000.jpg", height=...))
    elsewhere.chmod(0o640)
    dataset.symlink_to(elsewhere)
    refused = pcc(*ENRICH, folder, *CHEAP)
    assert (refused.returncode, len(read_dataset(elsewhere))) == (64, 1)
    assert "dataset.jsonl is a link" in refused.stderr
    assert pcc(*ENRICH, folder, *CHEAP, "--output-jsonl", elsewhere).returncode == 0
    assert len(read_dataset(elsewhere)) == 3
    assert elsewhere.stat().st_mode & 0o777 == 0o640


def write_journal(path: Path, captions: dict[str, str]) -> None:
    """Write a captions journal."""
    path.write_bytes(
        b"".join(
            seal(json.dumps({"rel_path": name, "caption": text, "status": "success"}).encode())
            for name, text in captions.items()
        )
    )


@pytest.mark.parametrize("named", [False, True])
def test_captions_of_the_journal_are_taken_and_edits_win(
    pcc: Pcc, folder: Path, workspace: Path, dataset: Path, named: bool
) -> None:
    journal = workspace / ("of_others.jsonl" if named else "captions.jsonl")
    write_journal(journal, {"IMG_00000.jpg": "A heron.", "IMG_00001.jpg": "A house."})
    if not named:
        edited = pcc("edit", "IMG_00001.jpg", "--caption", "A lighthouse.", "--photos-dir", folder)
        assert edited.returncode == 0, edited.stderr
    where = ("--captions-jsonl", journal) if named else ("--photos-dir", folder)
    passes = ("--pass-filter", "caption", "--backend", "mock")
    done = pcc(*ENRICH, folder, *where, *passes, "--json")

    assert done.returncode == 0, done.stderr
    captions = [one["caption"] for one in read_dataset(dataset)]
    assert captions[:2] == ["A heron.", "A house." if named else "A lighthouse."]
    assert json.loads(done.stdout)["made"]["caption"] == 1


def test_captions_of_a_journal_of_other_photos_are_not_taken(
    pcc: Pcc, folder: Path, workspace: Path, dataset: Path, photos: Callable[..., Path]
) -> None:
    write_journal(workspace / "captions.jsonl", {"IMG_00000.jpg": "A heron."})
    others = photos(1, name="others")
    passes = ("--pass-filter", "caption", "--backend", "mock")
    done = pcc(*ENRICH, folder, "--photos-dir", others, *passes, "--json")
    assert json.loads(done.stdout)["made"]["caption"] == 3
    assert "A heron." not in dataset.read_text()


def test_a_caption_made_anew_replaces_and_tells_of_its_mask(
    pcc: Pcc, folder: Path, dataset: Path
) -> None:
    write_dataset(dataset, *(record(path.name) for path in sorted(folder.iterdir())))
    done = pcc(*ENRICH, folder, "--redo", "caption", "--backend", "mock")

    assert done.returncode == 0, done.stderr
    assert "3 masks are of an older caption; --redo t5 makes them anew" in done.stdout
    for one in read_dataset(dataset):
        assert one == record(one["image_path"], caption=one["caption"])
        assert one["caption"] != "A boat on a lake."


def test_patches_without_a_terminal_ask_for_yes(
    tmp_path: Path, pcc: Pcc, folder: Path, workspace: Path, model: Path
) -> None:
    passes = ("--pass-filter", "dinov3", "--dino-model", model)
    done = pcc(*ENRICH, folder, *passes)

    assert done.returncode == 64
    assert "give --yes" in done.stderr
    assert "3 patch files need" in done.stdout
    assert list(workspace.iterdir()) == []


def test_a_no_ends_with_0_and_writes_nothing(
    tmp_path: Path, folder: Path, workspace: Path, model: Path
) -> None:
    before = tree(tmp_path)
    passes = ("--pass-filter", "dinov3", "--dino-model", str(model))
    with pty_app([*PCC, *ENRICH, str(folder), *passes], workspace, CLEAN_ENVIRONMENT) as app:
        app.wait_for("Make them? (y/n)")
        app.type("n\n")
        assert app.process.wait(20) == 0
    after = tree(tmp_path)
    assert {path: data for path, (_, _, data) in after.items()} == {
        path: data for path, (_, _, data) in before.items()
    }


def test_not_enough_room_for_patches_is_told_before_anything_is_made(
    folder: Path, workspace: Path, model: Path
) -> None:
    small = "import pipeline.datasets.patch_files as p; p.free_bytes = lambda path: 700_000"
    passes = ("--pass-filter", "dinov3", "--dino-model", model, "--yes")
    done = run_script(workspace, small, *ENRICH, folder, *passes)

    assert done.returncode == 1, done.stderr
    assert "disk full" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "needed 786,816 bytes and 700,000 are free" in done.stderr
    assert list(workspace.iterdir()) == []
