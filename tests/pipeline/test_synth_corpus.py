"""Synthetic sets as arrays: the same set as the command's, and back again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.synth.corpus import (
    Corpus,
    estimate_memory,
    generate_corpus,
    load_corpus,
    save_corpus,
    save_metadata,
    split_corpus,
)
from pipeline.synth.errors import DatasetExists, DatasetUnusable
from pipeline.synth.train_val_test import SPLIT_NAMES
from pipeline.synth.validation import validate_dataset
from tests.conftest import Pcc


def saved(directory: Path, number: int, seed: int = 42) -> Path:
    checksums = save_corpus(split_corpus(generate_corpus(number, seed)), directory)
    save_metadata(directory, number, seed, checksums)
    return directory


@pytest.mark.parametrize("number", [1, 2, 10, 25, 9000])
def test_functions_make_what_the_command_makes(pcc: Pcc, workspace: Path, number: int) -> None:
    pcc("synth", "generate", "--num-images", number, "--seed", "7", "--yes", "--output-dir", "set")
    ours, theirs = saved(workspace / "ours", number, 7), workspace / "set"

    for name in SPLIT_NAMES:
        assert (ours / f"{name}.npz").read_bytes() == (theirs / f"{name}.npz").read_bytes()
    told = [json.loads((each / "metadata.json").read_text()) for each in (ours, theirs)]
    assert all(metadata.pop("timestamp") for metadata in told)
    assert told[0] == told[1]
    assert validate_dataset(ours).valid


@pytest.mark.parametrize("number", [1, 25, 20_000])
def test_what_was_saved_is_loaded(tmp_path: Path, number: int) -> None:
    corpus = generate_corpus(number)
    loaded = load_corpus(saved(tmp_path / "set", number))

    assert list(loaded) == [*SPLIT_NAMES]
    assert (np.concatenate([each.images for each in loaded.values()]) == corpus.images).all()
    assert (np.concatenate([each.labels for each in loaded.values()]) == corpus.labels).all()


def test_memory_is_that_of_the_images() -> None:
    told = estimate_memory(1000)
    assert told.total_bytes == generate_corpus(1000).images.nbytes == 256_000
    assert told.readable == "256 kB"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    with pytest.raises(DatasetExists):
        save_corpus(split_corpus(generate_corpus(10)), tmp_path)


def test_arrays_of_another_form_are_refused(tmp_path: Path) -> None:
    splits = split_corpus(generate_corpus(10))
    splits["val"] = Corpus(splits["val"].images.astype(np.float32), splits["val"].labels)

    with pytest.raises(ValueError, match="val has float32"):
        save_corpus(splits, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_a_promise_of_too_much_takes_no_memory(tmp_path: Path) -> None:
    directory = saved(tmp_path / "set", 10)
    metadata = json.loads((directory / "metadata.json").read_text())
    metadata["generation_params"]["num_images"] = 10**18
    (directory / "metadata.json").write_text(json.dumps(metadata))

    with pytest.raises(DatasetUnusable, match="shape"):
        load_corpus(directory)
