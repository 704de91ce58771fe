"""`pcc dataset enrich` with tiny real models: patch 14 and 16, none and four register tokens."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.datasets.buckets import BUCKETS, bucket_name
from tests.support.enriching import (
    ENRICH,
    by_path,
    read_dataset,
    record,
    run_here,
    tree,
    write_dataset,
)
from tests.support.enriching_models import (
    KINDS,
    V3,
    WIDTH,
    Kind,
    Model,
    arrays,
    flags,
    ok,
)
from tests.support.tiny_dino import MEAN, STD
from tests.support.tiny_t5 import CAPTIONS

pytestmark = pytest.mark.usefixtures("offline")

TABLE = {
    14: (5329, 5133, 5133, 5005, 5005, 4800, 4800),
    16: (4096, 3952, 3952, 3840, 3840, 3696, 3696),
}
"""Patches of the buckets, in their order, by patch size."""


@pytest.mark.parametrize("kind", KINDS)
def test_patch_files_have_the_shapes_of_the_table(
    workspace: Path, all_shapes: Path, patches: Path, model: Model, kind: Kind
) -> None:
    report = ok(workspace, *ENRICH, all_shapes, *flags(model(kind)))

    assert (report["made"]["embedding"], report["made"]["patches"]) == (7, 7)
    found = arrays(patches)
    for bucket, count in zip(map(bucket_name, BUCKETS), TABLE[kind.patch_size], strict=True):
        array = found.pop(f"{bucket}.npy")
        assert array.shape == (count, WIDTH)
        assert array.dtype == np.float16
        assert len(np.unique(array, axis=0)) > count // 2
    assert not found
    embeddings = [one["dinov3_embedding"] for one in read_dataset(workspace / "dataset.jsonl")]
    assert {len(embedding) for embedding in embeddings} == {WIDTH}
    assert len({tuple(embedding) for embedding in embeddings}) == 7
    before = tree(workspace, all_shapes)
    again = ok(workspace, *ENRICH, all_shapes, *flags(model(kind)))
    assert (again["run"], again["skipped"]) == (None, 7)
    assert tree(workspace, all_shapes) == before
    checked = run_here(workspace, "dataset", "verify", "--json")
    rows = json.loads(checked.stdout)["buckets"].values()
    assert [row["whole"] for row in rows] == [1] * 7


def test_halves_run_apart_give_the_same_as_both_together(
    workspace: Path, all_shapes: Path, model: Model
) -> None:
    for spare in ("1216x832", "768x1280", "704x1344", "1344x704"):
        (all_shapes / f"{spare}.jpg").unlink()
    together, apart = workspace / "together.jsonl", workspace / "apart.jsonl"
    for dataset, passes in ((together, "dinov3"), (apart, "patches"), (apart, "embedding")):
        where = ("--output-jsonl", dataset, "--patches-dir", workspace / f"{dataset.stem}-npy")
        ok(workspace, *ENRICH, all_shapes, *flags(model(V3), passes), *where)
    one, other = arrays(workspace / "together-npy"), arrays(workspace / "apart-npy")
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert {name: one["dinov3_embedding"] for name, one in by_path(together).items()} == {
        name: one["dinov3_embedding"] for name, one in by_path(apart).items()
    }


def own_features(path: Path, image: Image.Image, bucket: tuple[int, int], patch: int) -> Any:
    """Return embedding and patches by Pillow and Transformers alone."""
    import torch
    from transformers import AutoModel

    scale = max(bucket[0] / image.width, bucket[1] / image.height)
    covering = (round(image.width * scale), round(image.height * scale))
    left, top = (covering[0] - bucket[0]) // 2, (covering[1] - bucket[1]) // 2
    box = (left, top, left + bucket[0], top + bucket[1])
    picture = image.resize(covering, Image.Resampling.LANCZOS).crop(box)
    across, down = (max(1, int(side / patch + 0.5)) for side in bucket)
    picture = picture.resize((across * patch, down * patch), Image.Resampling.BICUBIC)
    levels = (np.asarray(picture) / 255 - np.array(MEAN)) / np.array(STD)
    architecture: Any = AutoModel
    with torch.inference_mode():
        pixels = torch.from_numpy(levels).float().permute(2, 0, 1)[None]
        output = architecture.from_pretrained(path).eval()(pixel_values=pixels)
    leading = output.last_hidden_state.shape[1] - across * down
    return output.pooler_output[0].numpy(), output.last_hidden_state[0, leading:].numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_the_pixels_seen_are_those_of_the_bucket_to_its_very_corner(
    tmp_path: Path, workspace: Path, patches: Path, model: Model, kind: Kind
) -> None:
    """Its left and right are cut, its upper corners marked where the bucket's are."""
    image = Image.linear_gradient("L").resize((1640, 1000)).convert("RGB")
    image.paste("red", (1640 - 114, 0, 1640, 90))
    image.paste("blue", (0, 910, 114, 1000))
    folder = tmp_path / "marked"
    folder.mkdir()
    image.save(folder / "marked.png")
    ok(workspace, *ENRICH, folder, *flags(model(kind)))

    (found,) = read_dataset(workspace / "dataset.jsonl")
    assert found["aspect_bucket"] == "1280x768"
    embedding, features = own_features(model(kind), image, (1280, 768), kind.patch_size)
    seen = np.load(patches / "marked.npy").astype(np.float32)
    assert seen.shape == features.shape
    assert np.abs(seen - features).max() < 0.05 * features.std()
    own = np.array(found["dinov3_embedding"])
    assert np.abs(own - embedding).max() < 0.02 * embedding.std()


