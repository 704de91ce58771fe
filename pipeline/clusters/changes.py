"""Making changes by hand: each is checked against what is there, and written as one record."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.clusters.errors import WrongOverride
from pipeline.clusters.overrides import Override, Overrides, override
from pipeline.clusters.recognition import Sketch, new_id
from pipeline.clusters.view import SPECIAL, Cluster, ClusterView

LONGEST_TITLE = 200


def find_cluster(view: ClusterView, name: str) -> Cluster:
    """Return the cluster of an id, or of a title that only one has.

    Raises:
        WrongOverride: there is none, or several.
    """
    if name in view.clusters:
        return view.clusters[name]
    wanted = name.casefold()
    found = [cluster for cluster in view.clusters.values() if cluster.title.casefold() == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(cluster.id for cluster in found)
        raise WrongOverride(f"{len(found)} clusters are called {name!r}; name one by its id: {ids}")
    raise WrongOverride(f"there is no cluster {name!r}; `pcc labels list` names them")


def rename(view: ClusterView, cluster: Cluster, title: str) -> Override:
    """Return the change that gives a cluster or a group a title.

    Raises:
        WrongOverride: the title is empty or too long, or this is no cluster.
    """
    return _about(view, override("rename", _true(cluster).id, title=checked_title(title)))


def move(view: ClusterView, keys: Sequence[str], target: Cluster) -> Override:
    """Return the change that puts photos into a cluster, whatever a clustering says.

    Raises:
        WrongOverride: the target is a group or locked, or a photo is unknown or in a locked
            cluster.
    """
    check_target(target)
    for key in keys:
        check_photo(view, key)
    return _about(view, override("move", target.id, title=target.title, photos=list(keys)))


def merge(view: ClusterView, target: Cluster, others: Sequence[Cluster]) -> Override:
    """Return the change that puts all photos of some clusters into another.

    Raises:
        WrongOverride: one of them is a group or locked.
    """
    ids = [other.id for other in others if other.id != target.id]
    if not ids:
        raise WrongOverride("merging takes two clusters")
    for cluster in (target, *others):
        check_target(cluster)
    photos = [view.photos[place].key for one in (target, *others) for place in one.members]
    fields = {"title": target.title, "photos": list(dict.fromkeys(photos)), "others": ids}
    return _about(view, override("merge", target.id, **fields))


def split(view: ClusterView, keys: Sequence[str], title: str) -> Override:
    """Return the change that makes a cluster of some photos, beside that of the first.

    Raises:
        WrongOverride: there are no photos, or one is unknown or in a locked cluster.
    """
    if not keys:
        raise WrongOverride("splitting off takes photos")
    for key in keys:
        check_photo(view, key)
    origin = view.leaf_of[view.place_of[keys[0]]]
    parent = None if origin in SPECIAL else origin
    id_ = new_id([*keys, title], view.clusters)
    fields = {"title": checked_title(title), "photos": list(keys), "parent": parent}
    return _about(view, override("split", id_, **fields))


def lock(view: ClusterView, cluster: Cluster) -> Override:
    """Return the change that lets a cluster keep exactly the photos it has.

    Raises:
        WrongOverride: it is a group.
    """
    members = [view.photos[place].key for place in _leaf(cluster).members]
    change = override("lock", cluster.id, title=cluster.title, photos=members)
    return _about(view, change)


def unlock(view: ClusterView, cluster: Cluster) -> Override:
    """Return the change that lets a clustering decide again.

    Raises:
        WrongOverride: it is not locked.
    """
    if not cluster.locked:
        raise WrongOverride(f"{cluster.title} is not locked")
    return _about(view, override("unlock", cluster.id))


def undo(overrides: Overrides) -> tuple[Override, Override]:
    """Return the change that takes back the last one that stands, and that one.

    Raises:
        WrongOverride: there is nothing to take back.
    """
    standing = overrides.standing
    if not standing:
        raise WrongOverride("there is no change to take back")
    return override("undo", standing[-1].id), standing[-1]


def checked_title(title: str) -> str:
    """Return a title on one line.

    Raises:
        WrongOverride: it is empty or too long.
    """
    tidy = " ".join(title.split())
    if not tidy:
        raise WrongOverride("a title cannot be empty")
    if len(tidy) > LONGEST_TITLE:
        raise WrongOverride(f"a title has {LONGEST_TITLE} characters at most")
    return tidy


def check_target(cluster: Cluster) -> Cluster:
    """Return a cluster that photos may be put into, or taken out of.

    Raises:
        WrongOverride: it is a group, or locked.
    """
    if _leaf(cluster).locked:
        raise WrongOverride(f"{cluster.title} is locked; unlock it first")
    return cluster


def check_photo(view: ClusterView, key: str) -> None:
    """Make sure that a photo may be moved.

    Raises:
        WrongOverride: it is unknown, or in a locked cluster.
    """
    if key not in view.place_of:
        raise WrongOverride(f"there is no photo {key}")
    leaf = view.clusters[view.leaf_of[view.place_of[key]]]
    if leaf.locked:
        raise WrongOverride(f"{key} is in {leaf.title}, which is locked; unlock it first")


def _true(cluster: Cluster) -> Cluster:
    if cluster.id in SPECIAL:
        raise WrongOverride(f"{cluster.id!r} is no cluster")
    return cluster


def _leaf(cluster: Cluster) -> Cluster:
    if _true(cluster).children:
        raise WrongOverride(f"{cluster.title} is a group; name a cluster in it")
    return cluster


def _about(view: ClusterView, change: Override) -> Override:
    """Add what makes the named clusters recognisable: some of their photos."""
    for id_ in (change.cluster, *change.others, change.parent):
        cluster = view.clusters.get(id_ or "")
        if cluster is not None and not cluster.children:
            keys = [view.photos[place].key for place in cluster.members]
            change.sketches[cluster.id] = Sketch.of(keys)
    return change
