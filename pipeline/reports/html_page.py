"""The report as one HTML page, which opens from disk and loads nothing from any network.

The content security policy of the page allows only our own script and style, each named by
its hash. All text is JSON in data blocks; the scripts insert the text as text, never as
markup.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

_PARTS = Path(__file__).parent / "page"
_SCRIPTS = ("text", "tree", "photos", "views", "search", "map", "pointer", "address")
"""Parts of one script, in the order in which they run; each sees what those before it declare."""

_PHOTOS_A_PIECE = 1000
_NO_MARKUP = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


class PagePhoto(msgspec.Struct, frozen=True):
    """A photo as the page shows it.

    Attributes:
        path: Relative path of the photo.
        label: The caption or a substitute; may be empty.
        cluster: Index of the leaf in `Page.clusters`.
        status: Status of the photo; the page mentions every status except `success`.
        taken: When the photo was taken, ISO 8601.
        x: Horizontal position on the map; None to leave the photo out of the map.
        y: Vertical position on the map.
        chunk: Name of the chunk.
    """

    path: str
    label: str
    cluster: int
    status: str
    taken: str | None = None
    x: float | None = None
    y: float | None = None
    chunk: str = ""


class PageCluster(msgspec.Struct, frozen=True):
    """A cluster, leaf or group.

    Attributes:
        title: Title of the cluster; `unclustered` and `no caption` are drawn in grey.
        parent: Index of the parent in `Page.clusters`, None at the top.
        size: Photos in the cluster and below.
        keywords: Keywords, the best first.
        exemplar: Caption of the exemplar, or "".
        cohesion: Mean cosine to the centroid.
        span: Days of the first and the last photo in words, or "".
        sheet: The contact sheet: indices in `Page.photos`, each with a JPEG.
    """

    title: str
    parent: int | None
    size: int
    keywords: list[str]
    exemplar: str
    cohesion: float | None
    span: str
    sheet: list[tuple[int, bytes]]


class Page(msgspec.Struct, frozen=True):
    """Everything that the page shows.

    Attributes:
        title: Title of the page.
        made: When the page was made, in words.
        summary: One line about the photos.
        clusters: The clusters in the order of display: depth first, parents before children.
        photos: The photos in the order of the list; each photo is in one leaf.
    """

    title: str
    made: str
    summary: str
    clusters: list[PageCluster]
    photos: list[PagePhoto]


def render(page: Page) -> Iterator[bytes]:
    """Yield the page in pieces, so that the whole page is never in memory.

    The same data gives the same bytes. A photo that is on several contact sheets
    is stored once.
    """
    style, script = _part("page.css"), _script()
    frame = _part("page.html")
    for name, text in (
        ("policy", html.escape(_policy(style, script))),
        ("style", style),
        ("script", script),
    ):
        frame = frame.replace(f"{{{{{name}}}}}", text)
    before, _, after = frame.partition("{{data}}")
    yield before.encode()
    yield from _data(page)
    yield from _pictures(page.clusters)
    yield after.encode()


def _part(name: str) -> str:
    return (_PARTS / name).read_text("utf-8")


def _script() -> str:
    parts = "\n".join(_part(f"{name}.js") for name in _SCRIPTS)
    return f'"use strict";\n{{\n{parts}}}'  # a block keeps all names to itself


def _policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy: the page loads nothing and runs only our own code."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            # Browsers with Trusted Types turn text inserted as markup by mistake into an error.
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _data(page: Page) -> Iterator[bytes]:
    yield b'<script type="application/json" id="data">{"title":' + _json(page.title)
    yield b',"made":' + _json(page.made) + b',"summary":' + _json(page.summary)
    yield b',\n"clusters":['
    for number, cluster in enumerate(page.clusters):
        yield (b",\n" if number else b"\n") + _json(_cluster(cluster))
    yield b'],\n"photos":['
    for start in range(0, len(page.photos), _PHOTOS_A_PIECE):
        piece = page.photos[start : start + _PHOTOS_A_PIECE]
        yield (b",\n" if start else b"\n") + b",\n".join(_json(_row(photo)) for photo in piece)
    yield b"]}</script>\n"


def _cluster(cluster: PageCluster) -> dict[str, object]:
    return {
        "title": cluster.title,
        "parent": cluster.parent,
        "size": cluster.size,
        "keywords": cluster.keywords,
        "exemplar": cluster.exemplar,
        "cohesion": _finite(cluster.cohesion),
        "span": cluster.span,
        "sheet": [place for place, _ in cluster.sheet],
    }


def _row(photo: PagePhoto) -> list[object]:
    """Return a photo as `text.js` reads it, without the names of the columns."""
    return [
        photo.path,
        photo.label,
        photo.cluster,
        photo.status,
        photo.taken,
        _finite(photo.x),
        _finite(photo.y),
        photo.chunk,
    ]


def _pictures(clusters: Sequence[PageCluster]) -> Iterator[bytes]:
    """Yield each picture as a block of its own, which the browser decodes when it is shown."""
    stored = set[int]()
    for cluster in clusters:
        for place, jpeg in cluster.sheet:
            if place not in stored:
                stored.add(place)
                head = f'<script type="text/plain" id="picture-{place}">'.encode()
                yield head + base64.b64encode(jpeg) + b"</script>\n"


def _finite(number: float | None) -> float | None:
    """Return a finite number, and None for any other, because JSON has no other numbers."""
    return number if number is not None and math.isfinite(number) else None


def _json(value: object) -> bytes:
    """Return JSON in ASCII without markup; a lone surrogate is escaped like any other character."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.translate(_NO_MARKUP).encode("ascii")
