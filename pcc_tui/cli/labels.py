"""`pcc labels`: list clusters, change them by hand, export labels and import them again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional

import msgspec
import typer

from journal import make_directory, read_whole, require_own_place, what_failed
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.named_photos import key_of
from pcc_tui.cli.options import SiteOptions, require_extra, require_text
from pcc_tui.cli.origin import origin
from pcc_tui.cli.output import fail, print_json, say, warn
from pcc_tui.settings import load_settings
from pcc_tui.words.commands import operands

if TYPE_CHECKING:
    from pipeline.clusters.label_journal import LabelChange
    from pipeline.clusters.view import ClusterView

SHOWN = 20

ClusterName = Annotated[str, typer.Argument(help="Its id, or its title.", metavar="CLUSTER")]
Photos = Annotated[list[str], typer.Argument(help="Paths of photos.", metavar="PHOTO...")]


class Listed(msgspec.Struct):
    """A cluster as `pcc labels list --json` prints it."""

    cluster_id: str
    path: list[str]
    size: int
    keywords: list[str]
    cohesion: float | None
    first: str | None
    last: str | None
    chunks: int
    locked: bool
    named: bool


@takes_groups
def list_clusters(site: SiteOptions) -> None:
    """Print the tree of clusters."""
    view = opened(site)
    if site.json:
        print_json(
            [
                Listed(
                    cluster.id,
                    view.path(cluster.id),
                    cluster.size,
                    cluster.keywords,
                    cluster.cohesion,
                    cluster.first,
                    cluster.last,
                    len(cluster.chunks),
                    cluster.locked,
                    cluster.named,
                )
                for cluster in view.clusters.values()
            ]
        )
        return
    for cluster in view.clusters.values():
        indent = "  " * (len(view.path(cluster.id)) - 1)
        locked = ", locked" if cluster.locked else ""
        say(f"{indent}{cluster.title}  [{cluster.id}]  {cluster.size:,}{locked}")


@takes_groups
def rename(
    site: SiteOptions, cluster: ClusterName, title: Annotated[str, typer.Argument()]
) -> None:
    """Give a cluster or a group a title of your own; it keeps it when clustered again."""
    from pipeline.clusters import label_changes

    view = opened(site)
    require_text("TITLE", title)
    found = label_changes.find_cluster(view, cluster)
    _write(site, [label_changes.rename(view, found, title)], f"{found.title} is now called {title}")


@takes_groups
def move(
    site: SiteOptions,
    to: Annotated[str, typer.Option("--to", help="Id or title of the cluster they go to.")],
    photos: Photos,
) -> None:
    """Put photos into another cluster."""
    from pipeline.clusters import label_changes

    view = opened(site)
    target = label_changes.find_cluster(view, to)
    change = label_changes.move(view, _keys(site, view, photos), target)
    _write(site, [change], f"{len(change.photos):,} photos moved to {target.title}")


@takes_groups
def merge(
    site: SiteOptions,
    into: Annotated[str, typer.Option("--into", help="Id or title of the cluster that stays.")],
    clusters: Annotated[list[str], typer.Argument(help="Ids or titles.", metavar="CLUSTER...")],
) -> None:
    """Put all photos of some clusters into another."""
    from pipeline.clusters import label_changes

    view = opened(site)
    target = label_changes.find_cluster(view, into)
    others = [label_changes.find_cluster(view, name) for name in clusters]
    change = label_changes.merge(view, target, others)
    _write(site, [change], f"{len(change.others):,} clusters merged into {target.title}")


@takes_groups
def split(
    site: SiteOptions,
    title: Annotated[str, typer.Option("--title", help="Of the new cluster.")],
    photos: Photos,
) -> None:
    """Make a cluster of its own of some photos."""
    from pipeline.clusters import label_changes

    view = opened(site)
    require_text("--title", title)
    change = label_changes.split(view, _keys(site, view, photos), title)
    told = f"{len(change.photos):,} photos split off as {change.title} [{change.cluster}]"
    _write(site, [change], told)


@takes_groups
def lock(site: SiteOptions, cluster: ClusterName) -> None:
    """Let a cluster keep exactly the photos it has, however often you cluster again."""
    from pipeline.clusters import label_changes

    view = opened(site)
    found = label_changes.find_cluster(view, cluster)
    _write(site, [label_changes.lock(view, found)], f"{found.title} is locked")


@takes_groups
def unlock(site: SiteOptions, cluster: ClusterName) -> None:
    """Let the clustering decide again what is in a cluster."""
    from pipeline.clusters import label_changes

    view = opened(site)
    found = label_changes.find_cluster(view, cluster)
    _write(site, [label_changes.unlock(view, found)], f"{found.title} is no longer locked")


@takes_groups
def undo(site: SiteOptions) -> None:
    """Take back the last change by hand."""
    from pipeline.clusters import label_changes
    from pipeline.clusters.label_journal import LabelJournal, label_journal_path

    changes = LabelJournal(label_journal_path(site.workspace))
    changes.refresh()
    warn_of_damage(site)
    change, taken_back = label_changes.undo(changes)
    _write(site, [change], f"Taken back: {taken_back.action} of {taken_back.at}")


@takes_groups
def export(
    site: SiteOptions,
    out: Annotated[
        Optional[Path],
        typer.Option(help="File to write, .csv or .json.", show_default="labels_TABLE.csv"),
    ] = None,
    table: Annotated[
        Literal["clusters", "photos"],
        typer.Option(help="A row a cluster, or a row a photo."),
    ] = "clusters",
) -> None:
    """Write clusters, or the cluster of each photo, for review elsewhere."""
    from journal import atomic_rewrite
    from pipeline.reports.exchange import EXPORTS, export_csv, export_rows

    view = opened(site)
    path = out or site.workspace / f"labels_{table}.csv"
    if path.is_dir():
        fail(f"--out {path} is a directory; name a file, .csv or .json", ExitCode.USAGE)
    require_own_place(path, EXPORTS)
    make_output_directory(path.parent)
    with atomic_rewrite(path, kind=EXPORTS) as file:
        if path.suffix == ".json":
            rows = msgspec.json.encode(list(export_rows(view, table)))
            file.write(msgspec.json.format(rows) + b"\n")
        else:
            file.writelines(export_csv(view, table))
    if site.json:
        print_json({"kind": "labels-export", "file": str(path), "table": table})
    else:
        back = origin().command_line("labels", "import", *operands(str(path)))
        say(f"Written: {path}; change it, then `{back}`")


@takes_groups
def import_(
    site: SiteOptions,
    file: Annotated[Path, typer.Argument(help="A table that `pcc labels export` wrote.")],
) -> int:
    """Bring a changed table back: what changed is applied, a row that does not fit is named."""
    from pipeline.reports.label_import import UnreadableTable, import_csv, import_json

    view = opened(site)
    try:
        data = read_whole(file)
        imported = (import_json if file.suffix == ".json" else import_csv)(view, data)
    except OSError as error:
        fail(what_failed(error), ExitCode.USAGE)
    except UnreadableTable as error:
        fail(f"{file} is no table of labels: {error}", ExitCode.USAGE)
    _append(site, imported.changes)
    if site.json:
        print_json(imported)
        return ExitCode.OK
    for sentence in imported.told[:SHOWN]:
        say(f"  {sentence}")
    if len(imported.told) > SHOWN:
        say(f"  … and {len(imported.told) - SHOWN:,} more")
    for refused in imported.refused:
        say(f"  refused: row {refused.row}: {refused.reason}")
    say(
        f"{len(imported.told):,} changes from {imported.rows:,} rows, "
        f"{imported.unchanged:,} unchanged, {len(imported.refused):,} refused"
    )
    return ExitCode.OK


def opened(site: SiteOptions, *, chunk_size: int | None = None) -> ClusterView:
    """Return the clusters of a workspace; end with an error where there are none yet."""
    require_extra("clusters", "this command")
    from pipeline.clusters.opening import open_view
    from pipeline.clusters.tree_file import clusters_path, read_clustering

    read_clustering(
        clusters_path(site.workspace)
    )  # raises an error that says what to do where there is no clustering
    photos_dir = site.photos_if_here(site.settings())
    warn_of_damage(site)
    return open_view(site.workspace, site.journal, photos_dir, chunk_size=chunk_size)


def warn_of_damage(site: SiteOptions) -> None:
    """Warn of lines that somebody wrote by hand and that cannot be read any longer."""
    from pipeline.clusters.opening import damage_by_hand

    for warning in damage_by_hand(site.workspace, site.journal):
        warn(f"warning: {warning}")


def make_output_directory(directory: Path) -> None:
    """Make a directory for what a command writes; end with a usage error if that fails."""
    try:
        make_directory(directory)
    except OSError as error:
        fail(what_failed(error), ExitCode.USAGE)


def _keys(site: SiteOptions, view: ClusterView, photos: list[str]) -> list[str]:
    settings = load_settings(site.workspace, journal=site.journal)  # told of when they were opened
    photos_dir = site.photos_dir or settings.photos_dir
    return [key_of(photos_dir, named, view.place_of.__contains__) for named in photos]


def _write(site: SiteOptions, made: list[LabelChange], told: str) -> None:
    _append(site, made)
    if site.json:
        print_json(made)
    else:
        say(told)


def _append(site: SiteOptions, made: list[LabelChange]) -> None:
    from pipeline.clusters.label_journal import LabelJournal, label_journal_path

    if made:
        LabelJournal(label_journal_path(site.workspace)).write(made)