def test_all_passes_at_once_and_masks_as_transformers_makes_them(
    workspace: Path, all_shapes: Path, model: Model, t5: Path
) -> None:
    from transformers import AutoTokenizer

    dataset = workspace / "dataset.jsonl"
    long = " ".join(CAPTIONS)
    write_dataset(
        dataset,
        record("704x1344.jpg", caption=long, t5_attention_mask=None, image_id="704x1344"),
        record("1024x1024.jpg", caption="é\ud83d\ude00 </s>", t5_attention_mask=...),
        record("gone.jpg", t5_attention_mask=..., caption=CAPTIONS[0]),
    )
    report = ok(
        workspace,
        *(*ENRICH, all_shapes, "--dino-model", model(V3), "--t5-model", t5, "--device", "cpu"),
        *("--backend", "basic"),
    )

    assert (report["total"], report["new"], report["enriched"]) == (8, 5, 3)
    architecture: Any = AutoTokenizer
    tokenizer = architecture.from_pretrained(t5)
    for one in read_dataset(dataset):
        wanted = tokenizer(one["caption"], max_length=77, padding="max_length", truncation=True)[
            "attention_mask"
        ]
        assert one["t5_attention_mask"] == wanted
        assert len(one["dinov3_embedding"]) == (2 if one["image_path"] in OLD else WIDTH)
    assert sum(read_dataset(dataset)[0]["t5_attention_mask"]) == 77
    before = tree(workspace)
    ok(workspace, *ENRICH, all_shapes, "--dino-model", model(V3), "--t5-model", t5)
    assert tree(workspace) == before


OLD = ("704x1344.jpg", "1024x1024.jpg", "gone.jpg")


def test_stale_masks_are_found_and_made_anew_and_no_other_byte_changes(
    workspace: Path, few: Path, t5: Path
) -> None:
    dataset = workspace / "dataset.jsonl"
    write_dataset(dataset, *(record(f"{n}.jpg", caption=CAPTIONS[n]) for n in range(4)))
    checked = run_here(workspace, "dataset", "verify", "--masks", "--t5-model", t5, "--json")
    assert checked.returncode == 1
    assert json.loads(checked.stdout)["stale_masks"] == 4
    ok(workspace, *ENRICH, few, "--redo", "t5", "--t5-model", t5)
    checked = run_here(workspace, "dataset", "verify", "--masks", "--t5-model", t5, "--json")
    assert json.loads(checked.stdout)["stale_masks"] == 0
    for number, one in enumerate(read_dataset(dataset)):
        mask = one["t5_attention_mask"]
        assert one == record(f"{number}.jpg", caption=CAPTIONS[number], t5_attention_mask=mask)


def test_the_mask_of_an_empty_caption_follows_when_it_is_filled_and_that_is_asked(
    workspace: Path, few: Path, t5: Path
) -> None:
    dataset = workspace / "dataset.jsonl"
    whole = (record(f"{n}.jpg") for n in range(1, 4))
    write_dataset(dataset, record("0.jpg", caption="", t5_attention_mask=...), *whole)
    ok(workspace, *ENRICH, few, "--pass-filter", "t5", "--t5-model", t5)
    assert sum(read_dataset(dataset)[0]["t5_attention_mask"]) == 1  # the end alone
    report = ok(workspace, *ENRICH, few, "--pass-filter", "caption", "--backend", "basic")
    assert report["stale_masks"] == 1
    ok(workspace, *ENRICH, few, "--redo", "t5", "--t5-model", t5)
    checked = run_here(workspace, "dataset", "verify", "--masks", "--t5-model", t5, "--json")
    assert "0.jpg" not in json.dumps(json.loads(checked.stdout)["examples"])
    first = read_dataset(dataset)[0]
    assert sum(first["t5_attention_mask"]) > 2


def test_a_model_replaced_in_its_directory_can_be_used(
    tmp_path: Path, workspace: Path, few: Path, patches: Path, model: Model
) -> None:
    place = tmp_path / "model"
    shutil.copytree(model(V3), place)
    ok(workspace, *ENRICH, few, *flags(place, "patches"))
    shutil.rmtree(place)
    shutil.copytree(model(KINDS[1]), place)
    ok(workspace, *ENRICH, few, *flags(place, "patches", "--redo", "patches"))
    assert {array.shape for array in arrays(patches).values()} == {(4800, WIDTH)}
