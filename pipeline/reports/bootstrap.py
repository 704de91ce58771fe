"""A table of names for clusters, suggested by detected labels, for people to correct."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from backends.keys import scrub
from journal import text_kind
from pipeline.clusters.view import Cluster, ClusterView
from pipeline.reports.csv_export import csv_line
from pipeline.reports.exchange import COLUMNS as EXPORTED
from pipeline.reports.exchange import export_rows

COMMON = 0.5
"""Share of a cluster's photos above which a label may name the cluster."""

TELLING = 1.5
"""Lift from which on a label is characteristic of a cluster."""

MOST_NAMES = 2
"""Most labels in a suggested name."""

SHOWN = 8
"""Most labels of a cluster that the table shows, each with its share."""

COLUMNS = ("cluster_id", "title", "titled_before", "labels", *EXPORTED["clusters"][2:])


BOOTSTRAP = text_kind(
    "a table of suggested names",
    ",".join(COLUMNS[:3]),
    f'[\n  {{\n    "{COLUMNS[0]}": ',
    "[]",
)


def bootstrap_rows(view: ClusterView, seen: Mapping[str, Counter[str]]) -> Iterator[dict[str, str]]:
    """Yield a row for each cluster, with the suggestion for its title.

    Importing the table unchanged accepts all suggestions. A title that people gave stays,
    and so does the title of a cluster in which no label is common.

    Args:
        view: The clusters.
        seen: Labels of each photo, by the key of the photo.
    """
    labels_of = _labels_of(view, seen)
    suggested = {id_: _suggestion(view.clusters[id_], found) for id_, found in labels_of.items()}
    times = Counter(suggested.values())
    for row in export_rows(view, "clusters"):
        found = labels_of[row["cluster_id"]]
        name = suggested[row["cluster_id"]]
        row["titled_before"] = row["title"]
        row["labels"] = scrub(", ".join(f"{one.label} {one.share:.0%}" for one in found[:SHOWN]))
        if name and times[name] == 1:
            row["title"] = scrub(name)
        elif name and not row["title"].startswith(name):
            row["title"] = scrub(f"{name} ({row['title']})")
        yield row


def bootstrap_csv(view: ClusterView, seen: Mapping[str, Counter[str]]) -> Iterator[bytes]:
    """Yield the table as CSV in which no spreadsheet finds a formula."""
    yield csv_line(COLUMNS)
    for row in bootstrap_rows(view, seen):
        yield csv_line([row[column] for column in COLUMNS])


class _Share(NamedTuple):
    """A label of a cluster.

    Attributes:
        label: The label.
        share: Share of the cluster's photos that show the label.
        lift: `share` divided by the share of all photos that show the label.
    """

    label: str
    share: float
    lift: float


def _labels_of(view: ClusterView, seen: Mapping[str, Counter[str]]) -> dict[str, list[_Share]]:
    """Return the labels of each cluster, and of the groups above it, the most frequent first."""
    photos: Counter[str] = Counter()
    labels: dict[str, Counter[str]] = {id_: Counter() for id_ in view.clusters}
    everywhere: Counter[str] = Counter()
    for place, photo in enumerate(view.photos):
        found = seen.get(photo.key, Counter[str]()).keys()
        everywhere.update(found)
        above: str | None = view.leaf_of[place]
        while above is not None:
            photos[above] += 1
            labels[above].update(found)
            above = view.clusters[above].parent
    return {
        id_: [
            _Share(
                label,
                count / photos[id_],
                count / photos[id_] * len(view.photos) / everywhere[label],
            )
            for label, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ]
        for id_, counts in labels.items()
    }


def _suggestion(cluster: Cluster, labels: list[_Share]) -> str:
    """Return a name from the labels that most photos show and others do not; empty for none."""
    if cluster.named or cluster.locked:
        return ""
    common = [one for one in labels if one.share >= COMMON and one.lift >= TELLING]
    telling = sorted(common, key=lambda one: -one.lift)[:MOST_NAMES]
    return ", ".join(one.label for one in telling)
