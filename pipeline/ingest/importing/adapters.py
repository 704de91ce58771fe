"""Caches of other forms, and the adapters that read them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from blake3 import blake3

from journal import UNREADABLE, read_whole, split_path, what_failed, why_unreadable
from pipeline.ingest.cache.manifest import (
    PHASE,
    VERSION,
    CacheManifest,
    manifest_path,
    read_manifest,
    require_ours,
    schema_hash,
)
from pipeline.ingest.cache.records import Detection, Text
from pipeline.ingest.errors import CacheRefused
from pipeline.ingest.importing.phase_one import json_document
from pipeline.ingest.importing.report import Adapter

SQLITE_INTEGERS = range(-(2**63), 2**63)


class LooseDetection(Detection, omit_defaults=True, kw_only=True, gc=False):
    """A detection that may lack caption and detector, as other versions of the schema do."""

    caption: str | None = None
    detector_version: str = ""


class LooseText(Text, omit_defaults=True, kw_only=True, gc=False):
    """A text that may lack what not every schema has; a text without a name gets one."""

    text_id: str = ""
    language: str | None = None
    source: str = ""


class Chosen(NamedTuple):
    """How a cache is read.

    Attributes:
        manifest: The manifest, or what it would say.
        adapter: The adapter that reads the cache, None where it is read as it is.
    """

    manifest: CacheManifest
    adapter: Adapter | None


def choose(cache: Path, adapter: Adapter | None) -> Chosen:
    """Look at the manifest of a cache, and tell how the cache is read.

    Whether the adapter `digest` is needed is known once the outcomes are read.

    Raises:
        CacheRefused: the directory is no cache, or one of a form that the adapter does not
            read; the message says which adapter does.
    """
    if not cache.is_dir():
        raise CacheRefused(f"there is no cache {cache}; give the directory of one")
    phase = _phase(cache)
    if adapter == "phase-1":
        if phase not in (None, 1):
            raise CacheRefused(f"the cache {cache} is of phase {phase}; leave out --adapt phase-1")
        return Chosen(CacheManifest(phase=1, version=0, cache_id=_id_by_name(cache, 1)), adapter)
    if phase is None:
        raise CacheRefused(
            f"{cache} is no cache: it has no manifest.json; `pcc ingest run` makes "
            "one; if it holds one JSON file for each photo, --adapt phase-1 reads it"
        )
    if phase == 1:
        raise CacheRefused(
            f"the cache {cache} is of phase 1, not {PHASE}; --adapt phase-1 reads it"
        )
    if phase != PHASE:
        raise CacheRefused(
            f"the cache {cache} is of phase {phase}, not {PHASE}, and no adapter reads that; "
            "an ingestion into another --cache makes one anew"
        )
    return _of_our_phase(cache, adapter)


def _of_our_phase(cache: Path, adapter: Adapter | None) -> Chosen:
    if adapter == "schema":
        manifest = _loose_manifest(cache)
        if (manifest.version, manifest.schema_hash) == (VERSION, schema_hash()):
            raise CacheRefused(f"the cache {cache} is of our schema; leave out --adapt schema")
    else:
        try:
            manifest = read_manifest(cache)
            require_ours(cache, manifest)
        except CacheRefused as error:
            way = (
                "--adapt schema reads what of it has our fields, an ingestion into another --cache "
                "makes one anew"
            )
            raise CacheRefused(f"{error}; {way}") from None
    manifest.cache_id = manifest.cache_id or _id_by_name(cache, PHASE)
    return Chosen(manifest, adapter)


def _phase(cache: Path) -> object:
    """Return the phase that a manifest names, None where there is no manifest."""
    try:
        fields = json_document(manifest_path(cache))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CacheRefused(f"the cache cannot be read: {what_failed(error)}") from None
    except ValueError as error:
        raise CacheRefused(
            f"{manifest_path(cache)} cannot be understood: {error}; an ingestion into "
            "another --cache makes one anew"
        ) from None
    return fields.get("phase", PHASE) if isinstance(fields, dict) else "nothing"


def _loose_manifest(cache: Path) -> CacheManifest:
    """Return the fields of a manifest that have the types of ours, and defaults for the rest."""
    try:
        fields = msgspec.json.decode(read_whole(manifest_path(cache)), type=dict[str, Any])
    except OSError as error:
        raise CacheRefused(f"the cache cannot be read: {what_failed(error)}") from None
    except UNREADABLE as error:
        why = why_unreadable(error)
        raise CacheRefused(f"{manifest_path(cache)} cannot be understood: {why}") from None
    manifest = CacheManifest(version=0, cache_id="")
    for name in manifest.__struct_fields__:
        if isinstance(fields.get(name), int) and fields[name] not in SQLITE_INTEGERS:
            continue
        try:
            kept = msgspec.convert({name: fields[name]}, CacheManifest)
        except (KeyError, msgspec.ValidationError):
            continue
        setattr(manifest, name, getattr(kept, name))
    return manifest


def _id_by_name(cache: Path, phase: int) -> str:
    """Return an id for a cache without one, made of its name and its place."""
    place = os.path.realpath(cache)
    where = blake3(os.fsencode(place)).hexdigest(4)
    return f"phase-{phase}:{split_path(os.path.basename(place))[0]}-{where}"
