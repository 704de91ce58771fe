"""Reports: text from outside stays text, every photo has its line, labels follow their rule."""

from __future__ import annotations

import base64
import csv
import io
import re
import unicodedata
from pathlib import Path
from random import Random

import pytest

from journal import Status
from pipeline.captions.library import LibraryPhoto
from pipeline.clusters.view import ClusterView
from pipeline.reports.csv_export import COLUMNS, csv_lines
from pipeline.reports.markdown import heading, markdown_lines, sample
from pipeline.reports.photo_texts import PhotoTexts, make_photo_texts
from pipeline.reports.plain import markdown_text, one_line, plain_cell, safe_cell
from pipeline.reports.run import make_thumbnails, sheet_of, write_reports
from tests.support.photos import make_photos
from tests.support.placed import Desk, clustering_of, library_photo

HOSTILE = [
    "=HYPERLINK(\"http://x.invalid\",\"click\")",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    " =1+1",
    "'=1+1",
    "\u00a0=1+1",
    "\u3000@x",
    "\ufeff=1+1",
    "\u202e=1+1",
    "two\nlines\r\nand \x00 \x1b[31m \u2028 more",
    'say "no", they said; \'yes\'',
    "a;=1+1",
    "<script>alert(1)</script> <img src=x onerror=alert(1)> &lt;b&gt;",
    "[a](javascript:alert(1)) ![b](http://x.invalid/p.png) <http://x.invalid>",
    "http://x.invalid www.x.invalid me@x.invalid $1+1$ :tada:",
    "# heading\n- list\n1. list\n> quote\n```code```\n| a | b |\n---",
    "    indented", "- dash", "1) one", "2. two", "+ plus", "=== rule", "~~~ fence", "*b* _i_ `c`",
    "\udcff\ud800 half", "", "   ", "שלום \u200f", "\U0001f469\u200d\U0001f33e",
]  # fmt: skip

LETTERS = (
    "=+-@'\"\t\r\n ;,\\`*_{}[]<>|#!~&$.:/()0123ab\u00a0\u3000\u200d\u202e\ufeff\x00\u2028é\ud800"
)


def texts(seed: int) -> list[str]:
    random = Random(seed)
    return ["".join(random.choices(LETTERS, k=random.randrange(12))) for _ in range(400)]


# Cells


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula_or_breaks_its_line(text: str) -> None:
    cell = safe_cell(text)
    assert not cell.strip(" \u00a0\u3000").startswith(("=", "+", "-", "@"))
    assert "\n" not in cell
    assert not {unicodedata.category(char) for char in cell} & {"Cc", "Cs", "Zl", "Zp"}
    assert plain_cell(cell) == one_line(text)


@pytest.mark.parametrize("seed", range(10))
def test_any_cell_comes_back_as_it_was_shown(seed: int) -> None:
    for text in texts(seed):
        cell = safe_cell(text)
        assert plain_cell(cell) == one_line(text), repr(text)
        assert not cell.lstrip(" \u00a0\u3000").startswith(("=", "+", "-", "@"))
        assert one_line(cell) == cell
        assert safe_cell(plain_cell(cell)) == cell


def test_harmless_cells_are_left_alone() -> None:
    for text in ("a dog", "it's", "'quoted'", "a = b", "3 - 2", "été", "me@home"):
        assert safe_cell(text) == text == plain_cell(text)


# Markdown


def seen(shown: str) -> str:
    """Return what a reader sees of inert Markdown: backslashes before punctuation vanish."""
    out, rest = "", shown
    while rest:
        escaped = rest[0] == "\\" and len(rest) > 1 and rest[1].isascii() and rest[1:2].strip()
        out, rest = out + rest[bool(escaped)], rest[1 + bool(escaped) :]
    return out


def bare(shown: str) -> str:
    """Return Markdown without what is escaped."""
    out = ""
    while shown:
        skip = 2 if shown[0] == "\\" else 1
        out, shown = out + ("" if skip == 2 else shown[0]), shown[skip:]
    return out


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_any_text_as_it_is(text: str) -> None:
    shown = markdown_text(text)
    assert seen(shown) == one_line(text).strip()
    left = bare(shown)
    assert not set("`*_[]<>|#!~&$@{}") & {*left}
    assert not any(link in left.casefold() for link in ("://", "www."))
    assert not left.startswith(("-", "+", "=", " ")) or shown.startswith("\\")


