"""`pcc dataset`: a JSONL of images made richer, checked, and packed into shards."""

from __future__ import annotations

import typer

from pcc_tui.cli import enrich, shards, verify
from pcc_tui.cli.groups import show_help

app = typer.Typer(help="Make training datasets: enrich, verify, shards.")
app.callback(invoke_without_command=True)(show_help)
app.command("enrich")(enrich.enrich)
app.command("verify")(verify.verify)
app.command("shards")(shards.shards)
