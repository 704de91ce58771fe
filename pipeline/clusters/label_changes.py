"""Making changes by hand: each change is checked against the view, and is one record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.clusters.errors import WrongLabelChange
from pipeline.clusters.label_journal import LabelChange, LabelJournal, new_label_change
from pipeline.clusters.recognition import Sketch, new_id
from pipeline.clusters.view import SPECIAL, Cluster, ClusterView

LONGEST_TITLE = 200


def find_cluster(view: ClusterView, name: str) -> Cluster:
    """Return the cluster with an id, or with a title that only one cluster has.

    Raises:
        WrongLabelChange: no cluster or several clusters have that name.
    """
    if name in view.clusters:
        return view.clusters[name]
    wanted = name.casefold()
    found = [cluster for cluster in view.clusters.values() if cluster.title.casefold() == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(cluster.id for cluster in found)
        raise WrongLabelChange(
            f"{len(found)} clusters are called {name!r}; name one by its id: {ids}"
        )
    raise WrongLabelChange(f"there is no cluster {name!r}; `pcc labels list` names them")


def rename(view: ClusterView, cluster: Cluster, title: str) -> LabelChange:
    """Return the change that gives a cluster or a group a title.

    Raises:
        WrongLabelChange: the title is empty or too long, or the leaf is not a cluster.
    """
    return _about(view, new_label_change("rename", _true(cluster).id, title=checked_title(title)))


def move(view: ClusterView, keys: Sequence[str], target: Cluster) -> LabelChange:
    """Return the change that puts photos into a cluster, regardless of any clustering.

    Raises:
        WrongLabelChange: the target is a group or locked, or a photo is unknown or in a locked
            cluster.
    """
    check_target(target)
    for key in keys:
        check_photo(view, key)
    return _about(view, new_label_change("move", target.id, title=target.title, photos=list(keys)))


def merge(view: ClusterView, target: Cluster, others: Sequence[Cluster]) -> LabelChange:
    """Return the change that puts all photos of some clusters into another.

    Raises:
        WrongLabelChange: one of them is a group or locked.
    """
    ids = [other.id for other in others if other.id != target.id]
    if not ids:
        raise WrongLabelChange("merging takes two clusters")
    for cluster in (target, *others):
        check_target(cluster)
    photos = [view.photos[place].key for one in (target, *others) for place in one.members]
    fields = {"title": target.title, "photos": list(dict.fromkeys(photos)), "others": ids}
    return _about(view, new_label_change("merge", target.id, **fields))


def split(view: ClusterView, keys: Sequence[str], title: str) -> LabelChange:
    """Return the change that makes a cluster of some photos, beside the cluster of the first.

    Raises:
        WrongLabelChange: no photo is named, or a photo is unknown or in a locked cluster.
    """
    if not keys:
        raise WrongLabelChange("splitting off takes photos")
    for key in keys:
        check_photo(view, key)
    origin = view.leaf_of[view.place_of[keys[0]]]
    parent = None if origin in SPECIAL else origin
    id_ = new_id([*keys, title], view.clusters)
    fields = {"title": checked_title(title), "photos": list(keys), "parent": parent}
    return _about(view, new_label_change("split", id_, **fields))


def lock(view: ClusterView, cluster: Cluster) -> LabelChange:
    """Return the change that lets a cluster keep exactly its present photos.

    Raises:
        WrongLabelChange: the cluster is a group.
    """
    members = [view.photos[place].key for place in _leaf(cluster).members]
    change = new_label_change("lock", cluster.id, title=cluster.title, photos=members)
    return _about(view, change)


def unlock(view: ClusterView, cluster: Cluster) -> LabelChange:
    """Return the change that unlocks a cluster, so that a clustering may change its photos.

    Raises:
        WrongLabelChange: the cluster is not locked.
    """
    if not cluster.locked:
        raise WrongLabelChange(f"{cluster.title} is not locked")
    return _about(view, new_label_change("unlock", cluster.id))


def undo(changes: LabelJournal) -> tuple[LabelChange, LabelChange]:
    """Return the change that takes back the last valid change, and that last change.

    Raises:
        WrongLabelChange: there is nothing to take back.
    """
    standing = changes.standing
    if not standing:
        raise WrongLabelChange("there is no change to take back")
    return new_label_change("undo", standing[-1].id), standing[-1]


def checked_title(title: str) -> str:
    """Return a title on one line.

    Raises:
        WrongLabelChange: the title is empty or too long.
    """
    tidy = " ".join(title.split())
    if not tidy:
        raise WrongLabelChange("a title cannot be empty")
    if len(tidy) > LONGEST_TITLE:
        raise WrongLabelChange(f"a title has {LONGEST_TITLE} characters at most")
    return tidy


def check_target(cluster: Cluster) -> Cluster:
    """Return a cluster if photos may be put into it and taken out of it.

    Raises:
        WrongLabelChange: the cluster is a group, or is locked.
    """
    if _leaf(cluster).locked:
        raise WrongLabelChange(f"{cluster.title} is locked; unlock it first")
    return cluster


def check_photo(view: ClusterView, key: str) -> None:
    """Make sure that a photo may be moved.

    Raises:
        WrongLabelChange: the photo is unknown, or is in a locked cluster.
    """
    if key not in view.place_of:
        raise WrongLabelChange(f"there is no photo {key}")
    leaf = view.clusters[view.leaf_of[view.place_of[key]]]
    if leaf.locked:
        raise WrongLabelChange(f"{key} is in {leaf.title}, which is locked; unlock it first")


def _true(cluster: Cluster) -> Cluster:
    if cluster.id in SPECIAL:
        raise WrongLabelChange(f"{cluster.id!r} is no cluster")
    return cluster


def _leaf(cluster: Cluster) -> Cluster:
    if _true(cluster).children:
        raise WrongLabelChange(f"{cluster.title} is a group; name a cluster in it")
    return cluster


def _about(view: ClusterView, change: LabelChange) -> LabelChange:
    """Add sketches of the clusters that a change names, so that they can be recognised later."""
    for id_ in (change.cluster, *change.others, change.parent):
        cluster = view.clusters.get(id_ or "")
        if cluster is not None:
            keys = [view.photos[place].key for place in _below(view, cluster)]
            change.sketches[cluster.id] = Sketch.of(keys, group=bool(cluster.children))
    return change


def _below(view: ClusterView, cluster: Cluster) -> Iterator[int]:
    """Yield the indices of the photos of a cluster, or of all clusters in a group."""
    yield from cluster.members
    for child in cluster.children:
        yield from _below(view, view.clusters[child])