@pytest.mark.parametrize("seed", range(5))
def test_any_markdown_is_inert(seed: int) -> None:
    for text in texts(seed):
        shown = markdown_text(text)
        assert seen(shown) == one_line(text).strip(), repr(text)
        assert not set("`*_[]<>|#!~&$@{}") & {*bare(shown)}


# Labels


def photo(
    name: str, status: Status | None = "success", caption: str | None = "a dog"
) -> LibraryPhoto:
    return library_photo(name, caption, status=status)


def test_labels_follow_their_rule() -> None:
    photos = [
        photo("captioned"),
        photo("edited", "error_api", "by hand"),
        photo("failed", "error_corrupt", None),
        photo("failed with words", "error_model", None),
        photo("word", None, None),
        photo("described", None, None),
        photo("nothing", None, None),
    ]
    words = dict.fromkeys(("captioned", "failed with words", "word"), "a beach")
    descriptions = dict.fromkeys(("word", "described", "failed"), "3 by 4 pixels, mostly red")

    labels = make_photo_texts(photos, words, descriptions)

    assert labels.texts == [
        *("a dog", "by hand", "", "", "a beach", "3 by 4 pixels, mostly red", ""),
    ]
    assert labels.summary == (
        "2 captioned, 2 errors, 1 vocabulary fallbacks, 1 described, 1 without a label"
    )
    assert sum(map(int, re.findall(r"\d+", labels.summary))) == len(photos)
    assert labels.described == 1


@pytest.mark.parametrize(
    ("statuses", "told"),
    [
        (["error_api", "error_api"], ["2 photos failed", "--retry-status error_api --retry-only`"]),
        (["error_model", "error_api"], ["--retry-status error_api,error_model --retry-only`"]),
        (["error_corrupt"], ["1 photos cannot be read", "mended or replaced"]),
        (["error_corrupt", "error_api"], ["1 photos failed", "1 photos cannot be read"]),
    ],
)
def test_only_what_may_succeed_is_to_be_retried(statuses: list[Status], told: list[str]) -> None:
    photos = [photo(f"{at}", status, None) for at, status in enumerate(statuses)]
    warning = make_photo_texts(photos, {}, {}).warning

    assert warning is not None
    for words in told:
        assert words in warning
    assert ("--retry-status" in warning) == (set(statuses) != {"error_corrupt"})


def test_the_summary_line_is_to_the_letter() -> None:
    assert make_photo_texts([], {}, {}).summary == "0 captioned, 0 errors, 0 vocabulary fallbacks"
    assert (
        PhotoTexts([], 1234, 5, 67).summary == "1234 captioned, 5 errors, 67 vocabulary fallbacks"
    )
    assert make_photo_texts([photo("a")], {}, {}).warning is None


# Files


def hostile_view() -> ClusterView:
    """Captions, paths and a title that each try to be more than text."""
    photos = [
        library_photo(f"{number:02d}{text}.jpg", text or None, taken="2019-05-01T10:00:00")
        for number, text in enumerate(HOSTILE)
    ]
    photos[-1].status, photos[-1].caption = "error_api", None
    names = [photo.rel_path for photo in photos]
    found = clustering_of({"aa": names[:10], "bb": names[10:20]}, {"gg": ["aa", "bb"]})
    found.nodes[0].title = HOSTILE[0]
    desk = Desk(ClusterView(photos, found), found)
    desk.rename("aa", HOSTILE[15])
    return desk.view


def test_the_csv_has_a_line_for_each_photo_whatever_captions_hold() -> None:
    view = hostile_view()
    labels = make_photo_texts(view.photos, {}, {})

    data = b"".join(csv_lines(view, labels))

    assert data.count(b"\n") == len(view.photos) + 1
    header, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
    assert header == [
        *("rel_path", "cluster_id", "cluster", "chunk", "label", "status", "distance", "taken"),
    ]
    assert tuple(header) == COLUMNS
    assert [row[0] for row in rows] == [safe_cell(photo.rel_path) for photo in view.photos]
    for place, row in enumerate(rows):
        assert len(row) == len(COLUMNS)
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row)
        assert row[1] == ("aa" if place < 10 else "bb" if place < 20 else "")
        assert row[3] == view.chunk_of(place)
        assert plain_cell(row[4]) == one_line(labels.texts[place])
        assert row[7] == "2019-05-01T10:00:00"
    assert rows[1][6] == "0.1000"
    assert rows[-1][5:7] == ["error_api", ""]
    assert plain_cell(rows[0][2]) == f"{HOSTILE[0]} / {HOSTILE[15]}"


