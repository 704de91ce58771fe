"""Every command of `pcc`: its name, the function that is the command, and its line in the help.

The line is the first one of the function's docstring. It stands here as well, so that the help of
a group names its commands without importing any of them. A test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Listing(NamedTuple):
    """What a group knows of a command before the command is called.

    Attributes:
        place: Where its function is, as in `run.run`: a module of this package, and a name in it.
        line: What the command does.
    """

    place: str
    line: str

    @property
    def module(self) -> str:
        """The whole name of the module."""
        return f"{__package__}.{self.place.partition('.')[0]}"

    @property
    def function(self) -> str:
        """The name of the function."""
        return self.place.partition(".")[2]


COMMANDS: Mapping[str, Mapping[str, Listing]] = {
    "pcc": {
        "run": Listing(
            "run.run",
            "Caption every photo that has no caption yet. Safe to interrupt, safe to repeat.",
        ),
        "plan": Listing(
            "plan.plan",
            "Tell what there is to do, and which flag of `pcc run` does it. Writes nothing.",
        ),
        "estimate": Listing(
            "estimate.estimate",
            "Tell what a run would take: tokens, money, time. Calls no model, unless for a pilot.",
        ),
        "stats": Listing(
            "stats.stats",
            "Add up the journal: captions by status, backend and model, tokens and cost.",
        ),
        "models": Listing(
            "models.models",
            "List models worth choosing: prices, memory against the card, "
            "days they are switched off.",
        ),
        "try": Listing(
            "try_photo.try_photo",
            "Caption one photo and write nothing, to see what a backend and a prompt give.",
        ),
        "compare": Listing(
            "compare.compare",
            "Caption a few photos by several backends and models, and show what each says.",
        ),
        "embed": Listing(
            "cluster.embed",
            "Make the vectors of captions that have none yet; with `clip`, of pictures too.",
        ),
        "cluster": Listing(
            "cluster.cluster",
            "Sort the photos into a tree of clusters, by what their captions say.",
        ),
        "chunk": Listing(
            "report.chunk",
            "Cut each cluster into chunks: events, each small enough for one look.",
        ),
        "report": Listing(
            "report.report", "Write the clusters as CSV, as Markdown, and as one HTML page."
        ),
        "search": Listing("report.search", "Find photos by words and by meaning."),
        "edit": Listing(
            "edit.edit",
            "Write a caption by hand. It wins over the machine's, which stays in the journal.",
        ),
        "watch": Listing(
            "watch.watch",
            "Follow the job of this workspace until it ends; Ctrl+C leaves it running.",
        ),
        "doctor": Listing(
            "doctor.doctor", "Look at the installation, the keys, the photos and the workspace."
        ),
        "demo": Listing(
            "demo.demo",
            "Draw a sample library and caption it; "
            "with --photos-dir, caption a folder of your own.",
        ),
    },
    "dataset": {
        "enrich": Listing(
            "enrich.enrich",
            "Add to each record what it lacks. Safe to interrupt, safe to repeat.",
        ),
        "verify": Listing(
            "verify.verify",
            "Check every record and every number of the patch files; exit code 1 if any is amiss.",
        ),
        "shards": Listing(
            "shards.shards",
            "Write a dataset as shards for training. Safe to interrupt, safe to repeat.",
        ),
    },
    "ingest": {
        "run": Listing(
            "ingest.run",
            "Find objects, name them, and read text. "
            "Run it again to go on, and beside others to help.",
        ),
        "status": Listing(
            "ingest_control.status", "Show what a cache holds, and how its queue stands."
        ),
        "pause": Listing(
            "ingest_control.pause",
            "Have all workers of a queue wait, in whatever terminal they run.",
        ),
        "resume": Listing("ingest_control.resume", "Have all workers of a paused queue go on."),
        "import": Listing(
            "ingest_import.import_cache",
            "Import a cache into a database, all of it or nothing. "
            "Safe to interrupt, safe to repeat.",
        ),
    },
    "labels": {
        "list": Listing("labels.list_clusters", "Print the tree of clusters."),
        "rename": Listing(
            "labels.rename",
            "Give a cluster or a group a title of your own; it keeps it when clustered again.",
        ),
        "move": Listing("labels.move", "Put photos into another cluster."),
        "merge": Listing("labels.merge", "Put all photos of some clusters into another."),
        "split": Listing("labels.split", "Make a cluster of its own of some photos."),
        "lock": Listing(
            "labels.lock",
            "Let a cluster keep exactly the photos it has, however often you cluster again.",
        ),
        "unlock": Listing("labels.unlock", "Let the clustering decide again what is in a cluster."),
        "undo": Listing("labels.undo", "Take back the last change by hand."),
        "export": Listing(
            "labels.export",
            "Write clusters, or the cluster of each photo, for review elsewhere.",
        ),
        "import": Listing(
            "labels.import_",
            "Bring a changed table back: what changed is applied, "
            "a row that does not fit is named.",
        ),
        "bootstrap": Listing(
            "bootstrap.bootstrap",
            "Cluster by captions and detected labels, and suggest names for you to correct.",
        ),
    },
    "journal": {
        "check": Listing(
            "journal.check",
            "Read every line and compare it with its checksum; exit code 1 if any is damaged.",
        ),
        "repair": Listing(
            "journal.repair",
            "Write the journal anew, every record with a checksum; the old file is kept.",
        ),
        "compact": Listing(
            "journal.compact",
            "Keep the last record of each photo; lines that cannot be read stay as they are.",
        ),
    },
    "synth": {
        "generate": Listing(
            "synth.generate",
            "Make train, val and test sets; the same seed gives the same images on every machine.",
        ),
        "validate": Listing(
            "synth.validate",
            "Check a set: files, counts, types, labels, checksums, each image; draw a report.",
        ),
    },
}
"""Commands by their group, in the order of the help."""

GROUPS: Mapping[str, str] = {
    "dataset": "Make training datasets: enrich, verify, shards.",
    "ingest": "Find the objects and the text in photos, and keep them in a cache.",
    "labels": "Look at clusters, and change them by hand.",
    "journal": "Check, repair and compact the captions journal.",
    "synth": "Make sets of 16x16 grey pictures, one primitive each, and check them.",
}
"""What the groups below `pcc` are for, in the order of the help."""
