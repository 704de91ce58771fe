"""`manifest.json` of a cache: its form, the models that filled it, and the photos it is of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
from blake3 import blake3

from journal import UNREADABLE, atomic_rewrite, read_whole, utc_now, what_failed, why_unreadable
from pipeline.ingest.cache.records import RECORD_TYPES
from pipeline.ingest.errors import CacheRefused

PHASE = 2
"""1 was a JSON file for each image; 2 is journals that several workers share."""

VERSION = 1


class ModelFacts(msgspec.Struct, omit_defaults=True):
    """The model of a stage.

    Attributes:
        version: Its name and version, as records give it.
        hashes: Hashes of its files or its commit, by name.
    """

    version: str
    hashes: dict[str, str] = {}


class CacheManifest(msgspec.Struct, kw_only=True):
    """What a cache says of itself.

    Attributes:
        phase: The kind of cache, see `PHASE`.
        version: Format version within the phase.
        models: The model that last did each stage, by the name of the stage.
        generated_at: When the manifest was written, UTC, RFC 3339.
        schema_hash: Hash of the fields of all records; see `schema_hash`.
        dataset_digest: Hash of the photos and their contents; see `dataset_digest`.
        cache_id: Name of the cache, which stays when the directory is moved.
    """

    phase: int = PHASE
    version: int = VERSION
    models: dict[str, ModelFacts] = {}
    generated_at: str = ""
    schema_hash: str = ""
    dataset_digest: str = ""
    cache_id: str = ""


def schema_hash() -> str:
    """Return the hash of the names and types of all fields that records have."""
    fields = []
    for kind in RECORD_TYPES:
        types = {name: of for base in reversed(kind.__mro__) for name, of in _annotations(base)}
        names = zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True)
        fields += sorted(f"{kind.__name__}.{written}: {types[name]}" for written, name in names)
    return "blake3:" + blake3("\n".join(fields).encode()).hexdigest(16)


def _annotations(kind: type) -> list[tuple[str, str]]:
    return [(name, str(of)) for name, of in vars(kind).get("__annotations__", {}).items()]


def dataset_digest(digests: Iterable[tuple[str, str | None]]) -> str:
    """Return the hash of a set of photos.

    Args:
        digests: Key and content hash of each photo, in the order of the keys; None where the
            file could not be read.
    """
    hashed = blake3()
    for key, digest in digests:
        hashed.update(f"{key}\n{digest}\n".encode("utf-8", "surrogatepass"))
    return f"blake3:{hashed.hexdigest(16)}"


def manifest_path(cache: Path) -> Path:
    """Return the path of the manifest of a cache."""
    return cache / "manifest.json"


def read_manifest(cache: Path) -> CacheManifest:
    """Return the manifest of a cache.

    Raises:
        CacheRefused: there is no manifest, or it cannot be understood.
    """
    path = manifest_path(cache)
    try:
        return msgspec.json.decode(read_whole(path), type=CacheManifest)
    except FileNotFoundError:
        if (cache / "outcomes.jsonl").exists() and (cache / "outcomes.jsonl").stat().st_size:
            raise CacheRefused(f"the cache {cache} has lost its manifest.json") from None
        raise CacheRefused(
            f"there is no cache at {cache}: no manifest.json; `pcc ingest run` makes one, "
            "--cache names another"
        ) from None
    except OSError as error:
        raise CacheRefused(f"the cache cannot be read: {what_failed(error)}") from None
    except UNREADABLE as error:
        why = why_unreadable(error)
        raise CacheRefused(f"{path} cannot be understood: {why}") from None


def require_ours(cache: Path, manifest: CacheManifest) -> None:
    """Make sure that a cache has the form that this version of pcc reads and writes.

    Raises:
        CacheRefused: the cache is of another phase, version or schema; the message names it.
    """
    for what, found, expected in (
        ("phase", manifest.phase, PHASE),
        ("version", manifest.version, VERSION),
        ("schema", manifest.schema_hash, schema_hash()),
    ):
        if found != expected:
            raise CacheRefused(f"the cache {cache} is of {what} {found}, not {expected}")


def write_manifest(cache: Path, manifest: CacheManifest) -> None:
    """Replace the manifest of a cache."""
    manifest.generated_at = utc_now()
    data = msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"
    with atomic_rewrite(manifest_path(cache), needed=len(data)) as file:
        file.write(data)
