"""`pcc labels bootstrap`: clusters captions with detected labels, and suggests names."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import msgspec
import typer

from pcc_tui.cli.cluster import ClusterOptions, EmbedderOptions, cluster_request, run_request, tell
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.labels import make_output_directory, opened
from pcc_tui.cli.options import SiteOptions, require_extra, require_text
from pcc_tui.cli.origin import origin
from pcc_tui.cli.output import fail, print_json, say
from pcc_tui.words.commands import operands


@takes_groups
def bootstrap(
    site: SiteOptions,
    embedder: EmbedderOptions,
    clustering: ClusterOptions,
    cache: Annotated[
        Optional[Path],
        typer.Option(
            help="Where `pcc ingest run` kept its results.", show_default="WORKSPACE/cache"
        ),
    ] = None,
    out: Annotated[
        Optional[Path],
        typer.Option(help="Table for review, .csv or .json.", show_default="labels_bootstrap.csv"),
    ] = None,
) -> int:
    """Cluster by captions and detected labels, and suggest names for you to correct."""
    require_extra("clusters", "this command")
    from journal import atomic_rewrite, require_own_place
    from pipeline.ingest.cache.seen_labels import seen_labels, told
    from pipeline.reports.bootstrap import BOOTSTRAP, bootstrap_csv, bootstrap_rows

    directory = cache or site.workspace / "cache"
    require_text("--cache", str(directory))
    path = out or site.workspace / "labels_bootstrap.csv"
    if path.is_dir():
        fail(f"--out {path} is a directory; name a file, .csv or .json", ExitCode.USAGE)
    site.settings()
    require_own_place(path, BOOTSTRAP)
    seen = seen_labels(directory)
    make_output_directory(path.parent)
    labels = {key: told(found) for key, found in seen.items()}
    request = cluster_request(
        site, embedder, clustering.settings(), labels=labels, force=clustering.force
    )
    result = run_request(request, json=site.json)
    if result.stop_code is not None:
        return result.stop_code
    view = opened(site)
    with atomic_rewrite(path, kind=BOOTSTRAP) as file:
        if path.suffix == ".json":
            rows = msgspec.json.encode(list(bootstrap_rows(view, seen)))
            file.write(msgspec.json.format(rows) + b"\n")
        else:
            file.writelines(bootstrap_csv(view, seen))
    if site.json:
        answer = {"file": str(path), "labelled": len(seen), "clusters": result.report}
        print_json({"kind": "labels-bootstrap", **answer})
        return ExitCode.OK
    tell(result)
    say(f"{len(seen):,} photos had labels. Names suggested in {path}: correct its titles, then")
    say(f"  {origin().command_line('labels', 'import', *operands(str(path)))}")
    return ExitCode.OK
