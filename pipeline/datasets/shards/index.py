"""`index.json`: which shards a directory holds, of which dataset, and where to go on."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from blake3 import blake3

from journal import UNREADABLE, atomic_rewrite, open_regular, read_whole
from pipeline.datasets.errors import OtherShards
from pipeline.datasets.patch_files import PatchManifest

INDEXES = {"webdataset": "index.json", "parquet": "_index.json"}
"""File name by format. Readers of a directory of Parquet files pass over a leading underscore."""
VERSION = 1

Format = Literal["webdataset", "parquet"]
SUFFIXES: dict[Format, str] = {"webdataset": "tar", "parquet": "parquet"}


class Source(msgspec.Struct, frozen=True):
    """The dataset that shards are made of: name, bytes, and `blake3:` with its hash."""

    name: str
    bytes: int
    digest: str


class ShardOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for.

    Attributes:
        shard_size: Bytes of a shard at most, unless a single sample is larger.
        with_patches: Whether samples hold their patch file.
        keep_metadata: Whether images are the files as they were.
    """

    shard_size: int
    with_patches: bool = False
    keep_metadata: bool = False


class Patches(msgspec.Struct, frozen=True, kw_only=True):
    """The model whose features the patches are; a directory is named without its parents."""

    model: str
    patch_size: int
    width: int

    @classmethod
    def of(cls, manifest: PatchManifest) -> Patches:
        """Return what of a manifest may be published with shards."""
        model = manifest.model
        name = Path(model).name if Path(model).is_absolute() else model
        return cls(model=name, patch_size=manifest.patch_size, width=manifest.width)


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One shard that is whole and on disk.

    Attributes:
        name: Name of the file.
        samples: Number of samples in the shard.
        first: Key of the first sample.
        last: Key of the last sample.
        line: Line of the last sample in the dataset.
        bytes: Size of the file.
        digest: `blake3:` and the hash of the file.
    """

    name: str
    samples: int
    first: str
    last: str
    line: int
    bytes: int
    digest: str


class ShardIndex(msgspec.Struct, kw_only=True):
    """What `index.json` says.

    Attributes:
        version: Version of the index.
        format: Format of the shards.
        complete: Whether all samples are in the shards.
        source: The dataset.
        options: What was asked for.
        patches: The model whose features the patches are, None where it is not known.
        samples: Number of samples in all shards.
        bytes: Size of all shards.
        skipped: Number of records that are no sample, by reason, up to the last shard.
        without_patches: Number of samples without patches, by reason.
        shards: The shards, in order.
    """

    version: int = VERSION
    format: Format
    complete: bool = False
    source: Source
    options: ShardOptions
    patches: Patches | None = None
    samples: int = 0
    bytes: int = 0
    skipped: dict[str, int] = {}
    without_patches: dict[str, int] = {}
    shards: list[Shard] = []

    @property
    def line(self) -> int:
        """Line of the dataset that the shards reach up to, 0 without any shard."""
        return self.shards[-1].line if self.shards else 0

    def shard_name(self, number: int) -> str:
        """Return the file name of a shard, counted from 0."""
        return f"shard-{number:06d}.{SUFFIXES[self.format]}"

    def write(self, directory: Path) -> None:
        """Replace the index of a directory.

        Raises:
            DiskFull: there is no room; the old index stays.
        """
        with atomic_rewrite(directory / INDEXES[self.format]) as file:
            file.write(msgspec.json.format(msgspec.json.encode(self)) + b"\n")


def source_of(dataset: Path) -> Source:
    """Return what a dataset is known by; the dataset is read once."""
    digest = blake3()
    with open_regular(dataset) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
        return Source(dataset.name, file.tell(), f"blake3:{digest.hexdigest()}")


def read_index(directory: Path) -> ShardIndex | None:
    """Return the index of a directory, None where there is none.

    Raises:
        OtherShards: there is an index, and it is not one of ours.
    """
    for name in INDEXES.values():
        try:
            found = msgspec.json.decode(read_whole(directory / name), type=ShardIndex)
        except FileNotFoundError:
            continue
        except (OSError, *UNREADABLE):
            raise OtherShards(directory, f"an {name} of something else") from None
        if found.version != VERSION:
            raise OtherShards(directory, f"an {name} of version {found.version}")
        if any(shard.name != found.shard_name(n) for n, shard in enumerate(found.shards)):
            raise OtherShards(directory, f"an {name} that names files of another form")
        return found
    return None


def difference(found: ShardIndex, wanted: ShardIndex) -> str | None:
    """Tell what a directory holds instead of what is wanted, None if it holds what is wanted."""
    if found.source.digest != wanted.source.digest:
        same = found.source.name == wanted.source.name
        return f"shards of {'another state of ' if same else ''}{found.source.name}"
    if (found.format, found.options) != (wanted.format, wanted.options):
        return f"shards made with other options ({_options_of(found)})"
    if found.patches != wanted.patches:
        return f"shards with patches of {found.patches.model if found.patches else 'no model'}"
    return None


def _options_of(index: ShardIndex) -> str:
    options = index.options
    words = [f"--format {index.format}", f"--shard-size {options.shard_size / 1e6:g}"]
    words += ["--with-patches"] * options.with_patches + ["--keep-metadata"] * options.keep_metadata
    return " ".join(words)