def test_the_markdown_has_no_line_that_a_caption_made() -> None:
    view = hostile_view()
    lines = list(markdown_lines(view, make_photo_texts(view.photos, {}, {}), "today"))
    assert all("\n" not in line and "\r" not in line for line in lines)
    headings = [line for line in lines if line.startswith("#")]
    assert headings == ["# Clusters", *headings[1:]]
    assert len(headings) == 1 + len(view.clusters)
    assert headings[1].startswith(r"## \=HYPERLINK")
    assert headings[2].startswith(r"### \=HYPERLINK")
    assert any(line.startswith(r"\<script\>alert(1)\</script\>") for line in lines)
    assert not any("<script" in bare(line) for line in lines)
    captioned = len([text for text in HOSTILE if text]) - 1
    summary = f"{captioned} captioned, 1 errors, 0 vocabulary fallbacks, 1 without a label"
    assert lines[4] == summary
    assert lines[6].startswith("Warning: 1 photos failed and have no label; ")
    assert "--retry-only" in lines[6]


def test_a_cluster_is_headed_by_its_exemplar_even_if_people_named_it() -> None:
    photos = [photo("a1"), photo("a2", "success", "a cat"), photo("b1", "error_api", None)]
    found = clustering_of({"aa": ["a1", "a2"], "bb": ["b1"]})
    desk = Desk(ClusterView(photos, found), found)
    labels = make_photo_texts(photos, {}, {})
    assert heading(labels, desk.view.clusters["aa"]) == "a dog"
    assert heading(labels, desk.view.clusters["bb"]) == "BB"
    labels.texts[2] = "a beach"  # the nearest word of a vocabulary
    assert heading(labels, desk.view.clusters["bb"]) == "a beach"
    labels.described_places.add(2)  # or what `basic` says, which is no caption
    assert heading(labels, desk.view.clusters["bb"]) == "BB"
    desk.rename("aa", "Pets")
    assert heading(labels, desk.view.clusters["aa"]) == "a dog"
    lines = markdown_lines(desk.view, labels, "today")
    assert any(line.startswith("Pets: 2 photos, cohesion 0.90") for line in lines)


@pytest.mark.parametrize(("size", "most"), [(1, 5), (5, 5), (6, 5), (100, 12), (3, 1)])
def test_a_sample_shows_the_exemplar_first_and_nobody_twice(size: int, most: int) -> None:
    photos = [photo(f"{number:03d}") for number in range(size)]
    view = ClusterView(photos, clustering_of({"aa": [each.key for each in photos]}))
    for exemplar in (0, size // 2, size - 1, None):
        view.clusters["aa"].exemplar = exemplar
        shown = sample(view.clusters["aa"], most)
        assert len({*shown}) == len(shown) <= most
        assert len(shown) >= min(size, most) - 1
        assert exemplar is None or shown[0] == exemplar
        assert sheet_of(view, "aa", most) == shown


async def test_reports_are_written_whole_for_their_owner_alone(tmp_path: Path) -> None:
    names = make_photos(tmp_path / "photos", 4)
    (tmp_path / "photos" / names[3]).write_bytes(b"no picture")
    view = ClusterView([photo(name) for name in names], clustering_of({"aa": names}))
    told: list[tuple[int, int]] = []

    thumbnails = await make_thumbnails(view, tmp_path / "photos", lambda *to: told.append(to))
    labels = make_photo_texts(view.photos, {}, {})
    report = write_reports(view, labels, tmp_path, ["csv", "md", "html"], thumbnails)

    assert sorted(thumbnails) == [0, 1, 2]
    assert told[-1] == (4, 4)
    assert [Path(file).name for file in report.files] == [
        *("cluster_export.csv", "cluster_report.md", "cluster_report.html"),
    ]
    assert all(Path(file).stat().st_mode & 0o077 == 0 for file in report.files)
    assert (report.photos, report.captioned, report.clusters) == (4, 4, 1)
    page = Path(report.files[2]).read_text()
    assert all(base64.b64encode(jpeg).decode() in page for jpeg in thumbnails.values())
