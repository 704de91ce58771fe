"""Recognising clusters from one clustering to the next: by their photos, never by a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec
from blake3 import blake3

SKETCH = 64
"""Photos that represent a cluster whose full list of photos is no longer known."""

LEAST_LIKENESS = 0.2
"""Jaccard index from which two clusters are the same cluster."""


class Sketch(msgspec.Struct, omit_defaults=True):
    """A cluster or a group in brief: the lowest hashes of its photos, and how many there were.

    Two clusters of the same photos have the same sketch, and a sample of the lowest hashes
    is as good as a random sample (Broder 1997).

    Attributes:
        size: Number of photos.
        photos: The lowest hashes of the photos.
        group: Whether this is a group, whose photos are those of the clusters in it.
    """

    size: int
    photos: list[str]
    group: bool = False

    @classmethod
    def of(cls, keys: Collection[str], *, group: bool = False) -> Sketch:
        """Return the sketch of a cluster, or of a group."""
        return cls(len(keys), sorted(map(photo_hash, keys))[:SKETCH], group)


def photo_hash(key: str) -> str:
    """Return a hash of the key of a photo, 8 hexadecimal digits."""
    return blake3(key.encode("utf-8", "surrogatepass")).hexdigest(4)


def new_id(keys: Collection[str], taken: Collection[str]) -> str:
    """Return an id made from the photos of a cluster: the same photos, the same id.

    The id begins with a letter, so that no spreadsheet takes it for a number or a date.
    """
    text = "\n".join(sorted(keys)).encode("utf-8", "surrogatepass")
    salt = 0
    while (made := "c" + blake3(text + b"\n" * salt).hexdigest(4)[1:]) in taken:
        salt += 1
    return made


class Recognised(msgspec.Struct):
    """Which new clusters are old ones.

    Attributes:
        ids: Old id of each new cluster; None for a cluster that did not exist before.
        successors: For each old cluster that is gone, the index of the new cluster that
            has most of its photos, if that cluster has at least a third of them.
    """

    ids: list[str | None]
    successors: dict[str, int]


def recognise(
    new: Sequence[Collection[str]],
    old: Mapping[str, Collection[str]],
    sketches: Mapping[str, Sketch],
) -> Recognised:
    """Find the old clusters among the new ones.

    Args:
        new: Keys of the photos of each new cluster; no photo is in two clusters.
        old: Keys of the photos of each old cluster, by id. Photos that are gone from the
            library are left out, because they do not show where a cluster went.
        sketches: Sketches of clusters at the time when people named them. Whichever is more
            like a new cluster counts, the old cluster or its sketch: a clustering in between
            may have put other photos into the cluster, and when the photos that people named
            stand together again, the name is theirs.
    """
    cluster_of = {key: place for place, keys in enumerate(new) for key in keys}
    pairs: list[tuple[float, str, int]] = []
    successors: dict[str, int] = {}

    def compare(
        old_id: str, size: int, seen: Iterable[int | None], of: int, *, leads: bool = True
    ) -> None:
        shares = Counter(place for place in seen if place is not None)
        for place, count in shares.items():
            common = count / of * size
            pairs.append((common / (size + len(new[place]) - common), old_id, place))
            if leads and count * 3 >= of and count >= shares.get(successors.get(old_id, -1), 0):
                successors[old_id] = place

    for old_id, keys in old.items():
        compare(old_id, len(keys), [cluster_of.get(key) for key in keys], max(1, len(keys)))
    if sketches:
        by_hash = {photo_hash(key): place for key, place in cluster_of.items()}
        for old_id, sketch in sketches.items():
            if sketch.photos and not sketch.group:
                seen = [by_hash.get(photo) for photo in sketch.photos]
                leads = old_id not in old  # the heir of a cluster has its last photos
                compare(old_id, sketch.size, seen, len(sketch.photos), leads=leads)
    ids = _pair_off(pairs, len(new))
    return Recognised(ids, {old_id: at for old_id, at in successors.items() if old_id not in ids})


def match_groups(
    new: Sequence[Collection[str]],
    old: Mapping[str, Collection[str]],
    sizes: Mapping[str, int],
    likeness: Iterable[tuple[float, str, int]] = (),
) -> list[str | None]:
    """Return the id of the old group that each new group is, by the leaves that both share.

    Args:
        new: Ids of the leaves below each new group; groups may be nested.
        old: Ids of the leaves below each old group, by the id of the group.
        sizes: Photos of each leaf.
        likeness: Further pairs of an old and a new group; see `like_sketches`.
    """

    def weigh(leaves: Iterable[str]) -> int:
        return sum(sizes.get(leaf, 0) for leaf in leaves)

    pairs = [*likeness]
    for place, leaves in enumerate(new):
        for old_id, were in old.items():
            common = weigh(set(leaves) & set(were))
            pairs.append((common / max(1, weigh(set(leaves) | set(were))), old_id, place))
    return _pair_off(pairs, len(new))


def like_sketches(
    new: Sequence[Collection[str]], sketches: Mapping[str, Sketch]
) -> Iterator[tuple[float, str, int]]:
    """Yield how much each group that people named is like each new group.

    Args:
        new: Keys of the photos below each new group; groups may be nested.
        sketches: Sketches of clusters and groups by id; those of clusters are passed over.
    """
    groups = {id_: each for id_, each in sketches.items() if each.group and each.photos}
    for place, keys in enumerate(new if groups else ()):
        hashes = set(map(photo_hash, keys))
        for id_, sketch in groups.items():
            share = sum(photo in hashes for photo in sketch.photos) / len(sketch.photos)
            common = share * sketch.size
            yield common / max(1, sketch.size + len(keys) - common), id_, place


def _pair_off(pairs: Iterable[tuple[float, str, int]], count: int) -> list[str | None]:
    """Match each new cluster with the most similar old one, best pairs first, each only once."""
    ids: list[str | None] = [None] * count
    found: set[str] = set()
    for likeness, old_id, place in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if likeness >= LEAST_LIKENESS and ids[place] is None and old_id not in found:
            ids[place] = old_id
            found.add(old_id)
    return ids
